"""What calls took, counted by the unit of work (a seed, a path) that asked: for forecasts and the time left.

A unit is a block; whatever is asked inside it, in tasks that it starts too, counts to it. An answer from the
journal counts with what it took when it was made, so that a unit takes the same whenever it is looked at.
A unit that asks the same again, or what another that it shares `seen` with has asked, counts it once: so few
calls are asked, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple

from ssui_gen.completions import Completion
from ssui_gen.config_spending import Prices

FREE = Prices()


@dataclass
class Spent:
    """What calls took."""

    calls: int = 0
    made: int = 0
    """Of these, what the journal did not know."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    """In which a model was at work on them, one after the other."""

    def add(self, completion: Completion, prices: Prices = FREE, *, made: bool) -> None:
        self.calls += 1
        self.made += made
        self.prompt_tokens += completion.usage.prompt_tokens
        self.completion_tokens += completion.usage.completion_tokens
        self.usd += prices.of(completion.usage)
        self.seconds += completion.seconds

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class _Unit(NamedTuple):
    spent: Spent
    seen: set[str]


_UNIT: ContextVar[_Unit | None] = ContextVar("unit", default=None)


@contextmanager
def unit(seen: set[str] | None = None) -> Iterator[Spent]:
    """Counts what is asked inside; `seen` has the keys of calls that count no more."""
    one = _Unit(Spent(), set() if seen is None else seen)
    token = _UNIT.set(one)
    try:
        yield one.spent
    finally:
        _UNIT.reset(token)


def count(key: str, completion: Completion, prices: Prices, *, made: bool) -> None:
    """Add an answer to the unit that asked, if any did."""
    one = _UNIT.get()
    if one and key not in one.seen:
        one.seen.add(key)
        one.spent.add(completion, prices, made=made)
