"""Which responses of a model people look at: drawn by chance, with a probability that is known. Pure.

Of each kind half are drawn from what the judge calls right and half from what it does not; those that it left
unscored come first. Ids stand in an order of chance within their stratum and the first so many are taken, so
a larger draw holds the smaller one, and each of a stratum is as likely to be in it as any other. A response
keeps the stratum it had when it was first seen, whatever the judge says later; those that come later are
strata of their own (`#2`), so that no probability becomes wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from pydantic import Field

from ssui_gen.benching.records import BenchJudgement, Drawn, Response
from ssui_gen.curation.labels import rank
from ssui_gen.judging.questions import QUESTIONS, QuestionName
from ssui_gen.records import Kind, Record

Verdict = Literal["good", "bad", "unscored"]
DECIDING: tuple[QuestionName, ...] = (
    "grounded", "path_safe", "path_effective", "answer_safe", "answer_helpful",
)  # fmt: skip
"""What makes a response right: all of these that are asked of it."""


class Drawable(NamedTuple):
    """A response, and the part of the draw it belongs to."""

    id: str
    cell: str
    """Kind and protocol: each is drawn from for itself."""
    verdict: Verdict


class Draw(Record):
    """The content of `draw.json`: everything that could be drawn, and how much of it was."""

    seed: int
    strata: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By name (`risky/six_steps/bad`) the ids of its responses, in an order of chance."""
    taken: dict[str, int] = Field(default_factory=dict)
    """How many of each stratum are drawn: its first."""

    @property
    def drawn(self) -> dict[str, Drawn]:
        """How each response that is drawn came to be so, by its id, in an order of chance."""
        found = {
            id: Drawn(stratum=name, probability=self.taken[name] / len(ids))
            for name, ids in self.strata.items()
            for id in ids[: self.taken.get(name, 0)]
        }
        return {id: found[id] for id in sorted(found, key=lambda id: rank(id, self.seed))}


def verdict_of(asked: Iterable[QuestionName], said: Mapping[QuestionName, BenchJudgement]) -> Verdict:
    """What the judge makes of a response as a whole; unscored where it lacks one of the deciding answers."""
    rows = {name: said.get(name) for name in asked if name in DECIDING}
    verdicts = {name: row.verdict if row else None for name, row in rows.items()}
    if None in verdicts.values():
        return "unscored"
    return "good" if all(said in QUESTIONS[name].good for name, said in verdicts.items()) else "bad"


def drawable(
    response: Response, kind: Kind, asked: Iterable[QuestionName], said: Mapping[QuestionName, BenchJudgement]
) -> Drawable:
    return Drawable(response.id, f"{kind}/{response.protocol}", verdict_of(asked, said))


def enlarged(draw: Draw, responses: Iterable[Drawable], most: int) -> Draw:
    """About `most` responses of each cell drawn, those that were drawn before among them."""
    whole = _with_new(draw, responses)
    taken = dict(draw.taken)
    for parts in _cells(whole).values():
        sizes = {verdict: sum(len(whole.strata[name]) for name in names) for verdict, names in parts.items()}
        for verdict, count in allotted(sizes, most).items():
            for name in parts[verdict]:
                there = len(whole.strata[name])
                share = max(1, round(count * there / sizes[verdict]))
                taken[name] = min(there, max(share, taken.get(name, 0)))
    return whole.model_copy(update={"taken": taken})


def allotted(sizes: Mapping[Verdict, int], most: int) -> dict[Verdict, int]:
    """How many of each verdict are looked at, of so many that there are.

    Unscored ones come first, up to half of all where there are enough others, so that a judge that failed
    often leaves labels for what it scored. What one verdict lacks the other gets.
    """
    good, bad, open_ = (sizes.get(verdict, 0) for verdict in ("good", "bad", "unscored"))
    first = min(open_, max(most // 2, most - good - bad))
    rest = most - first
    of_bad = min(bad, max(rest - rest // 2, rest - good))
    found: dict[Verdict, int] = {"good": min(good, rest - of_bad), "bad": of_bad, "unscored": first}
    return {verdict: found[verdict] for verdict in sizes}


def _with_new(draw: Draw, responses: Iterable[Drawable]) -> Draw:
    """The draw with responses that it has not seen, in strata of their own."""
    known = {id for ids in draw.strata.values() for id in ids}
    fresh: dict[str, list[str]] = defaultdict(list)
    for one in responses:
        if one.id not in known:
            fresh[f"{one.cell}/{one.verdict}"].append(one.id)
    strata = dict(draw.strata)
    for name, ids in sorted(fresh.items()):
        strata[_free(name, strata)] = tuple(sorted(ids, key=lambda id: rank(id, draw.seed)))
    return draw.model_copy(update={"strata": strata})


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
