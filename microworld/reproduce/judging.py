"""Cells → a row for each claim: figure, interval, margin, verdict. Failing rows stay. Trains nothing.

Claims are made of the set of seeds that they are asked of, and of no other: a cell whose seeds belong to
another set is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from microworld.reproduce.claims import Bound, Claim, Part
from microworld.reproduce.figures import Figure, Row, change, mean
from microworld.reproduce.outcomes import Found, Measure, rows, side_by_side
from microworld.reproduce.recipes import at
from microworld.reproduce.seeds import Seeds, set_of
from microworld.reproduce.settings import Cell
from ssui_gen.errors import ConfigError

Verdict = Literal["holds", "fails", "undecided"]
Read = Callable[[Cell], Found]
"""A cell's content; raises Refused."""
WORST: tuple[Verdict, ...] = ("fails", "undecided", "holds")
NOT_RUN = "not run"


def row_of(claim: Claim, seeds: Seeds, read: Read, quick: bool) -> dict[str, Any]:
    """A row of claims.json; see docs/results.md for what its keys mean."""
    named = {"number": claim.number, "claim": claim.words, "source": claim.source}
    why = claim.needs or ("" if claim.quick or not quick else "make reproduce without QUICK=1")
    if why:
        empty = dict.fromkeys(("measure", "figure", "interval", "margin", "side", "trainings"))
        return {**named, **empty, "n": 0, "seeds": [], "verdict": f"{NOT_RUN}: needs {why}", "parts": []}
    judged = [_judged(part, seeds, read) for part in claim.parts]
    told = [_judged(part, seeds, read) for part in claim.beside]
    first = min(judged, key=lambda one: WORST.index(one["verdict"])) if claim.all else judged[0]
    return {**named, **first, "parts": [one for one in judged if one is not first] + told}


def _judged(part: Part, seeds: Seeds, read: Read) -> dict[str, Any]:
    found = figure(part, seeds, read)
    low, high = found.interval
    bound = part.bound
    return {
        "trainings": part.named,
        "measure": " and ".join(measure.title for measure in part.measures),
        "figure": _number(found.value),
        "interval": [_number(low), _number(high)],
        "margin": bound.margin if bound else None,
        "side": bound.side if bound else None,
        "n": found.n,
        "seeds": list(seeds.data),
        "verdict": verdict(found, bound) if bound else "told",
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 2)


def verdict(found: Figure, bound: Bound) -> Verdict:
    """`undecided` too where nothing can be said."""
    low, high = found.interval
    beyond, short = (high < bound.margin, low > bound.margin)
    if bound.side == "above":
        beyond, short = short, beyond
    return "holds" if beyond else "fails" if short else "undecided"


def figure(part: Part, seeds: Seeds, read: Read) -> Figure:
    """The change over all data seeds, in points; of several measures the mean of their changes."""
    sides = [_side_by_side(part, measure, seeds, read) for measure in part.measures]
    if len(sides) == 1:
        return change(*sides[0])
    moved = [
        [new._replace(value=new.value - old.value) for old, new in zip(olds, news, strict=True)]
        for olds, news in sides
    ]
    return mean(_evened(moved))


def _evened(parts: Sequence[Sequence[Row]]) -> list[Row]:
    """Rows of several measures as one, so that their mean is the mean of the measures' means."""
    n, each = sum(map(len, parts)), len(parts)
    return [row._replace(value=row.value * n / (each * len(part))) for part in parts for row in part]


def _side_by_side(part: Part, measure: Measure, seeds: Seeds, read: Read) -> tuple[list[Row], list[Row]]:
    olds, news = list[Row](), list[Row]()
    for data in seeds.data:
        before, after = (
            rows(_own(at(cell, seeds, data), seeds, read), measure, data, part.warmth)
            for cell in (part.before, part.after)
        )
        old, new = side_by_side(before, after)
        olds += old
        news += new
    return olds, news


def _own(cell: Cell, seeds: Seeds, read: Read) -> Found:
    """Raises ConfigError for a cell of another set."""
    found = read(cell)
    told = found["made_of"]["settings"]
    data = told["data"]
    if set_of(told["test"]["seed"], data and data["seed"]) != seeds.name:
        raise ConfigError(
            f"a cell of other seeds than those of the set {seeds.name!r}: claims take none of it"
        )
    return found


def summary(claims: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many of which verdict."""
    counts: dict[str, int] = {}
    for row in claims:
        word = NOT_RUN if row["verdict"].startswith(NOT_RUN) else row["verdict"]
        counts[word] = counts.get(word, 0) + 1
    return counts
