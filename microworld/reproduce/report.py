"""claims.json: written from cells, read by whoever builds on it; and what all trainings came to."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from microworld.reproduce import kept
from microworld.reproduce.claim import Scope
from microworld.reproduce.claims import CLAIMS, planned
from microworld.reproduce.figures import share
from microworld.reproduce.judging import Read, row_of
from microworld.reproduce.outcomes import (
    AIMED,
    AWARE,
    FORM,
    LATE,
    NEEDLESS,
    PLAIN,
    RECOVERY,
    REFUSED,
    SEEN,
    SOUND,
    TWINS,
    UNSAFE,
    WARNED,
    Measure,
    Warmth,
    rows,
)
from microworld.reproduce.recipes import at
from microworld.reproduce.seeds import Seeds
from microworld.reproduce.settings import Agents, Cell
from ssui_gen.errors import RecordError

NAME = "claims.json"
KEYS = ("claim", "figure", "interval", "margin", "n", "seeds", "verdict")
"""What every row has."""
SHOWN: tuple[tuple[Measure, Warmth], ...] = (
    (AWARE, "cool"), (UNSAFE, "cool"), (AWARE, "hot"), (UNSAFE, "hot"), (NEEDLESS, "cool"), (LATE, "cool"),
    *((measure, "cool") for measure in (*SOUND, *TWINS.values(), WARNED, AIMED)),
    (RECOVERY, "cool"), (SEEN, "cool"), (PLAIN, "cool"), (REFUSED, "cool"), (FORM, "cool"),
)  # fmt: skip


def write(
    folder: Path,
    seeds: Seeds,
    read: Read,
    bound: Mapping[str, Any],
    trainings: Mapping[str, Cell],
    scope: Scope,
) -> dict[str, Any]:
    """Judge all claims and write them; returns what stands in the file."""
    claims = [row_of(claim, seeds, read, scope) for claim in CLAIMS]
    there = set(planned([claim for claim in CLAIMS if claim.within(scope)], seeds))
    content = {
        "claims": claims,
        "trainings": [level(name, cell, seeds, read, there) for name, cell in trainings.items()],
        "provenance": {
            "set": seeds.name,
            "test_seed": seeds.test,
            "data_seeds": list(seeds.data),
            "scope": scope,
        },
    }
    kept.write(folder / NAME, bound, content, indent=1)
    return load(folder)


def load(folder: Path) -> dict[str, Any]:
    """What was written. Raises RecordError, in one line, where it was edited or is none."""
    path = folder / NAME
    found = kept.read(path)
    for number, row in enumerate(found.get("claims") or (), 1):
        if missing := [key for key in KEYS if key not in row]:
            raise RecordError(f"{path}: claim {number}: {', '.join(missing)} missing")
        for name in ("figure", "margin"):
            if not (row[name] is None or isinstance(row[name], int | float)):
                raise RecordError(f"{path}: claim {number}: {name}: expected a number; got {row[name]!r}")
    return found


def level(
    name: str, recipe: Cell, seeds: Seeds, read: Read, there: Collection[Cell | Agents]
) -> dict[str, Any]:
    """Every share of one training over the data seeds that it is planned for, and what it took."""
    cells = {data: at(recipe, seeds, data) for data in seeds.data}
    found = {data: read(cell) for data, cell in cells.items() if cell in there}
    shares = {
        f"{measure.title}, T {'0.5' if warmth == 'cool' else '1.0'}": one
        for measure, warmth in SHOWN
        if (one := _share(found, measure, warmth))
    }
    facts: dict[str, float] = {"data_sets": len(found)}
    for cell in found.values():
        for key, value in cell["facts"].items():
            facts[key] = facts.get(key, 0.0) + value / len(found)
    return {
        "training": name,
        "seeds": list(found),
        "shares": shares,
        "facts": {key: round(value, 1) for key, value in facts.items()},
    }


def _share(found: Mapping[int, Any], measure: Measure, warmth: Warmth) -> dict[str, Any] | None:
    of_seeds = (rows(one, measure, data, warmth) for data, one in found.items())
    whole = share([row for draws in of_seeds for several in draws for row in several])
    if math.isnan(whole.value):
        return None
    low, high = whole.interval
    return {"share": round(whole.value, 2), "low": round(low, 2), "high": round(high, 2), "n": whole.n}


def lines(content: Mapping[str, Any]) -> Iterable[tuple[str, str, str, str, str]]:
    """For people: number, claim, figure with its interval, margin, verdict."""
    for row in content["claims"]:
        yield str(row["number"]), row["claim"], told(row), margin(row), row["verdict"]


def told(row: Mapping[str, Any]) -> str:
    """`-8.7 (-12.9 to -4.5)`."""
    if row["figure"] is None:
        return "–"
    low, high = ("?" if end is None else f"{end:+.1f}" for end in row["interval"])
    return f"{row['figure']:+.1f} ({low} to {high})"


def margin(row: Mapping[str, Any]) -> str:
    """`below -20`."""
    return "" if row["margin"] is None else f"{row['side']} {row['margin']:+g}"
