"""What a training leaves behind: `training.json` (curve, versions, seconds) and `curve.png`."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import torch
import transformers

PHASES = (
    *("warmup", "agents", "judge", "policy", "untidy", "drifting"),
    *("two-agents", "two-policy", "two-judge"),
)
POINTS = 120
"""Points kept of each phase's curve."""

Row = dict[str, Any]


def read_curve(path: Path) -> dict[str, list[Row]]:
    """The logged rows of each phase, in order; of a part trained twice after a kill the later rows."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    curve: dict[str, list[Row]] = {}
    for phase in PHASES:
        last = {row["step"]: row for row in rows if row["phase"] == phase and "loss" in row}
        curve[phase] = [last[step] for step in sorted(last)]
    return curve


def held_out(path: Path) -> list[Row]:
    """What was measured on held-out scenes during the training."""
    return [row for row in map(json.loads, path.read_text().splitlines()) if "held_out" in row]


def thinned(rows: list[Row]) -> list[Row]:
    """At most POINTS rows, the last among them."""
    every = max(1, len(rows) // POINTS)
    return rows[::-1][::every][::-1]


def write_curve(log: Path, folder: Path, pictures: int, parameters: int, begun: dict[str, str]) -> None:
    """Both files, from the log of a training; phases that it has not trained stay as they were told of.

    `begun` names the checkpoint from which a phase began; of one that went on from its own, the seconds that
    it had had before are kept.
    """
    report = _before(folder / "training.json")
    report["earlier"] |= {
        phase: _spent(report, phase) if start == phase else 0 for phase, start in begun.items()
    }
    report["begun_from"] |= begun
    curve = {phase: thinned(rows) for phase, rows in read_curve(log).items() if rows}
    report["seconds"] |= {phase: rows[-1]["seconds"] for phase, rows in curve.items()}
    report["pictures"] |= dict.fromkeys(curve, pictures)
    report["curve"] |= curve
    kept = [row for row in report["held_out"] if row["phase"] not in curve]
    report |= {"held_out": kept + held_out(log), "versions": _versions(), "parameters": parameters}
    (folder / "training.json").write_text(json.dumps(report, indent=1) + "\n")
    _draw(report["curve"], folder / "curve.png")


def _before(path: Path) -> Row:
    report: Row = json.loads(path.read_text()) if path.exists() else {}
    empty: Row = {"begun_from": {}, "earlier": {}, "seconds": {}, "pictures": {}, "curve": {}, "held_out": []}
    return empty | report


def _spent(report: Row, phase: str) -> int:
    return int(report["seconds"].get(phase, 0) + report["earlier"].get(phase, 0))


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def _draw(curve: dict[str, list[Row]], path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    phases = [phase for phase in PHASES if curve.get(phase)]
    if not phases:  # too short a training to have logged anything
        return
    figure, axes = pyplot.subplots(
        1, len(phases), figsize=(4 * len(phases), 3.4), layout="constrained", squeeze=False
    )
    for axis, phase in zip(axes[0], phases, strict=True):
        minutes = [row["seconds"] / 60 for row in curve[phase]]
        axis.semilogy(minutes, [row["loss"] for row in curve[phase]], color="#b0b8c8", linewidth=0.8)
        axis.semilogy(minutes, _smooth([row["loss"] for row in curve[phase]]), color="#c2410c")
        axis.set(title=phase, xlabel="minutes of training", ylabel="loss")
        axis.grid(alpha=0.25)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _smooth(values: list[float], share: float = 0.15) -> list[float]:
    """An exponential mean."""
    out: list[float] = []
    for value in values:
        out.append(value if not out else out[-1] + share * (value - out[-1]))
    return out
