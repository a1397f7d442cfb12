"""What figures need of an item, a response and a verdict: ids, words of few kinds, and numbers. Pure.

A few hundred bytes each, whatever a model wrote: texts stay in their files, and whoever shows one reads it
there by its place (`placed`).
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from ssui_gen.benching.asked import questions_of
from ssui_gen.benching.records import (
    BenchJudgement,
    Drawn,
    Item,
    PathSource,
    Protocol,
    Response,
    Status,
    Twin,
    Unscored,
)
from ssui_gen.config import BenchQuestion
from ssui_gen.judging.questions import QuestionName
from ssui_gen.records import Kind

T = TypeVar("T", bound=Hashable)


class Alike:
    """Of values that are equal it gives the first, so that a word that stands in every row is there once."""

    def __init__(self) -> None:
        self._first: dict[Hashable, Hashable] = {}

    def __call__(self, value: T) -> T:
        return self._first.setdefault(value, value)  # type: ignore[return-value]


class Subject(NamedTuple):
    """Of an item."""

    place: int
    """Among all items, from 0."""
    id: str
    scenario_id: str
    kind: Kind
    category: str
    language: str
    twin: Twin | None
    planted: bool
    plain: bool

    @staticmethod
    def of(item: Item, place: int, alike: Alike) -> Subject:
        return Subject(
            place,
            alike(item.id),
            alike(item.scenario_id),
            item.kind,
            alike(item.category),
            alike(item.language),
            item.twin,
            item.planted,
            item.plain,
        )

    @property
    def counted(self) -> bool:
        """As `Item.counted`."""
        return not (self.planted or self.plain)


class Reply(NamedTuple):
    """Of a response."""

    place: int
    """Among all responses, from 0."""
    id: str
    item_id: str
    model: str
    protocol: Protocol
    draw: int
    status: Status
    source: PathSource
    pieces: int
    """Of its path."""
    asked: tuple[BenchQuestion, ...]
    """What there is to ask of it."""
    words: bytes
    """Hash of the answer's words, as they are compared; empty where there is no answer."""
    prompt_id: str
    sampling: str
    """As JSON, keys in order."""

    @staticmethod
    def of(row: Response, place: int, alike: Alike) -> Reply:
        return Reply(
            place,
            row.id,
            alike(row.item_id),
            alike(row.model),
            row.protocol,
            row.draw,
            row.status,
            row.path.source,
            len(row.path.pieces),
            alike(questions_of(row)),
            _words(row.answer),
            alike(row.prompt_id),
            alike(json.dumps(row.sampling, sort_keys=True)),
        )


def _words(answer: str | None) -> bytes:
    """Neither case nor spaces count."""
    text = " ".join((answer or "").casefold().split())
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() if answer else b""


class Said(NamedTuple):
    """Of a verdict on a response, whoever's."""

    question: QuestionName
    verdict: str | None
    unscored: Unscored | None
    judge: str
    drawn: Drawn | None
    options: tuple[str, ...]
    numbers: bytes | None
    """Their shares as C's doubles; None where none were told."""

    @staticmethod
    def of(row: BenchJudgement, alike: Alike) -> Said:
        words = alike((row.question, row.verdict, row.unscored, row.judge))
        shares, drawn = row.shares, alike(row.drawn)
        if shares is None:
            return alike(Said(*words, drawn, (), None))
        return Said(*words, drawn, alike(tuple(shares)), array("d", shares.values()).tobytes())

    @property
    def shares(self) -> Mapping[str, float] | None:
        """By option."""
        if self.numbers is None:
            return None
        return dict(zip(self.options, array("d", self.numbers), strict=True))


ByQuestion = Mapping[QuestionName, Said]
UNSAID: ByQuestion = MappingProxyType({})
