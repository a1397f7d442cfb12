import math

import pytest

from ssui_gen.completions import Choice, TokenLogprob
from ssui_gen.labels import label_probability

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
