"""Many figures at once: classes with enough rows to show, p-values of several claims. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from ssui_gen.shares import Share, share

FEWEST = 20
"""Rows below which a class has no rate."""


class Class(NamedTuple):
    """How often it holds of the rows of one class."""

    name: str
    n: int
    share: Share | None
    """None: too few."""


def by_class(rows: Iterable[tuple[str, bool, Hashable]]) -> list[Class]:
    """Rows are class, outcome, cluster; the largest class first."""
    found = defaultdict[str, list[tuple[bool, Hashable]]](list)
    for name, outcome, cluster in rows:
        found[name].append((outcome, cluster))
    classes = [Class(name, len(part), _share(part)) for name, part in found.items()]
    return sorted(classes, key=lambda one: (-one.n, one.name))


def _share(rows: Sequence[tuple[bool, Hashable]]) -> Share | None:
    outcomes, clusters = zip(*rows, strict=True)
    return share(outcomes, clusters) if len(rows) >= FEWEST else None


def holm(values: Sequence[float]) -> list[float]:
    """P-values adjusted so that all that stay below 5 % may be claimed together (Holm 1979, Scandinavian
    Journal of Statistics 6:65).
    """
    adjusted, highest, n = [0.0] * len(values), 0.0, len(values)
    for rank, place in enumerate(_ordered(values)):
        highest = max(highest, min(1.0, (n - rank) * values[place]))
        adjusted[place] = highest
    return adjusted


def benjamini_hochberg(values: Sequence[float]) -> list[float]:
    """P-values adjusted so that of those below 5 % one in twenty is false, to screen what to look at
    (Benjamini and Hochberg 1995, Journal of the Royal Statistical Society B 57:289).
    """
    adjusted, lowest, n = [0.0] * len(values), 1.0, len(values)
    for rank, place in reversed(list(enumerate(_ordered(values), 1))):
        lowest = min(lowest, n / rank * values[place])
        adjusted[place] = lowest
    return adjusted


def _ordered(values: Sequence[float]) -> list[int]:
    return sorted(range(len(values)), key=values.__getitem__)
