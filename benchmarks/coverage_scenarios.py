"""Do the headline and the rates per kind hold the truth when whole scenarios are labelled, as they are drawn?

    .venv/bin/python benchmarks/coverage_scenarios.py                              # made-up scenarios
    .venv/bin/python benchmarks/coverage_scenarios.py --bench outputs/demo/bench   # one whose truth is known

One repetition draws as many scenarios as there are, with replacement. Of these about n responses are labelled
in whole scenarios: by the judge's verdict on the scenario, in the numbers that `make bench-label` draws, or
plainly. From the same labels come the headline (right on every item) and the rates of risky and of benign
responses. Prints Markdown; a cell is how often the interval held the truth of all scenarios, and ± half its
width in points.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from coverage_data import JUDGES, alike
from coverage_draws import Rng, Tally, corrected

from ssui_gen.benching.drawn import allotted, verdict_of
from ssui_gen.benching.estimating import NO, UNSCORED, YES, Floats, Ints, Table, post_stratified
from ssui_gen.benching.evidence import Model
from ssui_gen.benching.rates import rows_of
from ssui_gen.benching.report import read_results

MODELS = {"bare": (0.45, 0.95), "sft": (0.7, 0.9), "srpo": (0.92, 0.88), "refuser": (0.25, 0.05)}
"""Rates of what is right, of risky and of benign responses."""
TWINS, HIDDEN = 2, (0.02, 0.06)
"""Benign items of a scenario; how many verdicts lack of what is wrong, and of what is right."""
FIGURES = ("both right", "risky", "benign")
SAID = {True: YES, False: NO, None: UNSCORED}


class Bench(NamedTuple):
    """Columns of shape (scenarios, items), the risky item first."""

    model: str
    judge: str
    said: Ints
    """0: no; 1: yes; 2: unscored."""
    truth: Floats


def made_up(scenarios: int = 400, seed: int = 0) -> Iterator[Bench]:
    """Truth and the judge's errors are alike within a scenario, as in `coverage_data`."""
    rng = np.random.default_rng(seed)
    for model, (risky, benign) in MODELS.items():
        for judge, (found, spared) in JUDGES.items():
            rates = np.tile([risky, *[benign] * TWINS], scenarios)
            truth = alike(rng, rates, 1 + TWINS)
            right = alike(rng, np.where(truth, found, spared), 1 + TWINS)
            hidden = rng.random(len(truth)) < np.where(truth, *reversed(HIDDEN))
            said = np.where(hidden, UNSCORED, np.where(right, truth, ~truth).astype(int))
            yield Bench(model, judge, said.reshape(scenarios, -1), truth.reshape(scenarios, -1).astype(float))


def of_bench(folder: Path) -> Iterator[Bench]:
    """Every model below `folder` with the truth of all its rows; scenarios that lack a part are left out."""
    for file in sorted(folder.glob("*/truth.jsonl")):
        model = read_results(file.parent).model
        rows = list(_scenarios(model))
        said, truth = (np.array([[one[side] for one in row] for row in rows]) for side in (0, 1))
        yield Bench(model.name, model.judge, said, truth.astype(float))


def _scenarios(model: Model) -> Iterator[list[tuple[int, bool]]]:
    """Of each scenario what was said, and what is true, of its items."""
    found: dict[str, list[tuple[str, int, bool | None]]] = {}
    known = rows_of(model.headline, (case._replace(said=case.truth) for case in model.cases))
    for case in model.cases:
        said, truth = rows_of(model.headline, [case]), known.get((case.item.id, case.response.draw))
        for row in said.values():
            true = truth.judged.said if truth else None
            found.setdefault(case.item.scenario_id, []).append((case.item.kind, SAID[row.judged.said], true))
    for rows in found.values():
        if len(rows) == 1 + TWINS and all(true is not None for _, _, true in rows):
            yield [(said, bool(true)) for _, said, true in sorted(rows, key=lambda row: row[0] != "risky")]


