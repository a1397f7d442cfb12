"""branches.jsonl and labels → how often each way of F is right: a table, numbers, a reliability diagram.

Labels are rows {"branch_id": ..., "good": true | false} of people, or of the microworld's truth. Ways that
need no model are applied anew; the judge's is read from what it said when the branches were drawn.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ssui_gen.branches import BranchLabel, Cut, Judgement
from ssui_gen.calibrate import Calibration, Finding, calibrate
from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import atomic_write, read, validate
from ssui_gen.records import ReasoningPath
from ssui_gen.verify import PURE, Case, Verifier, together

LABELS, NUMBERS, PICTURE = "labels.jsonl", "calibration.json", "calibration.png"
RECORDED = "as recorded"
WAYS = (RECORDED, "label", "contains", "judge", "label+judge")


async def make_calibration(run: Path, labels: Path | None, console: Console) -> None:
    """Print the table and write the numbers beside the branches; raises ConfigError without labels."""
    file = labels or run / LABELS
    if not file.exists():
        raise ConfigError(f"{file}: no such file: expected rows {{branch_id, good}}; --labels names another")
    known = {row.branch_id: row.good for row in (validate(BranchLabel, line) for line in read(file))}
    found = {way: calibrate(rows) for way, rows in (await findings(run, known)).items() if rows}
    if not found:
        raise ConfigError(f"{file}: none of its {len(known)} branches is in {run / 'branches.jsonl'}")
    console.print(table(found))
    numbers = {way: _numbers(one) for way, one in found.items()}
    atomic_write(run / NUMBERS, json.dumps(numbers, indent=1) + "\n")
    if draw(found, run / PICTURE):
        console.print(f"Reliability diagram: {run / PICTURE}", markup=False, highlight=False, soft_wrap=True)


async def findings(run: Path, known: dict[str, bool]) -> dict[str, list[Finding]]:
    """By way of F, what it says of every labelled branch."""
    paths = {row.id: row for row in (validate(ReasoningPath, line) for line in read(_paths(run)))}
    ways: dict[str, list[Finding]] = {
        name: [] for name in (RECORDED, "label", "contains", "judge", "label+judge")
    }
    for cut in (validate(Cut, line) for line in read(run / "branches.jsonl")):
        for branch in cut.branches:
            if branch.id in known and cut.path_id in paths:
                case = Case(paths[cut.path_id], cut.cut, branch.text, branch.finish)
                for way, said in (await _judgements(case, branch.judgement)).items():
                    ways[way].append(Finding(said.polarity, said.probability, known[branch.id]))
    return ways


async def _judgements(case: Case, recorded: Judgement) -> dict[str, Judgement]:
    pure = {name: await together({name: PURE[name]}, "all")(case) for name in ("label", "contains")}
    found = {RECORDED: recorded, **pure}
    if "judge" not in recorded.by:
        return found
    if set(recorded.by) == {"judge"}:
        judged = _fixed(recorded)
        found["judge"] = await together({"judge": judged}, "all")(case)
        found["label+judge"] = await together({"label": PURE["label"], "judge": judged}, "all")(case)
    return found


def _fixed(judgement: Judgement) -> Verifier:
    async def verifier(case: Case) -> Judgement:
        return judgement

    return verifier


def _paths(run: Path) -> Path:
    curated = run / "curated.jsonl"
    return curated if curated.exists() else run / "reasoning_paths.jsonl"


def table(found: dict[str, Calibration]) -> Table:
    """The figures for people."""
    shown = Table("F", "n", "good is good", "found of the good", "F1", "bad is bad", "unverified", "κ")
    for way, one in found.items():
        shown.add_row(
            way, str(one.n), str(one.precision), str(one.recall), f"{one.f1:.2f}", str(one.bad_precision),
            str(one.unverified), "–" if math.isnan(one.kappa) else f"{one.kappa:.2f}",
        )  # fmt: skip
    return shown


def _numbers(one: Calibration) -> dict[str, object]:
    shares = ("precision", "recall", "bad_precision", "unverified")
    counted = {name: [getattr(one, name).hits, getattr(one, name).n] for name in shares}
    bins = [[round(mean, 4), good.hits, good.n] for mean, good in one.bins]
    return {"n": one.n, **counted, "f1": one.f1, "kappa": one.kappa, "bins": bins}


def draw(found: dict[str, Calibration], path: Path) -> bool:
    """The reliability diagram of every way that gives probabilities; whether there was one to draw."""
    if not any(one.bins for one in found.values()):
        return False
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linestyle=":")
    for way, one in found.items():
        if one.bins:
            axes.plot([mean for mean, _ in one.bins], [good.value for _, good in one.bins], "o-", label=way)
    axes.set(
        xlabel="F's probability that a branch is good", ylabel="share of truly good", xlim=(0, 1), ylim=(0, 1)
    )
    axes.legend()
    figure.savefig(path, dpi=120)
    return True
