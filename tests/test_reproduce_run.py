"""`make reproduce` as a process: two in one folder, a real kill in the middle, an edited cell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from microworld.reproduce.cell import Place, bound_to
from microworld.reproduce.paths import told
from microworld.reproduce.settings import Cell, Data, Drawn
from microworld.reproduce.settings import Test as HeldOut
from microworld.reproduce.work import cost, in_order, missing
from microworld.truth.steps import Truth, first_bad_of
from ssui_gen.branches import Cut
from ssui_gen.config_pairs import Recovery
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.reading import read

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "microworld" / "models" / "policy"
TINY = HeldOut(seed=3, each=2, cool=1, probes=1)
DATA = Data(seed=3, paths=4)
CELLS = (
    Cell(test=TINY),
    Cell(test=TINY, data=DATA, train={"loss": "sft", "epochs": 1.0}),
    Cell(
        test=TINY,
        data=DATA,
        drawn=Drawn(k=2, cuts=(2,)),
        off=Recovery(cuts=1, draws=8),
        pairs={"twins": True},
        train={"epochs": 1.0},
    ),
)
WORK_OFF = """
import sys
from pathlib import Path
from test_reproduce_run import CELLS, place
from microworld.reproduce.work import in_order, missing, work_off
if __name__ == "__main__":
    where = place(Path(sys.argv[1]))
    for done in work_off(where, missing(where, in_order(CELLS), print), workers=2):
        print("made", where.file(done.work).name, done.left, flush=True)
"""


def place(folder: Path) -> Place:
    return Place(folder, MODEL, bound_to(MODEL))


def working(folder: Path) -> subprocess.Popen[str]:
    """The same as the command does, with cells that take seconds."""
    script = folder.parent / "work_off.py"
    script.write_text(WORK_OFF)
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'train'}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(script), str(folder)], env=env, cwd=ROOT, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_second_one_in_the_same_folder_is_told_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "microworld.reproduce", "--output", str(tmp_path), "--quick"]
    with RunDir(tmp_path, "reproduce"):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "another one is at work here" in done.stderr


def test_what_takes_longer_is_guessed_to_take_longer() -> None:
    bare, sft, srpo = (cost(cell) for cell in CELLS)
    assert 0 < bare < sft < srpo < cost(CELLS[2].model_copy(update={"rounds": 2}))
    names = [type(work).__name__ for work in in_order(CELLS)]
    assert names == ["Cell", "Cell", "Branches", "Branches", "Cell"]


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_and_an_edited_cell_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with working(folder) as first:
        assert first.stdout
        made = first.stdout.readline()
        assert made.startswith("made"), made
        workers = children(first.pid)
        first.kill()
    assert workers and _gone(workers, within=20), "workers end when their parent has been killed"
    there = {path: path.stat().st_mtime_ns for path in folder.rglob("*.json")}
    assert there and not [path for path in folder.rglob("*") if path.name.endswith(".tmp") and path in there]
    second = working(folder)
    told, _ = second.communicate(timeout=300)
    assert second.returncode == 0, told
    assert all(path.stat().st_mtime_ns == when for path, when in there.items()), "what was made stays"
    where = place(folder)
    assert missing(where, in_order(CELLS), print) == []
    _learnt_behind_wrong_steps(where)
    edited = where.file(CELLS[1])
    found = json.loads(edited.read_text())
    found["rows"][0]["cool"] = ["a0"] if found["rows"][0]["cool"] != ["a0"] else ["u3"]
    edited.write_text(json.dumps(found))
    third = working(folder)
    told, _ = third.communicate(timeout=300)
    assert "was edited after it was made" in told and told.count("made ") >= 1
    assert missing(where, in_order(CELLS), print) == []


def _learnt_behind_wrong_steps(where: Place) -> None:
    """Each of those cuts goes on from a response whose last step is its first wrong one."""
    *_, off, cell = in_order(CELLS)
    cuts = [Cut.model_validate(row) for row in where.read(off)["cuts"]]
    paths = {one.path.id: one for one in told(DATA)}
    assert cuts
    for cut in cuts:
        pair = paths[cut.path_id].pair
        truth = Truth(pair.request, pair.scene.things, pair.rule)
        assert cut.origin and first_bad_of(read(cut.prefix + cut.branches[0].text), truth) == cut.cut
    assert where.read(cell)["facts"]["pairs_twin"] > 0


def _gone(pids: list[int], within: float) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.2)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return False


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
