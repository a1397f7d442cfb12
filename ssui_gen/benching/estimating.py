"""What is truly so, from what a judge said of all rows and people of some: three estimators. Pure.

A judge errs, so the share of its yes is no measurement. People label rows drawn with known probabilities from
the same rows, and what they say of these corrects it. Each estimator gives a value, a 95 % interval, and what
each cluster adds to the value (`sums`), from which comparisons are made. Rows of one cluster are alike; every
interval knows it. When a figure may be shown at all is decided in `correcting`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ssui_gen.shares import Z95, Interval, jeffreys, student, wilson

Floats = NDArray[Any]
Ints = NDArray[Any]
ByHits = Callable[[float, float], Interval]
"""An interval, by how many of how many rows are hits; neither need be whole."""
NO, YES, UNSCORED = range(3)
"""Strata: what the judge said."""


class Table(NamedTuple):
    """Rows as columns, each of shape (rows,)."""

    stratum: Ints
    guess: Floats
    """How likely the judge holds it, 0 to 1; of unscored rows the mean of the others."""
    truth: Floats
    """1 or 0; nan: no label."""
    weight: Floats
    """One by the probability of having been labelled; 0: no label."""
    cluster: Ints
    """From 0 on."""
    clusters: int

    @property
    def labelled(self) -> NDArray[np.bool_]:
        return np.greater(self.weight, 0)

    @property
    def labels(self) -> Ints:
        """How many of each stratum."""
        return np.bincount(self.stratum[self.labelled], minlength=3)

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Rows of which nothing is known: unscored, and no unscored one is labelled."""
        bare = not self.labels[UNSCORED]
        return np.equal(self.stratum, UNSCORED if bare else -1)

    def only(self, rows: NDArray[np.bool_]) -> Table:
        """Those rows, in the clusters that all have."""
        return Table._make((*(column[rows] for column in self[:-1]), self.clusters))

    def beside(self, other: Table) -> Table:
        """These rows, then others, in the same clusters."""
        columns = zip(self[:-1], other[:-1], strict=True)
        return Table._make((*(np.concatenate(pair) for pair in columns), self.clusters))


class Estimate(NamedTuple):
    """A rate, the ends of its 95 % interval, and what each cluster adds to it, of shape (clusters,)."""

    value: float
    low: float
    high: float
    sums: Floats


# --- post-stratification with MOVER --------------------------------------------------------------------


def post_stratified(table: Table, strata: Strata | None = None, interval: ByHits = jeffreys) -> Estimate:
    """θ = Σ W_v p_v: of each stratum v its share W_v of all rows, and the share p_v of its true labels.

    Interval: MOVER (Zou and Donner 2008, Statistics in Medicine 27:1693), which joins arms as squares: those
    of each p_v, which are Jeffreys' (as Laud 2017, Pharmaceutical Statistics 16:334), and those of the
    shares. The arms of labels and of shares are each stretched by the root of how many times wider the
    clusters make that part of θ's variance (by influence values), at least 1, and by Student's t; both are,
    where the two parts go together. A stratum without labels may be anything: it is 0 for the lower end and 1
    for the upper one, and the value lies between. Other `strata` or arms (`interval`) are tried, not used.
    """
    strata = strata or strata_of(table)
    below = _at(table, strata, interval, 0.0)
    if not np.isnan(strata.rate[strata.share > 0]).any():
        return below
    above = _at(table, strata, interval, 1.0)
    return Estimate((below.value + above.value) / 2, below.low, above.high, (below.sums + above.sums) / 2)


class Strata(NamedTuple):
    """Columns of shape (3,)."""

    share: Floats
    rate: Floats
    """Of its labels; nan without."""
    weight: Floats
    """All of its labels' weights."""
    worth: Floats
    """How many rows its labels are worth."""


def strata_of(table: Table) -> Strata:
    """What the labels tell of each stratum."""
    found, weight = table.stratum[table.labelled], table.weight[table.labelled]
    total = np.bincount(found, weight, minlength=3)
    hits = np.bincount(found, weight * table.truth[table.labelled], minlength=3)
    with np.errstate(invalid="ignore"):
        rate = hits / total
        worth = total**2 / np.bincount(found, weight**2, minlength=3)
    for one in np.flatnonzero((rate == 0) | (rate == 1)):
        worth[one] = len(np.unique(table.cluster[table.labelled & (table.stratum == one)]))
    return Strata(np.bincount(table.stratum, minlength=3) / len(table.stratum), rate, total, worth)


