"""The other steps of `bench_coverage.py`: judges moved between models, people who err, missing verdicts, two
models compared. Each prints a table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby, pairwise, permutations

import numpy as np
from coverage_data import Population
from coverage_draws import Found, Members, Rng, Tally, by_verdict, corrected, table

from ssui_gen.benching.elsewhere import misfit
from ssui_gen.benching.estimating import UNSCORED, Ints, Table, post_stratified, rogan_gladen
from ssui_gen.benching.paired import Pair, apart, compared

Step = Callable[[Sequence[Population], int, int], None]
LABELS = 200
"""Of each model, except where a step says otherwise."""
BIAS = 0.03
PEOPLE = (0.0, 0.02, 0.05, 0.10)
"""How often a person's label is wrong."""
MOST_PAIRS = 4
"""Of models that are compared, a question."""
FEWER = 5
"""A step that draws for every two models takes a fifth of the repetitions."""


def _head(*columns: str) -> None:
    print(f"\n| {' | '.join(columns)} |\n|---|{'--:|' * (len(columns) - 1)}")


def _by_question(populations: Sequence[Population]) -> Iterator[tuple[str, list[Population]]]:
    ordered = sorted(populations, key=lambda one: one.question)
    return ((question, list(group)) for question, group in groupby(ordered, key=lambda one: one.question))


# --- judges moved between models -----------------------------------------------------------------------


