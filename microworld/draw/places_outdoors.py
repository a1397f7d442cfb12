"""The open air: calm backgrounds in pale colours. No thing of the world stands in them."""

from collections.abc import Callable
from random import Random

from microworld.draw.canvas import Pen
from microworld.draw.palette import WHITE, Colour, light, shade

SKIES: tuple[Colour, ...] = ((196, 226, 242), (212, 232, 240), (244, 226, 206), (222, 222, 240))
LAWNS: tuple[Colour, ...] = ((178, 206, 146), (190, 212, 160), (170, 196, 150))
HOUSES: tuple[Colour, ...] = (
    (236, 206, 180),
    (214, 206, 222),
    (206, 222, 214),
    (240, 222, 196),
    (226, 196, 190),
)


def _sky(pen: Pen, rng: Random, horizon: float) -> None:
    pen.box(rng.choice(SKIES), 0, 0, 1, horizon)
    for _ in range(rng.randint(0, 2)):
        x, y = rng.uniform(0.1, 0.9), rng.uniform(0.06, horizon * 0.5)
        for dx, r in ((-0.06, 0.035), (0, 0.05), (0.06, 0.035)):
            pen.disc(WHITE, x + dx, y, r, r * 0.7)


def _tufts(pen: Pen, rng: Random, colour: Colour, top: float, count: int = 6) -> None:
    for _ in range(count):
        x, y = rng.random(), rng.uniform(top, 0.98)
        for dx in (-0.015, 0.0, 0.015):
            pen.line(colour, 0.007, (x, y), (x + dx, y - 0.03))


def garden(pen: Pen, rng: Random) -> None:
    _sky(pen, rng, 0.5)
    lawn = rng.choice(LAWNS)
    for i in range(5):
        pen.disc(shade(lawn, 0.14), i * 0.25, 0.44, 0.17, 0.12)
    pen.box(lawn, 0, 0.52, 1, 1)
    for i in range(11):
        pen.box((244, 238, 226), i * 0.094 + 0.01, 0.4, i * 0.094 + 0.065, 0.58)
    pen.box((244, 238, 226), 0, 0.45, 1, 0.475)
    _tufts(pen, rng, shade(lawn, 0.15), 0.66)
    for _ in range(7):
        pen.disc(
            rng.choice(((250, 240, 200), (240, 220, 236), WHITE)),
            rng.random(),
            rng.uniform(0.64, 0.97),
            0.012,
        )


def street(pen: Pen, rng: Random) -> None:
    _sky(pen, rng, 0.55)
    x = -0.05
    while x < 1:
        width, top = rng.uniform(0.2, 0.3), rng.uniform(0.08, 0.26)
        wall = rng.choice(HOUSES)
        pen.box(wall, x, top, x + width, 0.6)
        for row in range(2):
            for side in (0.2, 0.6):
                left, up = x + width * side, top + 0.06 + row * 0.16
                pen.box(light(wall, 0.6), left, up, left + width * 0.22, up + 0.08)
        x += width
    pen.box((214, 208, 202), 0, 0.6, 1, 0.69)
    pen.box((168, 168, 174), 0, 0.69, 1, 1)
    for i in range(5):
        pen.box((236, 232, 222), i * 0.24 - 0.06, 0.83, i * 0.24 + 0.07, 0.85)


def playground(pen: Pen, rng: Random) -> None:
    _sky(pen, rng, 0.52)
    pen.box(rng.choice(LAWNS), 0, 0.5, 1, 0.62)
    pen.box((236, 218, 180), 0, 0.6, 1, 1)
    bar, slide = (
        rng.choice(((186, 170, 206), (160, 190, 206), (206, 170, 160))),
        rng.choice(((244, 206, 150), (176, 206, 190))),
    )
    x = rng.choice((0.06, 0.56))
    pen.line(bar, 0.022, (x, 0.64), (x + 0.06, 0.26), (x + 0.34, 0.26), (x + 0.4, 0.64))
    for dx in (0.13, 0.27):
        pen.line(shade(bar, 0.2), 0.006, (x + dx - 0.04, 0.27), (x + dx - 0.04, 0.5))
        pen.line(shade(bar, 0.2), 0.006, (x + dx + 0.04, 0.27), (x + dx + 0.04, 0.5))
        pen.box(shade(bar, 0.2), x + dx - 0.05, 0.49, x + dx + 0.05, 0.51)
    s = 0.56 if x < 0.3 else 0.06
    pen.poly(slide, (s, 0.3), (s + 0.08, 0.3), (s + 0.38, 0.64), (s + 0.28, 0.64))
    pen.line(shade(slide, 0.25), 0.016, (s + 0.02, 0.3), (s + 0.02, 0.64))
    pen.disc((246, 234, 208), 0.5, 0.9, 0.4, 0.06)


