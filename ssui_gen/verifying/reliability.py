"""How calibrations of F look: tables for people, numbers for programs, the reliability diagram."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ssui_gen.shares import Share
from ssui_gen.verifying.calibrate import ALL, Calibration, Score

SHARES = ("precision", "recall", "bad_precision", "unverified")
Found = Mapping[str, Mapping[str, Calibration]]
"""By way of F: `ALL`, and each kind of path."""


def table(found: Found) -> Table:
    """How often each way is right."""
    head = ("n", "precision", "recall", "F1", "bad is bad", "unsure", "κ")
    shown = _empty("How often F is right (below: 95 %, by paths)", head)
    for name, one in _rows(found):
        shown.add_row(
            name, f"{one.n:,}", _cell(one.precision), _cell(one.recall), f"{one.f1.value:.2f}",
            _cell(one.bad_precision), _cell(one.unverified), _score(one.kappa),
        )  # fmt: skip
    return shown


def _rows(found: Found) -> Iterator[tuple[str, Calibration]]:
    """A way, then each kind of path where there are several."""
    for way, parts in found.items():
        for part, one in parts.items():
            if part == ALL:
                yield way, one
            elif len(parts) > 2:
                yield f"  {part}", one


def _empty(title: str, head: Sequence[str]) -> Table:
    """Narrow enough for 80 columns."""
    shown = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, leading=1
    )
    shown.add_column("F", no_wrap=True)
    for name in head:
        shown.add_column(name, justify="right", no_wrap=True)
    return shown


def _cell(one: Share) -> str:
    """The share, and its interval below it."""
    low, high = one.interval
    return f"{one.value:.1%}\n{100 * low:.0f}–{100 * high:.0f}" if one.n else "–"


def _score(one: Score) -> str:
    if math.isnan(one.value):
        return "–"
    low, high = (f"{end:.2f}".removeprefix("0").replace("1.00", "1") for end in one.interval)
    return f"{one.value:.2f}" + ("" if math.isnan(one.interval[0]) else f"\n{low}–{high}")


def errors_table(found: Found) -> Table:
    """What its errors cost: all pairs of good over bad at one cut that its verdicts make. Inverted ones teach
    the wrong way, those of one kind are noise, and true ones that are missed were drawn for nothing.
    """
    head = ("pairs", "right", "inverted", "of one kind", "missed")
    shown = _empty("What its errors do to pairs", head)
    for name, one in _rows(found):
        shown.add_row(name, f"{one.couples.made:,}", *map(_cell, one.couples))
    return shown


def numbers(parts: Mapping[str, Calibration]) -> dict[str, Any]:
    """Of one way: figures over all paths, and below `by_kind` those of each kind."""
    return _numbers(parts[ALL]) | {
        "by_kind": {part: _numbers(one) for part, one in parts.items() if part != ALL}
    }


def _numbers(one: Calibration) -> dict[str, Any]:
    """Shares as [so many, of so many], and below `intervals` the ends of each figure's 95 %."""
    shares = {name: getattr(one, name) for name in SHARES} | one.couples._asdict()
    scores = {"f1": one.f1, "kappa": one.kappa}
    return {
        "n": one.n, "paths": one.paths,
        **{name: [shares[name].hits, shares[name].n] for name in SHARES},
        **{name: _number(score.value) for name, score in scores.items()},
        "couples": {name: share.hits for name, share in one.couples._asdict().items()},
        "intervals": {
            name: [_number(end) for end in figure.interval] for name, figure in (shares | scores).items()
        },
        "bins": [[round(mean, 4), good.hits, good.n] for mean, good in one.bins],
        "thresholds": [
            {"threshold": at, "precision": [p.hits, p.n], "recall": [r.hits, r.n]}
            for at, p, r in one.thresholds
        ],
    }  # fmt: skip


def _number(value: float) -> float | None:
    """As JSON has it: what is not defined is null."""
    return None if math.isnan(value) else round(value, 6)


def draw(found: Found, threshold: float, path: Path) -> bool:
    """Of every way that gives probabilities how well they are calibrated, and what another threshold would
    do; whether there was one to draw (and matplotlib to draw it).
    """
    sure = {way: parts[ALL] for way, parts in found.items() if parts[ALL].bins}
    if not sure:
        return False
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for way, one in sure.items():
        _reliability(left, way, one)
        _thresholds(right, way, one)
    left.plot([0, 1], [0, 1], color="0.7", linestyle=":")
    left.set(xlabel="F's probability that a branch is good", ylabel="share of truly good", xlim=(0, 1))
    right.axvline(threshold, color="0.7", linestyle=":")
    right.set(xlabel="threshold (dotted: in use)", ylabel="precision (line), recall (dashes)", xlim=(0, 1))
    for axes in (left, right):
        axes.set_ylim(-0.02, 1.02)
        axes.legend()
    figure.savefig(path, dpi=120)
    return True


def _reliability(axes: Any, way: str, one: Calibration) -> None:
    """Dots with 95 % intervals, by paths."""
    means, shares = [mean for mean, _ in one.bins], [good for _, good in one.bins]
    below = [max(0.0, good.value - good.interval[0]) for good in shares]
    above = [max(0.0, good.interval[1] - good.value) for good in shares]
    axes.errorbar(means, [good.value for good in shares], [below, above], fmt="o-", capsize=2, label=way)


def _thresholds(axes: Any, way: str, one: Calibration) -> None:
    at = [threshold for threshold, _, _ in one.thresholds]
    (line,) = axes.plot(at, [precision.value for _, precision, _ in one.thresholds], label=way)
    axes.plot(at, [recall.value for _, _, recall in one.thresholds], "--", color=line.get_color())