def transport(populations: Sequence[Population], repetitions: int, seed: int) -> None:
    """Each model corrected by another's labels, and how often the comparison of errors says not to."""
    _head(
        "question",
        "pairs of models",
        "off by > 3 points, or no rate",
        "largest",
        "of these warned of",
        "of the others",
    )
    for question, group in _by_question(populations):
        rng = np.random.default_rng([seed, 2])
        found = [
            (_off(own, other), _warned(own, other, rng, repetitions // FEWER))
            for own, other in permutations(group, 2)
        ]
        far = [warned for off, warned in found if not abs(off) <= BIAS]
        near = [warned for off, warned in found if abs(off) <= BIAS]
        if found:
            largest = max((abs(off) for off, _ in found if not np.isnan(off)), default=np.nan)
            cells = [
                question,
                str(len(found)),
                str(len(far)),
                f"{100 * largest:.1f}",
                _mean(far),
                _mean(near),
            ]
            print(f"| {' | '.join(cells)} |", flush=True)


def _mean(shares: Sequence[float]) -> str:
    return f"{np.mean(shares):.0%} (least {min(shares):.0%})" if shares else "–"


def _off(own: Population, other: Population) -> float:
    """By how much the rate is wrong with the other's sensitivity and specificity, all truths known; nan where
    there is none.
    """
    ours, theirs = (_scored(one) for one in (own, other))
    both = ours.beside(theirs)
    first = np.arange(len(both.stratum)) < len(ours.stratum)
    made = rogan_gladen(both._replace(weight=np.where(first, 0.0, 1.0), clusters=_most(ours, theirs)), first)
    return made.value - float(ours.truth.mean()) if made else np.nan


def _most(*tables: Table) -> int:
    return max(one.clusters for one in tables)


def _warned(own: Population, other: Population, rng: Rng, repetitions: int) -> float:
    members, theirs = Members(own), _scored(other)
    clusters = max(theirs.clusters, len(members.sizes))
    found = []
    for _ in range(max(10, repetitions)):
        drawn = by_verdict(rng, members.table(rng), LABELS)
        ours = drawn.only(drawn.stratum != UNSCORED)._replace(clusters=clusters)
        found.append(bool(misfit(ours, theirs._replace(clusters=clusters))))
    return float(np.mean(found))


def _scored(one: Population) -> Table:
    """All labelled."""
    rows = np.flatnonzero(one.stratum != UNSCORED)
    made = table(one, rows, one.cluster[rows])
    return made._replace(weight=np.ones(len(rows)), clusters=int(one.cluster.max()) + 1)


# --- people who err ------------------------------------------------------------------------------------


def people(populations: Sequence[Population], repetitions: int, seed: int) -> None:
    """How far rates move when people err, one of them or two with a third where they differ."""
    off = "off by, mean (worst)"
    _head("people err", "held, one person", off, "held, two and a third", off)
    for share in PEOPLE:
        cells = []
        for wrong in (share, 3 * share**2 - 2 * share**3):
            tallies = [_with_people(one, wrong, repetitions // FEWER, seed) for one in populations]
            held = [tally.coverage for tally in tallies if tally.held]
            off = [abs(float(np.mean(tally.off))) for tally in tallies if tally.held]
            cells += [
                f"{np.mean(held):.1%} (least {min(held):.1%})",
                f"{100 * np.mean(off):.1f} ({100 * max(off):.1f})",
            ]
        print(f"| {share:.0%} | {' | '.join(cells)} |", flush=True)


def _with_people(one: Population, wrong: float, repetitions: int, seed: int) -> Tally:
    rng, members, tally = np.random.default_rng([seed, 3]), Members(one), Tally()
    for _ in range(max(20, repetitions)):
        drawn = by_verdict(rng, members.table(rng), LABELS)
        flipped = np.where(rng.random(len(drawn.truth)) < wrong, 1 - drawn.truth, drawn.truth)
        tally.add(_mover(drawn._replace(truth=flipped)), one.rate)
    return tally


def _mover(drawn: Table) -> Found:
    return corrected(post_stratified, drawn)


# --- missing verdicts ----------------------------------------------------------------------------------


def _dropped(rng: Rng, drawn: Table, n: int) -> Table:
    return by_verdict(rng, drawn.only(drawn.stratum != UNSCORED), n)


MISSING: dict[str, Callable[[Rng, Table, int], Table]] = {
    "dropped": _dropped,
    "bounded": partial(by_verdict, unscored=False),
    "labelled": by_verdict,
}


def missing(populations: Sequence[Population], repetitions: int, seed: int) -> None:
    """Unscored rows dropped, bounded, labelled: over populations that have any."""
    _head("question", "model", "unscored", "true of these / of all", *MISSING)
    for one in populations:
        unscored = one.stratum == UNSCORED
        if unscored.any():
            tallies = (_missing(one, draw, repetitions, seed) for draw in MISSING.values())
            cells = [
                one.question,
                one.model,
                f"{unscored.mean():.1%}",
                f"{one.truth[unscored].mean():.0%} / {one.rate:.0%}",
            ]
            print(f"| {' | '.join([*cells, *map(str, tallies)])} |", flush=True)


def _missing(one: Population, draw: Callable[[Rng, Table, int], Table], repetitions: int, seed: int) -> Tally:
    rng, members, tally = np.random.default_rng([seed, 4]), Members(one), Tally()
    for _ in range(repetitions):
        tally.add(_mover(draw(rng, members.table(rng), LABELS)), one.rate)
    return tally


# --- two models ----------------------------------------------------------------------------------------


def comparison(populations: Sequence[Population], repetitions: int, seed: int) -> None:
    """Corrected differences against the true ones; and how often two copies of one model are told apart.

    Copies are made by exchanging the two models' rows scenario by scenario, by lot.
    """
    told = ("corrected", "by verdicts, interval", "by verdicts, p < 5 %")
    _head(
        "question", "models", "true difference", "held", "half width", *(f"told apart: {one}" for one in told)
    )
    for question, group in _by_question(populations):
        for first, second in _pairs(group):
            found = _Comparison(first, second, np.random.default_rng([seed, 5]))
            for _ in range(max(20, repetitions // FEWER)):
                found.repeat()
            print(f"| {question} | {first.model}, {second.model} | {found} |", flush=True)


def _pairs(group: Sequence[Population]) -> list[tuple[Population, Population]]:
    """Neighbours by name, with rows of the same items in the same order."""
    pairs = [_aligned(one, other) for one, other in pairwise(group)]
    return [pair for pair in pairs if pair][:MOST_PAIRS]


def _aligned(one: Population, other: Population) -> tuple[Population, Population] | None:
    places = {item: place for place, item in enumerate(other.items)}
    shared = [(place, places[item]) for place, item in enumerate(one.items) if item in places]
    if len(shared) < 100:
        return None
    first, second = (np.array(rows) for rows in zip(*shared, strict=True))
    cluster = np.unique(one.cluster[first], return_inverse=True)[1]
    return _rows(one, first, cluster), _rows(other, second, cluster)


def _rows(one: Population, rows: Ints, cluster: Ints) -> Population:
    return one._replace(
        stratum=one.stratum[rows], guess=one.guess[rows], truth=one.truth[rows], cluster=cluster
    )


class _Comparison:
    """Of two models, over repetitions."""

    def __init__(self, first: Population, second: Population, rng: Rng) -> None:
        self.models, self.rng, self.members = (first, second), rng, Members(first)
        self.difference = 100 * (second.rate - first.rate)
        self.counts: dict[str, list[bool]] = defaultdict(list)
        self.halves: list[float] = []

    def repeat(self) -> None:
        rows, cluster = self.members.drawn(self.rng)
        tables = [table(one, rows, cluster) for one in self.models]
        change = apart(*(post_stratified(by_verdict(self.rng, one, LABELS)) for one in tables))
        self.counts["held"].append(change.low <= self.difference <= change.high)
        self.halves.append((change.high - change.low) / 2)
        self._copies(tables)

    def _copies(self, tables: Sequence[Table]) -> None:
        """No copy is better than the other, so each finding is false."""
        first, second = tables
        lot = self.rng.random(first.clusters)[first.cluster] < 0.5
        copies = [_exchanged(one, other, lot) for one, other in ((first, second), (second, first))]
        change = apart(*(post_stratified(by_verdict(self.rng, one, LABELS)) for one in copies))
        self.counts["corrected"].append(not change.low <= 0 <= change.high)
        said = zip(*(copy.stratum == 1 for copy in copies), first.cluster, strict=True)
        found = compared([Pair(bool(a), bool(b), int(c)) for a, b, c in said])
        self.counts["interval"].append(not found.change.low <= 0 <= found.change.high)
        self.counts["p"].append(found.p < 0.05)

    def __str__(self) -> str:
        held, corrected, interval, p = (
            f"{np.mean(self.counts[name]):.1%}" for name in ("held", "corrected", "interval", "p")
        )
        return (
            f"{self.difference:+.1f} | {held} | ±{np.mean(self.halves):.1f} | {corrected} | {interval} | {p}"
        )


def _exchanged(one: Table, other: Table, lot: Ints) -> Table:
    columns = (np.where(lot, b, a) for a, b in zip(one[:3], other[:3], strict=True))
    return Table(*columns, *one[3:])


STEPS: tuple[Step, ...] = (transport, people, missing, comparison)
