"""Where a path of many pieces first goes wrong: first among spans of pieces, then among the pieces of a span.

`first_bad` bears as many options as there are letters. A longer path is cut into spans, which are its options
instead, beside none and the answer; then the pieces of the span that was picked are, alone: those before have
been found right, as the rubric says of parts that are not among the options. Two questions instead of the
four of a bisection, and all of them share what is shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from ssui_gen.judging.choosing import Chosen
from ssui_gen.judging.questions import ANSWER, LETTERS, NONE

MOST_OPTIONS = len(LETTERS)
SPAN = 3
"""Pieces of a span; the last may hold fewer."""


async def locate(ask: Callable[[Sequence[str]], Awaitable[Chosen]], options: Sequence[str]) -> Chosen:
    """What the model says of `options` (`questions.places`), however many; raises what a call raises."""
    if len(options) <= MOST_OPTIONS:
        return await ask(options)
    spans = spans_of([option for option in options if option not in (NONE, ANSWER)])
    whole = [option for option in (NONE, *spans, ANSWER) if option in spans or option in options]
    first = await ask(whole)
    span = _picked(first)
    if span not in spans:
        return first
    return _joined(first, span, await ask(spans[span]) if len(spans[span]) > 1 else _sure(spans[span][0]))


def spans_of(steps: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The steps by the spans that hold them, named by their first and last: `step 4 to step 6`."""
    parts = (tuple(steps[start : start + SPAN]) for start in range(0, len(steps), SPAN))
    return {" to ".join(dict.fromkeys((part[0], part[-1]))): part for part in parts}


def _picked(chosen: Chosen) -> str:
    """The most probable option; for want of probabilities the one that every order names, if it does."""
    if chosen.shares:
        return max(chosen.shares, key=chosen.shares.__getitem__)
    return chosen.picked[0] if len({*chosen.picked}) == 1 else ""


def _sure(option: str) -> Chosen:
    """A span of one piece needs no question."""
    return Chosen({option: 1.0}, 1.0, None, (option,), ())


def _joined(first: Chosen, span: str, second: Chosen) -> Chosen:
    """The pieces' probabilities in the place of their span's; the worse of what is to be trusted."""
    shares = None
    if first.shares is not None and second.shares is not None:
        inner = {option: first.shares[span] * share for option, share in second.shares.items()}
        shares = {option: share for option, share in first.shares.items() if option != span} | inner
    gaps = [gap for gap in (first.gap, second.gap) if gap is not None]
    return Chosen(
        shares=shares,
        mass=min(first.mass, second.mass),
        gap=max(gaps) if gaps else None,
        picked=second.picked,
        calls=(*first.calls, *second.calls),
        heard=first.heard and second.heard,
    )
