"""Two figures: every claim with its interval and margin; what trainings make safe, and what they cost."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from microworld.reproduce.outcomes import AWARE, NEEDLESS

Format = Literal["png", "svg"]
COLOURS = {"holds": "#2e8b57", "fails": "#c0392b", "undecided": "#8a8f98", "told": "#4a6fa5"}
"""As on the pages of exploration: good, bad, open, calm."""
ROW = 0.42
"""Inches."""
AT = "T 0.5"


def forest(claims: Sequence[Mapping[str, Any]], format: Format) -> bytes:
    """A line for each claim that was measured: points with their interval; a tick where the margin is."""
    pyplot = _pyplot()
    rows = [row for row in claims if row["figure"] is not None and None not in row["interval"]]
    figure, axis = pyplot.subplots(figsize=(8, 1.2 + ROW * max(1, len(rows))), layout="constrained")
    for place, row in enumerate(rows):
        low, high = row["interval"]
        colour = COLOURS[row["verdict"]]
        axis.plot([low, high], [place, place], color=colour, linewidth=2)
        axis.plot([row["figure"]], [place], "o", color=colour)
        axis.plot([row["margin"]] * 2, [place - 0.3, place + 0.3], color="black", linewidth=1)
    axis.set_yticks(range(len(rows)), [f"{r['number']}. {r['trainings']}: {r['verdict']}" for r in rows])
    axis.invert_yaxis()
    axis.axvline(0, color="#cccccc", linewidth=0.8, zorder=0)
    axis.set_xlabel("points, with 95 % intervals;\nblack ticks: the margin fixed beforehand")
    axis.grid(axis="x", alpha=0.25)
    return _drawn(figure, format)


def levels(trainings: Sequence[Mapping[str, Any]], format: Format) -> bytes:
    """A line for each training: what it makes aware and helpful, and what it warns of for nothing."""
    pyplot = _pyplot()
    size = (9, 1.2 + ROW * max(1, len(trainings)))
    figure, panels = pyplot.subplots(1, 2, sharey=True, figsize=size, layout="constrained")
    for axis, measure, colour in zip(panels, (AWARE, NEEDLESS), ("holds", "fails"), strict=True):
        shares = [one["shares"][f"{measure.title}, {AT}"] for one in trainings]
        for place, one in enumerate(shares):
            axis.plot([one["low"], one["high"]], [place, place], color=COLOURS[colour], linewidth=2)
            axis.plot([one["share"]], [place], "o", color=COLOURS[colour])
        title = measure.title.replace(", ", ",\n")
        axis.set(xlim=(-2, 102), xlabel=f"% {title}")
        axis.grid(alpha=0.25)
    panels[0].set_yticks(range(len(trainings)), [one["training"] for one in trainings])
    panels[0].invert_yaxis()
    return _drawn(figure, format)


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    return pyplot


def _drawn(figure: Any, format: Format) -> bytes:
    with io.BytesIO() as held:
        figure.savefig(held, format=format, dpi=110)
        _pyplot().close(figure)
        return held.getvalue()
