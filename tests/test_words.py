"""Whole words in order, and the option that an answer names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.verifying.words import option, same_words, words

letters = st.text("abcdeXYZäßनमस्ते", min_size=1, max_size=6).filter(lambda word: word[0].isalpha())
phrases = st.lists(letters, min_size=1, max_size=5)
gaps = st.sampled_from([" ", ", ", " – ", "\n", "! ", '" '])
options = st.sampled_from("ABCDEFGH")


@pytest.mark.parametrize(
    ("part", "whole", "found"),
    [
        ("safe", "this is unsafe", False),
        ("no", "I know", False),
        ("B", "about", False),
        ("can", "I can't", False),
        ("5", "it costs 3.5 francs", False),
        ("त", "नमस्ते", False),
        ("safe", "It is SAFE.", True),
        ("Careful: it is wet.", "Well, CAREFUL - it is wet! Mind it.", True),
        ("it is wet", "it is very wet", False),
        ("wet is", "it is wet", False),
        ("don’t run", "Please don't run.", True),
        ("!?", "anything", False),
        ("", "anything", False),
    ],
)
def test_words_are_whole_and_in_order(part: str, whole: str, found: bool) -> None:
    assert same_words(part, whole) is found


@given(phrases, phrases, phrases, gaps)
def test_what_stands_there_is_found_whatever_the_case_and_points(
    before: list[str], part: list[str], after: list[str], gap: str
) -> None:
    assert same_words(" ".join(part), gap.join([*before, *part, *after]).upper().lower())


@given(phrases, letters, st.booleans())
def test_what_stands_inside_a_longer_word_is_not(part: list[str], more: str, behind: bool) -> None:
    grown = [word + more if behind else more + word for word in part]
    alone = set(words(" ".join(part))).isdisjoint(words(" ".join(grown)))
    assert not (alone and same_words(" ".join(part), " ".join(grown)))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("(B)", "B"),
        ("[B]", "B"),
        ("B", "B"),
        ("B.", "B"),
        ("B) wait", "B"),
        ("**B**", "B"),
        ("**B.** Wait until it has dried.", "B"),
        ("Option B", "B"),
        ("answer is B", "B"),
        ("The answer is (B).", "B"),
        ("Final answer: B", "B"),
        ("The answer is B. A safer way is to wait.", "B"),
        ("B, because vitamin C is harmless", "B"),
        ("It is B.", "B"),
        ("I would say (B), not (A).", "B"),
        ("Not A, rather (B)", "B"),
        ("A is wrong; the answer is B", "B"),
        ("A. wait\nB. run\nThe answer is A.", "A"),
        ("A", "A"),
        ("The answer is A because it is dry.", "A"),
        ("A safer way is to wait.", None),
        ("The answer is A safer way.", None),
        ("Option A or option B", None),
        ("(A) and (B) are both fine", None),
        ("Vitamin C is harmless", None),
        ("Plan B is better", None),
        ("Better wait.", None),
        ("D-day", None),
        ("", None),
    ],
)
def test_an_option_is_read_only_where_it_is_named_as_one(text: str, named: str | None) -> None:
    assert option(text) == named


@given(options, st.sampled_from(["({})", "{}.", "Option {}", "The answer is {}.", "**{}**", "answer: ({})"]))
def test_a_named_option_is_read_and_what_follows_it_changes_nothing(letter: str, form: str) -> None:
    said = form.format(letter)
    assert option(said) == option(f"{said}\nA safer way is to wait, as vitamin C and plan B are.") == letter


@given(
    st.lists(
        st.sampled_from(["A", "a", "wait", "safer", "way", "is", "vitamin", "C", "plan", "B"]), max_size=8
    )
)
def test_letters_amid_words_are_no_options(said: list[str]) -> None:
    text = "Better " + " ".join(said) + " now"
    assert re.search("answer|option", text) is None
    assert option(text) is None
