"""What a training cost: accuracies and their difference, with verdicts that a margin decides."""

from __future__ import annotations

import json
import random

import pytest

from ssui_gen.benching.vqa.tax import Marked, Marks, accuracy, figures, losses, tax, taxes, verdict_of
from ssui_gen.benching.vqa.words import headline, verdict
from ssui_gen.shares import Change, share


def marks(scores: list[float], each: int = 1, name: str = "a", stand: str = "read") -> Marks:
    """Answers to questions, so many about a picture."""
    return {
        (f"{name}{n}", 0): Marked(score, stand, f"{name}{n // each}", name, "", "exact")
        for n, score in enumerate(scores)
    }


def test_an_accuracy_of_whole_scores_is_the_share_that_it_is() -> None:
    scores, pictures = [1.0, 1.0, 0.0, 1.0] * 20, [n // 2 for n in range(80)]
    found, same = accuracy(list(marks(scores, 2).values())), share(map(bool, scores), pictures)
    assert found == {"value": 0.75, "interval": pytest.approx(list(same.interval)), "n": 80, "pictures": 40}
    assert accuracy([])["value"] is None


def test_a_change_of_partial_scores_lies_between_those_of_whole_ones() -> None:
    moved = Change.of([0.6] * 50 + [0.0] * 50, [0.9] * 50 + [0.0] * 50)
    assert moved.points == pytest.approx(15) and 10 < moved.low < 15 < moved.high < 20
    whole = Change.of([True] * 30 + [False] * 70, [True] * 45 + [False] * 55)
    assert Change.of([1.0] * 30 + [0.0] * 70, [1.0] * 45 + [0.0] * 55) == whole
    mirrored = Change.of([0.9] * 50 + [0.0] * 50, [0.6] * 50 + [0.0] * 50)
    assert (mirrored.points, mirrored.low, mirrored.high) == pytest.approx(
        (-moved.points, -moved.high, -moved.low)
    )


@pytest.mark.parametrize("each", [1, 3])
def test_the_interval_of_a_difference_holds_the_truth_as_often_as_it_says(each: int) -> None:
    """Scores as ten people give them; questions about a picture go together, and nothing is lost."""
    rng, held, rounds = random.Random(each), 0, 400
    levels = (0.0, 0.3, 0.6, 0.9, 1.0)
    for _ in range(rounds):
        before, after = [], []
        for _ in range(150):
            hard = rng.random()
            for _ in range(each):
                first = rng.choice(levels) if rng.random() < hard else 1.0
                again = rng.random() >= 0.3 * hard
                before.append(first)
                after.append(first if again else rng.choice(levels) if rng.random() < hard else 1.0)
        found = Change.of(before, after, [n // each for n in range(len(before))])
        held += found.low <= 0 <= found.high
    assert 0.92 <= held / rounds <= 0.985


def test_questions_about_one_picture_prove_no_more_than_a_few() -> None:
    before, after = [1.0] * 300, [1.0] * 270 + [0.0] * 30
    alone, together = (tax(marks(before, each), marks(after, each), 1.0) for each in (1, 10))
    assert (alone["points"], alone["pictures"], together["pictures"]) == (-10, 300, 30)
    width = [one["interval"][1] - one["interval"][0] for one in (alone, together)]
    assert width[1] > 1.5 * width[0]
    assert (alone["test"], together["test"]) == ("McNemar", "sign flip")


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.9, 0.5, "no_tax"),
        (-0.9, -0.1, "no_tax"),
        (-1.0, 0.5, "undecided"),
        (-1.5, -0.1, "tax"),
        (-3.0, -2.0, "tax"),
        (-1.5, 0.0, "undecided"),
        (0.5, 2.0, "no_tax"),
    ],
)
def test_the_margin_and_zero_decide(low: float, high: float, said: str) -> None:
    assert verdict_of(Change((low + high) / 2, low, high), 1.0, had=50.0) == said


def test_equal_answers_are_no_proof_unless_they_are_many() -> None:
    few, lot = (marks([1.0, 0.0] * n) for n in (50, 2000))
    assert tax(few, few, 1.0)["verdict"] == "undecided" and tax(lot, lot, 1.0)["verdict"] == "no_tax"
    low, high = tax(few, few, 1.0)["interval"]
    assert low < 0 < high
    assert tax(few, few, 1.0)["wanted"] > 100
    assert tax(few, few, 15.0)["verdict"] == "no_tax"


def test_who_was_never_right_has_nothing_to_lose_and_no_proof_either() -> None:
    found = tax(marks([0.0] * 4000), marks([0.0] * 4000), 1.0)
    assert (found["verdict"], found["floor"]) == ("undecided", True)
    assert "was not there to be lost" in verdict(found)


def test_what_one_of_them_did_not_answer_is_in_no_pair() -> None:
    before, after = marks([1.0] * 10), marks([1.0] * 6)
    assert tax(before, after, 1.0)["n"] == 6
    nothing = tax(before, marks([1.0], name="b"), 1.0)
    assert nothing["n"] == 0 and verdict(nothing) == "Undecided: no question was answered by both."


def test_each_set_has_a_verdict_so_that_a_gain_hides_no_loss() -> None:
    before = {**marks([1.0] * 500), **marks([0.5] * 500, name="b")}
    after = {**marks([0.5] * 500), **marks([1.0] * 500, name="b")}
    found = taxes(before, after, 1.0)
    assert found["all"]["points"] == 0
    assert {name: one["verdict"] for name, one in found["sets"].items()} == {"a": "tax", "b": "no_tax"}
    assert len(losses(before, after)) == 500
    assert taxes(marks([1.0]), marks([1.0]), 1.0)["sets"] == {}


def test_what_could_not_be_compared_counts_as_wrong_and_is_said_beside_it() -> None:
    found = {**marks([1.0] * 6), **marks([0.0] * 3, name="b", stand="refused")}
    told = {"model": "m", **figures(found)}
    assert told["accuracy"]["value"] == pytest.approx(2 / 3)
    assert told["stands"] == {"read": 6, "refused": 3}
    assert headline([told], None)[-1] == (
        "Of m's answers 3 could not be compared and count as wrong: 3 refused in words."
    )


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ([1.0] * 2000, "No tax beyond the margin: accuracy moved by +0.0 points"),
        ([0.0] * 200 + [1.0] * 1800, "a loss of 1 point or more is sure"),
        ([0.0] * 3 + [1.0] * 1997, "a loss of 1 point or more is ruled out"),
        ([0.0] * 25 + [1.0] * 1975, "not ruled out, and some loss is sure"),
    ],
)
def test_a_verdict_is_told_in_words(after: list[float], said: str) -> None:
    found = tax(marks([1.0] * 2000), marks(after), 1.0)
    assert said in verdict(found)
    json.dumps(found, allow_nan=False)
