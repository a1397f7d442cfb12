"""Two models on the same items: by how much does one do better, and can that be chance? Pure.

Rows are paired by item and draw, and clustered by scenario. What a judge said is compared as it stands
(`compared`); what is true, by each model's own labels (`difference`). Several claims at once are in `many`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Hashable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from ssui_gen.benching.correcting import Judged, Refused, refusal, tabulate
from ssui_gen.benching.estimating import Estimate, post_stratified, variance
from ssui_gen.shares import SEED, Change, clustered_error, joined

FLIPS = 10_000
EXACT = 12
"""Up to so many clusters that differ, all their signs are tried."""


class Pair(NamedTuple):
    """What is said of two models' responses to one item, in one draw."""

    before: float
    """Whether it holds, or in which part, 0 to 1."""
    after: float
    cluster: Hashable
    """The scenario."""


class Compared(NamedTuple):
    """How much more often it holds of the second model than of the first."""

    change: Change
    """In points: Newcombe's interval at what the pairs are worth."""
    error: float
    """Standard error in points, by clusters (Miller 2024, arXiv 2411.00640)."""
    n: int
    scenarios: int
    p: float
    """Of no difference, two-sided."""
    test: Literal["McNemar", "sign flip"]
    """Exact on one pair a scenario of what holds or does not; else over the signs of the scenarios' sums."""


def compared(pairs: Sequence[Pair]) -> Compared:
    """Raises ValueError without pairs."""
    if not pairs:
        raise ValueError("compared: expected at least one pair of rows")
    before, after, clusters = (list(column) for column in zip(*pairs, strict=True))
    sums = _sums(pairs)
    alone = len(sums) == len(pairs)
    whole = alone and {*before, *after} <= {0, 1}
    lost, gained = (sum(pair.before == 1 - pair.after == side for pair in pairs) for side in (1, 0))
    return Compared(
        Change.of(before, after, None if alone else clusters),
        100 * clustered_error([pair.after - pair.before for pair in pairs], clusters),
        len(pairs),
        len(sums),
        mcnemar(lost, gained) if whole else sign_flip(list(sums.values())),
        "McNemar" if whole else "sign flip",
    )


def _sums(pairs: Sequence[Pair]) -> dict[Hashable, float]:
    sums = defaultdict[Hashable, float](float)
    for pair in pairs:
        sums[pair.cluster] += pair.after - pair.before
    return sums


def mcnemar(lost: int, gained: int) -> float:
    """Exact two-sided p-value of two counts of pairs that differ (McNemar 1947; binomial with ½)."""
    n, least = lost + gained, min(lost, gained)
    tail = sum(math.comb(n, k) for k in range(least + 1))
    return float(min(1.0, 2 * tail / 2**n))


def sign_flip(sums: Collection[float], draws: int = FLIPS) -> float:
    """Two-sided p-value of clusters' sums: how often sums with signs drawn by chance are together as large
    (Fisher's randomisation test); all signs are tried where few clusters differ. The observed one counts as a
    draw (Phipson and Smyth 2010), so it is never 0.
    """
    moved = np.array([one for one in sums if one], float)
    if len(moved) <= EXACT:
        signs = 1 - 2 * (np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved)) & 1)
        return float(np.mean(np.abs(signs @ moved) >= abs(moved.sum()) - 1e-9))
    drawn = np.random.default_rng(SEED).integers(0, 2, (draws, len(moved))) * 2 - 1
    return float((1 + np.sum(np.abs(drawn @ moved) >= abs(moved.sum()) - 1e-9)) / (draws + 1))


def has_not_risen(change: Change, margin: float) -> bool:
    """Whether it rose by less than so many points for sure: the upper end of the interval lies below them.

    A test of non-inferiority at 2.5 %; the margin is fixed before anybody looks.
    """
    return change.high < margin


# --- corrected -----------------------------------------------------------------------------------------


def difference(before: Sequence[Judged], after: Sequence[Judged]) -> Change | Refused:
    """How much the true rate differs, each model's corrected by its own labels.

    The two intervals are joined by MOVER; the two rates go together as far as their scenarios' parts do,
    which makes it shorter where the same scenarios are labelled of both. Where unscored rows are only bounded
    the ends are the worst that may be.
    """
    names = [row.cluster for row in (*before, *after)]
    tables = [tabulate(rows, names) for rows in (before, after)]
    for name, table in zip(("first", "second"), tables, strict=True):
        refused = refusal(table)
        if refused:
            return Refused(f"the {name} model: {refused.reason}")
    first, second = (post_stratified(table) for table in tables)
    return apart(first, second, bounded=any(table.unknown.any() for table in tables))


def apart(first: Estimate, second: Estimate, bounded: bool = False) -> Change:
    """Second minus first, in points, over the same clusters."""
    if bounded:
        low, high = second.low - first.high, second.high - first.low
        return Change(100 * (second.value - first.value), 100 * low, 100 * high)
    phi = _together(first, second)
    below = joined(second.value - second.low, first.high - first.value, phi)
    above = joined(second.high - second.value, first.value - first.low, phi)
    value = second.value - first.value
    return Change(100 * value, 100 * max(-1.0, value - below), 100 * min(1.0, value + above))


def _together(first: Estimate, second: Estimate) -> float:
    """The correlation of two estimates over their clusters."""
    size = math.sqrt(variance(first.sums) * variance(second.sums))
    return max(-1.0, min(1.0, variance(first.sums, second.sums) / size)) if size > 0 else 0.0
