"""What a run will take, told before it: from a few units that were really run, to all that are left.

A total of m units that have not run, from n that have, is expected at m · x̄; its 95 % interval is Student's
for a sum still to be drawn, m · s · √(1/n + 1/m) · t with n − 1 degrees of freedom, cut at 0: with five units
t is 2.8, so it is wide, as little is known. Shares of rows are Wilson's at what items in units are worth
(`shares`). Pure.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ssui_gen.calling.meter import Spent
from ssui_gen.config_spending import Spending
from ssui_gen.shares import Interval, share, student

TRIED = 5
"""Units that are really run before a forecast."""


class Range(NamedTuple):
    """A number that is expected, and between which ends it will lie in 95 of 100 cases."""

    mid: float
    low: float
    high: float

    def said(self, form: Callable[[float], str]) -> str:
        if math.isinf(self.high):
            return f"{form(self.mid)} (one unit alone gives no interval)"
        return f"{form(self.mid)} ({form(self.low)} – {form(self.high)})"

    @property
    def ends(self) -> dict[str, float | None]:
        """For a script; null where there is no end."""
        return {name: None if math.isinf(value) else value for name, value in self._asdict().items()}


class Tried(NamedTuple):
    """A unit that was run."""

    spent: Spent
    became: tuple[str, ...]
    """What each of its items became: a class of rows, or empty where none was kept."""


class Pace(NamedTuple):
    """How fast the server was while the sample ran."""

    calls: int
    """That were really made."""
    seconds: float
    each: float
    """Seconds of a call, on average."""


class Forecast(NamedTuple):
    """Of `left` units that have not run."""

    left: int
    calls: Range
    prompt_tokens: Range
    completion_tokens: Range
    usd: Range
    seconds: Interval | None
    """From as many calls at once as may be, each as quick as in the sample, to the sample's own pace; None
    where the sample was answered from the journal."""
    kept: Range
    rows: dict[str, Range]
    """By class, those that the sample held."""
    rest: float
    """The most rows of any class that it did not hold."""

    @property
    def figures(self) -> dict[str, Any]:
        """For a script: each with its interval."""
        whole = {name: one.ends for name, one in self._asdict().items() if isinstance(one, Range)}
        rows = {name: one.ends for name, one in self.rows.items()}
        return {"left": self.left, **whole, "seconds": self.seconds, "rows": rows, "rest": self.rest}


def foretold(tried: Sequence[Tried], left: int, items: int, pace: Pace, places: int) -> Forecast:
    """Of `left` units with so many items, from at least one."""
    spent = [one.spent for one in tried]
    calls = total([one.calls for one in spent], left)
    found = Counter(name for one in tried for name in one.became if name)
    return Forecast(
        left,
        calls,
        total([one.prompt_tokens for one in spent], left),
        total([one.completion_tokens for one in spent], left),
        total([one.usd for one in spent], left),
        _seconds(calls, pace, places),
        _rows(tried, items, bool),
        {name: _rows(tried, items, name.__eq__) for name, _ in found.most_common()},
        _rows(tried, items, lambda _: False).high,
    )


def total(values: Sequence[float], left: int) -> Range:
    """Of `left` more such values."""
    n, mean = len(values), math.fsum(values) / len(values)
    if n < 2 or not left:
        return Range(left * mean, 0.0, math.inf if left else 0.0)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = student(n - 1) * left * spread * math.sqrt(1 / n + 1 / left)
    return Range(left * mean, max(0.0, left * mean - half), left * mean + half)


def _rows(tried: Sequence[Tried], items: int, counts: Callable[[str], bool]) -> Range:
    """Of so many items those whose row counts."""
    outcomes = [counts(name) for one in tried for name in one.became]
    found = share(outcomes, [number for number, one in enumerate(tried) for _ in one.became])
    low, high = found.interval if outcomes else (0.0, 1.0)
    return Range(items * (found.value if outcomes else 0.0), items * low, items * high)


def _seconds(calls: Range, pace: Pace, places: int) -> Interval | None:
    if not pace.calls or not pace.seconds:
        return None
    return calls.low * pace.each / places, calls.high * pace.seconds / pace.calls


def reached(forecast: Forecast, most: Spending, before: Spent) -> Iterator[str]:
    """Which limits the run is expected to reach, and after how many units; `before` is what it has spent."""
    limits = {
        "tokens": (most.tokens, forecast.prompt_tokens.mid + forecast.completion_tokens.mid, before.tokens),
        "usd": (most.usd, forecast.usd.mid, before.usd),
    }
    for name, (limit, ahead, spent) in limits.items():
        if limit is not None and spent + ahead > limit:
            units = max(0, int(forecast.left * (limit - spent) / ahead))
            yield f"limits.{name}: {limit:,} would be reached after about {units:,} of {forecast.left:,}."
