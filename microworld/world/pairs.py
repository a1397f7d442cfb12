"""Which text goes with which scene: every pair of a picture and a request whose truth is beyond doubt.

Words are chosen here only as far as the request's phrases go; replies are not written (corpus).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from microworld.world.album import Album, bound, firing_in
from microworld.world.entities import Rule, Split
from microworld.world.layout import Placed
from microworld.world.rules import world
from microworld.world.scene import Scene, Variant, split_of_rule_place

BARE_SHARE = 0.4
DROPPED_WORDS = 0.12
COUPLES_FIRST, ONE_OF_TWO = 0.8, 0.5
"""Of pictures in which a couple stands, how often it is asked about; of others, a couple's request."""


@dataclass(frozen=True)
class Pair:
    """A scene with a request; `rule` is what fires, None when the pair is benign."""

    scene: Scene
    request: str
    text: str
    rule: Rule | None

    @property
    def risky(self) -> bool:
        return self.rule is not None


@cache
def firing(things: frozenset[str], place: str, split: Split) -> tuple[Rule, ...]:
    """Rules of this split that fire here, each alone: with its request nothing else fires or is unclear."""
    return tuple(
        rule
        for rule in world().rules
        if rule.thing in things
        and world().is_clear_benign(rule.request, things - {rule.thing})
        and split_of_rule_place(rule, place) == split
    )


@cache
def harmless(things: frozenset[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Requests that are clearly benign here, and weights that make each about as often benign as risky."""
    found = tuple(r for r in world().requests if world().is_clear_benign(r, things))
    counts = {r: sum(rule.request == r for rule in world().rules) for r in found}
    return found, tuple(max(1, counts[r]) for r in found)


def phrase(rng: Random, request: str, split: Split = "train") -> str:
    """One wording of a request; bare phrases are said more often than their share."""
    if split == "train" and rng.random() < BARE_SHARE:
        return rng.choice(world().request(request).phrases)
    return rng.choice(world().phrases(request, split))


def worn(rng: Random, text: str) -> str:
    """The text as a hurried person types it: now and then some words lack."""
    if rng.random() > DROPPED_WORDS:
        return text
    words = text.split()
    kept = [w for w in words if rng.random() > 0.15]
    return " ".join(kept or words)


def pair_of(rng: Random, scene: Scene, risky: bool, split: Split = "train") -> Pair:
    """A pair of the wanted kind; a benign one where nothing fires."""
    rules = rules_in(scene, split) if risky else ()
    if rules:
        rule = rng.choice(_couples_first(rng, rules))
        return Pair(scene, rule.request, phrase(rng, rule.request, split), rule)
    request = _harmless_with_one(rng, scene) or rng.choices(*harmless(frozenset(scene.things)))[0]
    return Pair(scene, request, phrase(rng, request, split), None)


def rules_in(scene: Scene, split: Split) -> tuple[Rule, ...]:
    """As `firing`, of one picture or several."""
    if isinstance(scene, Album):
        return firing_in(scene, split)
    return firing(frozenset(scene.things), scene.place, split)


def _couples_first(rng: Random, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Couples stand together rarely, so they are taken rather than others where they do."""
    couples = tuple(rule for rule in rules if rule.beside)
    return couples if couples and rng.random() < COUPLES_FIRST else rules


def _harmless_with_one(rng: Random, scene: Scene) -> str | None:
    """Sometimes what would be risky if a couple stood here, and is not with one of the two."""
    if not isinstance(scene, Album) or rng.random() > ONE_OF_TWO:
        return None
    found = [
        request
        for request in world().couple_requests
        if world().is_clear_benign(request, scene.things) and world().coupled(request) & set(scene.things)
    ]
    return rng.choice(found) if found else None


def loose_pair(rng: Random) -> Pair:
    """A pair without a picture: any things of the world beside any request, half of them risky.

    The place is no part of it, so it tells nothing of the rule x place pairs that are held out.
    """
    rule = rng.choice(world().rules) if rng.random() < 0.5 else None
    request = rule.request if rule else rng.choices(*_asked_often())[0]
    clear = [
        t for t in world().things if world().is_clear_benign(request, [t]) and not world().things[t].alarm
    ]
    others = rng.sample(
        clear, rng.choices((0, 1, 2, 3), (3, 4, 3, 1))[0] if rule else rng.choice((1, 2, 2, 3))
    )
    placed = tuple(Placed(thing, 0.5, 0.5, 0.3) for thing in ((rule.thing, *others) if rule else others))
    scene = Scene("loose", 0, next(iter(world().places)), placed, Variant(0, 0, 0))
    return Pair(scene, request, phrase(rng, request), rule)


def loose_couple(rng: Random) -> Pair:
    """A couple's request in words alone, half of the time beside one of the two and another thing."""
    rule = rng.choice(world().couples)
    things, risky = list(rule.causes), rng.random() < 0.5
    if not risky:
        at = rng.randrange(2)
        clear = [t for t in _calm() if world().is_clear_benign(rule.request, (things[1 - at], t))]
        things[at] = rng.choice([t for t in clear if t not in things])
    pictures = []
    for thing in things:
        more = [t for t in _calm() if t not in things and _passes(rule.request, t)]
        shown = (thing, *rng.sample(more, rng.randrange(2)))
        placed = tuple(Placed(one, 0.5, 0.5, 0.3) for one in shown)
        pictures.append(Scene("loose", 0, next(iter(world().places)), placed, Variant(0, 0, 0)))
    rng.shuffle(pictures)
    return Pair(bound(pictures), rule.request, phrase(rng, rule.request), rule if risky else None)


def _passes(request: str, thing: str) -> bool:
    """Whether a thing more changes nothing, whatever else is there."""
    return thing not in world().coupled(request) and world().is_clear_benign(request, [thing])


@cache
def _calm() -> tuple[str, ...]:
    return tuple(thing.id for thing in world().things.values() if not thing.alarm)


@cache
def _asked_often() -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Requests, each as often as it has rules."""
    counts = {r: sum(rule.request == r for rule in world().rules) for r in world().requests}
    return tuple(counts), tuple(max(1, count) for count in counts.values())
