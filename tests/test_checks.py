"""How often the agents' checks are right, against gold that others have labelled, on a fake server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benches import picture, written
from fake_server import Fake
from imported import bring, guardtrace_row, read, safetag_row
from jobs import Ended, here


def verify(fake: Fake, gold: Path, run: Path, *more: str) -> Ended:
    return here(["verify", "checks", str(gold), "--run", str(run), "--base-url", fake.url, *more])


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """Text, picture and both as labelled; the fake model calls every text and picture safe, and everything
    together unsafe that does not say it is benign.
    """
    rows = [
        safetag_row(1, "safe", "safe", "unsafe"),
        safetag_row(2, "unsafe", "safe", "unsafe"),
        safetag_row(3, "safe", "safe", "safe"),
        safetag_row(4, "safe", "safe", "safe") | {"prompt": "A benign question: what is this?"},
    ]
    for number in (1, 2, 3, 4):
        picture(tmp_path / f"theirs/{number}.png")
    source = written(tmp_path / "theirs/rows.json", rows)
    assert bring("safetag", source, tmp_path / "gold").code == 0
    return tmp_path / "gold/gold.jsonl"


def test_each_check_is_held_against_the_labels(fake: Fake, gold: Path, tmp_path: Path) -> None:
    run = tmp_path / "checks"
    done = verify(fake, gold, run)
    assert done.code == 0, done.err
    told = json.loads((run / "checks.json").read_text())
    text, image, joint = (told["checks"][name] for name in ("check_text", "check_image", "check_joint"))
    assert (text["right"]["hits"], text["right"]["n"]) == (3, 4)
    assert (text["unsafe_found"]["hits"], text["unsafe_found"]["n"]) == (0, 1)
    assert (image["right"]["hits"], image["unsafe_found"]["n"], image["kappa"]) == (4, 0, None)
    assert (joint["right"]["hits"], joint["safe_let_through"]["hits"], joint["kappa"]) == (3, 1, 0.5)
    assert told["prompts"]["check_joint"].startswith("check_joint@")
    assert "check_joint" in done.out and "each answer in checks.jsonl" in done.out
    rows = read(run / "checks.jsonl")
    assert len(rows) == 12 and all(row["made_by"] and row["probability"] for row in rows)
    before, calls = (run / "checks.jsonl").read_bytes(), fake.calls
    assert verify(fake, gold, run).code == 0
    assert (run / "checks.jsonl").read_bytes() == before
    assert fake.calls - calls < 12, "what was asked is answered from the journal"


def test_what_is_not_answered_is_counted_and_never_guessed(fake: Fake, gold: Path, tmp_path: Path) -> None:
    fake.answers = {"check_image": lambda body: "I see a photo."}
    shown = read(gold)[0]["image"]
    (gold.parent / shown).write_bytes(b"no picture any more")
    assert verify(fake, gold, tmp_path / "checks").code == 0
    told = json.loads((tmp_path / "checks/checks.json").read_text())["checks"]
    assert (told["check_image"]["not_answered"], told["check_image"]["right"]["n"]) == (4, 0)
    assert (told["check_joint"]["not_answered"], told["check_text"]["not_answered"]) == (1, 0)
    assert all(row["why"] for row in read(tmp_path / "checks/checks.jsonl") if row["label"] is None)


def test_gold_that_labels_no_check_is_refused_before_a_call(fake: Fake, tmp_path: Path) -> None:
    picture(tmp_path / "1.png")
    source = written(tmp_path / "rows.json", [guardtrace_row(1, 0)])
    assert bring("guardtrace", source, tmp_path / "gold").code == 0
    done = verify(fake, tmp_path / "gold/gold.jsonl", tmp_path / "checks")
    assert done.code == 1 and "no row that labels text, picture or both" in done.err
    assert fake.calls == 0
