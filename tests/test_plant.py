"""Planted errors: the truth finds each where it was put, and `stats` says which of them people caught."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from curating import cells_of, curation, on_a_wide_screen, record, say
from jobs import rows

from microworld.corpus.paths import ending
from microworld.label_branches import label
from microworld.plant import ERRORS, OWN, cases, plant, wrong_at
from microworld.world import wording
from microworld.world.rules import world
from ssui_gen.config import ImageLimits
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.images import inspect
from ssui_gen.records import STEP_NAMES, ReasoningPath


def right_path(rng: Random, truth: dict[str, Any], seeds: Path) -> ReasoningPath:
    """A record of a drawn scene with which the truth has nothing to find fault."""
    things = [one["thing"] for one in truth["things"]]
    rule = world().rule_for(truth["request"], things)
    steps = (
        wording.caption(rng, truth["place"], things),
        wording.wished(rng, truth["request"]),
        *ending(rng, truth["request"], rule),
    )
    answer = wording.warned(rng, rule) if rule else wording.helped(truth["request"], tuple(things))
    image = inspect(seeds, f"pictures/{truth['scene']}.png", ImageLimits())
    texts: dict[str, Any] = dict(zip(STEP_NAMES, steps, strict=True))
    path = record(
        truth["id"],
        "risky" if rule else "benign",
        question=truth["text"],
        answer=answer,
        image=image,
        **texts,
    )
    told = {"category": rule.category, "scenario": rule.harm} if rule else {"category": "none"}
    return path.model_copy(update={"query": path.query.model_copy(update=told)})


@pytest.fixture
def run(tmp_path: Path, drawn_seeds: Path) -> Path:
    """A run with right records of drawn scenes, and one that a model got wrong."""
    made, rng = tmp_path / "run", Random(2)
    shutil.copytree(drawn_seeds.parent, made / "seeds")
    known = {row["id"]: row for row in rows(made / "seeds" / "truth.jsonl") if row["text"]}
    paths = [right_path(rng, row, made / "seeds") for row in known.values()]
    paths[0] = paths[0].model_copy(update={"answer": "Sorry, I am not able to help."})
    (made / "reasoning_paths.jsonl").write_text("".join(path.model_dump_json() + "\n" for path in paths))
    return made


def test_the_truth_finds_each_error_where_it_was_put_and_none_elsewhere(run: Path, tmp_path: Path) -> None:
    before = {case.path.id: wrong_at(case) for case in cases(run, run / "seeds")}
    assert sum(1 for at in before.values() if at) == 1
    target = tmp_path / "planted"
    counts = plant(run, target, run / "seeds", share=0.7, seed=1)
    planted = {row["id"]: row for row in rows(target / "planted.jsonl")}
    places = {error.name: error.at for error in ERRORS}
    for case in cases(target, target / "seeds"):
        error = planted.get(case.path.id, {"error": "none"})["error"]
        expected = before[case.path.id] if error == OWN else places.get(error, 0)
        assert wrong_at(case) == expected, error
    assert counts[OWN] == 1 and counts["without an error"] == len(before) - len(planted)
    assert len(planted) - 1 == round(0.7 * (len(before) - 1))
    again = tmp_path / "again"
    plant(run, again, run / "seeds", share=0.7, seed=1)
    assert (again / "planted.jsonl").read_bytes() == (target / "planted.jsonl").read_bytes()


@pytest.mark.parametrize("seed", range(6))
def test_every_kind_of_error_can_be_planted(run: Path, tmp_path: Path, seed: int) -> None:
    plant(run, tmp_path / "planted", run / "seeds", share=1.0, seed=seed)
    kinds = {row["error"] for row in rows(tmp_path / "planted" / "planted.jsonl")}
    assert kinds >= {OWN, "refuses", "wrong_picture_fact"}


def test_stats_say_which_were_caught(run: Path, tmp_path: Path) -> None:
    """A reviewer who drops refusals, mends what is wrong about the picture, and sees nothing else."""
    target = tmp_path / "planted"
    plant(run, target, run / "seeds", share=0.8, seed=3)
    assert curation(target, "export", "--as", "ana").code == 0
    planted = {row["id"]: row for row in rows(target / "planted.jsonl")}
    said: dict[str, dict[str, Any]] = {}
    for line in rows(target / "curation" / "ana.jsonl"):
        error = planted.get(line["id"], {"error": ""})["error"]
        said[line["id"]] = {"decision": "keep"}
        if error == "refuses":
            said[line["id"]] = {"decision": "drop", "reasons": ["refuses"]}
        if error == "wrong_picture_fact":
            said[line["id"]] = {"decision": "fix", "edits": {"/steps/0/text": "What is really there."}}
    say(target, "ana", **said)
    assert curation(target, "check").code == 0
    out = on_a_wide_screen(target, "stats")
    number = {
        kind: sum(1 for row in planted.values() if row["error"] == kind)
        for kind in ("refuses", "wrong_picture_fact", OWN)
    }
    cells = {row[0]: row[1:] for row in map(cells_of, out.splitlines()) if row}
    for kind in ("refuses", "wrong_picture_fact"):
        assert cells[kind][:2] == [str(number[kind])] * 2 and number[kind] > 0
    assert cells[OWN][:2] == ["0", "1"]
    missed = [id for id, row in planted.items() if row["error"] == OWN]
    assert cells[OWN][4:5] == missed
    clean = len(said) - len(planted)
    assert cells[str(clean)][0].startswith("0.0%"), "and no false alarm"


def test_a_run_that_is_there_is_not_written_over(run: Path) -> None:
    command = [sys.executable, "-m", "microworld.plant", str(run), str(run)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "is there already: name a new folder" in done.stderr) == (2, True)
    assert json.loads((run / "reasoning_paths.jsonl").read_text().splitlines()[0])["answer"].startswith(
        "Sorry"
    )


# --- records by the truth ------------------------------------------------------------------------------


def measured(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "microworld.measure_records", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_records_are_counted_by_the_truth_and_the_wrong_ones_named_with_their_places(
    run: Path, tmp_path: Path
) -> None:
    """Whatever was planted is found at its place; beside it the one answer that a model got wrong."""
    target = tmp_path / "planted"
    plant(run, target, run / "seeds", share=0.7, seed=1)
    planted = {row["id"]: row["pointer"] for row in rows(target / "planted.jsonl")}
    done = measured(str(target))
    assert done.returncode == 0, done.stderr
    wrong = dict(re.findall(r"^wrong: (\S+) \(.+?\): (.+)$", done.stdout, re.MULTILINE))
    assert wrong.keys() == planted.keys()
    for id, pointer in planted.items():
        place = "answer" if pointer == "/answer" else f"step {int(pointer.split('/')[2]) + 1}"
        assert place in wrong[id].split(", ")
    n, bad = len(cases(run, run / "seeds")), sum("answer" in where for where in wrong.values())
    assert f"{n} of {n}" in _row(done.stdout, "kind right")
    assert f"{n - bad} of {n}" in _row(done.stdout, "answer right")
    assert f"{n - len(planted)} of {n}" in _row(done.stdout, "all right")


def test_records_without_known_truth_are_counted_and_a_run_without_truth_is_refused(run: Path) -> None:
    path = run / "reasoning_paths.jsonl"
    first, *rest = rows(path)
    first["query"]["text"] = "What is the meaning of all this?"
    path.write_text("".join(json.dumps(row) + "\n" for row in (first, *rest)))
    assert "No truth is known of 1 other records:" in measured(str(run)).stdout
    (run / "seeds" / "truth.jsonl").unlink()
    done = measured(str(run))
    assert done.returncode == 2 and "truth.jsonl: no such file" in done.stderr
    with pytest.raises(ConfigError, match=r"truth\.jsonl: no such file"):
        label(run, run / "seeds")
    (run / "seeds" / "truth.jsonl").write_text("{")
    with pytest.raises(RecordError, match=r"truth\.jsonl:1:"):
        plant(run, run / "again", run / "seeds", 1, 0)
    with pytest.raises(ConfigError, match=r"reasoning_paths\.jsonl: no such file"):
        plant(run / "none", run / "again", run / "seeds", 1, 0)


def _row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(f"{name}  "))
