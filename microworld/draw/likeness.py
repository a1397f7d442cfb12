"""How alike two things of the world are, by their names and by their looks: what could be taken for what."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from microworld.draw import draw
from microworld.world.phrases import words
from microworld.world.rules import world

SIDE = 32
"""Pixels: what is left of a thing at a glance."""
SMALL = frozenset({"a", "an", "of"})
"""Words of a name that say nothing."""


@cache
def likeness(one: str, other: str) -> float:
    """From 0 to 2: the share of words that both names have, and how little their drawings differ."""
    mine, theirs = (set(words(world().every_thing[thing].display)) - SMALL for thing in (one, other))
    apart = float(np.abs(_look(one) - _look(other)).mean())
    return len(mine & theirs) / len(mine | theirs) + 1 - apart


@cache
def _look(thing: str) -> NDArray[np.float64]:
    """Pixels from 0 to 1; all things in one place, in one light."""
    place = next(iter(world().places))
    return np.asarray(draw(place, [(thing, 0.5, 0.5, 0.9)], 0, SIDE, 2), np.float64) / 255
