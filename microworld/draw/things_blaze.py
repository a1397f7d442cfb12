"""Fire, lightning and sparks, one painter each, and the colourways they come in."""

from collections.abc import Callable
from math import cos, pi, sin

from microworld.draw.canvas import Pen
from microworld.draw.palette import (
    BLACK,
    BLUE,
    BROWN,
    COCOA,
    DARK,
    EMBER,
    GREY,
    NAVY,
    ORANGE,
    RED,
    STEEL,
    WHITE,
    WOOD,
    YELLOW,
    Colour,
    light,
    shade,
)


def _star(cx: float, cy: float, r: float, inner: float, rays: int) -> tuple[tuple[float, float], ...]:
    turns = ((pi * k / rays - pi / 2, inner if k % 2 else r) for k in range(2 * rays))
    return tuple((cx + reach * cos(a), cy + reach * sin(a)) for a, reach in turns)


def _flame(pen: Pen, colour: Colour, cx: float, foot: float, wide: float, tall: float) -> None:
    pen.blob(
        colour,
        (cx, foot),
        (cx - wide, foot - tall * 0.25),
        (cx - wide * 0.6, foot - tall * 0.6),
        (cx + wide * 0.1, foot - tall),
        (cx + wide * 0.5, foot - tall * 0.55),
        (cx + wide, foot - tall * 0.25),
    )


def campfire(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.9, r=0.48)
    _flame(pen, EMBER, 0.33, 0.76, 0.15, 0.42)
    _flame(pen, EMBER, 0.68, 0.76, 0.15, 0.48)
    _flame(pen, tint, 0.5, 0.78, 0.22, 0.72)
    _flame(pen, YELLOW, 0.5, 0.78, 0.13, 0.42)
    for a, b in (((0.18, 0.66), (0.82, 0.83)), ((0.82, 0.66), (0.18, 0.83))):
        pen.line(BROWN, 0.11, a, b)
        pen.disc(WOOD, *a, 0.045)
    for k, x in enumerate((0.08, 0.25, 0.42, 0.59, 0.76, 0.92)):
        pen.disc((GREY, STEEL)[k % 2], x, 0.87 + 0.03 * sin(pi * x), 0.085, 0.065)


def storm_cloud(pen: Pen, tint: Colour) -> None:
    for x, y in ((0.12, 0.64), (0.26, 0.7), (0.74, 0.64), (0.88, 0.7)):
        pen.line(BLUE, 0.035, (x + 0.03, y), (x - 0.03, y + 0.17))
    pen.poly(
        YELLOW, (0.46, 0.5), (0.66, 0.5), (0.56, 0.68), (0.68, 0.68), (0.4, 0.98), (0.48, 0.76), (0.36, 0.76)
    )
    for x, y, r in ((0.22, 0.42, 0.19), (0.45, 0.26, 0.23), (0.7, 0.32, 0.2), (0.82, 0.44, 0.16)):
        pen.disc(tint, x, y, r)
    pen.box(shade(tint, 0.3), 0.05, 0.46, 0.96, 0.61, 0.07)
    for x, y, r in ((0.24, 0.4, 0.17), (0.46, 0.27, 0.2), (0.7, 0.36, 0.18)):
        pen.disc(tint, x, y, r)
    pen.disc(light(tint, 0.3), 0.4, 0.2, 0.1, 0.07)


def house_fire(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.48)
    for x, y, r in (
        (0.3, 0.26, 0.17),
        (0.5, 0.15, 0.14),
        (0.72, 0.16, 0.15),
        (0.86, 0.32, 0.12),
        (0.12, 0.12, 0.1),
    ):
        pen.disc(DARK, x, y, r)
        pen.disc(light(DARK, 0.2), x - 0.03, y - 0.03, r * 0.6)
    pen.poly(
        EMBER,
        (0.06, 0.94),
        (0.01, 0.5),
        (0.13, 0.6),
        (0.17, 0.3),
        (0.31, 0.5),
        (0.47, 0.14),
        (0.6, 0.46),
        (0.74, 0.24),
        (0.83, 0.56),
        (0.98, 0.42),
        (0.95, 0.94),
    )
    pen.poly(
        tint,
        (0.14, 0.94),
        (0.11, 0.68),
        (0.21, 0.74),
        (0.27, 0.53),
        (0.37, 0.64),
        (0.48, 0.34),
        (0.6, 0.63),
        (0.71, 0.46),
        (0.78, 0.7),
        (0.89, 0.6),
        (0.87, 0.94),
    )
    pen.box(COCOA, 0.24, 0.7, 0.76, 0.95)
    pen.line(BLACK, 0.04, (0.27, 0.73), (0.73, 0.92))
    pen.line(BLACK, 0.04, (0.27, 0.92), (0.73, 0.73))
    pen.poly(
        YELLOW, (0.3, 0.95), (0.27, 0.8), (0.37, 0.86), (0.44, 0.66), (0.53, 0.84), (0.63, 0.72), (0.7, 0.95)
    )


def broken_wire(pen: Pen, tint: Colour) -> None:
    copper = (206, 104, 44)
    pen.box(tint, 0.06, 0.05, 0.94, 0.95, 0.06)
    pen.box(shade(tint, 0.45), 0.12, 0.11, 0.88, 0.89, 0.04)
    pen.poly(YELLOW, *_star(0.56, 0.6, 0.37, 0.17, 9))
    pen.poly(WHITE, *_star(0.56, 0.6, 0.27, 0.13, 9))
    for x, y in ((0.38, 0.6), (0.48, 0.58), (0.56, 0.5), (0.58, 0.4)):
        pen.line(copper, 0.035, (0.42, 0.38), (x, y))
    for x, y in ((0.6, 0.8), (0.63, 0.7), (0.74, 0.64)):
        pen.line(copper, 0.035, (0.78, 0.83), (x, y))
    pen.curve(RED, 0.12, (0.26, 0.05), (0.22, 0.18), (0.32, 0.28), (0.42, 0.4))
    pen.line(RED, 0.12, (0.9, 0.94), (0.77, 0.81))
    for x, y in ((0.19, 0.62), (0.8, 0.28), (0.26, 0.8), (0.66, 0.19)):
        pen.disc(YELLOW, x, y, 0.028)


TINTS: dict[str, tuple[Colour, ...]] = {
    "campfire": (ORANGE,),
    "storm_cloud": ((104, 108, 130), (88, 86, 116)),
    "house_fire": (ORANGE,),
    "broken_wire": (DARK, NAVY),
}

THINGS: dict[str, Callable[[Pen, Colour], None]] = {
    thing.__name__: thing for thing in (campfire, storm_cloud, house_fire, broken_wire)
}
