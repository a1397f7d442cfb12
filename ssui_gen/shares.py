"""So many of so many, and how sure that is: alone, in clusters, before and after on the same rows; and how
far two sets of labels agree beyond chance. Pure.

Rows of one cluster (branches of one path, scenes of one rule) are alike, so they are worth fewer than they
are: every interval of a share is Wilson's at what its rows are worth (`worth`). A percentile bootstrap over
clusters is kept for figures that are no shares; of 0 of n it would say 0 – 0.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import TypeVar

Z95 = 1.959964
DRAWS, SEED = 1000, 0
"""Of the bootstrap."""
Interval = tuple[float, float]
"""Its two ends; nan where nothing can be said."""
NOTHING: Interval = (math.nan, math.nan)
T = TypeVar("T")


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    hits: int
    n: int
    worth: float | None = field(default=None, compare=False)
    """How many rows that know nothing of each other they are worth; None: all of them."""

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else math.nan

    @property
    def interval(self) -> Interval:
        """95 %."""
        return wilson(self.value, self.n if self.worth is None else self.worth) if self.n else NOTHING

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.1%} ({low:.1%} – {high:.1%})" if self.n else "–"


def share(outcomes: Iterable[bool], clusters: Iterable[Hashable] | None = None) -> Share:
    """How many are true; `clusters` names the cluster of each, where there are any."""
    found = list(outcomes)
    return Share(sum(found), len(found), None if clusters is None else worth(found, list(clusters)))


def wilson(value: float, n: float) -> Interval:
    """Wilson's 95 % interval (1927) of a share of `n` rows, which need be no whole number."""
    z = Z95
    middle = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


@lru_cache(maxsize=4096)
def jeffreys(hits: float, n: float) -> Interval:
    """Jeffreys' equal-tailed 95 % interval of a share of so many rows, which need be no whole numbers:
    quantiles of the beta law, and 0 where nothing is a hit, 1 where all is (Brown, Cai and DasGupta 2001,
    Statistical Science 16:101). Of rare hits it is shorter than Wilson's at the far end and longer at the
    near one.
    """
    a, b = hits + 0.5, n - hits + 0.5
    low, high = map(_quantile, (0.025, 0.975), (a, a), (b, b), wilson(hits / n, n))
    return low if hits > 0 else 0.0, high if hits < n else 1.0


def _quantile(probability: float, a: float, b: float, start: float) -> float:
    """Of the beta law: Newton's steps, halved where they leave what is known to hold it."""
    low, high, x = 0.0, 1.0, min(max(start, 1e-6), 1 - 1e-6)
    for _ in range(60):
        below, density = _beta(x, a, b)
        low, high = (x, high) if below < probability else (low, x)
        step = (below - probability) / density if density > 0 else math.inf
        before, x = x, x - step if low < x - step < high else (low + high) / 2
        if abs(x - before) < 1e-12:
            break
    return x


def _beta(x: float, a: float, b: float) -> tuple[float, float]:
    """The beta law's share below x and its density there: continued fraction 8.17.22 of the Digital Library
    of Mathematical Functions, from its far end.
    """
    if x > (a + 1) / (a + b + 2):
        above, density = _beta(1 - x, b, a)
        return 1 - above, density
    found = 1.0
    for m in range(8 + int(2 * math.sqrt(a + b)), 0, -1):
        found = 1 - (a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)) / found
        found = 1 + m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) / found
    found = 1 - (a + b) * x / (a + 1) / found
    scale = math.lgamma(a + b) - math.lgamma(a + 1) - math.lgamma(b)
    front = math.exp(scale + a * math.log(x) + b * math.log1p(-x))
    return front / found, front * a / (x * (1 - x))


# --- clusters ------------------------------------------------------------------------------------------


