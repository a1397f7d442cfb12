"""Rooms: calm backgrounds in pale colours, each with its own furniture. No thing of the world is in them."""

from collections.abc import Callable
from random import Random

from microworld.draw.canvas import Pen
from microworld.draw.palette import CREAM, WHITE, Colour, light, mix, shade

WALLS: tuple[Colour, ...] = (
    (244, 228, 206),
    (214, 230, 232),
    (232, 222, 240),
    (222, 234, 214),
    (246, 220, 214),
)
FLOORS: tuple[Colour, ...] = ((214, 188, 158), (196, 190, 186), (224, 206, 178), (186, 172, 162))
SOFT: tuple[Colour, ...] = (
    (172, 196, 200),
    (206, 178, 178),
    (186, 196, 164),
    (190, 182, 210),
    (214, 196, 158),
)
PALE_SKY: Colour = (206, 230, 242)


def _room(pen: Pen, rng: Random, horizon: float = 0.62) -> tuple[Colour, Colour]:
    wall, floor = rng.choice(WALLS), rng.choice(FLOORS)
    pen.box(wall, 0, 0, 1, horizon)
    pen.box(floor, 0, horizon, 1, 1)
    pen.box(light(wall, 0.5), 0, horizon - 0.025, 1, horizon)
    return wall, floor


def _window(pen: Pen, x: float, y: float, w: float, h: float) -> None:
    pen.box(WHITE, x - 0.015, y - 0.015, x + w + 0.015, y + h + 0.015)
    pen.box(PALE_SKY, x, y, x + w, y + h)
    pen.box(WHITE, x + w / 2 - 0.008, y, x + w / 2 + 0.008, y + h)
    pen.box(WHITE, x, y + h / 2 - 0.008, x + w, y + h / 2 + 0.008)


def _plant(pen: Pen, x: float, y: float) -> None:
    for dx in (-0.04, 0.0, 0.04):
        pen.line((150, 186, 146), 0.02, (x, y), (x + dx, y - 0.1))
    pen.box((206, 160, 132), x - 0.03, y - 0.02, x + 0.03, y + 0.05)


def kitchen(pen: Pen, rng: Random) -> None:
    wall, _ = _room(pen, rng, 0.74)
    front = rng.choice(SOFT)
    for row in range(3):
        pen.box(mix(wall, WHITE, 0.35 if row % 2 else 0.55), 0, 0.30 + row * 0.06, 1, 0.355 + row * 0.06)
    _window(pen, rng.choice((0.08, 0.36, 0.64)), 0.05, 0.26, 0.2)
    pen.box(shade(front, 0.05), 0, 0.5, 1, 0.8)
    for i in range(4):
        pen.box(front, 0.015 + i * 0.25, 0.53, 0.235 + i * 0.25, 0.79)
        pen.box(WHITE, 0.09 + i * 0.25, 0.56, 0.16 + i * 0.25, 0.572)
    pen.box((236, 226, 212), 0, 0.48, 1, 0.52)


def bathroom(pen: Pen, rng: Random) -> None:
    tile = rng.choice(((206, 230, 234), (214, 226, 244), (218, 236, 222), (240, 226, 232)))
    pen.box(tile, 0, 0, 1, 0.7)
    for i in range(1, 9):
        pen.box(WHITE, i / 9, 0, i / 9 + 0.006, 0.7)
        pen.box(WHITE, 0, i * 0.085, 1, i * 0.085 + 0.006)
    pen.box(shade(tile, 0.14), 0, 0.7, 1, 1)
    left = rng.random() < 0.5
    x = 0.04 if left else 0.42
    pen.box(WHITE, x, 0.52, x + 0.54, 0.74, 0.06)
    pen.box((226, 238, 242), x + 0.03, 0.535, x + 0.51, 0.575, 0.02)
    basin = 0.72 if left else 0.06
    pen.box(WHITE, basin, 0.5, basin + 0.22, 0.56, 0.03)
    pen.box((232, 236, 238), basin + 0.08, 0.56, basin + 0.14, 0.74)
    pen.disc(WHITE, basin + 0.11, 0.26, 0.12)
    pen.disc((226, 240, 246), basin + 0.11, 0.26, 0.1)


def living_room(pen: Pen, rng: Random) -> None:
    wall, _ = _room(pen, rng)
    sofa, x = rng.choice(SOFT), rng.choice((0.06, 0.24, 0.4))
    _window(pen, 0.66 if x < 0.2 else 0.06, 0.08, 0.24, 0.26)
    pen.box(shade(sofa, 0.08), x, 0.38, x + 0.54, 0.62, 0.05)
    pen.box(sofa, x - 0.04, 0.5, x + 0.58, 0.7, 0.05)
    pen.box(light(sofa, 0.4), x + 0.03, 0.5, x + 0.26, 0.6, 0.03)
    pen.box(light(sofa, 0.4), x + 0.28, 0.5, x + 0.51, 0.6, 0.03)
    pen.disc(light(rng.choice(SOFT), 0.3), 0.5, 0.88, 0.36, 0.08)
    lamp = 0.9 if x < 0.3 else 0.04
    pen.line(shade(wall, 0.3), 0.012, (lamp, 0.62), (lamp, 0.3))
    pen.poly(CREAM, (lamp - 0.05, 0.32), (lamp + 0.05, 0.32), (lamp + 0.03, 0.22), (lamp - 0.03, 0.22))


