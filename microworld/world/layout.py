"""Boxes in the unit square: where things may stand, how much they may hide one another, who is in front.

Knows nothing of rules, texts or splits (scene.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random

from microworld.world.entities import Size, Thing, Zone
from microworld.world.rules import world

SIZES: dict[Size, tuple[float, float]] = {
    "small": (0.24, 0.30),
    "medium": (0.28, 0.38),
    "large": (0.34, 0.46),
}
ZONES: dict[Zone, tuple[float, float]] = {"any": (0.0, 1.0), "top": (0.0, 0.4), "ground": (0.55, 1.0)}
MOST_COVERED = 0.12
MARGIN = 0.02
PLACING_TRIES = 40


@dataclass(frozen=True, slots=True)
class Placed:
    """A thing in its square box; centre `x`, `y` and side `size` are shares of the picture's side."""

    thing: str
    x: float
    y: float
    size: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        half = self.size / 2
        return self.x - half, self.y - half, self.x + half, self.y + half

    def pixels(self, side: int) -> tuple[int, int, int, int]:
        left, top, right, bottom = (round(edge * side) for edge in self.box)
        return left, top, right, bottom


def place_all(rng: Random, things: list[str]) -> tuple[Placed, ...]:
    """The first thing always finds room; a later one that finds none is left out."""
    placed: list[Placed] = []
    for thing in things:
        tries = (_throw(rng, world().every_thing[thing]) for _ in range(PLACING_TRIES))
        free = next((new for new in tries if all(covered(new, old) <= MOST_COVERED for old in placed)), None)
        placed += [free] if free else []
    return painted(placed)


def is_crowded(placed: Iterable[Placed]) -> bool:
    """Whether some thing hides more of another than MOST_COVERED."""
    return any(covered(a, b) > MOST_COVERED for a, b in combinations(placed, 2))


def painted(placed: Iterable[Placed]) -> tuple[Placed, ...]:
    return tuple(sorted(placed, key=lambda one: one.box[3]))


def _throw(rng: Random, thing: Thing) -> Placed:
    size = rng.uniform(*SIZES[thing.size])
    low, high = ZONES[thing.zone]
    return _inside(Placed(thing.id, rng.random(), rng.uniform(low, high), size))


def _inside(placed: Placed) -> Placed:
    near, far = MARGIN + placed.size / 2, 1 - MARGIN - placed.size / 2
    x, y = min(max(placed.x, near), far), min(max(placed.y, near), far)
    return replace(placed, x=round(x, 4), y=round(y, 4), size=round(placed.size, 4))


def covered(a: Placed, b: Placed) -> float:
    """The overlap of two boxes as a share of the smaller one."""
    wide = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    high = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    return max(wide, 0.0) * max(high, 0.0) / min(a.size, b.size) ** 2


def swapped(old: Placed, thing: str) -> Placed:
    low, high = SIZES[world().every_thing[thing].size]
    return _inside(replace(old, thing=thing, size=min(max(old.size, low), high)))
