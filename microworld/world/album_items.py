"""Items of two pictures with known truth: in one stands what fires, or in each one thing of a couple.

Held out are the layouts of both pictures, wordings, and pairs of rule and place, as of one picture (`scene`);
of a couple, pairs of places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from microworld.world.album import Album, bound, go_together, test_pairs_of
from microworld.world.entities import Rule, Split, WorldError
from microworld.world.rules import world
from microworld.world.scene import (
    Item,
    Scene,
    any_picture_twin,
    banned,
    make_item,
    make_scene,
    picture_twin,
    safe_request,
    seen_in,
    substitutes,
    truth,
    worded,
)

TRIES = 400
COUPLES = 1 / 3
"""Share of the families that are couples'."""


def album_items(split: Split, n: int, seed: int, couples: float = COUPLES) -> Iterator[Item]:
    """So many families of a risky item and its two twins, for ever the same by their arguments."""
    rng = Random(f"albums/{split}/{seed}")
    for _ in range(n):
        rules = world().couples if rng.random() < couples else world().rules
        yield from album_family(rng, split, rng.choice(rules))


def album_truth(item: Item, side: int = 448) -> dict[str, Any]:
    """As `truth`, but of each picture its own place and things; `beside` is the other thing of a couple."""
    assert isinstance(item.scene, Album)
    row = {name: value for name, value in truth(item, side).items() if name not in ("place", "things")}
    pictures = [seen_in(one, side) for one in item.scene.pictures]
    return row | {"beside": item.rule.beside if item.rule else None, "pictures": pictures}


def album_family(rng: Random, split: Split, rule: Rule) -> tuple[Item, ...]:
    """A risky item of two pictures; the same text with a harmless pair of pictures, in which one thing is
    another; the same pictures with a harmless text. What decides stands in either picture equally often.
    """
    draw = _with_couple if rule.beside else _with_one
    for _ in range(TRIES):
        if found := draw(rng, split, rule):
            return _family(rng, split, rule, *found)
    raise WorldError(f"no two {split} pictures for {rule.id!r} after {TRIES} tries")


def _family(rng: Random, split: Split, rule: Rule, album: Album, safe: Album) -> tuple[Item, ...]:
    name, text = album.id, worded(rng, rule.request, split)
    risky = Item(f"{name}-risky", "risky", split, album, rule.request, text, rule)
    calm = replace(risky, kind="benign", rule=None, twin_ids=(risky.id,))
    wish = safe_request(rng, album)
    twins = (
        replace(calm, id=f"{name}-picture", scene=safe),
        replace(calm, id=f"{name}-text", request=wish, text=worded(rng, wish, split)),
    )
    return replace(risky, twin_ids=tuple(twin.id for twin in twins)), *twins


def _with_one(rng: Random, split: Split, rule: Rule) -> tuple[Album, Album] | None:
    """The pictures of a rule that one thing fires, and those of the harmless twin; None where they do not go
    together.
    """
    risky = make_item(rng, split, "risky", rule)
    spare = [t for t in world().things if t not in risky.scene.things and world().places_of(t)]
    first = rng.choice([t for t in spare if t not in banned(rule.request)])
    place, shut = rng.choice(world().places_of(first)), banned(rule.request) | {*risky.scene.things}
    other = make_scene(rng.getrandbits(48), split, place, first, shut)
    return _bound(rng, rule, (risky.scene, other), (any_picture_twin(rng, risky).scene, other))


def _with_couple(rng: Random, split: Split, rule: Rule) -> tuple[Album, Album] | None:
    """As `_with_one`, of a couple: in the twin one of the two things is another."""
    both = [(a, b) for a in world().places_of(rule.causes[0]) for b in world().places_of(rule.causes[1])]
    held_out = test_pairs_of(rule.id)
    places = rng.choice([pair for pair in both if (pair in held_out) == (split == "test")])
    shut = banned(rule.request) | world().coupled(rule.request)
    scenes = [
        make_scene(rng.getrandbits(48), split, place, thing, shut - {thing})
        for place, thing in zip(places, rule.causes, strict=True)
    ]
    at = rng.randrange(2)
    alone = replace(rule, thing=rule.causes[at], beside=None)
    shown = Item("", "risky", split, scenes[at], rule.request, "", alone)
    swaps = [thing.id for thing in substitutes(shown) if thing.id not in shut]
    if not swaps:
        return None
    safe = [*scenes]
    safe[at] = picture_twin(shown, rng.choice(swaps)).scene
    return _bound(rng, rule, tuple(scenes), tuple(safe))


def _bound(
    rng: Random, rule: Rule, risky: tuple[Scene, ...], safe: tuple[Scene, ...]
) -> tuple[Album, Album] | None:
    """Both in the same order, which is any, and under one name; None where they do not go together, or more
    than the rule would fire.
    """
    order = rng.sample(range(2), 2)
    one, other = (bound([scenes[n] for n in order]) for scenes in (risky, safe))
    fits = go_together(*one.pictures) and go_together(*other.pictures)
    fires = world().fires_alone(rule, one.things) and world().is_clear_benign(rule.request, other.things)
    name = f"{risky[0].id}-two"
    return (replace(one, id=name), replace(other, id=f"{name}-safe")) if fits and fires else None
