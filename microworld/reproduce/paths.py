"""Paths to train on, written by the truth as the product's rows, and pairs to be tested on. Draws nothing.

A path with a wrong step is one whose writer overlooked the danger, or saw one where none is, and went on
from there; what an unreviewed agent does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from random import Random

from microworld.corpus.responses import Response, blind, right, wrong_warning
from microworld.draw.pool import LARGE
from microworld.measuring.policy import cluster_of
from microworld.reproduce.settings import Data
from microworld.world.pairs import Pair
from microworld.world.scene import Item, family_of, items, make_item
from ssui_gen.records import ImageRef, Kind, Query, ReasoningPath, Verdict, Verdicts
from ssui_gen.taxonomy import NO_RISK

FINDS, SPARES = 0.90, 0.95
"""The reviewer: share of wrong paths thrown out, share of right paths kept."""


@dataclass(frozen=True)
class Told:
    """A pair of the world and what stands about it in a row; `right` None where there is no path."""

    pair: Pair
    path: ReasoningPath
    right: bool


@dataclass(frozen=True)
class Held:
    """A pair to be tested on."""

    id: str
    pair: Pair
    twin: str
    """`risky`, or what makes it harmless: `picture`, `text`, `free`."""

    @property
    def kind(self) -> Kind:
        return "risky" if self.pair.risky else "benign"

    @property
    def cluster(self) -> str:
        """The rule of a risky pair, the family of a harmless one."""
        return cluster_of(self.pair)


@lru_cache(maxsize=8)
def held(seed: int, each: int) -> tuple[Held, ...]:
    """So many risky pairs and as many harmless ones that share no wording, layout or rule × place with any
    path.
    """
    found = islice(items("test", 2 * each, seed, 0.5), 2 * each)
    return tuple(Held(f"{n}-{i.id}", _pair(i), i.id.rsplit("-", 1)[1]) for n, i in enumerate(found))


@lru_cache(maxsize=8)
def told(data: Data) -> tuple[Told, ...]:
    """The paths of a data set."""
    rng = Random(f"reproduce/{data.seed}")
    found = tuple(_told(rng, n, item, data.wrong) for n, item in enumerate(_items(data)))
    return tuple(_kept(data.seed, found)) if data.reviewed else found


def _items(data: Data) -> Iterator[Item]:
    if data.twins:
        return islice(items("train", data.paths, data.seed, data.risky), data.paths)
    return _strangers(data)


def _strangers(data: Data) -> Iterator[Item]:
    """Risky items and harmless ones that have nothing to do with them."""
    rng = Random(f"strangers/{data.seed}")
    risky = round(data.risky * data.paths)
    for n in range(data.paths):
        yield make_item(rng, "train", "risky" if n < risky else "benign")


def _told(rng: Random, number: int, item: Item, wrong: float) -> Told:
    """The path is the same whatever the share of wrong ones, unless it is one of them."""
    pair, lot = _pair(item), rng.random()
    said, astray = right(Random(f"right/{item.id}"), pair), Random(f"wrong/{item.id}")
    if lot < wrong:
        said = blind(astray, pair) if pair.risky else wrong_warning(astray, pair)
    return Told(pair, _row(f"{number}-{item.id}", item, said), lot >= wrong)


def _kept(seed: int, found: tuple[Told, ...]) -> Iterator[Told]:
    rng = Random(f"reviewer/{seed}")
    for one in found:
        lot = rng.random()
        if lot < (SPARES if one.right else 1 - FINDS):
            yield one


def _pair(item: Item) -> Pair:
    return Pair(item.scene, item.request, item.text, item.rule)


def _row(id: str, item: Item, said: Response) -> ReasoningPath:
    label = "unsafe" if item.rule else "safe"
    verdicts = {name: _verdict("safe") for name in ("text_only", "image_only")}
    return ReasoningPath(
        id=id,
        seed_id=family_of(item.scene.id),
        kind=item.kind,
        twin_of=None,
        image=ImageRef(path=item.scene.id, sha256=item.scene.id, width=LARGE, height=LARGE),
        query=Query(
            text=item.text, category=item.rule.category if item.rule else NO_RISK, scenario="",
            image_evidence="", text_evidence="",
        ),
        steps=said.steps,
        answer=said.answer,
        verdicts=Verdicts(**verdicts, joint=_verdict(label)),
        reflection=(),
        made_by=(),
    )  # fmt: skip


def _verdict(label: str) -> Verdict:
    return Verdict.model_validate({"label": label, "probability": 1.0, "label_mass": 1.0, "evidence": ""})
