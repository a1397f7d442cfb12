"""Do corrected rates hold the truth, and what do they cost? Drawn again and again from rows whose truth is known.

    .venv/bin/python benchmarks/bench_coverage.py --bench outputs/demo/bench
    .venv/bin/python benchmarks/bench_coverage.py --msts ../msts-multimodal-safety
    .venv/bin/python benchmarks/bench_coverage.py            # made-up scenarios

One repetition draws as many scenarios as there are, with replacement, has n of the judged rows labelled, and
asks each estimator for its interval; the truth is the rate of all rows. Labels are drawn plainly, or half from
each verdict and all that is unscored ("by verdict", as `make bench-label` does). Prints Markdown. A cell is how
often the interval held the truth, ± half its width; "refused" counts repetitions without a number.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from coverage_data import Population, made_up, of_bench, of_branches, of_msts

from ssui_gen.benching.correcting import Corrected, Refused, refusal, summed_up
from ssui_gen.benching.elsewhere import differ, errors
from ssui_gen.benching.estimating import (
    UNSCORED,
    Estimate,
    Floats,
    Ints,
    Table,
    people_alone,
    post_stratified,
    powered,
    rogan_gladen,
)
from ssui_gen.shares import share

SIZES = (50, 100, 200)
WANTED = (0.93, 0.98)
"""Coverage that the default estimator is to have from `FROM` labels on."""
FROM = 100
Rng = np.random.Generator


# --- one repetition ------------------------------------------------------------------------------------


class Members:
    """The rows of each cluster, to draw whole clusters."""

    def __init__(self, population: Population) -> None:
        self.population = population
        order = np.argsort(population.cluster, kind="stable")
        self.sizes = np.bincount(population.cluster)
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        self.order = order

    def drawn(self, rng: Rng, count: int | None = None) -> Table:
        """So many clusters (as many as there are), with replacement, each time as one of its own."""
        chosen = rng.integers(len(self.sizes), size=count or len(self.sizes))
        sizes = self.sizes[chosen]
        cluster = np.repeat(np.arange(len(chosen)), sizes)
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return self.table(self.order[np.repeat(self.starts[chosen], sizes) + within], cluster)

    def independent(self, rng: Rng, count: int) -> Table:
        """So many rows, with replacement, as if no two were alike."""
        return self.table(rng.integers(len(self.order), size=count), np.arange(count))

    def table(self, rows: Ints, cluster: Ints) -> Table:
        """Nobody has labelled any yet; `truth` is what people would say."""
        p = self.population
        weight = np.zeros(len(rows))
        return Table(p.stratum[rows], p.guess[rows], p.truth[rows], weight, cluster, int(cluster[-1]) + 1)


def plainly(rng: Rng, table: Table, n: int) -> Table:
    """n of all rows are labelled."""
    return _labelled(table, [_some(rng, np.arange(len(table.stratum)), n)])


def by_verdict(rng: Rng, table: Table, n: int, unscored: bool = True) -> Table:
    """Half of n from each verdict, as far as there are so many, and all that is unscored."""
    no, yes, rest = (np.flatnonzero(table.stratum == one) for one in range(3))
    few = min(len(no), len(yes), n // 2)
    sizes = (few, n - few) if len(no) <= len(yes) else (n - few, few)
    drawn = [_some(rng, rows, size) for rows, size in zip((no, yes), sizes, strict=True)]
    return _labelled(table, [*drawn, (rest, len(rest) if unscored else 0)])


def _some(rng: Rng, rows: Ints, n: int) -> tuple[Ints, int]:
    return rng.permutation(rows)[:n], len(rows)


def _labelled(table: Table, drawn: Iterable[tuple[Ints, int]]) -> Table:
    weight = np.zeros(len(table.stratum))
    for rows, of in drawn:
        weight[rows] = of / max(1, len(rows))
    return table._replace(weight=weight)


# --- estimators ----------------------------------------------------------------------------------------

Found = Corrected | Refused


def judge_alone(table: Table) -> Found:
    scored = table.stratum != UNSCORED
    found = share(table.stratum[scored] == 1, table.cluster[scored].tolist())
    return Corrected(found.value, found.interval, "mover", len(scored), 0, 0)


def labels_alone(table: Table) -> Found:
    found = people_alone(table)
    if found is None:
        return Refused("no labels")
    return Corrected(found.value, found.interval, "mover", len(table.weight), int(table.labels.sum()), 0)


def corrected(estimate: Callable[[Table], Estimate | None], table: Table) -> Found:
    found = refusal(table)
    made = None if found else estimate(table)
    return summed_up(made, table, "mover") if made else found or Refused("the judge is of no use")


def gladen(table: Table) -> Estimate | None:
    scored = table.only(table.stratum != UNSCORED)
    return rogan_gladen(scored, np.ones(len(scored.stratum), bool))


class Way(NamedTuple):
    name: str
    draw: Callable[[Rng, Table, int], Table]
    estimate: Callable[[Table], Found]


WAYS = (
    Way("judge alone", plainly, judge_alone),
    Way("people alone", plainly, labels_alone),
    Way("Rogan–Gladen", plainly, lambda table: corrected(gladen, table)),
    Way("PPI++", plainly, lambda table: corrected(powered, table)),
    Way("MOVER", plainly, lambda table: corrected(post_stratified, table)),
    Way("PPI++ by verdict", by_verdict, lambda table: corrected(powered, table)),
    Way("MOVER by verdict", by_verdict, lambda table: corrected(post_stratified, table)),
)


class Tally:
    """Of one way, over repetitions."""

    def __init__(self) -> None:
        self.held: list[bool] = []
        self.halves: list[float] = []
        self.saved: list[int] = []
        self.values: list[float] = []
        self.refused, self.bounds_held = 0, 0

    def add(self, found: Found, truth: float) -> None:
        low, high = found.interval
        holds = low - 1e-9 <= truth <= high + 1e-9
        if isinstance(found, Refused):
            self.refused, self.bounds_held = self.refused + 1, self.bounds_held + holds
            return
        self.held.append(holds)
        self.halves.append((high - low) / 2)
        self.saved.append(found.saved)
        self.values.append(found.value)

    @property
    def coverage(self) -> float:
        return sum(self.held) / len(self.held) if self.held else np.nan

    def __str__(self) -> str:
        if not self.held:
            bounds = f", bounds {self.bounds_held / self.refused:.0%}" if self.refused else ""
            return f"refused{bounds}"
        part = self.refused / (self.refused + len(self.held))
        return f"{self.coverage:.1%} (±{100 * np.mean(self.halves):.1f})" + (
            f", refused {part:.0%}" if part > 0.005 else ""
        )
