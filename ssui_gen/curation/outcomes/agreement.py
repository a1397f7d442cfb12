"""How far people agree: percent, Cohen's κ and Krippendorff's α, each with a bootstrap interval. Pure.

- percent: of all pairs of values that an item got, those that are equal;
- κ: Cohen (1960), "A coefficient of agreement for nominal scales"; of more than two people the mean over
  every two (Light 1971);
- α: Krippendorff (2011), "Computing Krippendorff's alpha-reliability": any number of people, values missing,
  nominal, ordinal or interval.

Intervals are percentiles over items drawn anew with replacement. A figure that is not defined, because nobody
ever said anything else, is None and says so; it is never 0 or 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Level = Literal["nominal", "ordinal", "interval"]
Ratings = Sequence[Mapping[str, Hashable]]
"""For each item, the value that each person gave it; who gave none is not there."""
Floats = NDArray[np.float64]
DRAWS = 2000
SEED = 0


class Figure(NamedTuple):
    """A figure with its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.value is None:
            return "undefined"
        return f"{self.value:.2f}" + (f" ({self.low:.2f} – {self.high:.2f})" if self.low is not None else "")


class Agreement(NamedTuple):
    """Of one question."""

    items: int
    """That at least two people answered."""
    people: int
    percent: Figure
    """As a share from 0 to 1."""
    kappa: Figure
    alpha: Figure
    usual: Hashable
    """The value that was given most often, and the share of all values that it is: where nearly all values
    are one, κ and α are low however often people agree."""
    share: float


def agreement(ratings: Ratings, level: Level = "nominal", draws: int = DRAWS) -> Agreement | None:
    """Agreement on one question; None where no item was answered by two people."""
    units = [unit for unit in ratings if len(unit) > 1]
    if not units:
        return None
    values = sorted({value for unit in units for value in unit.values()}, key=_order)
    weights = _weights(len(units), draws)
    counts = Counter(value for unit in units for value in unit.values())
    usual, most = counts.most_common(1)[0]
    return Agreement(
        items=len(units),
        people=len({name for unit in units for name in unit}),
        percent=_figure(_percents(units, weights)),
        kappa=_figure(_kappas(units, values, weights)),
        alpha=_figure(_alphas(_coincidences(units, values), _numbers(values), level, weights)),
        usual=usual,
        share=most / counts.total(),
    )


def _order(value: Any) -> Any:
    return value if isinstance(value, int | float) else str(value)


def _numbers(values: Sequence[Any]) -> Floats:
    """What interval α reckons with; ranks of values that are no numbers."""
    plain = all(isinstance(value, int | float) for value in values)
    return np.array(values if plain else range(len(values)), dtype=float)


def _weights(units: int, draws: int) -> Floats:
    """How often each unit counts: in the first row once, then as drawn."""
    drawn = np.random.default_rng(SEED).multinomial(units, np.full(units, 1 / units), size=draws)
    return np.vstack([np.ones(units), drawn]).astype(float)


def _figure(found: Floats) -> Figure:
    """The first is the figure, the rest are its draws; those that are not defined are left out."""
    if np.isnan(found[0]):
        return Figure(None)
    drawn = found[1:][~np.isnan(found[1:])]
    if not drawn.size:
        return Figure(float(found[0]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Figure(float(found[0]), float(low), float(high))


def _percents(units: Ratings, weights: Floats) -> Floats:
    pairs = [list(combinations(unit.values(), 2)) for unit in units]
    equal = np.array([sum(a == b for a, b in found) for found in pairs], dtype=float)
    return _over(weights @ equal, weights @ np.array([len(found) for found in pairs], dtype=float))


def _over(above: Floats, below: Floats) -> Floats:
    """above / below; nan where there is nothing below."""
    defined = below > 0
    return np.where(defined, above / np.where(defined, below, 1.0), np.nan)


# --- κ -------------------------------------------------------------------------------------------------


def _kappas(units: Ratings, values: Sequence[Hashable], weights: Floats) -> Floats:
    names = sorted({name for unit in units for name in unit})
    each = [_kappa(units, two, values, weights) for two in combinations(names, 2)]
    defined = np.array([one for one in each if not np.isnan(one[0])])
    if not defined.size:
        return np.full(len(weights), np.nan)
    return _over(np.nansum(defined, axis=0), (~np.isnan(defined)).sum(axis=0).astype(float))


def _kappa(units: Ratings, two: tuple[str, str], values: Sequence[Hashable], weights: Floats) -> Floats:
    """κ of two people for each row of weights."""
    place = {value: number for number, value in enumerate(values)}
    table = np.zeros((len(units), len(values), len(values)))
    for number, unit in enumerate(units):
        if two[0] in unit and two[1] in unit:
            table[number, place[unit[two[0]]], place[unit[two[1]]]] = 1
    counts = np.tensordot(weights, table, axes=1)
    n = counts.sum(axis=(1, 2))
    agreed = _over(np.trace(counts, axis1=1, axis2=2), n)
    chance = _over((counts.sum(axis=1) * counts.sum(axis=2)).sum(axis=1), n * n)
    return _over(agreed - chance, 1 - chance)


# --- α -------------------------------------------------------------------------------------------------


def _coincidences(units: Ratings, values: Sequence[Hashable]) -> Floats:
    """For each unit, how often each value stands beside each other one: [units, values, values]."""
    place = {value: number for number, value in enumerate(values)}
    found = np.zeros((len(units), len(values), len(values)))
    for number, unit in enumerate(units):
        counts = np.bincount([place[value] for value in unit.values()], minlength=len(values)).astype(float)
        found[number] = (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    return found


def _alphas(coincidences: Floats, numbers: Floats, level: Level, weights: Floats) -> Floats:
    """1 − (n − 1) Σ o δ² / Σ n_c n_k δ², for each row of weights."""
    observed = np.tensordot(weights, coincidences, axes=1)
    totals = observed.sum(axis=2)
    differences = _differences(totals, numbers, level)
    expected = (totals[:, :, None] * totals[:, None, :] * differences).sum(axis=(1, 2))
    found = (observed * differences).sum(axis=(1, 2))
    alphas: Floats = 1 - (totals.sum(axis=1) - 1) * _over(found, expected)
    return alphas


def _differences(totals: Floats, numbers: Floats, level: Level) -> Floats:
    """δ² of every two values, for each row of totals."""
    size = len(numbers)
    if level == "nominal":
        return np.broadcast_to(1 - np.eye(size), (len(totals), size, size))
    if level == "interval":
        return np.broadcast_to((numbers[:, None] - numbers[None, :]) ** 2, (len(totals), size, size))
    middles = np.cumsum(totals, axis=1) - totals / 2
    found: Floats = (middles[:, :, None] - middles[:, None, :]) ** 2
    return found
