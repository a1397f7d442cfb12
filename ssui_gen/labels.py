"""How surely a label was chosen, from the token log-probabilities at the place where it was written.

A server's tokens are more than its text: thoughts may come before, the token that ends the turn after,
breaks in front are left out of the text, and an emoji's tokens are signs that stand for bytes. So places are
found in the tokens' own joined text, from where the answer begins in it.

Pure. A label's probability is meaningless when the labels together hold little of the mass: the mass is
returned beside it and must be kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ssui_gen.completions import Choice, TokenLogprob
from ssui_gen.reading import spoken

SIGN = "\ufffd"
SIGNS = re.compile(r"(?:[^\x00-\x7f]|(?:bytes:)?(?:\\x[0-9a-fA-F]{2})+)+")
"""Signs beyond ASCII in a row, as tokens may show them: these themselves, U+FFFD for each part, bytes in hex.
They count as one, whatever they are.
"""
_MARK = re.compile(r"(?:<[^<>\s]{1,40}>|\[/?[A-Z_]{2,20}\])\Z")
LONGEST_MARK = 42
LONG = 12
"""Characters of an answer that is found among other words."""


class LabelProbability(NamedTuple):
    """P(label | one of the labels), and the mass that the labels hold together; both in [0, 1]."""

    probability: float
    mass: float


def label_probability(
    choice: Choice, field: str, label: str, labels: Sequence[str]
) -> LabelProbability | None:
    """Read the probability of `label`, in any case, off the JSON string field `field`; None when not
    reported.

    Only the first token of the label is looked at, so no label may begin with another.
    """
    reported = _reported(choice, choice.text if choice.text.strip() else choice.reasoning)
    if reported is None:
        return None
    text, begin = reported
    found = list(re.finditer(rf'"{field}"\s*:\s*"\s*', text[begin:]))
    place = _token_at(choice.logprobs or (), begin + found[-1].end()) if found else None
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
    reported = _reported(choice, choice.text)
    if reported is None:
        return None
    text, begin = reported
    start = behind(text[begin:], after)
    place = _first_said(choice.logprobs or (), begin + start) if start is not None else None
    found = {text.removeprefix(place[1]): p for text, p in _alternatives(place[0]).items()} if place else {}
    begun = {text: [option for option in options if _begins(text, option, fold)] for text in found}
    shares = {option: sum(p for text, p in found.items() if begun[text] == [option]) for option in options}
    mass = sum(shares.values())
    return {option: share / mass if mass else 0.0 for option, share in shares.items()}, min(mass, 1.0)


def _reported(choice: Choice, text: str) -> tuple[str, int] | None:
    """The tokens' joined text, and where in it begins what `text` says behind its thoughts; None where the
    tokens are not of that text.
    """
    if not choice.logprobs:
        return None
    joined = "".join(token.token for token in choice.logprobs)
    answer = spoken(text)
    if joined == answer:
        return joined, 0
    if not answer.strip():
        return None if choice.reasoning or text.strip() else (joined, 0)
    begin = _begin(SIGNS.sub(SIGN, joined), SIGNS.sub(SIGN, answer.strip()))
    return None if begin is None else (joined, _unfolded(joined, begin))


def _begin(joined: str, answer: str) -> int | None:
    """The answer stands at the end, but for marks that end a turn. Where a server left words at the end out
    of its text (what it was told to stop at) it stands at the beginning, else it must be long to be known.
    """
    rest: str | None = joined.rstrip()
    while rest is not None:
        if rest.endswith(answer):
            return len(rest) - len(answer)
        mark = _MARK.search(rest, max(0, len(rest) - LONGEST_MARK))
        rest = rest[: mark.start()].rstrip() if mark else None
    blanks = len(joined) - len(joined.lstrip())
    if joined.startswith(answer, blanks):
        return blanks
    place = joined.rfind(answer) if len(answer) >= LONG else -1
    return place if place >= 0 else None


def _unfolded(joined: str, place: int) -> int:
    """Where in the text that is, which is longer by what its signs were made one."""
    for found in SIGNS.finditer(joined):
        if found.start() >= place:
            break
        place += len(found[0]) - len(SIGN)
    return place


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
    """Probabilities of the tokens that begin (or spell) `option`, in any case, right after `before`."""
    option = option.casefold()
    for text, probability in alternatives.items():
        rest = text[len(before) :].casefold()
        if text.startswith(before) and rest and (option.startswith(rest) or rest.startswith(option)):
            yield probability
