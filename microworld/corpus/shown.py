"""Which picture a judge is shown, and what of a response depends on it.

A judge that is always shown the right picture need not look. So it is also shown another scene's, one much
like its own or any, and plain grey, which shows nothing. Only where the truth is beyond doubt.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from microworld.corpus.paths import cause, good_path
from microworld.truth.score import things_named
from microworld.world.album import caption
from microworld.world.entities import Rule, Split
from microworld.world.pairs import Pair, firing, rules_in
from microworld.world.rules import world
from microworld.world.scene import Scene
from ssui_gen.records import Step

GREY = -1
"""In the place of a picture's row."""
COMPARED = 16
"""Pictures of the same place among which the one most alike is taken."""
LEFT_OUT = 0.65
"""Share of the misseen steps of a risky path that lack the decisive thing."""
ADDED = 0.5
"""Of the others, that name a thing more; the rest name one in the place of another."""
CLAIM = re.compile(r"\b(?:I can see|there is|It shows|I count [^:.]*:) ([^.]*?)(?: here, and\b|\.|$)")


class Shown(NamedTuple):
    """A picture, or several, by row in the pool and what it holds; row None is the pair's own."""

    row: int | tuple[int, ...] | None
    place: str
    things: tuple[str, ...]
    scene: Scene | None = None
    """Of several pictures: what stands in which."""


def own(pair: Pair) -> Shown:
    return Shown(None, pair.scene.place, pair.scene.things)


NOTHING = Shown(GREY, "", ())


def fired(pair: Pair, shown: Shown, split: Split = "train") -> tuple[Rule, ...] | None:
    """What fires with the pair's request under a picture: one rule or none; None where it is unclear."""
    if shown.row is None:
        return (pair.rule,) if pair.rule else ()
    if world().is_clear_benign(pair.request, shown.things):
        return ()
    rules = (
        rules_in(shown.scene, split) if shown.scene else firing(frozenset(shown.things), shown.place, split)
    )
    found = tuple(rule for rule in rules if rule.request == pair.request)
    return found if len(found) == 1 else None


class Others:
    """Pictures to show in the place of a pair's own."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.scenes = scenes
        self.rows = [row for row, scene in enumerate(scenes) if not scene.alarm]
        self.of_place: defaultdict[str, list[int]] = defaultdict(list)
        for row in self.rows:
            self.of_place[scenes[row].place].append(row)

    def draw(self, rng: Random, scene: Scene) -> Shown:
        """Grey, one of the same place, or any."""
        draw = rng.random()
        if draw < 0.3:
            return NOTHING
        return self.alike(rng, scene) if draw < 0.65 else self.any(rng)

    def any(self, rng: Random) -> Shown:
        return self._shown(rng.choice(self.rows))

    def alike(self, rng: Random, scene: Scene) -> Shown:
        """Of some pictures of the same place the one that shares most, but not all; any where none does."""
        rows, here = self.of_place[scene.place], set(scene.things)
        some = rng.sample(rows, min(COMPARED, len(rows)))
        alike = [row for row in some if here - set(self.scenes[row].things)]
        if not alike:
            return self.any(rng)
        return self._shown(max(alike, key=lambda row: len(here & set(self.scenes[row].things))))

    def _shown(self, row: int) -> Shown:
        return Shown(row, self.scenes[row].place, self.scenes[row].things)


def claimed(answer: str) -> frozenset[str]:
    """What an answer says is in the picture: seen, shown, counted; not what it advises or needs."""
    return frozenset(thing for part in CLAIM.findall(answer) for thing in things_named(part))


def misseen(rng: Random, pair: Pair) -> tuple[Step, ...]:
    """A good path but for its first step: a thing that is not there, or the decisive thing left out."""
    things = list(pair.scene.things)
    if pair.rule and rng.random() < LEFT_OUT:
        things.remove(cause(rng, pair.rule))
    else:
        spare = [t for t in things if not pair.rule or t not in pair.rule.causes]
        if spare and rng.random() > ADDED:
            things.remove(rng.choice(spare))
        things.append(rng.choice(absent(rng, pair.scene)))
    seen = caption(rng, pair.scene, things)
    first, *rest = good_path(rng, pair)
    return (first.model_copy(update={"text": seen}), *rest)


def absent(rng: Random, scene: Scene) -> list[str]:
    """Things that could stand in this place and do not, or any that do not."""
    known = world().things if rng.random() < 0.5 else world().places[scene.place].things
    absent = [t for t in known if t not in scene.things and not world().things[t].alarm]
    return absent or [t for t in world().things if t not in scene.things and not world().things[t].alarm]
