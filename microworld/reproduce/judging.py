"""Cells → a row for each claim: figure, interval, margin, verdict. Failing rows stay. Trains nothing.

Claims are made of the set of seeds that they are asked of, and of no other: a cell whose seeds belong to
another set is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from microworld.reproduce.claim import NEEDS, Bound, Claim, Part, Scope
from microworld.reproduce.claims import seeds_of
from microworld.reproduce.figures import Figure, Row, change, mean, share
from microworld.reproduce.outcomes import Found, Measure, dearer, rows, side_by_side, without_and_with
from microworld.reproduce.recipes import at
from microworld.reproduce.seeds import Seeds
from microworld.reproduce.settings import Agents, Cell
from ssui_gen.errors import ConfigError

Verdict = Literal["holds", "fails", "undecided"]
Read = Callable[[Any], Found]
"""A cell's content; raises Refused."""
WORST: tuple[Verdict, ...] = ("fails", "undecided", "holds")
NOT_RUN = "not run"


def row_of(claim: Claim, seeds: Seeds, read: Read, scope: Scope) -> dict[str, Any]:
    """A row of claims.json; see docs/results_rows.md for what its keys mean."""
    named = {"number": claim.number, "claim": claim.words, "source": claim.source}
    if not claim.within(scope):
        empty = dict.fromkeys(("measure", "figure", "interval", "margin", "side", "trainings"))
        return {
            **named,
            **empty,
            "n": 0,
            "seeds": [],
            "verdict": f"{NOT_RUN}: needs {NEEDS[claim.scope]}",
            "parts": [],
        }
    own = seeds_of(claim, seeds)
    parts = [_judged(part, own, read) for part in claim.parts]
    judged = [one for one in parts if one["verdict"] in WORST]
    first = min(judged, key=lambda one: WORST.index(one["verdict"])) if claim.all else judged[0]
    return {**named, **first, "parts": [one for one in parts if one is not first]}


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
    """The change over all data seeds, in points; of several measures the mean of their changes; of what a
    training took in percent. Of a part without a `before` the share.
    """
    (first, *_), before = part.measures, part.before
    if before is None:
        every = (rows(_at(part.after, data, seeds, read), first, data, part.warmth) for data in seeds.data)
        return share([row for one in every for draws in one for row in draws])
    if first.of == "facts":
        both = (
            (_at(before, data, seeds, read), _at(part.after, data, seeds, read), data) for data in seeds.data
        )
        return mean([dearer(old, new, first, data) for old, new, data in both])
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
    of_seeds = [_of_seed(part, measure, data, seeds, read) for data in seeds.data]
    return [row for old, _ in of_seeds for row in old], [row for _, new in of_seeds for row in new]


def _of_seed(
    part: Part, measure: Measure, data: int, seeds: Seeds, read: Read
) -> tuple[list[Row], list[Row]]:
    assert part.before is not None, "a share has no other side"
    before, after = (_at(work, data, seeds, read) for work in (part.before, part.after))
    if measure.of == "agents":
        return without_and_with(after, measure, data)
    old, new = (rows(found, measure, data, part.warmth) for found in (before, after))
    return side_by_side(old, new)


def _at(recipe: Cell | Agents, data: int, seeds: Seeds, read: Read) -> Found:
    """Of a data seed. Raises ConfigError for what was made with seeds of another set."""
    work = at(recipe, seeds, data)
    found = read(work)
    told = found["made_of"]["settings"]
    if isinstance(work, Cell):
        paths = told["data"]
        own = seeds.has(told["test"]["seed"], paths and paths["seed"])
    else:
        own = told["seed"] in seeds.data
    if not own:
        raise ConfigError(f"other seeds than those of the set {seeds.name!r}: claims take none of them")
    return found


def summary(claims: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many of which verdict."""
    counts: dict[str, int] = {}
    for row in claims:
        word = NOT_RUN if row["verdict"].startswith(NOT_RUN) else row["verdict"]
        counts[word] = counts.get(word, 0) + 1
    return counts
