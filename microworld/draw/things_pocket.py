"""Things that people carry, read, eat or hang on a wall, one painter each, and their colourways."""

from collections.abc import Callable

from microworld.draw.canvas import Pen
from microworld.draw.palette import (
    BLACK,
    BLUE,
    BOTTLE,
    BROWN,
    BURGUNDY,
    COCOA,
    CREAM,
    DARK,
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
    light,
    shade,
)


def pill_bottle(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.36)
    pen.box(tint, 0.2, 0.2, 0.8, 0.94, 0.08)
    pen.box(shade(tint), 0.7, 0.28, 0.8, 0.9, 0.04)
    for x, y in ((0.32, 0.36), (0.5, 0.33), (0.64, 0.37), (0.42, 0.41)):
        pen.disc(light(tint, 0.75), x, y, 0.075, 0.05)
    pen.box(WHITE, 0.14, 0.04, 0.86, 0.25, 0.04)
    for x in (0.26, 0.42, 0.58, 0.74):
        pen.box(shade(WHITE, 0.2), x - 0.02, 0.08, x + 0.02, 0.25)
    pen.box(WHITE, 0.2, 0.48, 0.7, 0.84)
    pen.box(RED, 0.28, 0.53, 0.33, 0.8)
    pen.arc(RED, 0.05, 0.35, 0.595, 0.07, -90, 90)
    pen.line(RED, 0.05, (0.36, 0.66), (0.62, 0.79))
    pen.line(RED, 0.05, (0.46, 0.8), (0.62, 0.62))


def wine_bottle(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.44)
    pen.poly(
        tint,
        (0.22, 0.06),
        (0.38, 0.06),
        (0.38, 0.34),
        (0.51, 0.48),
        (0.51, 0.94),
        (0.09, 0.94),
        (0.09, 0.48),
        (0.22, 0.34),
    )
    pen.line(light(tint), 0.04, (0.16, 0.52), (0.16, 0.88))
    pen.box(BURGUNDY, 0.21, 0.03, 0.39, 0.2, 0.02)
    pen.box(CREAM, 0.09, 0.54, 0.51, 0.82)
    pen.box(BURGUNDY, 0.09, 0.59, 0.51, 0.77)
    pen.disc(GOLD, 0.3, 0.68, 0.06)
    pen.line(SKY, 0.04, (0.76, 0.7), (0.76, 0.92))
    pen.disc(SKY, 0.76, 0.93, 0.13, 0.025)
    pen.poly(light(SKY, 0.6), (0.6, 0.4), (0.92, 0.4), (0.92, 0.6), (0.84, 0.72), (0.68, 0.72), (0.6, 0.6))
    pen.poly(BURGUNDY, (0.63, 0.52), (0.89, 0.52), (0.89, 0.6), (0.83, 0.69), (0.69, 0.69), (0.63, 0.6))


def chocolate(pen: Pen, tint: Colour) -> None:
    pen.box(BROWN, 0.2, 0.03, 0.8, 0.62, 0.03)
    for row in range(3):
        for col in range(3):
            x, y = 0.225 + col * 0.19, 0.06 + row * 0.17
            pen.box(shade(COCOA, 0.15), x, y, x + 0.17, y + 0.15, 0.02)
            pen.box(light(BROWN, 0.1), x + 0.03, y + 0.025, x + 0.13, y + 0.1, 0.01)
    edge = tuple((0.86 - i * 0.09, 0.54 if i % 2 else 0.44) for i in range(9))
    pen.poly(GOLD, *edge, (0.14, 0.64), (0.86, 0.64))
    pen.box(tint, 0.14, 0.58, 0.86, 0.96, 0.02)
    pen.box(shade(tint), 0.76, 0.58, 0.86, 0.96)
    pen.box(GOLD, 0.24, 0.7, 0.66, 0.84, 0.04)