def _at(table: Table, strata: Strata, interval: ByHits, unknown: float) -> Estimate:
    """The estimate if strata without labels had this rate."""
    rate = np.where(np.isnan(strata.rate), unknown, strata.rate)
    value = float(strata.share @ rate)
    sums, *wider = _influence(table, rate[table.stratum], strata)
    shares = _arms_of_shares(value, float(strata.share @ rate**2) - value**2, len(table.stratum))
    labels = [_arms(strata, interval, one) for one in map(int, np.flatnonzero(strata.weight))]
    below, above = (
        math.hypot(wider[0] * shares[side], *(wider[1] * arm[side] for arm in labels)) for side in (0, 1)
    )
    return Estimate(value, max(0.0, value - below), min(1.0, value + above), sums)


def _arms(strata: Strata, interval: ByHits, one: int) -> Interval:
    """How far the value may be off, down and up, as this stratum's rate is known by labels alone."""
    rate, share = float(strata.rate[one]), float(strata.share[one])
    low, high = interval(round(rate * strata.worth[one], 6), round(strata.worth[one], 6))
    return share * (rate - low), share * (high - rate)


def _arms_of_shares(value: float, spread: float, rows: int) -> Interval:
    """As the strata's shares are known by so many rows: Wilson's at the size at which a share of this value
    varies as the strata's rates do (`spread`).
    """
    if spread <= 1e-12:
        return 0.0, 0.0
    low, high = wilson(value, rows * value * (1 - value) / spread)
    return value - low, high - value


def _influence(table: Table, fitted: Floats, strata: Strata) -> tuple[Floats, float, float]:
    """What each cluster adds to the value; how many times wider that makes the arms of shares, and of labels.

    A row adds how far its fitted value is from the mean and, if labelled, how far its label is from that, for
    all rows of its stratum.
    """
    on, found = table.labelled, table.stratum[table.labelled]
    of_shares, of_labels = (fitted - fitted.mean()) / len(fitted), np.zeros(len(fitted))
    left = table.truth[on] - fitted[on]
    of_labels[on] = strata.share[found] * table.weight[on] * left / strata.weight[found]
    first, wider = _clustered(of_shares, table, np.ones(len(fitted), bool))
    second, wider_too = _clustered(of_labels, table, on)
    apart = variance(first) + variance(second)
    both = math.sqrt(variance(first + second) / apart) if apart > 0 else 1.0
    return first + second, both * wider, both * wider_too


def _clustered(each: Floats, table: Table, rows: NDArray[np.bool_]) -> tuple[Floats, float]:
    """What each cluster adds, and how many times wider than without clusters an interval is; `rows` are those
    that count.
    """
    sums, plain = np.bincount(table.cluster, each, table.clusters), float(each @ each)
    ratio = variance(sums) / plain if plain > 0 else 1.0
    return sums, math.sqrt(max(1.0, ratio)) * _student(table, rows) / Z95


def _student(table: Table, rows: NDArray[np.bool_]) -> float:
    """The quantile for as many clusters as hold such rows."""
    return student(max(1, len(np.unique(table.cluster[rows])) - 1))


def variance(sums: Floats, other: Floats | None = None) -> float:
    """Of a mean, from what each cluster adds to it: G / (G − 1) · Σ s²; with `other`, of two, how they vary
    together.
    """
    held = int(np.count_nonzero((sums != 0) | (other is not None and other != 0)))
    return held / max(1, held - 1) * float(sums @ (sums if other is None else other))


# --- prediction-powered inference ----------------------------------------------------------------------


def powered(table: Table) -> Estimate:
    """PPI++ (Angelopoulos, Duchi and Zrnic 2023, arXiv 2311.01453) of a mean, by the judge's probabilities.

    θ = λ·mean(f) + Σ w (y − λ f) / Σ w with f over all rows, w one by the probability of having been labelled
    and λ the slope of y on f over the labels. That is their θ with λ·(N − n)/N, as here the n labelled rows
    are among the N. The variance is the clusters', the interval Student's. Unscored rows without labels are 0
    for the lower end and 1 for the upper one.
    """
    below = _powered(table, 0.0)
    if not table.unknown.any():
        return below
    above = _powered(table, 1.0)
    return Estimate((below.value + above.value) / 2, below.low, above.high, (below.sums + above.sums) / 2)


