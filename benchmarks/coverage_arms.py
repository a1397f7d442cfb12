"""Would other arms in MOVER hold the truth as often, and be narrower? Three, on the same labels.

    .venv/bin/python benchmarks/coverage_arms.py                             # 400 scenarios of three rows
    .venv/bin/python benchmarks/coverage_arms.py --scenarios 40 --each 30    # few large ones

`as they are`: Jeffreys' arms; a verdict whose labels all agree is worth as many rows as scenarios were
labelled in it, as it shows nothing of how alike its rows are. `mid-P`: Clopper and Pearson's, with half of
what is found counted (Lancaster 1961, Journal of the American Statistical Association 56:223). `estimable`: a
verdict whose labels agree is worth its rows, stretched by the design effect that other verdicts show, where
there is one that shows any (as Kish 1995, Journal of Official Statistics 11:55, borrows them).

Draws and rows are those of `bench_coverage.py`. Prints Markdown: over all cells of a draw how many there are,
the lowest, middle and highest coverage, how many lie below 93 % and above 98 %, and the mean half width.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from bench_coverage import FROM, SIZES, WANTED
from coverage_data import Population, made_up
from coverage_draws import Members, Tally, by_response, by_verdict, corrected, plainly, whole_scenarios

from ssui_gen.benching.estimating import (
    ByHits,
    Estimate,
    Floats,
    Strata,
    Table,
    post_stratified,
    strata_of,
)
from ssui_gen.shares import Interval, _beta, jeffreys

DRAWS = {
    "rows": plainly,
    "by verdict": by_verdict,
    "by response": by_response,
    "whole scenarios": whole_scenarios,
}


def other_arms(table: Table, arms: ByHits, worth: Callable[[Table, Strata], Floats]) -> Estimate:
    """`post_stratified` with other arms of the verdicts' rates, or other numbers of rows they are worth."""
    found = strata_of(table)
    return post_stratified(table, found._replace(worth=worth(table, found)), arms)


def as_found(_: Table, strata: Strata) -> Floats:
    return strata.worth


def by_rows(table: Table, strata: Strata) -> Floats:
    """Rows by their weights, no fewer than clusters; clusters where no verdict shows how alike rows are."""
    if ((strata.rate == 0) | (strata.rate == 1))[strata.weight > 0].all():
        return strata.worth
    on = table.labelled
    squares = np.bincount(table.stratum[on], table.weight[on] ** 2, minlength=3)
    rows = np.divide(strata.weight**2, squares, out=np.zeros(3), where=squares > 0)
    worth: Floats = np.fmax(strata.worth, rows)
    return worth


@lru_cache(maxsize=65536)
def mid_p(hits: float, n: float) -> Interval:
    def above(p: float) -> float:
        """How probably more are found at this rate, and half of how probably as many."""
        as_many = _beta(p, hits, n - hits + 1)[0] if hits > 0 else 1.0
        more = _beta(p, hits + 1, n - hits)[0] if hits < n else 0.0
        return (as_many + more) / 2

    low = _where(above, 0.025) if hits > 0 else 0.0
    return low, _where(above, 0.975) if hits < n else 1.0


def _where(rises: Callable[[float], float], to: float) -> float:
    low, high = 1e-12, 1 - 1e-12
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if rises(middle) < to else (low, middle)
    return (low + high) / 2


WAYS: dict[str, Callable[[Table], Estimate]] = {
    "as they are": post_stratified,
    "mid-P": lambda table: other_arms(table, mid_p, as_found),
    "estimable": lambda table: other_arms(table, jeffreys, by_rows),
}


class Cell(NamedTuple):
    """One population, draw and size, by way."""

    draw: str
    n: int
    tallies: dict[str, Tally]


def measured(population: Population, repetitions: int, seed: int) -> list[Cell]:
    members, rng = Members(population), np.random.default_rng(seed)
    cells = [Cell(draw, n, {way: Tally() for way in WAYS}) for n in SIZES for draw in DRAWS]
    for _ in range(repetitions):
        table = members.table(rng)
        for cell in cells:
            labelled = DRAWS[cell.draw](rng, table, cell.n)
            for way, estimate in WAYS.items():
                cell.tallies[way].add(corrected(estimate, labelled), population.rate)
    return [cell for cell in cells if cell.n >= FROM]


def lines(cells: list[Cell]) -> Iterator[str]:
    found = defaultdict[tuple[str, str], list[Tally]](list)
    for cell in cells:
        for way, tally in cell.tallies.items():
            if len(tally.held) >= tally.refused:
                found[cell.draw, way].append(tally)
    for (draw, way), tallies in found.items():
        held = np.array([tally.coverage for tally in tallies])
        half = 100 * np.mean([np.mean(tally.halves) for tally in tallies])
        spread = " – ".join(f"{100 * one:.1f}" for one in (held.min(), np.median(held), held.max()))
        out = f"{(held < WANTED[0]).sum()} | {(held > WANTED[1]).sum()}"
        yield f"| {draw} | {way} | {len(held)} | {spread} | {out} | {half:.2f} |"


def newly_low(cells: list[Cell]) -> list[str]:
    """By way, cells that fall below the wanted coverage where as they are they lie above."""
    told = []
    for way in list(WAYS)[1:]:
        pairs = [(cell.tallies["as they are"].coverage, cell.tallies[way].coverage) for cell in cells]
        fell = [f"{100 * one:.1f} → {100 * other:.1f}" for one, other in pairs if one >= WANTED[0] > other]
        told.append(f"{way}: {', '.join(fell) or 'none'}")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenarios", type=int, default=400)
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--seed", type=int, default=21)
    args = parser.parse_args()
    populations = made_up(args.scenarios, args.each)
    cells = [cell for one in populations for cell in measured(one, args.repetitions, args.seed)]
    print("| draw | arms | cells | coverage | below 93 % | above 98 % | half width |")
    print("|---|---|--:|---|--:|--:|--:|")
    print(*lines(cells), sep="\n")
    print("\nBelow 93 % where as they are they lie above:", *newly_low(cells), sep="\n- ")


if __name__ == "__main__":
    main()
