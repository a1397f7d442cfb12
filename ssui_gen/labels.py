"""How surely a label was chosen, from the token log-probabilities at the place where it was written.

Pure. A label's probability is meaningless when the labels together hold little of the mass: the mass is
returned beside it and must be kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ssui_gen.completions import Choice, TokenLogprob


class LabelProbability(NamedTuple):
    """P(label | one of the labels), and the mass that the labels hold together; both in [0, 1]."""

    probability: float
    mass: float


def label_probability(
    choice: Choice, field: str, label: str, labels: Sequence[str]
) -> LabelProbability | None:
    """Read the probability of `label` off the JSON string field `field`; None when not reported.

    Only the first token of the label is looked at, so no label may begin with another.
    """
    found = list(re.finditer(rf'"{field}"\s*:\s*"', choice.text))
    if not choice.logprobs or not found:
        return None
    place = _token_at(choice.logprobs, found[-1].end())
    if place is None:
        return None
    token, before = place
    shares = {o: sum(_matching(_alternatives(token), before, o)) for o in labels}
    mass = sum(shares.values())
    return LabelProbability(shares[label] / mass, min(mass, 1.0)) if mass > 0 else None


def first_shares(
    choice: Choice, options: Sequence[str], after: str = "", *, fold: bool = False
) -> tuple[dict[str, float], float] | None:
    """P(option | one of the options) for each, and their mass, where the answer begins, or behind what the
    expression `after` first finds; None when not reported. What is no word is passed over; only the
    first token of an option is looked at, and one that several options begin with counts for none. `fold`: in
    any case.
    """
    if not choice.logprobs:
        return None
    start = behind("".join(token.token for token in choice.logprobs), after)
    place = _first_said(choice.logprobs, start) if start is not None else None
    found = {text.removeprefix(place[1]): p for text, p in _alternatives(place[0]).items()} if place else {}
    begun = {text: [option for option in options if _begins(text, option, fold)] for text in found}
    shares = {option: sum(p for text, p in found.items() if begun[text] == [option]) for option in options}
    mass = sum(shares.values())
    return {option: share / mass if mass else 0.0 for option, share in shares.items()}, min(mass, 1.0)


def behind(text: str, after: str) -> int | None:
    """Where what the expression first finds ends, in any case and over lines; None if it finds nothing."""
    found = re.search(after, text, re.IGNORECASE | re.DOTALL)
    return found.end() if found else None


def _first_said(tokens: Iterable[TokenLogprob], offset: int) -> tuple[TokenLogprob, str] | None:
    """The first token with a letter or digit from `offset` on, and the part of it that comes before."""
    start = 0
    for token in tokens:
        before = token.token[: max(0, offset - start)]
        if re.search(r"\w", token.token[len(before) :]):
            return token, before
        start += len(token.token)
    return None


def _begins(token: str, option: str, fold: bool) -> bool:
    """Whether a token is the option or its beginning; `Answer` is no `A`, but `A.` is."""
    word = re.sub(r"^\W+|\W+$", "", token)
    if fold:
        word, option = word.casefold(), option.casefold()
    return bool(word) and option.startswith(word)


def _token_at(tokens: Iterable[TokenLogprob], offset: int) -> tuple[TokenLogprob, str] | None:
    """The token that holds the character at `offset`, and the part of it that comes before."""
    start = 0
    for token in tokens:
        end = start + len(token.token)
        if start <= offset < end:
            return token, token.token[: offset - start]
        start = end
    return None


def _alternatives(token: TokenLogprob) -> dict[str, float]:
    """Every reported token at this place and its probability, each once."""
    return {text: math.exp(logprob) for text, logprob in (*token.top, (token.token, token.logprob))}


def _matching(alternatives: dict[str, float], before: str, option: str) -> Iterable[float]:
    """Probabilities of the tokens that begin (or spell) `option` right after `before`."""
    for text, probability in alternatives.items():
        rest = text[len(before) :]
        if text.startswith(before) and rest and (option.startswith(rest) or rest.startswith(option)):
            yield probability