def _powered(table: Table, unknown: float) -> Estimate:
    on, known = table.labelled, ~table.unknown
    weight = table.weight[on] / table.weight[on].sum()
    slope = _slope(weight, table.guess[on], table.truth[on])
    left = table.truth[on] - slope * table.guess[on]
    mean = float(weight @ left)
    fitted = np.where(known, slope * table.guess + mean, unknown)
    value = float(fitted.mean())
    each = (fitted - value) / len(fitted)
    each[on] += known.mean() * weight * (left - mean)
    return _normal(value, each, table)


def _slope(weight: Floats, guess: Floats, truth: Floats) -> float:
    apart = guess - weight @ guess
    spread = float(weight @ apart**2)
    return float(weight @ (apart * truth)) / spread if spread > 0 else 0.0


def _normal(value: float, each: Floats, table: Table) -> Estimate:
    sums = np.bincount(table.cluster, each, table.clusters)
    half = _student(table, table.labelled) * math.sqrt(max(variance(sums), float(each @ each)))
    low, at, high = (min(1.0, max(0.0, one)) for one in (value - half, value, value + half))
    return Estimate(at, low, high, sums)


# --- Rogan and Gladen ----------------------------------------------------------------------------------


def rogan_gladen(table: Table, ours: NDArray[np.bool_]) -> Estimate | None:
    """θ = (q + Sp − 1) / (Se + Sp − 1) (Rogan and Gladen 1978, American Journal of Epidemiology 107:71), with
    the delta method's interval; None where the judge's yes does not go with the truth at all.

    q is the judge's share of yes among `ours`; sensitivity Se and specificity Sp are those of all labels, so
    they must be the same for all. Every row is scored.
    """
    said, truth, weight = (table.stratum == YES).astype(float), np.nan_to_num(table.truth), table.weight
    of_true, of_false = weight * truth, weight * (1 - truth)
    if not (of_true.sum() and of_false.sum()):
        return None
    of_true, of_false, of_ours = of_true / of_true.sum(), of_false / of_false.sum(), ours / ours.sum()
    share, found, spared = float(of_ours @ said), float(of_true @ said), float(of_false @ (1 - said))
    tells = found + spared - 1
    if tells <= 0:
        return None
    value = (share + spared - 1) / tells
    each = of_ours * (said - share) - value * of_true * (said - found)
    each += (1 - value) * of_false * (1 - said - spared)
    return _normal(value, each / tells, table)


# --- shares of labels ----------------------------------------------------------------------------------


class Rate(NamedTuple):
    """A share of labelled rows, weighted as they were drawn."""

    value: float
    worth: float
    """How many rows that know nothing of each other they are worth."""
    wider: float
    """How many times the clusters, and Student's t, make its variance that of such rows."""

    @property
    def interval(self) -> Interval:
        return wilson(self.value, self.worth)


def rate(hits: Floats, weight: Floats, table: Table) -> Rate | None:
    """How many of the rows that have a weight are hits (1 or 0), at their effective size; None of no row."""
    on = weight > 0
    if not on.any():
        return None
    if hits[on].min() == hits[on].max():
        return Rate(float(hits[on][0]), len(np.unique(table.cluster[on])), 1.0)
    part = weight / weight.sum()
    value = float(part @ hits)
    wider = _clustered(part * (hits - value), table, on)[1] ** 2
    return Rate(value, 1 / float(part @ part) / wider, wider)


def people_alone(table: Table) -> Rate | None:
    """The share of labels that are true: all that could be said without a judge."""
    return rate(np.nan_to_num(table.truth), table.weight, table)


def labels_for(half: float, value: float, wider: float) -> float:
    """How many labels give Wilson's interval this half width: its formula solved for n, times `wider`."""
    if not 0 < half < 0.5:
        return 0.0 if half else math.inf
    a, b = 0.25 - half**2, value * (1 - value) - 2 * half**2
    return wider * Z95**2 * (math.sqrt(b * b + 4 * a * half**2) + b) / (2 * half**2)
