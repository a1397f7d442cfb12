import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.completions import Choice, TokenLogprob
from ssui_gen.labels import first_shares, label_probability

LABELS = ("safe", "unsafe")


def written(*tokens: tuple[str, float, dict[str, float]]) -> Choice:
    """A choice whose tokens are (text, probability, other tokens at its place)."""
    logprobs = tuple(
        TokenLogprob(token=t, logprob=math.log(p), top=tuple((o, math.log(q)) for o, q in top.items()))
        for t, p, top in tokens
    )
    return Choice(text="".join(t for t, _, _ in tokens), finish_reason="stop", logprobs=logprobs)


def test_a_label_of_several_tokens_is_read_at_its_first() -> None:
    choice = written(
        ('{"label":"', 1.0, {}), ("un", 0.6, {"safe": 0.2, "x": 0.1}), ("safe", 1.0, {}), ('"}', 1, {})
    )
    read = label_probability(choice, "label", "unsafe", LABELS)
    assert read is not None
    assert read.probability == pytest.approx(0.75)
    assert read.mass == pytest.approx(0.8)


def test_a_token_may_hold_the_quote_and_the_label() -> None:
    choice = written(('{"label":', 1.0, {}), ('"safe', 0.5, {'"uns': 0.25, "[": 0.25}), ('"}', 1.0, {}))
    read = label_probability(choice, "label", "safe", LABELS)
    assert read is not None
    assert read.probability == pytest.approx(2 / 3)
    assert read.mass == pytest.approx(0.75)


def test_the_token_written_counts_once_although_it_is_also_among_the_best() -> None:
    choice = written(('{"label": "', 1.0, {}), ("safe", 0.9, {"safe": 0.9, "unsafe": 0.1}), ('"}', 1.0, {}))
    read = label_probability(choice, "label", "safe", LABELS)
    assert read is not None
    assert read.probability == pytest.approx(0.9)


def test_the_field_is_found_behind_evidence_that_quotes_it() -> None:
    tokens = [
        ('{"evidence":"a sign says \\"label\\"","label":"', 1.0, {}),
        ("safe", 0.7, {"un": 0.3}),
        ('"}', 1, {}),
    ]
    read = label_probability(written(*tokens), "label", "safe", LABELS)
    assert read is not None
    assert read.probability == pytest.approx(0.7)


@pytest.mark.parametrize("text", ['{"verdict":"safe"}', "no json"])
def test_no_field_no_probability(text: str) -> None:
    assert label_probability(written((text, 1.0, {})), "label", "safe", LABELS) is None


def test_no_logprobs_no_probability() -> None:
    silent = Choice(text='{"label":"safe"}', finish_reason="stop")
    assert label_probability(silent, "label", "safe", LABELS) is None


SAID = 'Safety: "Un'
"""What stands before and in the deciding token; the word goes on with `safe`."""


@given(st.sets(st.integers(1, len(SAID) - 1)))
def test_a_word_behind_a_marker_is_read_however_the_text_is_cut_into_tokens(cuts: set[int]) -> None:
    ends = sorted(
        {*cuts, len(SAID)} - set(range(SAID.index('"') + 2, len(SAID)))
    )  # the word's own token is whole
    pieces = [SAID[start:end] for start, end in pairwise([0, *ends])]
    last = pieces[-1].removesuffix("Un")
    told = ((piece, 1.0, {}) for piece in pieces[:-1])
    choice = written(*told, (pieces[-1], 0.6, {last + "safe": 0.2}), ("safe", 1.0, {}))
    read = first_shares(choice, ("Safe", "Unsafe"), "safety:", fold=True)
    assert read is not None
    assert read[0] == pytest.approx({"Safe": 0.25, "Unsafe": 0.75}) and read[1] == pytest.approx(0.8)


def test_without_the_marker_no_word_has_any_mass() -> None:
    assert first_shares(written(("Safe", 1.0, {})), ("Safe", "Unsafe"), "Safety:") == (
        {"Safe": 0, "Unsafe": 0},
        0,
    )


def test_a_token_that_several_options_begin_with_counts_for_none() -> None:
    read = first_shares(written(("harm", 0.9, {"harmless": 0.1})), ("harmless", "harmful"))
    assert read is not None and read[0] == {"harmless": 1.0, "harmful": 0.0} and read[1] == pytest.approx(0.1)


def test_letters_keep_their_case() -> None:
    read = first_shares(written(("a", 0.6, {"A": 0.4})), ("A", "B"))
    assert read is not None and read[1] == pytest.approx(0.4)
