"""Things that no policy has ever been shown, one painter each, and their colourways."""

from collections.abc import Callable

from microworld.draw.canvas import Pen
from microworld.draw.palette import (
    BLACK,
    BLUE,
    DARK,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    PURPLE,
    RED,
    STEEL,
    TEAL,
    WHITE,
    WOOD,
    YELLOW,
    Colour,
    glaze,
    light,
    shade,
)


def iron(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.46)
    for x in (0.16, 0.4, 0.64):
        pen.curve(glaze(WHITE, 190), 0.035, (x, 0.94), (x - 0.05, 0.87), (x + 0.04, 0.82))
    pen.curve(DARK, 0.05, (0.88, 0.44), (0.97, 0.3), (0.9, 0.14), (0.98, 0.05))
    pen.curve(tint, 0.12, (0.3, 0.48), (0.32, 0.25), (0.52, 0.2), (0.84, 0.24), (0.88, 0.5))
    pen.poly(tint, (0.92, 0.46), (0.92, 0.74), (0.04, 0.74), (0.12, 0.58), (0.34, 0.44))
    pen.poly(light(tint, 0.5), (0.34, 0.49), (0.5, 0.48), (0.4, 0.56), (0.18, 0.62))
    pen.poly(STEEL, (0.02, 0.74), (0.94, 0.74), (0.94, 0.83), (0.0, 0.83))
    pen.box(ORANGE, 0.04, 0.8, 0.94, 0.83)
    pen.disc(WHITE, 0.68, 0.6, 0.085)
    pen.line(RED, 0.03, (0.68, 0.6), (0.73, 0.56))


def scissors(pen: Pen, tint: Colour) -> None:
    pen.poly(STEEL, (0.44, 0.6), (0.68, 0.03), (0.74, 0.12), (0.56, 0.62))
    pen.poly(light(STEEL, 0.6), (0.56, 0.6), (0.32, 0.03), (0.26, 0.12), (0.44, 0.62))
    pen.line(tint, 0.1, (0.47, 0.58), (0.35, 0.7))
    pen.line(tint, 0.1, (0.53, 0.58), (0.65, 0.7))
    pen.ring(tint, 0.09, 0.26, 0.78, 0.2)
    pen.ring(tint, 0.09, 0.74, 0.78, 0.2)
    pen.arc(light(tint, 0.5), 0.025, 0.26, 0.78, 0.17, 170, 270)
    pen.arc(light(tint, 0.5), 0.025, 0.74, 0.78, 0.17, 170, 270)
    pen.disc(GREY, 0.5, 0.55, 0.055)
    pen.disc(BLACK, 0.5, 0.55, 0.02)


def skateboard(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.86, r=0.46)
    for x in (0.26, 0.74):
        pen.poly(GREY, (x - 0.09, 0.58), (x + 0.09, 0.58), (x + 0.05, 0.72), (x - 0.05, 0.72))
        for wheel in (x - 0.09, x + 0.09):
            pen.disc(YELLOW, wheel, 0.76, 0.095)
            pen.disc(WHITE, wheel, 0.76, 0.04)
    deck = ((0.07, 0.36), (0.2, 0.47), (0.8, 0.47), (0.93, 0.36))
    pen.poly(tint, (0.0, 0.4), *deck, (1.0, 0.4), (0.86, 0.6), (0.14, 0.6))
    pen.poly(BLACK, (0.01, 0.4), *deck, (0.99, 0.4), (0.83, 0.52), (0.17, 0.52))
    pen.line(light(tint, 0.6), 0.03, (0.24, 0.56), (0.76, 0.56))


def fishing_rod(pen: Pen, tint: Colour) -> None:
    pen.curve(WHITE, 0.014, (0.95, 0.06), (0.97, 0.4), (0.88, 0.66))
    pen.curve(tint, 0.035, (0.22, 0.72), (0.5, 0.36), (0.76, 0.13), (0.95, 0.06))
    pen.line(tint, 0.06, (0.16, 0.8), (0.42, 0.46))
    pen.line(WOOD, 0.1, (0.05, 0.95), (0.2, 0.75))
    for x, y in ((0.44, 0.44), (0.61, 0.26), (0.8, 0.12)):
        pen.ring(DARK, 0.015, x + 0.02, y + 0.03, 0.035)
    pen.disc(DARK, 0.36, 0.72, 0.13)
    pen.disc(STEEL, 0.36, 0.72, 0.08)
    pen.line(BLACK, 0.035, (0.36, 0.72), (0.46, 0.84))
    pen.disc(RED, 0.48, 0.86, 0.04)
    pen.disc(RED, 0.87, 0.73, 0.085)
    pen.pie(WHITE, 0.87, 0.73, 0.085, 0, 180)
    pen.arc(DARK, 0.02, 0.83, 0.88, 0.05, -30, 180)


TINTS: dict[str, tuple[Colour, ...]] = {
    "iron": (BLUE, TEAL, PURPLE),
    "scissors": (RED, ORANGE, GREEN),
    "skateboard": (PINK, TEAL, PURPLE),
    "fishing_rod": (shade(GREEN), shade(RED)),
}

THINGS: dict[str, Callable[[Pen, Colour], None]] = {
    thing.__name__: thing for thing in (iron, scissors, skateboard, fishing_rod)
}
