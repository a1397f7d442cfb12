"""So many of so many, with Wilson's interval; and how far two sets of labels agree beyond chance. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

Z95 = 1.959964


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval (1927)."""
        if not self.n:
            return math.nan, math.nan
        p, n, z = self.value, self.n, Z95
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.1%} ({low:.1%} – {high:.1%})" if self.n else "–"


def share(outcomes: Iterable[bool]) -> Share:
    """How many are true."""
    found = list(outcomes)
    return Share(sum(found), len(found))


def kappa(pairs: Iterable[tuple[bool, bool]]) -> float:
    """Cohen's κ (1960) of two raters; nan where one of them never differs from himself and chance is all."""
    counts = Counter(pairs)
    n = counts.total()
    agreed = (counts[True, True] + counts[False, False]) / n if n else math.nan
    first, second = (sum(c for pair, c in counts.items() if pair[side]) / max(n, 1) for side in (0, 1))
    chance = first * second + (1 - first) * (1 - second)
    return (agreed - chance) / (1 - chance) if chance < 1 else math.nan
