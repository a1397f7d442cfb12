"""Vehicles, signs and what stands in the open, one painter each, and their colourways."""

from collections.abc import Callable

from microworld.draw.canvas import Pen
from microworld.draw.palette import (
    BLACK,
    BLUE,
    BROWN,
    BURGUNDY,
    COCOA,
    DARK,
    GOLD,
    GREEN,
    GREY,
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
    light,
    shade,
)


def car(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.82, r=0.48)
    pen.poly(tint, (0.2, 0.5), (0.31, 0.25), (0.66, 0.25), (0.81, 0.5))
    pen.box(tint, 0.03, 0.46, 0.97, 0.74, 0.09)
    pen.box(shade(tint), 0.04, 0.65, 0.96, 0.75, 0.04)
    pen.poly(light(SKY), (0.28, 0.48), (0.35, 0.31), (0.48, 0.31), (0.48, 0.48))
    pen.poly(light(SKY), (0.53, 0.48), (0.53, 0.31), (0.63, 0.31), (0.73, 0.48))
    pen.line(shade(tint), 0.016, (0.505, 0.5), (0.505, 0.68))
    pen.box(shade(tint, 0.35), 0.55, 0.54, 0.63, 0.565)
    pen.disc(YELLOW, 0.92, 0.56, 0.04)
    pen.box(BURGUNDY, 0.03, 0.52, 0.08, 0.6)
    for x in (0.25, 0.75):
        pen.disc(BLACK, x, 0.74, 0.135)
        pen.disc(STEEL, x, 0.74, 0.07)


def bicycle(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.88, r=0.46)
    for x in (0.24, 0.76):
        pen.ring(BLACK, 0.045, x, 0.65, 0.23)
        pen.disc(GREY, x, 0.65, 0.035)
    pen.line(tint, 0.05, (0.24, 0.65), (0.37, 0.37), (0.68, 0.37), (0.48, 0.66), (0.24, 0.65))
    pen.line(tint, 0.05, (0.35, 0.31), (0.48, 0.66))
    pen.line(shade(tint), 0.045, (0.76, 0.65), (0.65, 0.22))
    pen.curve(DARK, 0.05, (0.65, 0.22), (0.74, 0.18), (0.81, 0.25))
    pen.box(COCOA, 0.24, 0.25, 0.44, 0.32, 0.03)
    pen.disc(DARK, 0.48, 0.66, 0.06)
    pen.line(DARK, 0.03, (0.48, 0.66), (0.54, 0.77), (0.59, 0.77))


def scooter(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.92, r=0.42)
    pen.line(STEEL, 0.05, (0.78, 0.84), (0.67, 0.12))
    pen.line(tint, 0.075, (0.75, 0.66), (0.71, 0.4))
    pen.line(DARK, 0.06, (0.54, 0.14), (0.8, 0.1))
    pen.line(tint, 0.07, (0.51, 0.145), (0.58, 0.134))
    pen.line(tint, 0.07, (0.76, 0.106), (0.83, 0.095))
    pen.line(tint, 0.09, (0.16, 0.77), (0.62, 0.77), (0.75, 0.65))
    pen.line(light(tint), 0.025, (0.2, 0.75), (0.6, 0.75))
    for x in (0.17, 0.79):
        pen.disc(BLACK, x, 0.84, 0.1)
        pen.disc(WHITE, x, 0.84, 0.042)


def no_entry_sign(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.95, r=0.24)
    pen.box(GREY, 0.46, 0.6, 0.54, 0.95)
    pen.box(shade(GREY), 0.51, 0.6, 0.54, 0.95)
    pen.disc(WHITE, 0.5, 0.37, 0.34)
    pen.disc(tint, 0.5, 0.37, 0.31)
    pen.box(WHITE, 0.27, 0.3, 0.73, 0.44, 0.02)


def no_swimming_sign(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.95, r=0.26)
    pen.box(WOOD, 0.45, 0.7, 0.55, 0.95)
    pen.box(WHITE, 0.1, 0.03, 0.9, 0.77, 0.06)
    pen.disc(BLACK, 0.62, 0.27, 0.075)
    pen.line(BLACK, 0.075, (0.31, 0.42), (0.45, 0.26), (0.56, 0.4))
    for y in (0.47, 0.59):
        pen.curve(
            tint, 0.06, (0.24, y), (0.33, y + 0.04), (0.43, y), (0.54, y + 0.04), (0.65, y), (0.76, y + 0.03)
        )
    pen.ring(RED, 0.065, 0.5, 0.4, 0.345)
    pen.line(RED, 0.065, (0.28, 0.18), (0.72, 0.62))


def wet_floor_sign(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.93, r=0.42)
    pen.poly(shade(tint, 0.35), (0.5, 0.1), (0.66, 0.08), (0.92, 0.88), (0.78, 0.92))
    pen.poly(
        tint,
        (0.32, 0.06),
        (0.62, 0.06),
        (0.82, 0.93),
        (0.7, 0.93),
        (0.66, 0.86),
        (0.26, 0.86),
        (0.22, 0.93),
        (0.1, 0.93),
    )
    pen.box(shade(tint, 0.4), 0.41, 0.1, 0.53, 0.14, 0.02)
    pen.disc(BLACK, 0.36, 0.29, 0.065)
    pen.line(BLACK, 0.09, (0.39, 0.4), (0.47, 0.56))
    pen.line(BLACK, 0.05, (0.47, 0.56), (0.6, 0.52), (0.66, 0.6))
    pen.line(BLACK, 0.05, (0.47, 0.57), (0.56, 0.66), (0.66, 0.68))
    pen.line(BLACK, 0.04, (0.4, 0.4), (0.53, 0.36))
    pen.line(BLACK, 0.04, (0.38, 0.4), (0.27, 0.5))
    pen.curve(BLUE, 0.045, (0.26, 0.77), (0.37, 0.74), (0.47, 0.78), (0.58, 0.74), (0.67, 0.77))


