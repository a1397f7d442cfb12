"""No word is lost: over random exports, with files as people leave them, and when the command is killed."""

from __future__ import annotations

import json
import random
import tempfile
import time
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from curating import a_run, curation, exported, put_paths, record, say
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jobs import rows

from ssui_gen.cli import main
from ssui_gen.curation.asked.texts import LONGEST
from ssui_gen.curation.workspace.folder import folder_of
from ssui_gen.records import ReasoningPath
from ssui_gen.stages.curation import export, faults

IDS = "abcde"
WORDS = st.fixed_dictionaries(
    {},
    optional={
        "decision": st.sampled_from(["keep", "fix", "drop"]),
        "note": st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"]), min_size=1, max_size=9),
        "edits": st.dictionaries(
            st.sampled_from(list(LONGEST)), st.text("abc é", min_size=1, max_size=5), max_size=2
        ),
        "scores": st.fixed_dictionaries({"safety": st.integers(1, 5)}),
        "reasons": st.lists(st.sampled_from(["redundant", "private", "too_easy"]), unique=True),
    },
)
ROUNDS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(IDS), st.sampled_from("012")),
        st.dictionaries(st.sampled_from(IDS), WORDS),
    ),
    min_size=1,
    max_size=5,
)
"""For each export: which items there are, each with one of three answers; then what is said of which."""


def paths(versions: dict[str, str]) -> list[ReasoningPath]:
    return [record(id, answer=f"Answer {version} to {id}.") for id, version in versions.items()]


def words(run: Path, name: str = "ana") -> set[str]:
    """Every word in a person's file, with the texts it was said of."""
    found = set()
    for line in rows(run / "curation" / f"{name}.jsonl"):
        for one in (line, *line.get("before", [])):
            said = {key: value for key, value in one.items() if key not in ("id", "sha", "before")}
            if any(value for value in {**said, "scores": any(said.get("scores", {}).values())}.values()):
                found.add(f"{line['id']} {one['sha']} {json.dumps(said, sort_keys=True)}")
    return found


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(ROUNDS)
@pytest.mark.slow
def test_over_random_exports_every_word_is_still_there(rounds: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = a_run(Path(folder) / "demo", [])
        spoken: set[str] = set()
        for versions, said in rounds:
            put_paths(run, paths(versions))
            export(run, ["ana"], run / "seeds")
            assert words(run) == spoken
            there = {line["id"]: line for line in rows(run / "curation" / "ana.jsonl")}
            blank = {id: word for id, word in said.items() if id in there and not words_of(there[id])}
            say(run, "ana", **blank)
            spoken = words(run)
        export(run, [], run / "seeds")
        assert words(run) == spoken
        assert not [fault for fault in faults(folder_of(run)) if fault.field in ("id", "sha")]


def words_of(line: dict[str, Any]) -> bool:
    scored = any(line.get("scores", {}).values())
    return bool(line["decision"] or line["reasons"] or scored or line["edits"] or line["note"])


# --- killed ----------------------------------------------------------------------------------------------

MANY = 150


def start(*arguments: str) -> BaseProcess:
    """`ssui` in a process of its own, ready in milliseconds."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["ssui_gen.cli", "ssui_gen.stages.curation"])
    process = context.Process(target=main, args=(list(arguments),))
    process.start()
    return process


def killed_at_random(rng: random.Random, run: Path, order: str, longest: float) -> None:
    process = start("curation", order, "--run", str(run))
    time.sleep(rng.random() * longest)
    process.kill()
    process.join()


def seconds_of(run: Path, order: str) -> float:
    begin = time.monotonic()
    start("curation", order, "--run", str(run)).join()
    return time.monotonic() - begin


@pytest.mark.slow
def test_a_merge_killed_at_any_moment_keeps_every_word(tmp_path: Path) -> None:
    rng = random.Random(4)
    ids = [f"{number:04d}" for number in range(MANY)]
    run = exported(tmp_path / "demo", [record(id) for id in ids])
    say(run, "ana", **{id: {"decision": "keep", "note": f"of {id}"} for id in ids[::2]})
    longest = seconds_of(run, "export") * 1.2
    for number in range(8):
        said = words(run)
        put_paths(run, [record(id, answer=f"Answer {number}.") for id in rng.sample(ids, MANY - 20)])
        killed_at_random(rng, run, "export", longest)
        assert words(run) == said
        assert curation(run, "export").code == 0
        assert words(run) == said
        assert curation(run, "check").code == 0


@pytest.mark.slow
def test_apply_killed_at_any_moment_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    rng = random.Random(6)
    ids = [f"{number:04d}" for number in range(MANY)]
    run = exported(tmp_path / "demo", [record(id) for id in ids])
    say(run, "ana", **{id: {"decision": "keep"} for id in ids})
    longest = seconds_of(run, "apply") * 1.2
    for _ in range(15):
        old = (run / "curated.jsonl").read_bytes()
        say(run, "ana", **{id: {"decision": rng.choice(["keep", None])} for id in ids})
        killed_at_random(rng, run, "apply", longest)
        found = (run / "curated.jsonl").read_bytes()
        assert curation(run, "apply").code == 0
        assert found in (old, (run / "curated.jsonl").read_bytes())