def peanut_jar(pen: Pen, tint: Colour) -> None:
    pen.shadow(r=0.4)
    pen.box(light(SKY, 0.5), 0.12, 0.2, 0.88, 0.95, 0.12)
    pen.box(shade(GOLD, 0.12), 0.15, 0.28, 0.85, 0.92, 0.1)
    pen.box(shade(WOOD, 0.1), 0.76, 0.34, 0.85, 0.88, 0.04)
    pen.box(tint, 0.16, 0.04, 0.84, 0.23, 0.04)
    pen.box(shade(tint), 0.16, 0.17, 0.84, 0.23, 0.02)
    pen.disc(CREAM, 0.5, 0.62, 0.31, 0.27)
    for cx, cy in ((0.39, 0.68), (0.61, 0.57)):
        pen.disc(shade(WOOD, 0.35), cx, cy, 0.15, 0.13)
    for cx, cy in ((0.39, 0.68), (0.61, 0.57), (0.5, 0.625)):
        pen.disc(GOLD, cx, cy, 0.115, 0.1)
    pen.line(shade(WOOD, 0.3), 0.02, (0.34, 0.69), (0.42, 0.65))
    pen.line(shade(WOOD, 0.3), 0.02, (0.57, 0.6), (0.65, 0.56))


def passport(pen: Pen, tint: Colour) -> None:
    pen.box(CREAM, 0.2, 0.06, 0.88, 0.96, 0.04)
    pen.box(tint, 0.13, 0.03, 0.82, 0.94, 0.05)
    pen.box(shade(tint, 0.35), 0.13, 0.03, 0.2, 0.94, 0.02)
    pen.box(GOLD, 0.29, 0.11, 0.75, 0.17)
    pen.disc(GOLD, 0.52, 0.46, 0.23)
    pen.disc(tint, 0.52, 0.46, 0.19)
    pen.disc(GOLD, 0.52, 0.46, 0.115, 0.21)
    pen.disc(tint, 0.52, 0.46, 0.075, 0.18)
    pen.box(GOLD, 0.31, 0.445, 0.73, 0.48)
    pen.box(GOLD, 0.36, 0.78, 0.68, 0.84)


def credit_card(pen: Pen, tint: Colour) -> None:
    pen.box(tint, 0.02, 0.19, 0.98, 0.81, 0.07)
    pen.poly(light(tint, 0.25), (0.55, 0.19), (0.92, 0.19), (0.62, 0.81), (0.25, 0.81))
    pen.box(BLACK, 0.02, 0.25, 0.98, 0.36)
    pen.box(GOLD, 0.1, 0.43, 0.28, 0.57, 0.03)
    pen.box(shade(GOLD, 0.35), 0.18, 0.43, 0.2, 0.57)
    pen.box(shade(GOLD, 0.35), 0.1, 0.49, 0.28, 0.51)
    for x in (0.1, 0.28, 0.46):
        pen.box(WHITE, x, 0.66, x + 0.13, 0.72)
    pen.disc(RED, 0.76, 0.66, 0.09)
    pen.disc(YELLOW, 0.86, 0.66, 0.09)


def laptop(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.87, r=0.49)
    pen.box(shade(tint, 0.5), 0.12, 0.1, 0.88, 0.68, 0.04)
    pen.box(SKY, 0.17, 0.15, 0.83, 0.62)
    pen.poly(light(SKY, 0.6), (0.17, 0.15), (0.5, 0.15), (0.26, 0.62), (0.17, 0.62))
    pen.box(WHITE, 0.3, 0.23, 0.72, 0.54, 0.02)
    pen.box(BLUE, 0.3, 0.23, 0.72, 0.3)
    pen.box(GREY, 0.36, 0.36, 0.66, 0.4)
    pen.box(GREY, 0.36, 0.45, 0.58, 0.49)
    pen.poly(tint, (0.12, 0.68), (0.88, 0.68), (0.99, 0.84), (0.99, 0.89), (0.01, 0.89), (0.01, 0.84))
    pen.poly(DARK, (0.17, 0.71), (0.83, 0.71), (0.87, 0.78), (0.13, 0.78))
    pen.box(shade(tint), 0.01, 0.84, 0.99, 0.89)
    pen.box(shade(tint), 0.41, 0.795, 0.59, 0.83)


def badge(pen: Pen, tint: Colour) -> None:
    pen.line(tint, 0.08, (0.22, 0.04), (0.48, 0.26))
    pen.line(shade(tint), 0.08, (0.78, 0.04), (0.52, 0.26))
    pen.box(WHITE, 0.16, 0.34, 0.84, 0.96, 0.06)
    pen.box(tint, 0.16, 0.34, 0.84, 0.44, 0.03)
    pen.box(STEEL, 0.44, 0.24, 0.56, 0.39, 0.03)
    pen.box(SKY, 0.23, 0.49, 0.53, 0.88)
    pen.pie(tint, 0.38, 0.88, 0.14, 180, 360)
    pen.disc(COCOA, 0.38, 0.62, 0.1)
    pen.disc(light(WOOD, 0.4), 0.38, 0.65, 0.085)
    for y, x in ((0.54, 0.78), (0.66, 0.74), (0.78, 0.78)):
        pen.box(GREY, 0.59, y, x, y + 0.05)


