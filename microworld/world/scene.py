"""Scenes and items with known truth, drawn from integer seeds alone: what stands where, what fires.

Does not draw pictures (draw/) and does not write replies (the corpus).
Train and test share no text, no layout (grid cells of the things) and no rule x place pair.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from random import Random
from typing import Any, Literal

from microworld.world.entities import Area, Rule, Split, Thing, WorldError
from microworld.world.layout import Placed, is_crowded, painted, place_all, swapped
from microworld.world.phrases import stable_share
from microworld.world.rules import world

Kind = Literal["risky", "benign"]

COUNT_WEIGHTS = (2, 4, 3, 1)  # of 1, 2, 3, 4 things
GRID = 6
TEST_LAYOUTS = 0.15
TEST_PLACES = 0.15
ALARMING_SHARE = 0.03
LAYOUT_TRIES = 400
PALETTES = 8
BACKDROPS = 6


@dataclass(frozen=True, slots=True)
class Variant:
    """What the drawing may vary freely: palette 0..7, backdrop arrangement 0..5, seed of the clutter."""

    palette: int
    layout: int
    clutter: int


@dataclass(frozen=True, slots=True)
class Scene:
    """`placed` stands in painter's order: what reaches lowest is nearest and comes last."""

    id: str
    seed: int
    place: str
    placed: tuple[Placed, ...]
    variant: Variant

    @property
    def things(self) -> tuple[str, ...]:
        return tuple(placed.thing for placed in self.placed)

    @property
    def alarm(self) -> Thing | None:
        """The thing that makes the picture unsafe on its own, if there is one."""
        return next((thing for thing in world().alarming if thing.id in self.things), None)

    @property
    def split(self) -> Split:
        """Which split this layout belongs to: hashed from the grid cells of the things, whatever they are."""
        cells = sorted((int(placed.x * GRID), int(placed.y * GRID)) for placed in self.placed)
        return "test" if stable_share("layout", cells) < TEST_LAYOUTS else "train"


@dataclass(frozen=True, slots=True)
class Item:
    """A picture and a text; `rule` is what fires, None when benign. `twin_ids` stand in the same stream."""

    id: str
    kind: Kind
    split: Split
    scene: Scene
    request: str
    text: str
    rule: Rule | None = None
    twin_ids: tuple[str, ...] = ()


@cache
def test_places(rule_id: str) -> frozenset[str]:
    """The places where a rule fires only in test: about 15 % of its places, at least one, chosen by hash."""
    places = world().places_of(rule_id.partition("+")[2])
    if not places:
        raise WorldError(f"rule {rule_id!r} is unknown or its thing stands in no place")
    ranked = sorted(places, key=lambda place: stable_share("place", rule_id, place))
    return frozenset(ranked[: max(1, round(TEST_PLACES * len(places)))])


def split_of_rule_place(rule: Rule, place: str) -> Split:
    return "test" if place in test_places(rule.id) else "train"


def scenes(split: Split, n: int, seed: int) -> Iterator[Scene]:
    """General pictures, every thing about equally often; about 3 % hold one alarming thing."""
    rng = Random(f"scenes/{split}/{seed}")
    for _ in range(n):
        if rng.random() < ALARMING_SHARE:
            place, first = rng.choice(list(world().places)), rng.choice(world().alarming).id
        else:
            first = rng.choice([thing.id for thing in world().things.values() if not thing.alarm])
            place = rng.choice(world().places_of(first))
        yield make_scene(rng.getrandbits(48), split, place, first)


def items(
    split: Split, n: int, seed: int, risky_share: float = 1 / 3, area: Area = "known"
) -> Iterator[Item]:
    """Risky items, each followed by its twins as far as the share allows, and free benign items."""
    if not 0 <= risky_share <= 1:
        raise WorldError(f"risky_share is {risky_share!r}; expected a number from 0 to 1")
    rng = Random(f"items/{split}/{seed}" if area == "known" else f"items/{area}/{split}/{seed}")
    left, owed = n, 0.0
    while left > 0:
        owed += (1 - risky_share) / risky_share if risky_share else left
        benign = min(int(owed + 1e-9), left - bool(risky_share))
        owed -= benign
        twins = min(benign, 2) if risky_share else 0
        group = list(family(rng, split, twins, area=area)) if risky_share else []
        group += [make_item(rng, split, "benign", area=area) for _ in range(benign - twins)]
        left -= len(group)
        yield from group


def make_item(rng: Random, split: Split, kind: Kind, rule: Rule | None = None, area: Area = "known") -> Item:
    """One item without twins; `rule` asks for that rule to be the one that fires."""
    if kind == "risky":
        return _risky(rng, split, rule or rng.choice(world().rules_of(area)))
    first = rng.choice([thing.id for thing in world().things_of(area).values() if not thing.alarm])
    scene = make_scene(rng.getrandbits(48), split, rng.choice(world().places_of(first)), first)
    request = safe_request(rng, scene, area)
    return Item(f"{scene.id}-free", "benign", split, scene, request, worded(rng, request, split))


def family(
    rng: Random, split: Split, twins: int = 2, rule: Rule | None = None, area: Area = "known"
) -> tuple[Item, ...]:
    """A risky item and 0, 1 or 2 twins: same text with a safe picture, same picture with a safe text."""
    risky = make_item(rng, split, "risky", rule, area)
    kinds: list[Callable[[Random, Item], Item]] = [any_picture_twin, partial(_text_twin, area=area)]
    makers = rng.sample(kinds, k=min(twins, 2))
    benign = tuple(make(rng, risky) for make in makers)
    return replace(risky, twin_ids=tuple(twin.id for twin in benign)), *benign


def family_of(scene_id: str) -> str:
    """What a scene shares with its twins, by its id or that of an item or seed that shows it."""
    return "-".join(scene_id.split("-")[:2])


