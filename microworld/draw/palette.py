"""The colours of the picture book and three ways to derive one from another.

Colours are RGB tuples; a fourth number makes a glaze (see-through paint). Which thing wears which
colour is said beside the thing, not here.
"""

from functools import lru_cache

Colour = tuple[int, ...]

INK = (56, 46, 66)
WHITE = (252, 250, 245)
CREAM = (250, 238, 208)
RED = (224, 62, 56)
BURGUNDY = (146, 34, 58)
ORANGE = (245, 140, 46)
YELLOW = (252, 208, 66)
GOLD = (230, 176, 60)
GREEN = (104, 178, 86)
LEAF = (66, 140, 74)
BOTTLE = (36, 98, 66)
TEAL = (44, 166, 164)
SKY = (150, 208, 238)
BLUE = (56, 120, 214)
NAVY = (40, 56, 112)
PURPLE = (134, 88, 178)
PINK = (244, 132, 168)
BROWN = (136, 88, 56)
COCOA = (92, 54, 40)
WOOD = (198, 142, 86)
STEEL = (196, 204, 214)
GREY = (146, 152, 164)
DARK = (72, 74, 88)
BLACK = (44, 42, 52)
EMBER = (240, 86, 36)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))


@lru_cache(maxsize=4096)
def shade(colour: Colour, amount: float = 0.2) -> Colour:
    return mix(colour, (30, 20, 60), amount)


@lru_cache(maxsize=4096)
def light(colour: Colour, amount: float = 0.35) -> Colour:
    return mix(colour, (255, 255, 250), amount)


def glaze(colour: Colour, alpha: int) -> Colour:
    return (*colour[:3], alpha)
