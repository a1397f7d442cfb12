"""How `bench_coverage.py` draws rows and labels, and what each estimator makes of them: one repetition."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from coverage_data import Population

from ssui_gen.benching.correcting import Corrected, Refused, settled
from ssui_gen.benching.estimating import (
    UNSCORED,
    Estimate,
    Ints,
    Table,
    people_alone,
    post_stratified,
    powered,
    rogan_gladen,
)
from ssui_gen.shares import share

Rng = np.random.Generator


# --- rows and labels -----------------------------------------------------------------------------------


class Members:
    """The rows of each cluster, to draw whole clusters."""

    def __init__(self, population: Population) -> None:
        self.population = population
        self.order = np.argsort(population.cluster, kind="stable")
        self.sizes = np.bincount(population.cluster)
        self.starts = np.cumsum(self.sizes) - self.sizes

    def drawn(self, rng: Rng) -> tuple[Ints, Ints]:
        """Rows, and the cluster of each: as many clusters as there are, with replacement, each time as one of
        its own.
        """
        chosen = rng.integers(len(self.sizes), size=len(self.sizes))
        sizes = self.sizes[chosen]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        rows = self.order[np.repeat(self.starts[chosen], sizes) + within]
        return rows, np.repeat(np.arange(len(chosen)), sizes)

    def table(self, rng: Rng) -> Table:
        return table(self.population, *self.drawn(rng))


def independent(population: Population, rng: Rng, count: int) -> Table:
    """So many rows, with replacement, as if no two were alike."""
    return table(population, rng.integers(len(population.truth), size=count), np.arange(count))


def table(population: Population, rows: Ints, cluster: Ints) -> Table:
    """Nobody has labelled any yet; `truth` is what people would say."""
    p, unlabelled = population, np.zeros(len(rows))
    return Table(
        p.stratum[rows], p.guess[rows], p.truth[rows], unlabelled, cluster, int(cluster.max(initial=0)) + 1
    )


def plainly(rng: Rng, table: Table, n: int) -> Table:
    """n of all rows are labelled."""
    return _labelled(table, [(_some(rng, np.arange(len(table.stratum)), n), len(table.stratum))])


def by_verdict(rng: Rng, table: Table, n: int, unscored: bool = True) -> Table:
    """Half of n from each verdict, as far as there are so many, and all that is unscored."""
    no, yes, rest = (np.flatnonzero(table.stratum == one) for one in range(3))
    few = min(len(no), len(yes), n // 2)
    sizes = (few, n - few) if len(no) <= len(yes) else (n - few, few)
    drawn = [(_some(rng, rows, size), len(rows)) for rows, size in zip((no, yes), sizes, strict=True)]
    return _labelled(table, [*drawn, (rest if unscored else rest[:0], len(rest))])


def by_response(rng: Rng, table: Table, n: int) -> Table:
    """As `by_verdict`, but by a verdict that differs from this question's in a fifth of the rows: responses
    are drawn by what the judge makes of them as a whole.
    """
    turned = (rng.random(len(table.stratum)) < 0.2) & (table.stratum != UNSCORED)
    other = np.where(turned, 1 - table.stratum, table.stratum)
    return by_verdict(rng, table._replace(stratum=other), n)._replace(stratum=table.stratum)


def whole_scenarios(rng: Rng, table: Table, n: int) -> Table:
    """All rows of as many scenarios as make n."""
    order = rng.permutation(table.clusters)
    sizes = np.bincount(table.cluster, minlength=table.clusters)
    count = max(2, int(np.searchsorted(np.cumsum(sizes[order]), n)) + 1)
    rows = np.flatnonzero(np.isin(table.cluster, order[:count]))
    return table._replace(weight=np.bincount(rows, minlength=len(table.stratum)) * table.clusters / count)


def _some(rng: Rng, rows: Ints, n: int) -> Ints:
    return rng.permutation(rows)[:n]


def _labelled(table: Table, drawn: Iterable[tuple[Ints, int]]) -> Table:
    """Rows drawn of so many; each weighs as many as it stands for."""
    weight = np.zeros(len(table.stratum))
    for rows, of in drawn:
        weight[rows] = of / max(1, len(rows))
    return table._replace(weight=weight)


# --- estimators ----------------------------------------------------------------------------------------

Found = Corrected | Refused


def judge_alone(table: Table) -> Found:
    scored = table.stratum != UNSCORED
    if not scored.any():
        return Refused("the judge scored none")
    found = share(table.stratum[scored] == 1, table.cluster[scored].tolist())
    return Corrected(found.value, found.interval, "mover", len(scored), 0, 0)


def labels_alone(table: Table) -> Found:
    found = people_alone(table)
    if found is None:
        return Refused("no labels")
    return Corrected(found.value, found.interval, "mover", len(table.weight), int(table.labels.sum()), 0)


def corrected(estimate: Callable[[Table], Estimate | Refused], table: Table) -> Found:
    return settled(table, "mover", lambda: estimate(table))


def gladen(table: Table) -> Estimate | Refused:
    """With the errors of its own labels; unscored rows are left out."""
    scored = table.only(table.stratum != UNSCORED)
    return rogan_gladen(scored, np.ones(len(scored.stratum), bool)) or Refused("the judge is of no use")


class Way(NamedTuple):
    name: str
    draw: Callable[[Rng, Table, int], Table]
    estimate: Callable[[Table], Found]


WAYS = (
    Way("people alone", plainly, labels_alone),
    Way("Rogan–Gladen", plainly, lambda table: corrected(gladen, table)),
    Way("PPI++", plainly, lambda table: corrected(powered, table)),
    Way("MOVER", plainly, lambda table: corrected(post_stratified, table)),
    Way("PPI++ by verdict", by_verdict, lambda table: corrected(powered, table)),
    Way("MOVER by verdict", by_verdict, lambda table: corrected(post_stratified, table)),
    Way("MOVER by response", by_response, lambda table: corrected(post_stratified, table)),
    Way("MOVER, whole scenarios", whole_scenarios, lambda table: corrected(post_stratified, table)),
)


class Tally:
    """Of one way, over repetitions."""

    def __init__(self) -> None:
        self.held: list[bool] = []
        self.halves: list[float] = []
        self.saved: list[int] = []
        self.off: list[float] = []
        """How far the value is from the truth."""
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
        self.off.append(found.value - truth)

    @property
    def coverage(self) -> float:
        return sum(self.held) / len(self.held) if self.held else np.nan

    @property
    def noise(self) -> float:
        """Two standard errors of the coverage, as so few repetitions know it."""
        return 2 * float(np.sqrt(self.coverage * (1 - self.coverage) / len(self.held)))

    def __str__(self) -> str:
        if not self.held:
            bounds = f", bounds {self.bounds_held / self.refused:.0%}" if self.refused else ""
            return f"refused{bounds}"
        part = self.refused / (self.refused + len(self.held))
        return f"{self.coverage:.1%} (±{100 * np.mean(self.halves):.1f})" + (
            f", refused {part:.0%}" if part > 0.005 else ""
        )
