"""Do corrected rates hold the truth, and what do they cost? Drawn again and again where the truth is known.

    .venv/bin/python benchmarks/bench_coverage.py --bench outputs/demo/bench
    .venv/bin/python benchmarks/bench_coverage.py --msts ../msts-multimodal-safety
    .venv/bin/python benchmarks/bench_coverage.py            # made-up scenarios

One repetition draws as many scenarios as there are, with replacement, has n of the judged rows labelled,
and asks each estimator for its interval; the truth is the rate of all rows. Labels are drawn plainly; or
half from each verdict and all that is unscored ("by verdict"), or so by a verdict on the whole response
("by response"); or by whole scenarios, plainly. What `make bench-label` draws is in
`coverage_scenarios.py`. Prints Markdown. A cell is how often the interval held the truth, and ± half its
width in points; "refused" counts repetitions without a number.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import coverage_steps
import numpy as np
from coverage_data import MSTS_JUDGES, Population, made_up, of_bench, of_branches, of_msts
from coverage_draws import WAYS, Members, Tally, independent, judge_alone

SIZES = (50, 100, 200)
JUDGE = "judge alone"
NAMES = (JUDGE, *(way.name for way in WAYS))
WANTED = (0.93, 0.98)
"""Coverage that MOVER is to have from `FROM` labels on, for every model and question."""
FROM = 100
CHECKED = ("MOVER", "MOVER by verdict", "MOVER by response")
SAVED = CHECKED[:2]
EXTREME = 0.02
"""Rates this near to 0 or 1 may be held more often: nothing of n is far from nothing in most draws."""
MSTS_DRAWN, MSTS_LABELLED = 1000, 400
MSTS_WAYS = (JUDGE, "people alone", "Rogan–Gladen", "PPI++", "MOVER")
MSTS_GOLDEN: dict[str, tuple[tuple[float, float], ...]] = {
    "gpt-4o-2024-05-13": ((0, 2.5), (97, 2.0), (100, 5.3), (94, 1.9), (97, 2.0)),
    "gemini-1.5-pro": ((54, 1.5), (96, 2.1), (99, 3.7), (94, 1.8), (95, 1.8)),
    "Llama-Guard-3-11B-Vision": ((0, 0.8), (96, 2.1), (100, 7.9), (93, 1.9), (95, 2.0)),
}
"""Coverage in percent and half width in points of `MSTS_WAYS` on all replies, measured once with another
implementation, Wilson's arms in MOVER; of the judge alone the half width is arithmetic.
"""


class Cell(NamedTuple):
    """One model, question and size, with what each way came to."""

    population: Population
    n: int
    tallies: dict[str, Tally]


def measured(population: Population, sizes: Sequence[int], repetitions: int, seed: int) -> list[Cell]:
    members, rng = Members(population), np.random.default_rng(seed)
    cells = [Cell(population, n, {name: Tally() for name in NAMES}) for n in sizes]
    for _ in range(repetitions):
        table = members.table(rng)
        alone = judge_alone(table)
        for cell in cells:
            cell.tallies[JUDGE].add(alone, population.rate)
            for way in WAYS:
                found = way.estimate(way.draw(rng, table, cell.n))
                cell.tallies[way.name].add(found, population.rate)
    return cells


def coverage(cells: Iterable[Cell]) -> list[Cell]:
    """The table; returns its cells."""
    print(
        "| model | question | true / said | n | "
        + " | ".join(NAMES)
        + " | labels saved, MOVER (by verdict) |"
    )
    print(f"|---|---|---|--:|{'---|' * len(NAMES)}--:|")
    done = []
    for cell in cells:
        done.append(cell)
        p = cell.population
        saved = (
            f"{np.mean(found.saved):.0f}" if (found := cell.tallies[way]).saved else "–" for way in SAVED
        )
        row = [p.model, p.question, f"{p.rate:.1%} / {p.says:.1%}", str(cell.n)]
        row += [str(tally) for tally in cell.tallies.values()]
        print(f"| {' | '.join(row)} | {' ('.join(saved)}) |", flush=True)
    return done


def verdict(cells: Sequence[Cell]) -> None:
    """Which cells are out of bounds, and the range of each way."""
    print("\n| from n | " + " | ".join(NAMES) + " |")
    print(f"|--:|{'---|' * len(NAMES)}")
    for n, group in groupby(sorted(cells, key=lambda cell: cell.n), key=lambda cell: cell.n):
        part = list(group)
        found = [[c.tallies[name].coverage for c in part if c.tallies[name].held] for name in NAMES]
        print(f"| {n} | " + " | ".join(f"{min(f):.1%} – {max(f):.1%}" if f else "–" for f in found) + " |")
    print()
    outside = [line for cell in cells if cell.n >= FROM for line in _outside(cell)]
    low, high = WANTED
    print(f"Outside {low:.0%} – {high:.0%} from n = {FROM} on:", "; ".join(outside) or "none")


def _outside(cell: Cell) -> Iterator[str]:
    p = cell.population
    for name in CHECKED:
        tally = cell.tallies[name]
        extreme = min(p.rate, 1 - p.rate) <= EXTREME
        if tally.held and not WANTED[0] <= tally.coverage <= (1 if extreme else WANTED[1]):
            yield f"{p.model}, {p.question}, n {cell.n}, {name}: {tally.coverage:.1%} ± {tally.noise:.1%}"


def golden(populations: Sequence[Population], repetitions: int, seed: int) -> None:
    """MSTS with rows drawn independently, beside what was measured once."""
    print("| judge | " + " | ".join(MSTS_WAYS) + " |\n|---|" + "---|" * len(MSTS_WAYS))
    for population in (one for one in populations if one.model == "all"):
        found = independently(population, repetitions, seed)
        pairs = zip(found.values(), MSTS_GOLDEN[population.question], strict=True)
        cells = (f"{tally}, once {held} % (±{half})" for tally, (held, half) in pairs)
        print(f"| {population.question} | {' | '.join(cells)} |", flush=True)
    print()


def independently(population: Population, repetitions: int, seed: int) -> dict[str, Tally]:
    """The ways of `MSTS_WAYS` where no two rows are alike."""
    rng = np.random.default_rng(seed)
    tallies = {name: Tally() for name in MSTS_WAYS}
    for _ in range(repetitions):
        table = independent(population, rng, MSTS_DRAWN)
        tallies[JUDGE].add(judge_alone(table), population.rate)
        for way in WAYS:
            if way.name in tallies:
                tallies[way.name].add(way.estimate(way.draw(rng, table, MSTS_LABELLED)), population.rate)
    return tallies


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--bench", type=Path, help="outputs/RUN/bench of the microworld, where truth is known"
    )
    source.add_argument("--branches", type=Path, help="outputs/RUN of the microworld, with labels.jsonl")
    source.add_argument("--msts", type=Path, help=f"a clone of MSTS; judges: {', '.join(MSTS_JUDGES)}")
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    populations = list(_populations(args))
    if not populations:
        sys.exit(
            "no row whose truth is known: expected judgements.jsonl and truth.jsonl of at least one model"
        )
    if args.msts:
        golden(populations, args.repetitions, args.seed)
    cells = (cell for one in populations for cell in measured(one, args.sizes, args.repetitions, args.seed))
    verdict(coverage(cells))
    for step in coverage_steps.STEPS:
        step(populations, args.repetitions, args.seed)


def _populations(args: argparse.Namespace) -> Iterator[Population]:
    if args.bench:
        return of_bench(args.bench)
    if args.branches:
        return of_branches(args.branches)
    return of_msts(args.msts) if args.msts else made_up()


if __name__ == "__main__":
    main()
