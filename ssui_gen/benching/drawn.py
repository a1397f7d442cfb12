"""Which scenarios of a model's responses people look at: drawn by chance, with a known probability. Pure.

A scenario is drawn with all of its responses, as the headline is right or wrong of a whole scenario. Half
come from those that the judge calls right on every item, half from the others; those that it left unscored
are twice as probable. Scenarios stand in an order of chance within their stratum and the first so many are
taken, so a larger draw holds the smaller one, and each of a stratum is as likely to be in it as any other. A
scenario keeps the stratum it had when it was first seen, whatever the judge says later, and the responses
that come to it later belong to it; new scenarios are strata of their own (`#2`), so that no probability
becomes wrong.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from ssui_gen.benching.records import Drawn
from ssui_gen.curation.choosing.sample import rank
from ssui_gen.records import Record

Verdict = Literal["good", "bad", "unscored"]
FEWEST = 2
"""Scenarios of which labels can say how sure a rate is."""


class Drawable(NamedTuple):
    """All responses to a scenario, in one draw of the model's, and the part of the draw they belong to."""

    id: str
    cell: str
    """The protocol: each is drawn from for itself."""
    verdict: Verdict
    """The judge's, on the scenario as a whole."""
    responses: tuple[str, ...]
    """Those of which there is something to ask."""


class Draw(Record):
    """The content of `draw.json`: everything that could be drawn, and how much of it was."""

    seed: int
    strata: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By name (`six_steps/bad`) its scenarios, in an order of chance."""
    taken: dict[str, int] = Field(default_factory=dict)
    """How many of each stratum are drawn: its first."""
    responses: dict[str, tuple[str, ...]]
    """Of each scenario."""

    @property
    def drawn(self) -> dict[str, Drawn]:
        """How each response that is drawn came to be so, by its id, in an order of chance: whoever reads a
        twin right after the other is told what differs.
        """
        found = {
            id: Drawn(stratum=name, probability=self.taken[name] / len(units), unit=unit)
            for name, units in self.strata.items()
            for unit in units[: self.taken.get(name, 0)]
            for id in self.responses[unit]
        }
        return {id: found[id] for id in sorted(found, key=lambda id: rank(id, self.seed))}

    @property
    def told(self) -> list[str]:
        """How much of each stratum is drawn, in words."""
        return [
            f"{name}: {self.taken[name]:,} of {len(units):,} scenarios drawn"
            for name, units in self.strata.items()
        ]


def begun(seed: int) -> Draw:
    return Draw(seed=seed, responses={})


def verdict_of(said: bool | None) -> Verdict:
    """What the judge makes of a scenario: whether all of it is right; None where a part is unscored."""
    return "unscored" if said is None else "good" if said else "bad"


def enlarged(draw: Draw, scenarios: Iterable[Drawable], most: int) -> Draw:
    """About `most` responses of each cell drawn, in whole scenarios, those that were drawn before among
    them.
    """
    whole = _with_new(draw, list(scenarios))
    taken = dict(draw.taken)
    for parts in _cells(whole).values():
        sizes = {verdict: sum(len(whole.strata[name]) for name in names) for verdict, names in parts.items()}
        for verdict, count in allotted(sizes, _scenarios(whole, parts, most)).items():
            for name in parts[verdict]:
                there = len(whole.strata[name])
                share = max(1, round(count * there / sizes[verdict]))
                taken[name] = min(there, max(share, taken.get(name, 0)))
    return whole.model_copy(update={"taken": taken})


def allotted(sizes: Mapping[Verdict, int], most: int) -> dict[Verdict, int]:
    """How many of each verdict are looked at, of so many that there are.

    Unscored ones come first: they are twice as probable as their share, but at most half of all where there
    are enough others. The rest is half good and half bad; what one verdict lacks the other gets.
    """
    good, bad, open_ = (sizes.get(verdict, 0) for verdict in ("good", "bad", "unscored"))
    likelier = math.ceil(2 * most * open_ / max(1, good + bad + open_))
    first = min(open_, max(min(likelier, most // 2), most - good - bad))
    rest = most - first
    of_bad = min(bad, max(rest - rest // 2, rest - good))
    found: dict[Verdict, int] = {"good": min(good, rest - of_bad), "bad": of_bad, "unscored": first}
    return {verdict: found[verdict] for verdict in sizes}


def _scenarios(draw: Draw, parts: Mapping[Verdict, list[str]], most: int) -> int:
    """How many scenarios of a cell have about `most` responses."""
    units = [unit for names in parts.values() for name in names for unit in draw.strata[name]]
    return max(FEWEST, round(most * len(units) / sum(len(draw.responses[unit]) for unit in units)))


def _with_new(draw: Draw, scenarios: Sequence[Drawable]) -> Draw:
    """The draw with scenarios that it has not seen, in strata of their own, and with all their responses."""
    fresh: dict[str, list[str]] = defaultdict(list)
    for one in scenarios:
        if one.id not in draw.responses:
            fresh[f"{one.cell}/{one.verdict}"].append(one.id)
    strata = dict(draw.strata)
    for name, ids in sorted(fresh.items()):
        strata[_free(name, strata)] = tuple(sorted(ids, key=lambda id: rank(id, draw.seed)))
    responses = draw.responses | {one.id: one.responses for one in scenarios}
    return draw.model_copy(update={"strata": strata, "responses": responses})


def _free(name: str, taken: Mapping[str, object]) -> str:
    return next(one for one in _numbered(name) if one not in taken)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}#{number}"
        number += 1


def _cells(draw: Draw) -> dict[str, dict[Verdict, list[str]]]:
    """The names of the strata by cell and verdict."""
    found: dict[str, dict[Verdict, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in draw.strata:
        cell, _, verdict = name.partition("#")[0].rpartition("/")
        found[cell][verdict].append(name)  # type: ignore[index]
    return found
