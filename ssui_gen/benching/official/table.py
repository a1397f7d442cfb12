"""A protocol's table: each share with what its denominator counts, its interval by scenario, and what is not
scored. Pure.

What has no verdict is in no share; the bounds say where the share would lie if all of it went one way. A bare
figure of somebody else's table stands beside none of these: compare down, never across.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ssui_gen.benching.official.shape import Judged, Line, Mean, Official, Scored
from ssui_gen.benching.records import Item
from ssui_gen.shares import Interval, bootstrap, share


class Row(NamedTuple):
    """One line of the table."""

    name: str
    value: float
    """nan where nothing is scored."""
    interval: Interval
    """95 %."""
    n: int
    """What is scored."""
    of: str
    """What that counts."""
    unscored: int
    empty: int
    """Of these, answers that never came or are empty."""
    bounds: Interval
    """The value if all that is unscored were false, or true."""

    def __str__(self) -> str:
        if math.isnan(self.value):
            return f"{self.name}: nothing scored of {self.unscored:,} {self.of}"
        low, high = self.interval
        told = f"{self.name}: {self.value:.1%} ({low:.1%} – {high:.1%}) of {self.n:,} {self.of}"
        if not self.unscored:
            return told
        first, last = self.bounds
        return f"{told}; {self.unscored:,} unscored, {self.empty:,} of them empty: {first:.1%} – {last:.1%}"


class Vote(NamedTuple):
    """What counts once: a response, or the draws of an item that vote."""

    scenario: str
    holds: bool | None
    answered: bool


def table(official: Official, items: Mapping[str, Item], rows: Iterable[Judged | Scored]) -> list[Row]:
    """All lines; `items` by id, `rows` of this protocol and one judge."""
    found = [row for row in rows if row.item_id in items]
    votes = {line.name: _votes(official, line, items, found) for line in official.lines}
    lines = {line.name: _line(line, votes[line.name]) for line in official.lines}
    return [*lines.values(), *(_mean(mean, lines, votes) for mean in official.means)]


def _votes(
    official: Official, line: Line, items: Mapping[str, Item], rows: Sequence[Judged | Scored]
) -> list[Vote]:
    kept = [row for row in rows if line.where(items[row.item_id])]
    if not official.majority:
        return [
            Vote(items[row.item_id].scenario_id, row.outcomes.get(line.outcome), row.answered) for row in kept
        ]
    draws = defaultdict[str, list[Judged | Scored]](list)
    for row in kept:
        draws[row.item_id].append(row)
    return [
        Vote(
            items[id].scenario_id,
            majority([row.outcomes.get(line.outcome) for row in found]),
            any(row.answered for row in found),
        )
        for id, found in draws.items()
    ]


def majority(votes: Sequence[bool | None]) -> bool | None:
    """What more than half say; None where what is not known, or a tie, leaves that open."""
    counts = Counter(votes)
    for one in (True, False):
        if 2 * counts[one] > len(votes):
            return one
    return None


def _line(line: Line, votes: Sequence[Vote]) -> Row:
    scored = [vote for vote in votes if vote.holds is not None]
    found = share((bool(vote.holds) for vote in scored), [vote.scenario for vote in scored])
    unscored = [vote for vote in votes if vote.holds is None]
    empty, total = sum(not vote.answered for vote in unscored), len(votes)
    ends = (found.hits / total, (found.hits + len(unscored)) / total) if total else (math.nan, math.nan)
    return Row(line.name, found.value, found.interval, found.n, line.of, len(unscored), empty, ends)


def _mean(mean: Mean, lines: Mapping[str, Row], votes: Mapping[str, Sequence[Vote]]) -> Row:
    """Of both sides alike, however many rows each has; nan where one has none."""
    one, other = lines[mean.first], lines[mean.second]
    clusters = defaultdict[str, list[list[bool]]](lambda: [[], []])
    for side, name in enumerate((mean.first, mean.second)):
        for vote in votes[name]:
            if vote.holds is not None:
                clusters[vote.scenario][side].append(vote.holds)
    interval = bootstrap(list(clusters.values()), _of_sides)
    bounds = tuple((low + high) / 2 for low, high in zip(one.bounds, other.bounds, strict=True))
    return Row(
        mean.name,
        (one.value + other.value) / 2,
        interval,
        one.n + other.n,
        f"answers, both sides alike ({one.n:,} and {other.n:,})",
        one.unscored + other.unscored,
        one.empty + other.empty,
        (bounds[0], bounds[1]),
    )


def _of_sides(clusters: Sequence[list[list[bool]]]) -> float:
    sides = [[vote for cluster in clusters for vote in cluster[side]] for side in (0, 1)]
    return sum(sum(side) / len(side) for side in sides) / 2 if all(sides) else math.nan