def bedroom(pen: Pen, rng: Random) -> None:
    _room(pen, rng)
    blanket, x = rng.choice(SOFT), rng.choice((0.05, 0.35))
    _window(pen, 0.68 if x < 0.2 else 0.08, 0.08, 0.22, 0.26)
    pen.box((196, 160, 128), x, 0.34, x + 0.58, 0.6, 0.03)
    pen.box(WHITE, x + 0.03, 0.48, x + 0.55, 0.66, 0.03)
    pen.box((240, 240, 246), x + 0.06, 0.44, x + 0.27, 0.53, 0.04)
    pen.box((240, 240, 246), x + 0.31, 0.44, x + 0.52, 0.53, 0.04)
    pen.box(blanket, x + 0.01, 0.55, x + 0.57, 0.8, 0.03)
    pen.box(light(blanket, 0.4), x + 0.01, 0.55, x + 0.57, 0.6)
    table = 0.74 if x < 0.2 else 0.1
    pen.box((206, 174, 142), table, 0.54, table + 0.16, 0.72)
    pen.box((186, 152, 122), table + 0.02, 0.58, table + 0.14, 0.62)


def garage(pen: Pen, rng: Random) -> None:
    wall = rng.choice(((206, 206, 204), (216, 208, 196), (196, 206, 210)))
    pen.box(wall, 0, 0, 1, 0.66)
    pen.box((176, 174, 176), 0, 0.66, 1, 1)
    door = rng.choice(((226, 228, 228), (222, 216, 206), (206, 218, 226)))
    x = rng.choice((0.05, 0.3))
    pen.box(shade(door, 0.15), x - 0.02, 0.1, x + 0.67, 0.66)
    for i in range(6):
        pen.box(door, x, 0.12 + i * 0.09, x + 0.65, 0.2 + i * 0.09)
    side = 0.78 if x < 0.2 else 0.04
    for i in range(3):
        pen.box((190, 160, 128), side, 0.2 + i * 0.14, side + 0.18, 0.22 + i * 0.14)
        pen.box(rng.choice(SOFT), side + 0.02, 0.13 + i * 0.14, side + 0.1, 0.2 + i * 0.14)
    pen.disc((164, 162, 166), rng.uniform(0.2, 0.8), 0.86, 0.14, 0.03)


def office(pen: Pen, rng: Random) -> None:
    _room(pen, rng, 0.68)
    x = rng.choice((0.06, 0.52))
    pen.box(WHITE, x, 0.06, x + 0.4, 0.36)
    for i in range(7):
        pen.box((214, 226, 230), x + 0.01, 0.075 + i * 0.04, x + 0.39, 0.1 + i * 0.04)
    shelf = 0.58 if x < 0.3 else 0.08
    pen.box((216, 190, 158), shelf, 0.24, shelf + 0.32, 0.26)
    for i in range(6):
        pen.box(rng.choice(SOFT), shelf + 0.01 + i * 0.05, 0.11, shelf + 0.05 + i * 0.05, 0.24)
    pen.box((222, 200, 170), 0.08, 0.56, 0.92, 0.61)
    pen.box((198, 174, 146), 0.12, 0.61, 0.16, 0.86)
    pen.box((198, 174, 146), 0.84, 0.61, 0.88, 0.86)
    pen.box((198, 174, 146), 0.6, 0.61, 0.84, 0.72)
    chair = rng.choice(SOFT)
    pen.box(shade(chair, 0.1), 0.3, 0.64, 0.48, 0.8, 0.04)
    pen.box(chair, 0.28, 0.78, 0.5, 0.83, 0.02)


def museum(pen: Pen, rng: Random) -> None:
    wall = rng.choice(((236, 230, 218), (222, 214, 226), (214, 224, 222), (238, 218, 206)))
    pen.box(wall, 0, 0, 1, 0.68)
    pen.box(light(wall, 0.5), 0, 0, 1, 0.07)
    wood = rng.choice(((204, 172, 136), (190, 158, 128), (214, 190, 158)))
    pen.box(wood, 0, 0.68, 1, 1)
    for i in range(1, 5):
        pen.line(shade(wood, 0.1), 0.008, (i / 5, 0.68), (i / 5 + (i - 2.5) * 0.12, 1))
    columns = rng.choice(((0.03, 0.85), (0.03, 0.44, 0.85), (0.2, 0.7)))
    for x in columns:
        pen.box(WHITE, x, 0.1, x + 0.11, 0.68)
        pen.box((226, 222, 218), x + 0.07, 0.1, x + 0.11, 0.68)
        pen.box((240, 236, 230), x - 0.02, 0.06, x + 0.13, 0.11)
        pen.box((240, 236, 230), x - 0.02, 0.65, x + 0.13, 0.7)
    for x in (0.12, 0.5, 0.88):
        pen.box((206, 182, 122), x - 0.008, 0.74, x + 0.008, 0.9)
    pen.curve((186, 110, 116), 0.014, (0.12, 0.76), (0.31, 0.82), (0.5, 0.76))
    pen.curve((186, 110, 116), 0.014, (0.5, 0.76), (0.69, 0.82), (0.88, 0.76))


PLACES: dict[str, Callable[[Pen, Random], None]] = {
    place.__name__: place for place in (kitchen, bathroom, living_room, bedroom, garage, office, museum)
}
