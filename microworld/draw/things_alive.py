"""Animals, plants and a baby, one painter each, and the colourways they come in."""

from collections.abc import Callable
from math import cos, pi, sin

from microworld.draw.canvas import Pen
from microworld.draw.palette import (
    BLACK,
    BROWN,
    BURGUNDY,
    COCOA,
    CREAM,
    GREEN,
    LEAF,
    ORANGE,
    PINK,
    RED,
    WHITE,
    YELLOW,
    Colour,
    light,
    shade,
)

CHESTNUT, GINGER, ASH = (150, 96, 58), (240, 156, 76), (150, 150, 160)


def _star(cx: float, cy: float, r: float, inner: float, rays: int) -> tuple[tuple[float, float], ...]:
    turns = ((pi * k / rays - pi / 2, inner if k % 2 else r) for k in range(2 * rays))
    return tuple((cx + reach * cos(a), cy + reach * sin(a)) for a, reach in turns)


def dog(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.93, r=0.42)
    pen.curve(tint, 0.07, (0.14, 0.52), (0.06, 0.4), (0.09, 0.26))
    for x in (0.22, 0.55):
        pen.box(shade(tint), x, 0.62, x + 0.09, 0.93, 0.03)
    pen.box(tint, 0.11, 0.45, 0.7, 0.73, 0.12)
    for x in (0.12, 0.6):
        pen.box(tint, x, 0.62, x + 0.1, 0.94, 0.03)
    pen.poly(tint, (0.52, 0.5), (0.6, 0.25), (0.78, 0.3), (0.71, 0.62))
    pen.disc(tint, 0.69, 0.25, 0.16)
    pen.box(light(tint, 0.45), 0.71, 0.24, 0.95, 0.38, 0.06)
    pen.disc(BLACK, 0.94, 0.265, 0.04)
    pen.disc(BLACK, 0.75, 0.19, 0.026)
    pen.blob(shade(tint, 0.45), (0.56, 0.13), (0.64, 0.17), (0.63, 0.36), (0.55, 0.43), (0.49, 0.33))
    pen.line(RED, 0.055, (0.57, 0.43), (0.74, 0.45))


def cat(pen: Pen, tint: Colour) -> None:
    pen.shadow(0.52, r=0.38)
    pen.curve(tint, 0.1, (0.6, 0.87), (0.84, 0.85), (0.9, 0.66), (0.82, 0.48))
    for x, y in ((0.8, 0.84), (0.89, 0.7), (0.84, 0.53)):
        pen.disc(shade(tint, 0.4), x, y, 0.045)
    pen.blob(
        tint, (0.44, 0.4), (0.62, 0.55), (0.7, 0.82), (0.6, 0.94), (0.28, 0.94), (0.18, 0.82), (0.26, 0.55)
    )
    pen.blob(light(tint, 0.6), (0.44, 0.52), (0.53, 0.64), (0.5, 0.84), (0.38, 0.84), (0.35, 0.64))
    pen.poly(tint, (0.18, 0.32), (0.19, 0.04), (0.4, 0.18))
    pen.poly(tint, (0.7, 0.32), (0.69, 0.04), (0.48, 0.18))
    pen.disc(tint, 0.44, 0.33, 0.27, 0.21)
    for x in (0.37, 0.44, 0.51):
        pen.line(shade(tint, 0.4), 0.03, (x, 0.14), (x, 0.2))
    for x in (0.34, 0.54):
        pen.disc(BLACK, x, 0.31, 0.034, 0.045)
    pen.disc(light(tint, 0.7), 0.44, 0.43, 0.11, 0.07)
    pen.poly(PINK, (0.4, 0.38), (0.48, 0.38), (0.44, 0.43))


def baby(pen: Pen, tint: Colour) -> None:
    skin = (250, 208, 176)
    pen.shadow(r=0.42)
    pen.blob(tint, (0.5, 0.5), (0.68, 0.62), (0.72, 0.86), (0.5, 0.92), (0.28, 0.86), (0.32, 0.62))
    for side in (-1, 1):
        pen.line(tint, 0.15, (0.5 + side * 0.14, 0.83), (0.5 + side * 0.32, 0.86))
        pen.disc(skin, 0.5 + side * 0.4, 0.85, 0.07)
        pen.line(shade(tint, 0.1), 0.11, (0.5 + side * 0.16, 0.6), (0.5 + side * 0.29, 0.69))
        pen.disc(skin, 0.5 + side * 0.33, 0.71, 0.055)
        pen.disc(skin, 0.5 + side * 0.28, 0.34, 0.06)
    pen.disc(skin, 0.5, 0.32, 0.28, 0.26)
    pen.curve(BROWN, 0.035, (0.45, 0.09), (0.5, 0.03), (0.55, 0.08), (0.5, 0.13))
    for x in (0.4, 0.6):
        pen.disc(BLACK, x, 0.33, 0.03)
        pen.disc(light(PINK, 0.2), x + (x - 0.5) * 0.7, 0.41, 0.04)
    pen.arc(BURGUNDY, 0.022, 0.5, 0.4, 0.06, 20, 160)
    for y in (0.66, 0.76):
        pen.disc(WHITE, 0.5, y, 0.024)


