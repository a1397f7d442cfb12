"""Paths to train on, written by the truth as the product's rows, and pairs to be tested on. Draws nothing.

A path with a wrong step is one whose writer overlooked the danger, or saw one where none is, and went on
from there; what an unreviewed agent does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import cycle, islice
from random import Random

from microworld.corpus.responses import Response, blind, right, wrong_warning
from microworld.draw.likeness import likeness
from microworld.draw.pool import LARGE
from microworld.measuring.policy import cluster_of
from microworld.reproduce.settings import Data
from microworld.world import wording as say
from microworld.world.entities import Area, Rule
from microworld.world.pairs import Pair
from microworld.world.rules import world
from microworld.world.scene import Item, family_of, items, make_item, picture_twin, substitutes
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
def held(seed: int, each: int, area: Area = "known") -> tuple[Held, ...]:
    """So many risky pairs and as many harmless ones that share no wording, layout or rule × place with any
    path.
    """
    found = islice(items("test", 2 * each, seed, 0.5, area), 2 * each)
    return tuple(Held(f"{n}-{i.id}", _pair(i), i.id.rsplit("-", 1)[1]) for n, i in enumerate(found))


@lru_cache(maxsize=8)
def told(data: Data) -> tuple[Told, ...]:
    """The paths of a data set."""
    rng = Random(f"reproduce/{data.seed}")
    found = tuple(_told(rng, n, item, data.wrong) for n, item in enumerate(_items(data)))
    return tuple(_kept(data.seed, found)) if data.reviewed else found


def _items(data: Data) -> Iterator[Item]:
    if data.harmless == "strangers":
        return _strangers(data)
    own = list(islice(items("train", data.paths, data.seed, data.risky, data.rules), data.paths))
    if data.harmless == "swapped":
        return _swapped(own, Random(f"swapped/{data.seed}"))
    return _alike(own) if data.harmless == "alike" else iter(own)


def _strangers(data: Data) -> Iterator[Item]:
    """Risky items and harmless ones that have nothing to do with them."""
    rng = Random(f"strangers/{data.seed}")
    risky = round(data.risky * data.paths)
    for n in range(data.paths):
        yield make_item(rng, "train", "risky" if n < risky else "benign", area=data.rules)


def _swapped(found: Sequence[Item], rng: Random) -> Iterator[Item]:
    """Harmless ones as what a risky one asks under another risky one's picture, so that neither the words nor
    the picture alone tell the kind. Where no other picture is harmless, what was there stays.
    """
    risky = [one for one in found if one.kind == "risky"]
    asked = cycle(risky)
    shown = rng.sample(risky, len(risky))
    for one in found:
        yield _under_another(next(asked), shown) or one if one.kind == "benign" else one


def _alike(found: Sequence[Item]) -> Iterator[Item]:
    """Twins of the same text with what is most like the danger in its place; all others as they are."""
    risky = {one.id: one for one in found if one.kind == "risky"}
    for one in found:
        first = next((risky[id] for id in one.twin_ids if id in risky), one)
        same = one.kind == "benign" and one.request == first.request
        yield _look_alike(first, first.rule) if same and first.rule else one


def _look_alike(risky: Item, rule: Rule) -> Item:
    most = max(substitutes(risky), key=lambda other: likeness(rule.thing, other.id))
    return picture_twin(risky, most.id)


def _under_another(risky: Item, shown: list[Item]) -> Item | None:
    """The first picture that fits goes to the end of `shown`."""
    fits = (
        one
        for one in shown
        if one.scene.id != risky.scene.id and world().is_clear_benign(risky.request, one.scene.things)
    )
    if (other := next(fits, None)) is None:
        return None
    shown.append(shown.pop(shown.index(other)))
    id = f"{other.scene.id}-swapped"
    return replace(risky, id=id, kind="benign", scene=other.scene, rule=None, twin_ids=(risky.id,))


def with_evidence(pair: Pair) -> Pair:
    """Its question says what the danger is, or that there is none, as the record's scenario does."""
    scenario = f"{say.capital(pair.rule.harm)}." if pair.rule else say.NOTHING_RISKY
    return replace(pair, text=f"{pair.text} ({scenario})")


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
