"""The doors of `fuzzing` against inputs guided by coverage: atheris (libFuzzer) keeps what reaches new code.

`python tests/guided.py DOOR SECONDS SEED FOLDER`, a process a door, as libFuzzer ends the process it runs in.
`make fuzz` runs all of them where atheris is installed (it has no build for macOS or new Pythons).
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
INSTALLED = importlib.util.find_spec("atheris") is not None
_DONE = re.compile(rb"^Done (\d+) runs|^stat::number_of_executed_units:\s+(\d+)", re.MULTILINE)


def guided(name: str, seconds: float, chance: int) -> int:
    """How many inputs a door was entered with; raises RuntimeError with what it must not have raised."""
    with tempfile.TemporaryDirectory() as folder:
        told = [sys.executable, __file__, name, str(round(seconds)), str(chance), folder]
        done = subprocess.run(told, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}:\n{done.stderr.decode(errors='replace')[-4000:]}")
    return sum(int(one or other) for one, other in _DONE.findall(done.stderr)[:1])


def main(name: str, seconds: str, chance: str, below: str) -> None:
    """Enter one door until the time is up."""
    import atheris

    with atheris.instrument_imports(include=["ssui_gen", "microworld"]):
        from fuzzing import DOORS
    door, folder = DOORS[name], Path(below)
    known = folder / "known"
    known.mkdir()
    for number, good in enumerate(door.good):
        (known / str(number)).write_bytes(good)

    def enter(data: bytes) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as inside:
            try:
                door.enter(data, Path(inside))
            except door.refusals as refusal:
                assert str(refusal).strip()

    limits = [f"-max_total_time={seconds}", f"-seed={chance}", "-timeout=10", "-max_len=20000"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={folder}/", str(known)], enter)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
