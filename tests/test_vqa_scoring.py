"""Scores of answers to visual questions: what the published evaluation gives, case by case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.benching.vqa.normalising import CONTRACTIONS, MARKS, normalised
from ssui_gen.benching.vqa.scoring import Key, accuracy, letter_of, mark

NORMAL = {
    "Yes": "yes",
    " yes. ": "yes",
    "A cat": "cat",
    "the the": "",
    "two": "2",
    "None": "0",
    "ten people": "10 people",
    "eleven": "eleven",
    "1,000": "1000",
    "red, blue": "red blue",
    "black/white": "black white",
    "black/ white": "black white",
    "t-shirt": "t shirt",
    "t - shirt": "t shirt",
    "3.5": "3.5",
    "3.": "3",
    ".5": ".5",
    "U.S.": "us",
    "what?!": "what",
    '"STOP"': "stop",
    "it's": "it's",
    "dont": "don't",
    "couldnt've": "couldn't've",
    "couldn'tve": "couldn't've",
    "couldntve": "couldntve",
    "yall'd've": "y'all'd've",
    "somebody'd": "somebodyd",
    "im": "im",
    "lets": "lets",
    "oclock": "o'clock",
    "a\nb\tc": "b c",
    "half-past 3:15": "half past 3:15",
    "1,5 a-b": "15 ab",
    "": "",
}
"""What the evaluation of VQA makes of a text: each was compared with what its own script gives."""


@pytest.mark.parametrize(("text", "plain"), NORMAL.items())
def test_an_answer_is_normalised_as_the_published_evaluation_does_it(text: str, plain: str) -> None:
    assert normalised(text) == plain


def test_the_table_of_contractions_has_the_size_of_theirs() -> None:
    assert (len(CONTRACTIONS), len(MARKS)) == (114, 21)
    assert all(key.replace("'", "") == whole.replace("'", "") for key, whole in CONTRACTIONS.items())


@pytest.mark.parametrize(
    ("said", "people", "score"),
    [
        ("yes", ["yes"] * 10, 1.0),
        ("Yes.", ["yes"] * 10, 1.0),
        ("no", ["yes"] * 10, 0.0),
        ("yes", ["yes"] * 4 + ["no"] * 6, 1.0),
        ("yes", ["yes"] * 3 + ["no"] * 7, 0.9),
        ("yes", ["yes"] * 2 + ["no"] * 8, 0.6),
        ("yes", ["yes"] * 1 + ["no"] * 9, 0.3),
        ("2", ["two"] * 5 + ["3"] * 5, 1.0),
        ("a dog", ["dog", "the dog", "Dog", *["cat"] * 7], 0.9),
        ("yes, it is", ["yes"] * 10, 0.0),
    ],
)
def test_vqa_accuracy_leaves_each_person_out_in_turn(said: str, people: list[str], score: float) -> None:
    assert accuracy(said, people) == pytest.approx(score)


@given(
    st.text(max_size=20), st.lists(st.sampled_from(["a", "b c", "2", "", "No."]), min_size=10, max_size=10)
)
def test_it_is_a_share_and_the_order_of_people_is_nothing(said: str, people: list[str]) -> None:
    found = accuracy(said, people)
    assert 0 <= found <= 1
    assert accuracy(said, people[::-1]) == pytest.approx(found)
    assert accuracy(people[0], [people[0]] * 10) == 1


@pytest.mark.parametrize(
    ("said", "truth", "score"),
    [
        ("Two", "2", 1),
        ("the STOP sign.", "stop sign", 1),
        ("stop", "stop sign", 0),
        ("A", "a", 1),
        ("the", "A", 0),
    ],
)
def test_one_answer_is_compared_when_both_are_normalised(said: str, truth: str, score: int) -> None:
    assert mark(said, Key((truth,))).score == score


OPTIONS = ("a red car", "two dogs", "the sea", "none")


@pytest.mark.parametrize(
    ("said", "letter"),
    [
        ("B", "B"), ("b", "B"), ("(B)", "B"), ("B.", "B"), ("**B**", "B"), ("B)", "B"), ("[B]", "B"),
        ("$B$", "B"),
        ("B. two dogs", "B"), ("(B) two dogs", "B"), ("B: because of the leash", "B"), ("B two", None),
        ("Two dogs.", "B"), ("2 dogs", "B"), ("red car", "A"), ("0", "D"),
        ("The answer is B.", "B"), ("Answer: (C)", "C"), ("So the correct option is **D**", "D"),
        (r"It follows that \boxed{C}", "C"), ("The answer is a red car", None),
        ("A. two dogs", None), ("Option A is wrong, the answer is B", "B"), ("E", None),
        ("The answer is B because of the leash.", "B"), ("Option B is wrong, the answer is C", None),
        ("The answer is E", None),
        ("I see a red car and two dogs", None), ("A or B", None), ("", None), ("Yes", None),
    ],
)  # fmt: skip
def test_the_option_that_is_named_is_read_and_nothing_is_guessed(said: str, letter: str | None) -> None:
    assert letter_of(said, OPTIONS) == letter


def test_of_options_that_are_alike_the_letter_alone_counts() -> None:
    assert letter_of("dog", ("dog", "Dog", "cat")) is None
    assert letter_of("B", ("dog", "Dog", "cat")) == "B"
    assert mark("I cannot tell.", Key(("B",), OPTIONS)) == (0.0, None)
    assert mark("B", Key(("B",), OPTIONS)) == (1.0, "B") and mark("C", Key(("B",), OPTIONS)) == (0.0, "C")


@given(st.text(max_size=60))
def test_whatever_a_model_writes_it_names_an_option_or_none(text: str) -> None:
    assert letter_of(text, OPTIONS) in ("A", "B", "C", "D", None)
