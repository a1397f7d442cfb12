"""How far a judge can be trusted: agreement with labels, and what moves its verdicts that should not. Pure.

Good is what a question's `good` options are. Sensitivity is the share of what is truly good that the judge
calls good, specificity of what is truly bad that it calls bad. Labels that were drawn with unequal chances
are weighed by them. Trials (`trying`) give outcomes: one response under one change.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from random import Random
from typing import Any, NamedTuple

from ssui_gen.records import Kind
from ssui_gen.shares import Interval, bootstrap, kappa, share, wilson, worth
from ssui_gen.verifying.calibrate import Finding, reliability

PERMUTED, SEED = 2000, 0
"""Draws of the homogeneity test."""
ALL = "all"


class Rated(NamedTuple):
    """One verdict beside its label."""

    question: str
    kind: Kind
    cluster: str
    """The scenario."""
    model: str
    """Whose response it is."""
    said: bool | None
    """Whether the judge calls it good; None: unscored."""
    truth: bool
    probability: float | None = None
    """The judge's, that it is good."""
    weight: float = 1.0
    """One over the probability with which it was drawn to be labelled."""


class Outcome(NamedTuple):
    """One question about one response, as it is and with something changed."""

    trial: str
    """What was changed: `another picture`, `grey`, `untold`, a canary's name."""
    question: str
    cluster: str
    before: str | None
    after: str | None
    """Verdicts; None: unscored."""


class Rate(NamedTuple):
    """A weighted share with its 95 % interval."""

    value: float
    interval: Interval
    n: int


def weighed(outcomes: Sequence[bool], weights: Sequence[float], clusters: Sequence[Hashable]) -> Rate:
    """Wilson's interval at what the rows are worth: by their clusters (`shares.worth`), and by their unequal
    weights (Kish 1965, Survey Sampling: n / (1 + the squared coefficient of variation of the weights)).
    """
    n, total = len(outcomes), sum(weights)
    if not n:
        return Rate(math.nan, (math.nan, math.nan), 0)
    value = sum(weight for weight, outcome in zip(weights, outcomes, strict=True) if outcome) / total
    kish = total**2 / sum(weight * weight for weight in weights)
    return Rate(value, wilson(value, max(1.0, worth(outcomes, clusters) * kish / n)), n)


# --- agreement with labels -----------------------------------------------------------------------------


def agreement(rated: Iterable[Rated]) -> dict[str, dict[str, dict[str, Any]]]:
    """By question and kind: what `beside` says."""
    found: dict[str, dict[str, list[Rated]]] = defaultdict(lambda: defaultdict(list))
    for row in rated:
        found[row.question][row.kind].append(row)
    return {
        question: {kind: beside(rows) for kind, rows in kinds.items()} for question, kinds in found.items()
    }


def beside(rows: Sequence[Rated]) -> dict[str, Any]:
    """κ, sensitivity, specificity, and how well its probabilities are calibrated, of what was scored."""
    scored = [row for row in rows if row.said is not None]
    clusters = dict.fromkeys(row.cluster for row in scored)
    tables = [_table(row for row in scored if row.cluster == one) for one in clusters]
    low, high = bootstrap(tables, _kappa)
    return {
        "labels": len(rows),
        "unscored": len(rows) - len(scored),
        "kappa": {"value": number(_kappa([_table(scored)])), "low": number(low), "high": number(high)},
        "sensitivity": figure(_right(scored, truth=True)),
        "specificity": figure(_right(scored, truth=False)),
        "brier": number(brier(scored)),
        "bins": [[round(mean, 4), good.hits, good.n] for mean, good in reliability(map(_finding, scored))],
    }


Cells = dict[tuple[bool, bool], float]
"""The weight of what the judge said and what is true."""


def _table(rows: Iterable[Rated]) -> Cells:
    found = defaultdict[tuple[bool, bool], float](float)
    for row in rows:
        found[bool(row.said), row.truth] += row.weight
    return found


def _kappa(tables: Iterable[Cells]) -> float:
    found = defaultdict[tuple[bool, bool], float](float)
    for table in tables:
        for cell, weight in table.items():
            found[cell] += weight
    return kappa(found)


def _right(rows: Iterable[Rated], *, truth: bool) -> Rate:
    those = [row for row in rows if row.truth == truth and row.said is not None]
    return weighed(
        [row.said == truth for row in those], [row.weight for row in those], [row.cluster for row in those]
    )


def brier(rows: Iterable[Rated]) -> float:
    """Mean squared distance of probability and truth (Brier 1950); nan without probabilities."""
    told = [(row.probability, row.truth, row.weight) for row in rows if row.probability is not None]
    total = sum(weight for _, _, weight in told)
    return sum(w * (p - truth) ** 2 for p, truth, w in told) / total if told else math.nan


