"""A whole picture: the place behind, the things in front, in the order given.

What a place or a thing looks like stands in `places_*` and `things_*`.
"""

from collections.abc import Sequence
from random import Random

from PIL import Image

from microworld.draw import (
    places_indoors,
    places_outdoors,
    things_alive,
    things_blaze,
    things_house,
    things_novel,
    things_pocket,
    things_street,
)
from microworld.draw.canvas import Sheet

_MODULES = (things_house, things_pocket, things_alive, things_street, things_blaze, things_novel)
_THINGS = {name: paint for module in _MODULES for name, paint in module.THINGS.items()}
_TINTS = {name: tints for module in _MODULES for name, tints in module.TINTS.items()}
_PLACES = places_indoors.PLACES | places_outdoors.PLACES

_LETTERED = frozenset({"pill_bottle"})
"""Things with writing on them, never mirrored."""

THING_NAMES = tuple(_THINGS)
PLACE_NAMES = tuple(_PLACES)


def draw(
    place: str,
    things: Sequence[tuple[str, float, float, float]],
    variant: int,
    size: int = 448,
    supersample: int = 3,
) -> Image.Image:
    """An RGB picture of `size` x `size` pixels.

    Each thing is (name, centre x, centre y, side of its square box) in the unit square. `variant` chooses
    colours, clutter and which way things face. Raises KeyError for an unknown name.
    """
    sheet = Sheet(size * supersample)
    _PLACES[place](sheet.pen(0, 0, 1), Random(f"{variant}/{place}"))
    for name, x, y, side in things:
        rng = Random(f"{variant}/{name}")
        pen = sheet.pen(x - side / 2, y - side / 2, side, flip=rng.random() < 0.5 and name not in _LETTERED)
        tint = rng.choice(_TINTS[name])
        _THINGS[name](pen.inked(), tint)
        _THINGS[name](pen, tint)
    return sheet.reduced(supersample)
