"""Whether a run gives the rows that were wanted of each class: told before it, foretold, and told at its end.

Counts and words only: which item wants which class, `wanting` draws. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ssui_gen.jobs.forecast import Forecast
from ssui_gen.records import ReasoningPath, Reject

NEAR = 0.9
"""A quota of which so much is there counts as met."""
MORE = "bring more pictures that fit it, let each item have more texts (query.texts), or want fewer"

AT_MOST = "query.fill: it ends when every class has its rows; what follows is of all seeds, and the most"


class Met(NamedTuple):
    """What became of one class."""

    quota: int
    asked: int
    """Items that were to be of it, rejected ones too."""
    became: int
    """Of those, rows of it."""
    rows: int
    """Risky rows of it, whatever they were to be."""


class Tally:
    """Counts what rows and rejects were wanted to be, and are."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.became: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()

    def add(self, row: ReasoningPath | Reject) -> None:
        wanted = row.wish.wanted if row.wish else None
        if wanted:
            self.asked[wanted] += 1
        if isinstance(row, ReasoningPath) and row.kind == "risky":
            self.rows[row.query.category] += 1
            self.became[row.query.category] += row.query.category == wanted

    def of(self, quotas: Mapping[str, int]) -> dict[str, Met]:
        """Each class that is wanted."""
        return {
            name: Met(quota, self.asked[name], self.became[name], self.rows[name])
            for name, quota in quotas.items()
        }


def told(met: Mapping[str, Met]) -> Iterator[str]:
    """At a run's end."""
    if not met:
        return
    parts = (
        f"{name} {one.rows:,} of {one.quota:,} (asked of {one.asked:,} items, {one.became:,} became it)"
        for name, one in met.items()
    )
    yield f"Classes wanted: {'; '.join(parts)}."
    for name, one in met.items():
        if one.rows < NEAR * one.quota:
            yield f"Warning: {name} has {one.rows:,} rows, and {one.quota:,} are wanted: {MORE}"


def full(passed: int) -> str:
    """At the end of a run that has filled its classes."""
    return (
        f"Every class has its rows: {passed:,} seeds were not begun; larger numbers in query.classes go on "
        "with them"
    )


def out_of_reach(quotas: Mapping[str, int], rows: Mapping[str, int], left: int) -> Iterator[str]:
    """Before a run with so many risky `rows` of each class and risky items `left`."""
    total, there = sum(quotas.values()), sum(min(quota, rows.get(name, 0)) for name, quota in quotas.items())
    if total > there + left:
        yield (
            f"Warning: query.classes wants {total:,} risky rows, and at most {there + left:,} of them can "
            f"come of these seeds ({there:,} are there, {left:,} items left): bring more seeds, or take the "
            "numbers as shares"
        )


def foretold(quotas: Mapping[str, int], there: Mapping[str, int], ahead: Forecast) -> Iterator[str]:
    """Which quotas are hardly to be met; `there` are rows by class, those of the sample among them."""
    for name, quota in quotas.items():
        most = there.get(name, 0) + (ahead.rows[name].high if name in ahead.rows else ahead.rest)
        if most < NEAR * quota:
            yield f"Warning: {name}: {quota:,} rows are wanted, and at most {most:,.0f} expected: {MORE}"