def key(pen: Pen, tint: Colour) -> None:
    pen.line(tint, 0.11, (0.44, 0.56), (0.87, 0.13))
    pen.line(tint, 0.09, (0.72, 0.28), (0.84, 0.4))
    pen.line(tint, 0.09, (0.85, 0.15), (0.95, 0.25))
    pen.ring(tint, 0.13, 0.3, 0.7, 0.27)
    pen.arc(light(tint, 0.6), 0.035, 0.3, 0.7, 0.22, 170, 280)
    pen.line(light(tint, 0.6), 0.03, (0.48, 0.49), (0.82, 0.15))
    pen.arc(shade(tint), 0.035, 0.3, 0.7, 0.235, 0, 110)


def letter(pen: Pen, tint: Colour) -> None:
    pen.box(tint, 0.03, 0.2, 0.97, 0.84, 0.03)
    pen.poly(shade(tint, 0.1), (0.03, 0.84), (0.4, 0.5), (0.6, 0.5), (0.97, 0.84))
    pen.poly(light(tint, 0.6), (0.03, 0.21), (0.97, 0.21), (0.56, 0.6), (0.44, 0.6))
    pen.curve(GREY, 0.03, (0.07, 0.25), (0.3, 0.48), (0.46, 0.6), (0.54, 0.6), (0.7, 0.48), (0.93, 0.25))
    pen.disc(shade(RED, 0.25), 0.5, 0.58, 0.13)
    pen.disc(RED, 0.5, 0.57, 0.12)
    pen.blob(
        light(RED, 0.5), (0.44, 0.55), (0.47, 0.53), (0.5, 0.55), (0.53, 0.53), (0.56, 0.55), (0.5, 0.63)
    )


def phone(pen: Pen, tint: Colour) -> None:
    pen.curve(WHITE, 0.05, (0.46, 0.84), (0.48, 0.95), (0.66, 0.96), (0.8, 0.86), (0.82, 0.66), (0.94, 0.6))
    pen.box(GREY, 0.41, 0.84, 0.51, 0.92, 0.02)
    pen.box(BLACK, 0.2, 0.02, 0.72, 0.86, 0.08)
    pen.box(tint, 0.25, 0.1, 0.67, 0.77, 0.02)
    for row, colours in enumerate(((RED, YELLOW), (GREEN, WHITE), (ORANGE, PINK))):
        for col, colour in enumerate(colours):
            x, y = 0.285 + col * 0.19, 0.15 + row * 0.205
            pen.box(colour, x, y, x + 0.16, y + 0.16, 0.04)
    pen.box(GREY, 0.4, 0.8, 0.52, 0.83, 0.01)


def security_camera(pen: Pen, tint: Colour) -> None:
    pen.box(GREY, 0.03, 0.5, 0.14, 0.94, 0.03)
    pen.curve(GREY, 0.09, (0.12, 0.76), (0.34, 0.76), (0.44, 0.66), (0.44, 0.5))
    pen.poly(tint, (0.12, 0.12), (0.84, 0.28), (0.8, 0.64), (0.06, 0.44))
    pen.poly(shade(tint), (0.07, 0.36), (0.81, 0.54), (0.8, 0.64), (0.06, 0.44))
    pen.poly(light(tint, 0.6), (0.06, 0.04), (0.95, 0.24), (0.94, 0.33), (0.05, 0.14))
    pen.disc(BLACK, 0.82, 0.47, 0.15, 0.19)
    pen.disc(NAVY, 0.84, 0.48, 0.09, 0.12)
    pen.disc(SKY, 0.81, 0.43, 0.035)
    pen.disc(RED, 0.6, 0.41, 0.055)