# --- one repetition ------------------------------------------------------------------------------------


def whole(said: Ints) -> Ints:
    """The judge's verdict on each scenario."""
    open_, good = (said == UNSCORED).any(axis=1), (said == YES).all(axis=1)
    return np.where(open_, UNSCORED, good.astype(int))


def by_verdict(rng: Rng, verdicts: Ints, count: int) -> Floats:
    """The weight of each scenario of which so many are drawn as people are shown them; 0: not drawn."""
    names = {
        value: verdict_of({YES: True, NO: False, UNSCORED: None}[value]) for value in (NO, YES, UNSCORED)
    }
    places = {name: np.flatnonzero(verdicts == value) for value, name in names.items()}
    weight = np.zeros(len(verdicts))
    for name, size in allotted(
        {name: len(rows) for name, rows in places.items() if len(rows)}, count
    ).items():
        if size:
            weight[rng.permutation(places[name])[:size]] = len(places[name]) / size
    return weight


def plainly(rng: Rng, verdicts: Ints, count: int) -> Floats:
    weight = np.zeros(len(verdicts))
    weight[rng.permutation(len(verdicts))[:count]] = len(verdicts) / count
    return weight


DRAWS = {"by verdict": by_verdict, "plainly": plainly}


def tables(said: Ints, truth: Floats, weight: Floats) -> dict[str, Table]:
    """The same labels as rows of each figure."""
    return {
        "both right": _table(whole(said)[:, None], truth.all(axis=1)[:, None], weight),
        "risky": _table(said[:, :1], truth[:, :1], weight),
        "benign": _table(said[:, 1:], truth[:, 1:], weight),
    }


def _table(said: Ints, truth: Floats, weight: Floats) -> Table:
    scenarios, each = said.shape
    cluster = np.repeat(np.arange(scenarios), each)
    flat = said.ravel()
    return Table(flat, (flat == YES) * 1.0, truth.ravel() * 1.0, np.repeat(weight, each), cluster, scenarios)


def truths(bench: Bench) -> dict[str, float]:
    parts = (bench.truth.all(axis=1), bench.truth[:, 0], bench.truth[:, 1:])
    return dict(zip(FIGURES, (float(part.mean()) for part in parts), strict=True))


def measured(bench: Bench, n: int, repetitions: int, seed: int) -> dict[tuple[str, str], Tally]:
    """By draw and figure."""
    rng, true = np.random.default_rng(seed), truths(bench)
    tallies = {(draw, figure): Tally() for draw in DRAWS for figure in FIGURES}
    scenarios, each = bench.said.shape
    for _ in range(repetitions):
        rows = rng.integers(scenarios, size=scenarios)
        said, truth = bench.said[rows], bench.truth[rows]
        for name, draw in DRAWS.items():
            weight = draw(rng, whole(said), round(n / each))
            for figure, table in tables(said, truth, weight).items():
                tallies[name, figure].add(corrected(post_stratified, table), true[figure])
    return tallies


# --- the table -----------------------------------------------------------------------------------------


def row(bench: Bench, n: int, tallies: dict[tuple[str, str], Tally]) -> str:
    true = " / ".join(f"{rate:.1%}" for rate in truths(bench).values())
    cells: list[Any] = [bench.model, bench.judge, true, n, *tallies.values()]
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--bench", type=Path, help="outputs/RUN/bench of the microworld, where truth is known"
    )
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--sizes", type=int, nargs="+", default=[300], help="labelled responses")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    names = [f"{figure}, {draw}" for draw in DRAWS for figure in FIGURES]
    print(f"| model | judge | {' / '.join(FIGURES)} | n | {' | '.join(names)} |")
    print(f"|---|---|---|--:|{'---|' * len(names)}")
    for bench in of_bench(args.bench) if args.bench else made_up():
        for n in args.sizes:
            print(row(bench, n, measured(bench, n, args.repetitions, args.seed)), flush=True)


if __name__ == "__main__":
    main()
