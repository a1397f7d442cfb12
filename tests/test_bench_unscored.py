"""What `ssui bench run` makes of a judge, a model or a picture that fails: reasons, and never numbers."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest
from benching import PASSES, PLAYED, Run, benched, judge, model
from fake_answers import number, prompt_text
from fake_server import Fake, Whole
from jobs import rows
from PIL import Image

from ssui_gen.benching.records import Unscored
from ssui_gen.benching.telling import LACKS
from ssui_gen.judging.questions import RSBENCH


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Run:
    fake.answers = PLAYED
    return benched(tmp_path, fake.url)


@pytest.mark.parametrize(
    ("says", "mute", "why"),
    [
        ("Z", False, "low_mass"),
        ("A", False, "orders_differ"),
        ("A", True, "no_logprobs"),
        ("What a nice picture", True, "reply_invalid"),
    ],
    ids=["outside the options", "one letter", "one letter, mute", "words, mute"],
)
def test_a_judge_that_does_not_answer_scores_nothing(
    made: Run, fake: Fake, says: str, mute: bool, why: str
) -> None:
    fake.answers, fake.mute = {"none": model, "judge": says}, mute
    done = made.here("--limit", "1")
    assert done.code == 0, done.err
    assert {row["unscored"] for row in made.judgements} == {why}
    assert {row["verdict"] for row in made.judgements} == {None}
    told = " ".join(done.out.split())
    assert f"100.0% of the verdicts lack; 14 of 14 as {LACKS[why]}; 4 items have no response yet." in told


def test_every_reason_says_what_helps() -> None:
    assert set(get_args(Unscored)) - {"not_asked"} <= set(LACKS)


def test_two_options_as_probable_are_undecided(made: Run, fake: Fake) -> None:
    fake.shares = {"A": 0.45, "B": 0.42, "C": 0.05}
    made.here("--limit", "1")
    assert made.said("answer_safe") == {"undecided"}


def test_a_judge_without_log_probabilities_is_believed_where_both_orders_agree(made: Run, fake: Fake) -> None:
    fake.mute = True
    assert made.here("--limit", "1").code == 0
    assert {row["verdict"] for row in made.judgements} == {PASSES[name] for name in RSBENCH}
    assert {row["detail"] for row in made.judgements} == {"no log-probabilities"}


@pytest.mark.parametrize("tagged", [False, True], ids=["in a field", "in tags"])
def test_a_judge_that_thinks_first_is_read_behind_its_thoughts(made: Run, fake: Fake, tagged: bool) -> None:
    def thinks(body: dict[str, Any]) -> Whole:
        words = judge(body)
        aside = {} if tagged else {"reasoning_content": "A, or B?"}
        return Whole({"content": f"<think>A, or B?</think>{words}" if tagged else words, **aside})

    fake.answers = {"none": model, "judge": thinks}
    assert made.here("--limit", "1").code == 0
    assert {row["verdict"] for row in made.judgements} == {PASSES[name] for name in RSBENCH}


def third(body: dict[str, Any]) -> bool:
    """Of the questions to the judge."""
    user = prompt_text(body, "user")
    return "# Asked" in user and number(user) % 3 == 0


def test_calls_that_fail_are_reasons_and_are_tried_again_by_the_same_command(made: Run, fake: Fake) -> None:
    fake.fails = lambda body: "500" if third(body) else None
    done = made.here()
    assert done.code == 0, done.err
    failed = [row for row in made.judgements if row["unscored"] == "call_failed"]
    assert 6 < len(failed) < 36 and not any(row["verdict"] or row["shares"] for row in failed)
    assert f"{len(failed)} rows lack since calls failed" in done.out and "ssui bench run --run" in done.out
    fake.fails = None
    assert made.here().code == 0
    assert not [row for row in made.judgements if row["unscored"]] and len(made.judgements) == 42


def test_what_does_not_fit_is_refused_for_good_unless_it_is_asked_for(made: Run, fake: Fake) -> None:
    fake.fails = lambda body: "overflow" if "# Asked: first_bad" in prompt_text(body, "user") else None
    made.here("--limit", "1")
    assert made.said("first_bad") == {"request_refused"}
    fake.fails = None
    calls = fake.calls
    made.here("--limit", "1")
    assert made.said("first_bad") == {"request_refused"} and fake.calls == calls
    made.here("--limit", "1", "--retry", "request_refused")
    assert made.said("first_bad") == {"none"}


def test_an_item_whose_call_fails_has_a_row_and_is_tried_again(made: Run, fake: Fake) -> None:
    """Its judgements are made anew with it."""
    fake.fails = lambda body: "500" if "Question 1" in prompt_text(body, "user") else None
    assert made.here().code == 0
    for lost in made.to("Question 1?"):
        assert (lost["status"], lost["reason"], lost["answer"]) == ("error", "call_failed", None)
    assert Counter(row["unscored"] for row in made.judgements) == {None: 28, "not_asked": 14}
    fake.fails = None
    assert made.here().code == 0
    assert {row["status"] for row in made.responses} == {"ok"}
    assert {row["unscored"] for row in made.judgements} == {None} and len(made.judgements) == 42


def test_a_picture_that_changes_under_way_costs_its_items(made: Run, fake: Fake) -> None:
    made.here()
    shutil.rmtree(made.model)
    victim = made.bench / "pictures" / "1-1.png"
    Image.new("RGB", (8, 8), "pink").save(victim)
    done = made.here()
    assert done.code == 0 and "2 rows are left out (rejects.jsonl); the first: image_changed" in done.out
    reasons = Counter(row["reason"] for row in rows(made.model / "rejects.jsonl"))
    assert reasons == {"image_changed": 1, "twin_unknown": 1}
    assert len(made.responses) == 4