def _finding(row: Rated) -> Finding:
    return Finding("good" if row.said else "bad", row.probability, row.truth, path=row.cluster, kind=row.kind)


# --- is it as often right about every model? ------------------------------------------------------------


def by_model(rated: Iterable[Rated], alike: float) -> dict[str, Any]:
    """By question: sensitivity and specificity of each model, and whether they may be taken for equal.

    `reuse` is None where fewer than two models have what a test needs: then nobody knows.
    """
    found: dict[str, list[Rated]] = defaultdict(list)
    for row in rated:
        if row.said is not None:
            found[row.question].append(row)
    return {question: _by_model(rows, alike) for question, rows in found.items()}


def _by_model(rows: Sequence[Rated], alike: float) -> dict[str, Any]:
    models: dict[str, Any] = {}
    for name in sorted({row.model for row in rows}):
        own = [row for row in rows if row.model == name]
        models[name] = {
            "sensitivity": figure(_right(own, truth=True)),
            "specificity": figure(_right(own, truth=False)),
        }
    tests = {
        name: homogeneity([row for row in rows if row.truth == truth])
        for name, truth in (("sensitivity", True), ("specificity", False))
    }
    known = [p for p in tests.values() if p is not None]
    reuse = None if len(known) < len(tests) else min(known) >= alike
    if known and min(known) < alike:
        reuse = False
    return {"models": models, "p": {name: number(p) for name, p in tests.items()}, "reuse": reuse}


def homogeneity(rows: Sequence[Rated]) -> float | None:
    """p of the hypothesis that the judge is right about each model as often; None below two models with two
    scenarios each. A permutation test of χ² over blocks of one model and one scenario: rows in a block go
    together. Of rows drawn by verdict the weights count.
    """
    blocks: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in rows:
        block = blocks[row.model, row.cluster]
        block[0] += row.weight * (row.said == row.truth)
        block[1] += row.weight
    names = [model for model, _ in blocks]
    if len([name for name, count in Counter(names).items() if count > 1]) < 2:
        return None
    sums, rng = list(blocks.values()), Random(SEED)
    seen = _spread(names, sums)
    beyond = 1
    for _ in range(PERMUTED - 1):
        rng.shuffle(names)
        beyond += _spread(names, sums) >= seen - 1e-12
    return beyond / PERMUTED


def _spread(names: Sequence[str], sums: Sequence[Sequence[float]]) -> float:
    """Weighted squares of the distance of each model's share from that of all."""
    of: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for name, (hits, n) in zip(names, sums, strict=True):
        of[name][0] += hits
        of[name][1] += n
    mean = sum(hits for hits, _ in of.values()) / sum(n for _, n in of.values())
    return sum(n * (hits / n - mean) ** 2 for hits, n in of.values())


# --- what moves its verdicts ---------------------------------------------------------------------------


class Ordered(NamedTuple):
    """A verdict for which both orders of the options were asked."""

    question: str
    cluster: str
    flipped: bool
    """The orders picked different options."""
    gap: float | None


def orders(asked: Iterable[Ordered]) -> dict[str, Any]:
    """By question, and of all, how often another order of the options picks another one."""
    rows = list(asked)
    return {
        name: _orders([row for row in rows if name in (ALL, row.question)])
        for name in (ALL, *dict.fromkeys(row.question for row in rows))
    }


def _orders(rows: Sequence[Ordered]) -> dict[str, Any]:
    gaps = [row.gap for row in rows if row.gap is not None]
    found = changed(rows, lambda row: row.flipped)
    return found | {"mean_gap": round(sum(gaps) / len(gaps), 4) if gaps else None}


def trials(outcomes: Iterable[Outcome], holds: Callable[[Outcome], bool]) -> dict[str, Any]:
    """By trial and question the share of outcomes that `holds`, of those scored both times."""
    found: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        found[f"{one.trial}: {one.question}"].append(one)
    return {name: _trial(rows, holds) for name, rows in found.items()}


def _trial(rows: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> dict[str, Any]:
    scored = [row for row in rows if None not in (row.before, row.after)]
    return changed(scored, holds) | {"unscored": len(rows) - len(scored)}


def changed(rows: Sequence[Any], holds: Callable[[Any], bool]) -> dict[str, Any]:
    """The share of rows, which have a `cluster`, that `holds`."""
    one = share(map(holds, rows), [row.cluster for row in rows])
    return figure(Rate(one.value, one.interval, one.n))


def moved(one: Outcome) -> bool:
    return one.before != one.after


def stayed(one: Outcome) -> bool:
    return one.before == one.after


# --- as JSON -------------------------------------------------------------------------------------------


def figure(rate: Rate) -> dict[str, Any]:
    low, high = rate.interval
    return {"value": number(rate.value), "low": number(low), "high": number(high), "n": rate.n}


def number(value: float | None) -> float | None:
    """What is not defined is null."""
    return None if value is None or math.isnan(value) else round(value, 4)