def make_scene(
    seed: int, split: Split, place: str, first: str, banned: frozenset[str] = frozenset()
) -> Scene:
    """The same arguments always give the same scene: `first`, and up to three other things of the place.

    One allowed thing is always left out, so that a twin has something to put in the place of `first`.
    """
    rng = Random(f"scene/{split}/{place}/{first}/{seed}")
    others = [thing for thing in world().places[place].things if thing != first and thing not in banned]
    for _ in range(LAYOUT_TRIES):
        count = rng.choices(range(len(COUNT_WEIGHTS)), COUNT_WEIGHTS)[0]
        placed = place_all(rng, _company(rng, first, others, count))
        variant = Variant(rng.randrange(PALETTES), rng.randrange(BACKDROPS), rng.getrandbits(32))
        scene = Scene(f"{split}-{seed:012x}", seed, place, placed, variant)
        if scene.split == split:
            return scene
    raise WorldError(f"no {split} layout for {first!r} after {LAYOUT_TRIES} tries; widen TEST_LAYOUTS")


def _company(rng: Random, first: str, others: list[str], count: int) -> list[str]:
    chosen = [first]
    for thing in rng.sample(others, k=max(len(others) - 1, 0)):
        if len(chosen) <= count and world().may_meet(thing, chosen):
            chosen.append(thing)
    return chosen


def truth(item: Item, side: int = 448) -> dict[str, Any]:
    """The ground truth row, ready for JSON; boxes are left, top, right, bottom in pixels of `side`."""
    rule = item.rule
    alarm = item.scene.alarm
    return {
        "id": item.id,
        "kind": item.kind,
        "split": item.split,
        **seen_in(item.scene, side),
        "side": side,
        "alarm": alarm.alarm if alarm else None,
        "request": item.request,
        "needs": world().request(item.request).needs,
        "text": item.text,
        "rule": rule.id if rule else None,
        "thing": rule.thing if rule else None,
        "category": rule.category if rule else None,
        "harm": rule.harm if rule else None,
        "mechanism": rule.mechanism if rule else None,
        "safer": rule.safer if rule else None,
        "twin_ids": list(item.twin_ids),
    }


def seen_in(scene: Scene, side: int) -> dict[str, Any]:
    """A picture by its name, where it is, and what stands where in it, in pixels of a side of this length."""
    things = [{"thing": placed.thing, "box": list(placed.pixels(side))} for placed in scene.placed]
    return {"scene": scene.id, "place": scene.place, "things": things}


def _risky(rng: Random, split: Split, rule: Rule) -> Item:
    places = [p for p in world().places_of(rule.thing) if split_of_rule_place(rule, p) == split]
    scene = make_scene(rng.getrandbits(48), split, rng.choice(places), rule.thing, banned(rule.request))
    text = worded(rng, rule.request, split)
    return Item(f"{scene.id}-risky", "risky", split, scene, rule.request, text, rule)


def any_picture_twin(rng: Random, risky: Item) -> Item:
    fitting = substitutes(risky)
    alike = [t for t in fitting if t.size == _culprit(risky).size]
    return picture_twin(risky, rng.choice(alike or fitting).id)


def picture_twin(risky: Item, swap: str) -> Item:
    """The same text, and `swap` for the thing that fires."""
    scene = risky.scene
    placed = tuple(swapped(old, swap) if _fires(risky, old) else old for old in scene.placed)
    safe = replace(scene, placed=painted(placed))
    rest = [thing for thing in safe.things if thing != swap]
    if safe.split != risky.split or is_crowded(placed) or not world().may_meet(swap, rest):
        safe = make_scene(scene.seed, risky.split, scene.place, swap, banned(risky.request))
    safe = replace(safe, id=f"{scene.id}-safe")
    twin_id = f"{scene.id}-picture"
    return replace(risky, id=twin_id, kind="benign", scene=safe, rule=None, twin_ids=(risky.id,))


def _text_twin(rng: Random, risky: Item, area: Area) -> Item:
    request = safe_request(rng, risky.scene, area)
    text = worded(rng, request, risky.split)
    twin = replace(risky, id=f"{risky.scene.id}-text", kind="benign", rule=None, twin_ids=(risky.id,))
    return replace(twin, request=request, text=text)


def _fires(risky: Item, placed: Placed) -> bool:
    return risky.rule is not None and placed.thing == risky.rule.thing


def _culprit(risky: Item) -> Thing:
    return next(world().every_thing[old.thing] for old in risky.scene.placed if _fires(risky, old))


@cache
def banned(request: str) -> frozenset[str]:
    return frozenset(thing for thing in world().things if not world().is_clear_benign(request, [thing]))


def substitutes(risky: Item) -> list[Thing]:
    """Harmless things of the same place for the one that fires, of its zone where there are such."""
    here = world().places[risky.scene.place].things
    culprit = _culprit(risky)
    absent = [world().things[t] for t in here if t not in risky.scene.things]
    clear = [t for t in absent if world().is_clear_benign(risky.request, [t.id])]
    rest = [thing for thing in risky.scene.things if thing != culprit.id]
    welcome = [t for t in clear if world().may_meet(t.id, rest)] or clear
    return [t for t in welcome if t.zone in ("any", culprit.zone)] or welcome


def safe_request(rng: Random, scene: Scene, area: Area = "known") -> str:
    """A known one if none of the area's is harmless here; some known ones always are."""
    clear = [r for r in world().requests_of(area) if world().is_clear_benign(r, scene.things)]
    return rng.choice(clear or [r for r in world().requests if world().is_clear_benign(r, scene.things)])


def worded(rng: Random, request: str, split: Split) -> str:
    return rng.choice(world().phrases(request, split))
