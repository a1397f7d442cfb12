"""A picture in a terminal: by its own protocol where it says that it has one, else as half blocks in colours.

A terminal is asked (kitty's query, then the device's attributes, which every terminal answers), and what it
does not claim it is not sent. iTerm answers by its environment alone. Only bytes of ours are written past the
door: base64, numbers and escapes, never anybody's words.
"""

from __future__ import annotations

import base64
import io
import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping
from typing import Literal

from PIL import Image
from rich.segment import Segment, Segments
from rich.style import Style

Way = Literal["kitty", "iterm", "sixel", "blocks", "path"]
CHUNK = 4096
"""Characters of base64 that kitty takes at once."""
PATIENCE = 0.4
"""Seconds that a terminal has to answer."""
ASK = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
"""Can you draw by kitty's protocol; and what are you?"""
ANSWERED = re.compile(rb"\x1b\[\?[\d;]*c")
HALF = "▀"
SIXEL_COLOURS = 128


def way_of(environment: Mapping[str, str], *, colours: bool, is_terminal: bool, answer: bytes) -> Way:
    """How to show a picture; `answer` is what the terminal said to ASK, nothing where nobody was asked."""
    if is_terminal and b"\x1b_Gi=31;OK" in answer:
        return "kitty"
    names = {environment.get("TERM_PROGRAM"), environment.get("LC_TERMINAL")}
    if is_terminal and names & {"iTerm.app", "iTerm2"}:
        return "iterm"
    attributes = ANSWERED.search(answer)
    if is_terminal and attributes and b"4" in attributes[0][3:-1].split(b";"):
        return "sixel"
    return "blocks" if colours else "path"


def asked() -> bytes:
    """What the terminal of this process says to ASK; nothing where there is none, or it says nothing."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") in (None, "dumb"):
        return b""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard, termios.TCSANOW)
        sys.stdout.flush()
        os.write(sys.stdout.fileno(), ASK)
        return _heard(keyboard)
    finally:
        termios.tcsetattr(keyboard, termios.TCSAFLUSH, before)


def _heard(keyboard: int) -> bytes:
    """Until the device's attributes are there, which come last."""
    heard, end = b"", time.monotonic() + PATIENCE
    while not ANSWERED.search(heard) and (left := end - time.monotonic()) > 0:
        if select.select([keyboard], [], [], left)[0]:
            heard += os.read(keyboard, 1024)
    return heard


def kitty(picture: Image.Image, columns: int) -> str:
    """The picture, so many columns wide, in kitty's graphics protocol."""
    data = base64.b64encode(_png(picture)).decode("ascii")
    parts = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    heads = [f"f=100,a=T,c={columns},q=2,", *[""] * (len(parts) - 1)]
    ends = [*["1"] * (len(parts) - 1), "0"]
    return "".join(f"\x1b_G{h}m={e};{p}\x1b\\" for h, e, p in zip(heads, ends, parts, strict=True)) + "\n"


def iterm(picture: Image.Image, columns: int) -> str:
    """The same in iTerm's inline images."""
    png = _png(picture)
    data = base64.b64encode(png).decode("ascii")
    return f"\x1b]1337;File=inline=1;size={len(png)};width={columns};preserveAspectRatio=1:{data}\x07\n"


def sixel(picture: Image.Image) -> str:
    """The picture as it is, in at most SIXEL_COLOURS colours, six lines of pixels a band."""
    reduced = picture.convert("RGB").quantize(SIXEL_COLOURS)
    palette = (reduced.getpalette() or [])[: 3 * SIXEL_COLOURS]
    colours = (palette[start : start + 3] for start in range(0, len(palette), 3))
    head = "".join(
        f"#{n};2;{r * 100 // 255};{g * 100 // 255};{b * 100 // 255}" for n, (r, g, b) in enumerate(colours)
    )
    pixels, (width, height) = reduced.tobytes(), reduced.size
    bands = "-".join(_band(pixels, width, height, top) for top in range(0, height, 6))
    return f'\x1bPq"1;1;{width};{height}{head}{bands}\x1b\\\n'


def _band(pixels: bytes, width: int, height: int, top: int) -> str:
    """Six lines: for each of their colours which of the six pixels of every column have it."""
    lines = [pixels[line * width : (line + 1) * width] for line in range(top, min(top + 6, height))]

    def column(x: int, colour: int) -> int:
        return sum((line[x] == colour) << n for n, line in enumerate(lines))

    colours = sorted(set(b"".join(lines)))
    return "$".join(f"#{one}{_packed([column(x, one) for x in range(width)])}" for one in colours)


def _packed(column_bits: list[int]) -> str:
    """Runs of four or more are counted."""
    signs = "".join(chr(63 + bits) for bits in column_bits)
    return re.sub(r"(.)\1{3,}", lambda run: f"!{len(run[0])}{run[1]}", signs)


def blocks(picture: Image.Image, columns: int) -> Segments:
    """Two pixels a character, one above the other: as wide as `columns` at most."""
    width = min(columns, picture.width)
    height = max(2, round(picture.height * width / picture.width / 2) * 2)
    small = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    return Segments(_rows(small.tobytes(), width, height))


def _rows(pixels: bytes, width: int, height: int) -> Iterator[Segment]:
    for line in range(0, height, 2):
        for x in range(width):
            above, below = (3 * ((line + n) * width + x) for n in (0, 1))
            colours = (_hex(pixels[at : at + 3]) for at in (above, below))
            yield Segment(HALF, Style.parse(" on ".join(colours)))
        yield Segment.line()


def _hex(pixel: bytes) -> str:
    return f"#{pixel.hex()}"


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "png")
    return buffer.getvalue()
