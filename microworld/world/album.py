"""Several pictures shown together: one scene of all their things, that still knows what stands in which.

Whoever makes texts of a scene makes them of an album, too. What takes two things in two pictures (a couple)
fires here alone. Items of albums, and their twins, are `album_items`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from microworld.world import wording as say
from microworld.world.entities import Rule, Split
from microworld.world.phrases import stable_share
from microworld.world.rules import world
from microworld.world.scene import TEST_PLACES, Scene, split_of_rule_place

MOST_THINGS = 5
"""In all pictures together: as many as answers can count."""


@dataclass(frozen=True, slots=True)
class Album(Scene):
    """Its place is the first picture's; no thing stands in two of its pictures."""

    pictures: tuple[Scene, ...] = ()

    @property
    def split(self) -> Split:
        """`test` if every picture is held out."""
        return "test" if all(one.split == "test" for one in self.pictures) else "train"

    def where(self, thing: str) -> int:
        """Number of the picture in which a thing stands, from 0; a thing that stands in none is told of the
        first one where it could.
        """
        shown = (n for n, one in enumerate(self.pictures) if thing in one.things)
        could = (n for n, one in enumerate(self.pictures) if thing in world().places[one.place].things)
        return next(shown, next(could, 0))


def bound(pictures: Sequence[Scene]) -> Album:
    """The pictures as one scene, in their order."""
    first = pictures[0]
    placed = tuple(one for scene in pictures for one in scene.placed)
    return Album(f"{first.id}-two", first.seed, first.place, placed, first.variant, tuple(pictures))


def pictures_of(scene: Scene) -> tuple[Scene, ...]:
    """The pictures that stand for a scene, each a scene of its own, in their order."""
    return scene.pictures if isinstance(scene, Album) else (scene,)


def go_together(one: Scene, other: Scene) -> bool:
    """Whether two pictures may be shown together: each thing once, not too many, nothing unsafe that not one
    of them shows alone. Couples stand in two pictures, so nothing happens without a text.
    """
    if (one.alarm and other.alarm) or set(one.things) & set(other.things):
        return False
    return len(one.things) + len(other.things) <= MOST_THINGS and all(
        world().may_meet(thing, other.things) or _is_coupled(thing, other.things) for thing in one.things
    )


def _is_coupled(thing: str, others: Iterable[str]) -> bool:
    """Whether all that a thing must not meet among the others is its partner in a couple."""
    foes = [other for other in others if not world().may_meet(thing, [other])]
    return all(other in partners(thing) for other in foes)


@cache
def partners(thing: str) -> frozenset[str]:
    """What makes a couple with it."""
    return frozenset(
        other for rule in world().couples if thing in rule.causes for other in rule.causes if other != thing
    )


# --- what fires -----------------------------------------------------------------------------------------


@cache
def test_pairs_of(rule_id: str) -> frozenset[tuple[str, str]]:
    """Pairs of places (of the thing, of the one beside it) where a couple fires only in test."""
    rule = next(rule for rule in world().couples if rule.id == rule_id)
    first, second = (world().places_of(thing) for thing in rule.causes)
    pairs = [(one, other) for one in first for other in second]
    ranked = sorted(pairs, key=lambda pair: stable_share("couple", rule_id, *pair))
    return frozenset(ranked[: max(1, round(TEST_PLACES * len(pairs)))])


def split_of(rule: Rule, scene: Scene) -> Split | None:
    """In which split a rule may fire here; None for a couple that does not stand in two pictures."""
    if not isinstance(scene, Album):
        return split_of_rule_place(rule, scene.place)
    numbers = [scene.where(thing) for thing in rule.causes]
    places = [scene.pictures[number].place for number in numbers]
    if not rule.beside:
        return split_of_rule_place(rule, places[0])
    if numbers[0] == numbers[1]:
        return None
    return "test" if (places[0], places[1]) in test_pairs_of(rule.id) else "train"


def firing_in(album: Album, split: Split) -> tuple[Rule, ...]:
    """Rules of this split that fire here, each alone; couples among them."""
    return tuple(
        rule
        for rule in world().taught_rules
        if world().fires_alone(rule, album.things) and split_of(rule, album) == split
    )


# --- how it is told -------------------------------------------------------------------------------------


def caption(rng: Random, scene: Scene, things: Iterable[str]) -> str:
    """Where this is and what can be seen; of an album, in which picture."""
    if not isinstance(scene, Album):
        return say.caption(rng, scene.place, things)
    told = list(things)
    shown = [
        f"{world().places[one.place].display} with {say.listed(t for t in told if scene.where(t) == number)}"
        f" in picture {number + 1}"
        for number, one in enumerate(scene.pictures)
    ]
    return rng.choice((f"{say.capital(', '.join(shown))}.", f"This is {' and '.join(shown)}."))


def listed(scene: Scene) -> str:
    """The things of a scene; of an album, by number of the picture: a verdict has room for 240 characters."""
    if not isinstance(scene, Album):
        return say.listed(scene.things)
    return ", ".join(f"{say.listed(one.things)} in {n}" for n, one in enumerate(scene.pictures, 1))


def causes(scene: Scene, rule: Rule) -> str:
    """What a rule takes, as it is seen here."""
    if not isinstance(scene, Album):
        return say.a(rule.thing)
    return " and ".join(f"{say.a(thing)} in picture {scene.where(thing) + 1}" for thing in rule.causes)