def worth(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """How many rows that know nothing of each other these are worth, for their mean.

    The variance of the mean over rows by that over clusters, with Student's t for the normal quantile (Korn
    and Graubard 1998, Survey Methodology 24:193), whose degrees of freedom are one less than the clusters
    that hold anything but the commonest value: they alone show how rows cling together. Of 0 of n none does,
    so a cluster counts as one row: 0 of 700 in 49 clusters is as sure as 0 of 49.
    """
    n, groups = len(values), len(set(clusters))
    usual = Counter(values).most_common(1)[0][0] if n else None
    telling = {cluster for value, cluster in zip(values, clusters, strict=True) if value != usual}
    if groups == n or len(telling) < 2:
        return float(groups)
    size = n / _times_wider(values, clusters)
    return max(size * (Z95 / student(len(telling) - 1)) ** 2, min(size, groups))


def _times_wider(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """The variance of the mean over clusters by that over rows; at least 1."""
    mean, sums = sum(values) / len(values), defaultdict[Hashable, float](float)
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] += value - mean
    apart = sum((value - mean) ** 2 for value in values)
    together = sum(one * one for one in sums.values()) * len(sums) / (len(sums) - 1)
    return max(1.0, together / apart)


def clustered_error(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """The standard error of a mean: √(G / (G − 1) · Σ s²) / n, s the sum of a cluster's distances from it
    (Miller 2024, arXiv 2411.00640, with the correction for few clusters); nan below two clusters.
    """
    apart = defaultdict[Hashable, float](float)
    mean = sum(values) / len(values) if values else math.nan
    for value, cluster in zip(values, clusters, strict=True):
        apart[cluster] += value - mean
    if len(apart) < 2:
        return math.nan
    spread = sum(one * one for one in apart.values()) * len(apart) / (len(apart) - 1)
    return math.sqrt(spread) / len(values)


def student(freedom: int) -> float:
    """Student's 97.5 % quantile, to 3 % from two degrees of freedom on (Abramowitz and Stegun 26.7.5)."""
    z, f = Z95, float(freedom)
    parts = (
        z,
        (z**3 + z) / (4 * f),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * f**3),
    )
    return sum(parts)


def bootstrap(clusters: Sequence[T], figure: Callable[[Sequence[T]], float], draws: int = DRAWS) -> Interval:
    """The middle 95 % of a figure over clusters drawn anew with replacement (Efron 1979), by a fixed seed.

    Draws where it is not defined are left out. Where all draws are alike they say nothing of how sure it is.
    """
    rng = Random(SEED)
    drawn = (figure(rng.choices(clusters, k=len(clusters))) for _ in range(draws if clusters else 0))
    found = sorted(one for one in drawn if not math.isnan(one))
    if not found or found[0] == found[-1]:
        return NOTHING
    return found[round(0.025 * (len(found) - 1))], found[round(0.975 * (len(found) - 1))]


# --- before and after ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """How far a share moved on the same rows, in points, with the ends of its 95 % interval."""

    points: float
    low: float
    high: float

    @staticmethod
    def of(
        before: Sequence[float], after: Sequence[float], clusters: Sequence[Hashable] | None = None
    ) -> Change:
        """Newcombe's score interval at what the rows are worth; nan without rows.

        A row that holds in part, 0 to 1, counts in part in each cell: as much as both hold in the first. As
        such rows move less than those which hold or do not, they are worth more.
        """
        moves = [b - a for a, b in zip(before, after, strict=True)]
        n = len(moves)
        if not n:
            return Change(math.nan, math.nan, math.nan)
        part = (1.0 if clusters is None else worth(moves, clusters) / n) * times_steadier(moves)
        both = math.fsum(map(min, before, after))
        gained, lost = math.fsum(after) - both, math.fsum(before) - both
        neither = n - both - gained - lost
        low, high = newcombe(*(part * cell for cell in (both, gained, lost, neither)))
        return Change(100 * math.fsum(moves) / n, 100 * low, 100 * high)

    def __str__(self) -> str:
        return f"{self.points:+.1f} ({self.low:+.1f} – {self.high:+.1f})"


def times_steadier(moves: Sequence[float]) -> float:
    """The variance of moves, or shares, that were all whole, by theirs; 1 where they are, or none differs."""
    n = len(moves)
    mean = math.fsum(moves) / n
    whole, seen = (math.fsum(part) / n - mean**2 for part in (map(abs, moves), (one * one for one in moves)))
    return whole / seen if 0 < seen < whole else 1.0


def newcombe(both: float, first: float, second: float, neither: float) -> Interval:
    """95 % interval of how much more often the first of two holds than the second, from how often both hold,
    one alone, neither: method 10 of Newcombe (1998), Statistics in Medicine 17:2635.
    """
    n = both + first + second + neither
    p, q = (both + first) / n, (both + second) / n
    (p_low, p_high), (q_low, q_high) = wilson(p, n), wilson(q, n)
    phi = _phi(both, first, second, neither)
    below = joined(p - p_low, q_high - q, phi)
    above = joined(p_high - p, q - q_low, phi)
    return max(-1.0, p - q - below), min(1.0, p - q + above)


def joined(one: float, other: float, phi: float) -> float:
    """How far a difference may be off, from how far each of the two may, which go together by `phi` (MOVER:
    Zou and Donner 2008, Statistics in Medicine 27:1693).
    """
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


def _phi(both: float, first: float, second: float, neither: float) -> float:
    """How the two go together, corrected for continuity as method 10 has it; 0 where one never differs."""
    n = both + first + second + neither
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    product = both * neither - first * second
    corrected = max(product - n / 2, 0.0) if product > 0 else product
    return corrected / math.sqrt(margins) if margins > 0 else 0.0


# --- agreement -----------------------------------------------------------------------------------------


def kappa(pairs: Iterable[tuple[bool, bool]] | Mapping[tuple[bool, bool], float]) -> float:
    """Cohen's κ (1960) of two raters, from their pairs or the counts of them, weighted ones too; nan
    where one of them never differs from himself and chance is all.
    """
    counts: Mapping[tuple[bool, bool], float] = pairs if isinstance(pairs, Mapping) else Counter(pairs)
    n = sum(counts.values())
    agreed = sum(c for (one, other), c in counts.items() if one == other) / n if n else math.nan
    first, second = (sum(c for pair, c in counts.items() if pair[side]) / (n or 1) for side in (0, 1))
    chance = first * second + (1 - first) * (1 - second)
    return (agreed - chance) / (1 - chance) if chance < 1 else math.nan