def trampoline(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.9, r=0.47)
    for x, y in ((0.14, 0.88), (0.36, 0.94), (0.64, 0.94), (0.86, 0.88)):
        pen.line(GREY, 0.045, (x, 0.66), (x, y))
    for x in (0.26, 0.5, 0.74):
        pen.line(GREY, 0.03, (x, 0.08), (x, 0.56))
    pen.disc(tint, 0.5, 0.67, 0.47, 0.18)
    pen.disc(light(tint), 0.5, 0.65, 0.44, 0.15)
    pen.disc(BLACK, 0.5, 0.65, 0.34, 0.105)
    pen.line(STEEL, 0.014, (0.06, 0.22), (0.94, 0.22))
    pen.line(STEEL, 0.014, (0.06, 0.36), (0.94, 0.36))
    pen.line(tint, 0.03, (0.06, 0.1), (0.94, 0.1))
    for x in (0.06, 0.94):
        pen.line(YELLOW, 0.05, (x, 0.08), (x, 0.66))


def power_line(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.95, r=0.24)
    pen.box(tint, 0.45, 0.03, 0.55, 0.95)
    pen.box(shade(tint), 0.51, 0.03, 0.55, 0.95)
    pen.line(shade(tint), 0.035, (0.28, 0.22), (0.48, 0.4))
    pen.line(shade(tint), 0.035, (0.72, 0.22), (0.52, 0.4))
    for y, half in ((0.16, 0.34), (0.4, 0.25)):
        pen.box(tint, 0.5 - half, y, 0.5 + half, y + 0.07)
        for side in (-1, 1):
            x = 0.5 + side * (half - 0.04)
            pen.box(TEAL, x - 0.035, y - 0.1, x + 0.035, y, 0.015)
            pen.curve(BLACK, 0.022, (x, y - 0.1), (x + side * 0.08, y - 0.05), (0.5 + side * 0.49, y - 0.03))
    pen.poly(YELLOW, (0.5, 0.56), (0.63, 0.77), (0.37, 0.77))
    pen.poly(BLACK, (0.51, 0.62), (0.46, 0.7), (0.5, 0.7), (0.48, 0.76), (0.55, 0.68), (0.51, 0.68))


def rails(pen: Pen, tint: Colour) -> None:
    pen.poly(shade(STEEL, 0.25), (0.36, 0.06), (0.64, 0.06), (1.0, 0.96), (0.0, 0.96))
    for y, tall in ((0.1, 0.05), (0.22, 0.065), (0.37, 0.08), (0.55, 0.1), (0.78, 0.13)):
        half = 0.16 + 0.31 * y
        pen.poly(tint, (0.5 - half, y), (0.5 + half, y), (0.5 + half, y + tall), (0.5 - half, y + tall))
        pen.box(shade(tint, 0.35), 0.5 - half, y + tall * 0.72, 0.5 + half, y + tall)
    for side in (-1, 1):
        pen.poly(
            DARK,
            (0.5 + side * 0.07, 0.05),
            (0.5 + side * 0.13, 0.05),
            (0.5 + side * 0.36, 0.97),
            (0.5 + side * 0.22, 0.97),
        )
        pen.poly(
            light(STEEL, 0.5),
            (0.5 + side * 0.085, 0.05),
            (0.5 + side * 0.115, 0.05),
            (0.5 + side * 0.32, 0.97),
            (0.5 + side * 0.25, 0.97),
        )


def statue(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.36)
    pen.box(shade(tint), 0.2, 0.86, 0.8, 0.95)
    pen.box(tint, 0.26, 0.7, 0.74, 0.87)
    pen.box(light(tint), 0.22, 0.65, 0.78, 0.71)
    pen.box(GOLD, 0.38, 0.75, 0.62, 0.82)
    pen.line(tint, 0.07, (0.58, 0.28), (0.74, 0.22), (0.78, 0.07))
    pen.poly(tint, (0.38, 0.24), (0.62, 0.24), (0.6, 0.42), (0.68, 0.65), (0.32, 0.65), (0.4, 0.42))
    pen.poly(shade(tint), (0.52, 0.34), (0.6, 0.42), (0.68, 0.65), (0.54, 0.65))
    pen.line(light(tint), 0.07, (0.4, 0.28), (0.31, 0.4), (0.43, 0.46))
    pen.disc(tint, 0.5, 0.14, 0.1, 0.11)
    pen.pie(shade(tint, 0.3), 0.5, 0.12, 0.11, 180, 360)
    pen.curve(shade(tint, 0.3), 0.018, (0.45, 0.48), (0.44, 0.56), (0.41, 0.63))


TINTS: dict[str, tuple[Colour, ...]] = {
    "car": (RED, BLUE, GREEN, ORANGE),
    "bicycle": (TEAL, RED, PURPLE),
    "scooter": (PINK, GREEN, BLUE),
    "no_entry_sign": (RED,),
    "no_swimming_sign": (BLUE, TEAL),
    "wet_floor_sign": (YELLOW,),
    "trampoline": (BLUE,),
    "power_line": (BROWN, GREY),
    "rails": (BROWN, WOOD),
    "statue": ((176, 182, 190),),
}

THINGS: dict[str, Callable[[Pen, Colour], None]] = {
    thing.__name__: thing
    for thing in (
        car,
        bicycle,
        scooter,
        no_entry_sign,
        no_swimming_sign,
        wet_floor_sign,
        trampoline,
        power_line,
        rails,
        statue,
    )
}