def beach(pen: Pen, rng: Random) -> None:
    _sky(pen, rng, 0.4)
    pen.disc((252, 238, 190), rng.choice((0.14, 0.84)), 0.14, 0.08)
    sea = rng.choice(((146, 200, 214), (160, 206, 224), (140, 190, 206)))
    pen.box(sea, 0, 0.36, 1, 0.58)
    for i in range(3):
        pen.curve(
            light(sea, 0.5),
            0.008,
            (0.1 + i * 0.3, 0.42 + i * 0.04),
            (0.17 + i * 0.3, 0.41 + i * 0.04),
            (0.24 + i * 0.3, 0.42 + i * 0.04),
        )
    sand = rng.choice(((242, 222, 180), (238, 214, 174), (246, 228, 196)))
    pen.box(WHITE, 0, 0.57, 1, 0.6)
    pen.box(sand, 0, 0.59, 1, 1)
    for _ in range(6):
        pen.disc(
            rng.choice((shade(sand, 0.12), light(sand, 0.5))),
            rng.random(),
            rng.uniform(0.66, 0.96),
            0.016,
            0.01,
        )


def lake(pen: Pen, rng: Random) -> None:
    _sky(pen, rng, 0.4)
    hill = rng.choice(((166, 190, 170), (176, 186, 198), (186, 196, 160)))
    pen.disc(light(hill, 0.2), 0.2, 0.44, 0.4, 0.2)
    pen.disc(hill, 0.75, 0.46, 0.46, 0.22)
    water = rng.choice(((156, 198, 210), (170, 200, 222), (150, 190, 196)))
    pen.box(water, 0, 0.42, 1, 0.78)
    for _ in range(5):
        x, y = rng.uniform(0, 0.8), rng.uniform(0.47, 0.72)
        pen.box(light(water, 0.4), x, y, x + 0.16, y + 0.008)
    bank = rng.choice(LAWNS)
    pen.box(bank, 0, 0.77, 1, 1)
    side = rng.choice((0.04, 0.82))
    for i in range(7):
        pen.line((150, 166, 110), 0.01, (side + i * 0.022, 0.84), (side + i * 0.022, 0.6 + (i % 3) * 0.05))
    _tufts(pen, rng, shade(bank, 0.15), 0.84)


def railway_platform(pen: Pen, rng: Random) -> None:
    _sky(pen, rng, 0.45)
    wall = rng.choice(HOUSES)
    pen.box(wall, 0, 0.2, 1, 0.52)
    for i in range(4):
        pen.box(light(wall, 0.6), 0.06 + i * 0.25, 0.27, 0.18 + i * 0.25, 0.42)
    roof = rng.choice(((150, 164, 180), (180, 150, 146), (156, 172, 156)))
    pen.poly(roof, (0, 0.1), (1, 0.1), (1, 0.17), (0, 0.21))
    for x in (0.14, 0.5, 0.86):
        pen.box(shade(roof, 0.15), x, 0.15, x + 0.02, 0.56)
    clock = rng.choice((0.33, 0.69))
    pen.disc(WHITE, clock, 0.24, 0.05)
    pen.line((110, 104, 120), 0.008, (clock, 0.24), (clock, 0.205))
    pen.line((110, 104, 120), 0.008, (clock, 0.24), (clock + 0.025, 0.24))
    pen.box((208, 204, 200), 0, 0.52, 1, 0.78)
    pen.box((246, 214, 120), 0, 0.74, 1, 0.765)
    pen.box((158, 152, 150), 0, 0.78, 1, 0.82)
    pen.box((128, 122, 122), 0, 0.82, 1, 1)


def forest(pen: Pen, rng: Random) -> None:
    pen.box(rng.choice(((206, 222, 190), (196, 216, 200), (222, 224, 190))), 0, 0, 1, 0.66)
    floor = rng.choice(((168, 178, 126), (186, 172, 134), (158, 172, 130)))
    pen.box(floor, 0, 0.62, 1, 1)
    pen.poly(light(floor, 0.35), (0.42, 0.62), (0.52, 0.62), (0.8, 1), (0.3, 1))
    for i in range(6):
        x, bark = (
            i * 0.19 - 0.02 + rng.uniform(0, 0.08),
            rng.choice(((150, 128, 110), (166, 144, 122), (140, 126, 118))),
        )
        pen.box(bark, x, 0, x + 0.06, 0.64 + rng.uniform(0, 0.06))
        pen.box(light(bark, 0.15), x + 0.01, 0, x + 0.025, 0.62)
    for _ in range(7):
        pen.disc(
            rng.choice(((150, 180, 130), (164, 190, 144))), rng.random(), rng.uniform(0.0, 0.12), 0.14, 0.09
        )
    _tufts(pen, rng, shade(floor, 0.18), 0.7, 9)


PLACES: dict[str, Callable[[Pen, Random], None]] = {
    place.__name__: place for place in (garden, street, playground, beach, lake, railway_platform, forest)
}