def painting(pen: Pen, tint: Colour) -> None:
    pen.box(tint, 0.04, 0.1, 0.96, 0.9, 0.03)
    pen.box(light(tint), 0.07, 0.13, 0.93, 0.17)
    pen.box(shade(tint, 0.4), 0.14, 0.2, 0.86, 0.8)
    pen.box(SKY, 0.16, 0.22, 0.84, 0.78)
    pen.disc(YELLOW, 0.7, 0.34, 0.07)
    pen.poly(PURPLE, (0.16, 0.6), (0.36, 0.32), (0.6, 0.62), (0.6, 0.66), (0.16, 0.66))
    pen.poly(WHITE, (0.36, 0.32), (0.42, 0.4), (0.36, 0.43), (0.3, 0.4))
    pen.poly(GREEN, (0.16, 0.62), (0.5, 0.56), (0.84, 0.6), (0.84, 0.78), (0.16, 0.78))
    pen.poly(BLUE, (0.54, 0.58), (0.6, 0.58), (0.72, 0.78), (0.44, 0.78))
    for x, y in ((0.09, 0.15), (0.91, 0.15), (0.09, 0.85), (0.91, 0.85)):
        pen.disc(shade(tint), x, y, 0.04)


def helmet(pen: Pen, tint: Colour) -> None:
    pen.shadow(y=0.9, r=0.4)
    pen.curve(DARK, 0.045, (0.22, 0.6), (0.34, 0.84), (0.5, 0.91), (0.64, 0.84), (0.74, 0.6))
    pen.line(DARK, 0.035, (0.48, 0.6), (0.36, 0.84))
    pen.box(BLACK, 0.43, 0.86, 0.57, 0.95, 0.02)
    pen.pie(tint, 0.48, 0.6, 0.43, 180, 360, 0.48)
    pen.blob(shade(tint), (0.05, 0.58), (0.5, 0.54), (0.86, 0.55), (0.99, 0.63), (0.8, 0.67), (0.3, 0.66))
    pen.blob(DARK, (0.2, 0.44), (0.28, 0.27), (0.34, 0.25), (0.3, 0.44))
    pen.blob(DARK, (0.42, 0.43), (0.44, 0.22), (0.52, 0.22), (0.54, 0.43))
    pen.blob(DARK, (0.66, 0.43), (0.63, 0.26), (0.69, 0.27), (0.78, 0.44))
    pen.curve(light(tint, 0.6), 0.025, (0.15, 0.38), (0.22, 0.26), (0.33, 0.18))


def umbrella(pen: Pen, tint: Colour) -> None:
    pen.line(DARK, 0.04, (0.5, 0.04), (0.5, 0.84))
    pen.arc(WOOD, 0.06, 0.6, 0.84, 0.1, 180, 0)
    pen.pie(tint, 0.5, 0.5, 0.47, 180, 360, 0.4)
    pen.poly(light(tint, 0.6), (0.5, 0.1), (0.33, 0.19), (0.19, 0.5), (0.4, 0.5), (0.44, 0.2))
    pen.poly(light(tint, 0.6), (0.5, 0.1), (0.67, 0.19), (0.81, 0.5), (0.6, 0.5), (0.56, 0.2))
    for x, colour in (
        (0.11, tint),
        (0.295, light(tint, 0.6)),
        (0.5, tint),
        (0.705, light(tint, 0.6)),
        (0.89, tint),
    ):
        pen.pie(shade(colour, 0.15), x, 0.49, 0.095, 0, 180, 0.06)


TINTS: dict[str, tuple[Colour, ...]] = {
    "pill_bottle": (ORANGE, shade(ORANGE, 0.12)),
    "wine_bottle": (BOTTLE, shade(BOTTLE, 0.25)),
    "chocolate": (PURPLE, RED),
    "peanut_jar": (RED,),
    "passport": (BURGUNDY, NAVY),
    "credit_card": (BLUE, TEAL),
    "laptop": (STEEL, GREY),
    "badge": (BLUE, RED, GREEN),
    "key": (GOLD, YELLOW),
    "letter": (WHITE, CREAM),
    "phone": (NAVY, BLUE, PURPLE),
    "security_camera": (WHITE, STEEL),
    "painting": (GOLD,),
    "helmet": (YELLOW, RED, BLUE),
    "umbrella": (RED, PURPLE, TEAL, BLUE),
}

THINGS: dict[str, Callable[[Pen, Colour], None]] = {
    thing.__name__: thing
    for thing in (
        pill_bottle,
        wine_bottle,
        chocolate,
        peanut_jar,
        passport,
        credit_card,
        laptop,
        badge,
        key,
        letter,
        phone,
        security_camera,
        painting,
        helmet,
        umbrella,
    )
}