def swan(pen: Pen, tint: Colour) -> None:
    pen.shadow(0.48, 0.88, 0.46)
    pen.poly(tint, (0.02, 0.44), (0.3, 0.56), (0.2, 0.76))
    pen.blob(
        tint, (0.1, 0.66), (0.34, 0.5), (0.66, 0.56), (0.84, 0.62), (0.76, 0.84), (0.48, 0.91), (0.2, 0.84)
    )
    pen.curve(tint, 0.12, (0.74, 0.7), (0.8, 0.54), (0.66, 0.38), (0.6, 0.24), (0.7, 0.13))
    pen.disc(tint, 0.72, 0.15, 0.1, 0.09)
    pen.blob(shade(tint, 0.13), (0.14, 0.58), (0.4, 0.54), (0.62, 0.64), (0.54, 0.78), (0.32, 0.8))
    pen.curve(shade(tint, 0.28), 0.02, (0.24, 0.66), (0.38, 0.7), (0.52, 0.66))
    pen.poly(ORANGE, (0.79, 0.11), (0.98, 0.22), (0.79, 0.22))
    pen.poly(BLACK, (0.77, 0.09), (0.84, 0.14), (0.78, 0.19))
    pen.disc(BLACK, 0.73, 0.12, 0.022)


def mushroom(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.3)
    pen.blob(CREAM, (0.4, 0.45), (0.6, 0.45), (0.63, 0.7), (0.7, 0.9), (0.5, 0.95), (0.3, 0.9), (0.37, 0.7))
    pen.poly(shade(CREAM, 0.16), (0.36, 0.58), (0.64, 0.58), (0.61, 0.68), (0.5, 0.64), (0.39, 0.68))
    pen.pie(tint, 0.5, 0.53, 0.45, 180, 360)
    pen.disc(shade(tint), 0.5, 0.53, 0.45, 0.08)
    pen.disc(light(CREAM), 0.5, 0.545, 0.34, 0.045)
    for x, y, r in (
        (0.46, 0.2, 0.085),
        (0.24, 0.34, 0.07),
        (0.7, 0.29, 0.075),
        (0.5, 0.4, 0.055),
        (0.83, 0.44, 0.045),
    ):
        pen.disc(WHITE, x, y, r)


def berry_bush(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.48)
    for x, y, r in ((0.2, 0.73, 0.2), (0.8, 0.73, 0.2), (0.3, 0.5, 0.21), (0.7, 0.5, 0.21), (0.5, 0.4, 0.22)):
        pen.disc(LEAF, x, y, r)
    pen.box(LEAF, 0.1, 0.6, 0.9, 0.94, 0.1)
    for x, y, r in (
        (0.28, 0.46, 0.14),
        (0.52, 0.35, 0.15),
        (0.72, 0.48, 0.14),
        (0.2, 0.7, 0.13),
        (0.5, 0.66, 0.17),
    ):
        pen.disc(GREEN, x, y, r)
    for x, y in (
        (0.46, 0.28),
        (0.27, 0.42),
        (0.71, 0.42),
        (0.47, 0.53),
        (0.17, 0.66),
        (0.33, 0.68),
        (0.64, 0.65),
        (0.83, 0.66),
        (0.22, 0.85),
        (0.48, 0.82),
        (0.75, 0.85),
    ):
        for dx, dy in ((-0.04, 0.0), (0.04, 0.0), (0.0, 0.06)):
            pen.disc(shade(tint, 0.15) if dy else tint, x + dx, y + dy, 0.042)
            pen.disc(light(tint, 0.7), x + dx - 0.012, y + dy - 0.014, 0.012)


def lily(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.3)
    blooms = ((0.25, 0.38, 0.21), (0.76, 0.35, 0.21), (0.5, 0.22, 0.22))
    for x, y, _ in blooms:
        pen.line(LEAF, 0.035, (x, y), (0.5, 0.72))
    pen.poly(GREEN, (0.46, 0.7), (0.12, 0.66), (0.3, 0.56))
    pen.poly(LEAF, (0.54, 0.7), (0.9, 0.64), (0.7, 0.55))
    pen.poly(ORANGE, (0.28, 0.68), (0.72, 0.68), (0.65, 0.95), (0.35, 0.95))
    pen.box(shade(ORANGE), 0.25, 0.66, 0.75, 0.74, 0.02)
    for x, y, r in blooms:
        pen.poly(tint, *_star(x, y, r, r * 0.42, 6))
        pen.poly(shade(tint, 0.14), *_star(x, y, r * 0.6, r * 0.2, 6))
        pen.disc(YELLOW, x, y, 0.05)
        pen.disc(ORANGE, x, y, 0.022)


def beehive(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.42)
    pen.box(BROWN, 0.08, 0.87, 0.92, 0.95, 0.02)
    for k, half in enumerate((0.14, 0.25, 0.32, 0.36, 0.38)):
        y = 0.06 + 0.165 * k
        pen.box(tint, 0.5 - half, y, 0.5 + half, y + 0.165, 0.08)
        pen.box(shade(tint), 0.5 - half + 0.02, y + 0.115, 0.5 + half - 0.02, y + 0.16, 0.02)
    pen.disc(COCOA, 0.5, 0.72, 0.12, 0.13)
    for x, y in ((0.12, 0.2), (0.9, 0.34), (0.86, 0.1)):
        pen.disc(WHITE, x - 0.01, y - 0.06, 0.045)
        pen.disc(YELLOW, x, y, 0.075, 0.05)
        pen.box(BLACK, x - 0.02, y - 0.045, x + 0.015, y + 0.045)


TINTS: dict[str, tuple[Colour, ...]] = {
    "dog": (CHESTNUT, (190, 132, 78)),
    "cat": (GINGER, ASH),
    "baby": ((180, 222, 240), (250, 200, 214), (200, 232, 190)),
    "swan": (WHITE,),
    "mushroom": (RED,),
    "berry_bush": ((214, 44, 84), (124, 62, 186)),
    "lily": ((250, 184, 208), WHITE),
    "beehive": ((244, 196, 84),),
}

THINGS: dict[str, Callable[[Pen, Colour], None]] = {
    thing.__name__: thing for thing in (dog, cat, baby, swan, mushroom, berry_bush, lily, beehive)
}
