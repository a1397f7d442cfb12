"""Things of kitchen, bathroom and garage, one painter each, and the colourways they come in."""

from collections.abc import Callable

from microworld.draw.canvas import Pen
from microworld.draw.palette import (
    BLACK,
    BLUE,
    COCOA,
    CREAM,
    DARK,
    EMBER,
    GOLD,
    GREEN,
    GREY,
    NAVY,
    ORANGE,
    PINK,
    PURPLE,
    RED,
    SKY,
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


def bleach_bottle(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.38)
    pen.curve(shade(WHITE, 0.1), 0.09, (0.56, 0.25), (0.78, 0.27), (0.83, 0.42), (0.74, 0.56))
    pen.poly(
        WHITE,
        (0.36, 0.18),
        (0.58, 0.18),
        (0.6, 0.34),
        (0.78, 0.52),
        (0.8, 0.94),
        (0.18, 0.94),
        (0.18, 0.52),
        (0.34, 0.34),
    )
    pen.poly(shade(WHITE, 0.14), (0.72, 0.5), (0.78, 0.52), (0.8, 0.94), (0.7, 0.94))
    pen.box(tint, 0.33, 0.03, 0.61, 0.2, 0.03)
    pen.box(light(tint), 0.37, 0.06, 0.42, 0.17)
    pen.box(tint, 0.18, 0.54, 0.72, 0.88)
    pen.blob(WHITE, (0.45, 0.57), (0.54, 0.72), (0.52, 0.82), (0.45, 0.85), (0.38, 0.82), (0.36, 0.72))


def candle(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.4)
    for r, alpha in ((0.3, 60), (0.2, 90)):
        pen.disc(glaze(YELLOW, alpha), 0.5, 0.22, r * 0.74)
    pen.ring(shade(GOLD, 0.1), 0.06, 0.84, 0.82, 0.12)
    pen.poly(GOLD, (0.12, 0.8), (0.82, 0.8), (0.7, 0.94), (0.24, 0.94))
    pen.box(tint, 0.34, 0.42, 0.66, 0.84, 0.04)
    pen.box(shade(tint), 0.56, 0.44, 0.66, 0.8, 0.02)
    pen.blob(
        light(tint),
        (0.34, 0.42),
        (0.5, 0.4),
        (0.66, 0.43),
        (0.6, 0.49),
        (0.47, 0.48),
        (0.42, 0.6),
        (0.36, 0.58),
    )
    pen.line(BLACK, 0.03, (0.5, 0.42), (0.5, 0.33))
    pen.blob(ORANGE, (0.5, 0.03), (0.61, 0.22), (0.58, 0.33), (0.5, 0.37), (0.42, 0.33), (0.39, 0.22))
    pen.blob(light(YELLOW), (0.5, 0.17), (0.55, 0.27), (0.5, 0.34), (0.45, 0.27))


def gas_can(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.44)
    pen.line(BLACK, 0.1, (0.74, 0.3), (0.86, 0.1))
    pen.line(YELLOW, 0.11, (0.85, 0.12), (0.9, 0.05))
    pen.curve(shade(tint), 0.08, (0.22, 0.3), (0.26, 0.13), (0.44, 0.11), (0.58, 0.15), (0.6, 0.3))
    pen.poly(
        tint,
        (0.16, 0.28),
        (0.7, 0.24),
        (0.86, 0.4),
        (0.86, 0.9),
        (0.82, 0.94),
        (0.14, 0.94),
        (0.1, 0.9),
        (0.1, 0.34),
    )
    pen.poly(shade(tint), (0.76, 0.3), (0.86, 0.4), (0.86, 0.9), (0.82, 0.94), (0.76, 0.94))
    pen.line(shade(tint, 0.32), 0.05, (0.2, 0.42), (0.66, 0.84))
    pen.line(shade(tint, 0.32), 0.05, (0.66, 0.42), (0.2, 0.84))
    pen.poly(YELLOW, (0.43, 0.44), (0.62, 0.63), (0.43, 0.82), (0.24, 0.63))
    pen.blob(EMBER, (0.44, 0.51), (0.5, 0.64), (0.43, 0.73), (0.36, 0.65))


def ladder(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.44)
    pen.line(shade(tint, 0.4), 0.05, (0.62, 0.12), (0.92, 0.9))
    pen.line(shade(tint, 0.4), 0.05, (0.5, 0.12), (0.74, 0.86))
    pen.line(GREY, 0.03, (0.56, 0.62), (0.82, 0.62))
    for y in (0.28, 0.45, 0.62, 0.79):
        pen.box(light(tint), 0.38 - y * 0.25, y - 0.025, 0.56 + y * 0.07, y + 0.035)
    pen.line(tint, 0.075, (0.35, 0.1), (0.13, 0.9))
    pen.line(tint, 0.075, (0.57, 0.1), (0.63, 0.9))
    pen.box(RED, 0.27, 0.04, 0.7, 0.13, 0.02)
    for x in (0.12, 0.63):
        pen.box(BLACK, x - 0.055, 0.88, x + 0.055, 0.95, 0.01)


def toaster(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.46)
    for x in (0.2, 0.5):
        pen.box(shade(WOOD), x, 0.1, x + 0.27, 0.5, 0.08)
        pen.box(light(ORANGE, 0.5), x + 0.045, 0.15, x + 0.225, 0.5, 0.05)
    pen.box(BLACK, 0.9, 0.5, 0.98, 0.59, 0.02)
    pen.box(BLACK, 0.14, 0.84, 0.84, 0.95, 0.02)
    pen.box(tint, 0.06, 0.38, 0.92, 0.9, 0.13)
    pen.box(shade(tint), 0.06, 0.74, 0.92, 0.9, 0.08)
    pen.box(BLACK, 0.16, 0.38, 0.82, 0.43, 0.02)
    pen.box(light(tint, 0.7), 0.15, 0.5, 0.22, 0.72, 0.03)
    pen.disc(BLACK, 0.76, 0.66, 0.08)
    pen.line(RED, 0.03, (0.76, 0.66), (0.8, 0.61))


def hair_dryer(pen: Pen, tint: Colour) -> None:
    pen.curve(BLACK, 0.04, (0.42, 0.82), (0.46, 0.95), (0.66, 0.93), (0.72, 0.8), (0.9, 0.82), (0.93, 0.93))
    pen.poly(shade(tint), (0.26, 0.44), (0.5, 0.44), (0.52, 0.84), (0.34, 0.87))
    pen.box(WHITE, 0.4, 0.58, 0.46, 0.72, 0.02)
    pen.poly(BLACK, (0.76, 0.18), (0.96, 0.12), (0.96, 0.52), (0.76, 0.46))
    pen.poly(tint, (0.3, 0.1), (0.8, 0.16), (0.8, 0.48), (0.3, 0.56))
    pen.disc(tint, 0.29, 0.33, 0.23)
    pen.poly(light(tint), (0.3, 0.15), (0.78, 0.2), (0.78, 0.26), (0.3, 0.22))
    pen.disc(light(tint, 0.6), 0.28, 0.34, 0.14)
    pen.disc(shade(tint, 0.5), 0.28, 0.34, 0.09)
    pen.box(YELLOW, 0.66, 0.17, 0.71, 0.48)


def heater(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.46)
    for x in (0.12, 0.72):
        pen.poly(BLACK, (x + 0.03, 0.8), (x + 0.13, 0.8), (x + 0.18, 0.95), (x - 0.02, 0.95))
    pen.box(tint, 0.04, 0.14, 0.96, 0.86, 0.08)
    pen.box(shade(COCOA, 0.3), 0.11, 0.22, 0.8, 0.78, 0.03)
    for y in (0.32, 0.5, 0.68):
        pen.line(EMBER, 0.11, (0.19, y), (0.72, y))
        pen.line(YELLOW, 0.045, (0.19, y), (0.72, y))
    for x in (0.29, 0.455, 0.62):
        pen.box(tint, x - 0.012, 0.22, x + 0.012, 0.78)
    pen.disc(BLACK, 0.88, 0.32, 0.045)
    pen.disc(RED, 0.88, 0.5, 0.035)


def grill(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.42)
    pen.line(GREY, 0.05, (0.5, 0.6), (0.5, 0.86))
    pen.line(STEEL, 0.05, (0.34, 0.6), (0.2, 0.94))
    pen.line(STEEL, 0.05, (0.66, 0.6), (0.8, 0.94))
    pen.line(WOOD, 0.06, (0.42, 0.09), (0.58, 0.09))
    pen.pie(BLACK, 0.5, 0.46, 0.42, 0, 180, 0.28)
    pen.pie(tint, 0.5, 0.42, 0.42, 180, 360, 0.3)
    pen.curve(light(tint, 0.5), 0.05, (0.2, 0.34), (0.27, 0.24), (0.38, 0.19))
    pen.box(STEEL, 0.04, 0.41, 0.96, 0.47, 0.02)
    for x in (0.34, 0.5, 0.66):
        pen.box(EMBER, x - 0.05, 0.55, x + 0.05, 0.59, 0.02)


def knife(pen: Pen, tint: Colour) -> None:
    pen.poly(STEEL, (0.95, 0.04), (0.36, 0.52), (0.5, 0.68), (0.74, 0.5), (0.9, 0.26))
    pen.poly(light(STEEL, 0.75), (0.95, 0.04), (0.43, 0.59), (0.5, 0.68), (0.74, 0.5), (0.9, 0.26))
    pen.line(tint, 0.17, (0.36, 0.64), (0.14, 0.86))
    pen.line(light(tint, 0.25), 0.04, (0.32, 0.62), (0.12, 0.82))
    pen.line(GREY, 0.06, (0.33, 0.53), (0.48, 0.68))
    for t in (0.0, 0.09, 0.18):
        pen.disc(GOLD, 0.34 - t, 0.67 + t, 0.025)


def frying_pan(pen: Pen, tint: Colour) -> None:
    pen.line(tint, 0.11, (0.62, 0.38), (0.9, 0.1))
    pen.disc(STEEL, 0.89, 0.11, 0.025)
    pen.disc(shade(BLACK, 0.1), 0.4, 0.6, 0.37)
    pen.disc(DARK, 0.4, 0.6, 0.31)
    pen.blob(
        WHITE,
        (0.24, 0.46),
        (0.4, 0.4),
        (0.55, 0.45),
        (0.58, 0.6),
        (0.66, 0.7),
        (0.48, 0.76),
        (0.36, 0.82),
        (0.22, 0.74),
        (0.26, 0.6),
    )
    pen.disc(shade(YELLOW, 0.12), 0.42, 0.61, 0.13)
    pen.disc(YELLOW, 0.41, 0.6, 0.12)
    pen.disc(light(YELLOW, 0.7), 0.37, 0.56, 0.035)


def microwave(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.85, r=0.48)
    for x in (0.12, 0.78):
        pen.box(BLACK, x, 0.8, x + 0.1, 0.87)
    pen.box(tint, 0.03, 0.2, 0.97, 0.83, 0.04)
    pen.box(shade(NAVY, 0.4), 0.09, 0.28, 0.64, 0.75, 0.03)
    pen.poly(light(NAVY, 0.2), (0.2, 0.31), (0.32, 0.31), (0.2, 0.72), (0.12, 0.72), (0.12, 0.6))
    pen.disc(ORANGE, 0.42, 0.66, 0.14, 0.04)
    pen.box(light(tint, 0.7), 0.67, 0.28, 0.705, 0.75, 0.01)
    pen.box(BLACK, 0.74, 0.28, 0.92, 0.38)
    pen.box(GREEN, 0.77, 0.31, 0.89, 0.35)
    for y in (0.45, 0.54, 0.63):
        for x in (0.76, 0.83, 0.9):
            pen.disc(shade(tint, 0.55), x, y, 0.024)
    pen.box(RED, 0.75, 0.69, 0.91, 0.75, 0.02)


def foil_tray(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.78, r=0.47)
    pen.poly(shade(tint, 0.12), (0.05, 0.46), (0.95, 0.46), (0.84, 0.8), (0.16, 0.8))
    for i in range(7):
        top, low = 0.08 + i * 0.128, 0.19 + i * 0.096
        pen.poly(light(tint, 0.75), (top, 0.46), (top + 0.06, 0.46), (low + 0.04, 0.78), (low, 0.78))
    zig = tuple((0.02 + i * 0.06, 0.58 if i % 2 else 0.47) for i in range(17))
    pen.poly(light(tint, 0.75), (0.16, 0.22), (0.84, 0.22), *zig[::-1])
    pen.poly(shade(tint, 0.35), (0.22, 0.28), (0.78, 0.28), (0.88, 0.44), (0.12, 0.44))
    pen.poly(shade(tint, 0.1), (0.27, 0.37), (0.73, 0.37), (0.8, 0.44), (0.2, 0.44))
    pen.poly(WHITE, (0.3, 0.28), (0.38, 0.28), (0.3, 0.44), (0.2, 0.44))


def drill(pen: Pen, tint: Colour) -> None:
    pen.poly(GREY, (0.78, 0.25), (0.98, 0.28), (0.98, 0.32), (0.78, 0.35))
    pen.poly(BLACK, (0.64, 0.18), (0.8, 0.23), (0.8, 0.37), (0.64, 0.42))
    pen.poly(BLACK, (0.18, 0.4), (0.42, 0.4), (0.36, 0.8), (0.14, 0.8))
    pen.line(RED, 0.06, (0.43, 0.47), (0.42, 0.54))
    pen.box(tint, 0.06, 0.12, 0.67, 0.47, 0.08)
    pen.box(light(tint), 0.12, 0.16, 0.6, 0.22, 0.03)
    pen.box(BLACK, 0.46, 0.12, 0.52, 0.47)
    for x in (0.14, 0.22, 0.3):
        pen.box(shade(tint, 0.45), x, 0.27, x + 0.04, 0.39)
    pen.box(tint, 0.05, 0.76, 0.5, 0.94, 0.04)
    pen.box(shade(tint), 0.05, 0.87, 0.5, 0.94, 0.02)


TINTS: dict[str, tuple[Colour, ...]] = {
    "bleach_bottle": (BLUE, shade(BLUE, 0.2)),
    "candle": (CREAM, PINK, RED),
    "gas_can": (RED,),
    "ladder": (YELLOW, ORANGE),
    "toaster": (STEEL, light(SKY, 0.2)),
    "hair_dryer": (PINK, PURPLE),
    "heater": (WHITE, STEEL),
    "grill": (RED, DARK),
    "knife": (BLACK, COCOA),
    "frying_pan": (COCOA, BLACK, RED),
    "microwave": (GREY, STEEL),
    "foil_tray": (STEEL,),
    "drill": (YELLOW, TEAL),
}

THINGS: dict[str, Callable[[Pen, Colour], None]] = {
    thing.__name__: thing
    for thing in (
        bleach_bottle,
        candle,
        gas_can,
        ladder,
        toaster,
        hair_dryer,
        heater,
        grill,
        knife,
        frying_pan,
        microwave,
        foil_tray,
        drill,
    )
}
