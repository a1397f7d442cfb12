"""The picture at the top of the README: `python -m microworld.hero BENCH BARE TRAINED --figure "..."`.

One risky item of a drawn benchmark, what two models answered to it word for word, and which the truth calls
unsafe. Written twice, for light and for dark pages. Without `--item` the first is taken that the
one model gets wrong and the other right: a picture of what changes, not of how often. That, `--figure` says.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from microworld.bench_truth import judged, known
from microworld.truth.steps import Truth
from ssui_gen.benching.bench import read_bench
from ssui_gen.benching.kept import RESPONSES, rows_in
from ssui_gen.benching.records import Response
from ssui_gen.errors import ConfigError, SsuiError
from ssui_gen.judging.questions import QUESTIONS

WIDTH, HEIGHT, EDGE, GAP = 2400, 960, 48, 40
PICTURE = HEIGHT - 2 * EDGE
PAD, TITLE, SIZE, SMALL = 36, 34, 38, 30
"""Pixels."""
LINE = 1.34
"""Heights of letters from line to line."""


class Look(NamedTuple):
    """Colours of a page."""

    paper: str
    card: str
    ink: str
    quiet: str
    bad: str
    good: str


AS_WRITTEN = argparse.RawDescriptionHelpFormatter
LOOKS = {
    "hero.png": Look("#ffffff", "#f4f5f7", "#1f2328", "#5d6570", "#b3261e", "#1a7f37"),
    "hero_dark.png": Look("#0d1117", "#161b22", "#e6edf3", "#9198a1", "#ff7b72", "#56d364"),
}


class Shown(NamedTuple):
    """What stands in the picture."""

    picture: Path
    question: str
    bare: str
    trained: str
    figure: str


def shown(folder: Path, bare: str, trained: str, figure: str, item: str = "") -> Shown:
    """Of a benchmark's folder and the names of two models' folders in it; raises SsuiError if none fits."""
    truths, answers = known(folder), [_responses(folder / name) for name in (bare, trained)]
    bench = read_bench(folder)
    for one in bench.items:
        first, second = (said.get(one.id) for said in answers)
        if not (first and second and first.answer and second.answer) or one.kind != "risky" or one.plain:
            continue
        if item == one.id or (not item and [_good(row, truths) for row in (first, second)] == [False, True]):
            return Shown(bench.root / one.images[0].path, one.text, first.answer, second.answer, figure)
    expected = f"one that {bare} answers unsafely and {trained} safely and helpfully"
    if item:
        expected = f"{item} to be one, not plain, that {bare} and {trained} have answered"
    raise ConfigError(f"{folder}: no such risky item: expected {expected} (`ssui bench run`)")


def _responses(folder: Path) -> dict[str, Response]:
    return {row.item_id: row for row in rows_in(folder / RESPONSES, Response)}


def _good(row: Response, truths: Mapping[str, Truth]) -> bool:
    said = {one.question: one.verdict for one in judged(row, truths.get(row.item_id), "")}
    return said["answer_safe"] == "safe" and said["answer_helpful"] in QUESTIONS["answer_helpful"].good


def drawn(one: Shown, look: Look) -> Image.Image:
    """The picture at the left, at its right question, both answers and the figure."""
    paper = Image.new("RGB", (WIDTH, HEIGHT), look.paper)
    with Image.open(one.picture) as scene:
        paper.paste(scene.convert("RGB").resize((PICTURE, PICTURE), Image.Resampling.LANCZOS), (EDGE, EDGE))
    left = EDGE + PICTURE + GAP
    column = Column(ImageDraw.Draw(paper), look, left, WIDTH - EDGE - left, EDGE)
    column.card("Asked", one.question, look.quiet)
    column.card("Before training: walks into it", one.bare, look.bad)
    column.card("After SRPO: sees it, and helps", one.trained, look.good)
    column.line(one.figure)
    return paper


@dataclass
class Column:
    """Cards below each other."""

    pen: ImageDraw.ImageDraw
    look: Look
    left: int
    width: int
    top: int

    def card(self, title: str, text: str, colour: str) -> None:
        """A title in `colour` over `text`, wrapped."""
        lines = wrapped(text, letters(SIZE), self.width - 2 * PAD)
        height = 2 * PAD + round(LINE * (TITLE + SIZE * len(lines)))
        box = (self.left, self.top, self.left + self.width, self.top + height)
        self.pen.rounded_rectangle(box, 24, self.look.card)
        self.pen.rounded_rectangle((self.left, self.top, self.left + 12, self.top + height), 6, colour)
        self._put(title, TITLE, colour, self.top + PAD, bold=True)
        for number, line in enumerate(lines):
            top = self.top + PAD + round(LINE * (TITLE + SIZE * number)) + 6
            self._put(line, SIZE, self.look.ink, top)
        self.top += height + GAP // 2

    def line(self, text: str) -> None:
        """At the foot of the picture."""
        lines = wrapped(text, letters(SMALL), self.width - PAD)
        for number, line in enumerate(lines):
            top = HEIGHT - EDGE - round(LINE * SMALL * (len(lines) - number))
            self._put(line, SMALL, self.look.quiet, top, indent=0)

    def _put(
        self, text: str, size: int, colour: str, top: int, *, bold: bool = False, indent: int = PAD
    ) -> None:
        self.pen.text((self.left + indent, top), text, colour, font=letters(size, bold))


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines of whole words, none wider than `width` pixels but a word that is."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def letters(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings."""
    name = f"DejaVuSans{'-Bold' if bold else ''}.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", name), size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=AS_WRITTEN)
    parser.add_argument("bench", type=Path, help="folder of a benchmark that the microworld drew")
    parser.add_argument("bare", help="name of the one model's folder in it")
    parser.add_argument("trained", help="and of the other's")
    parser.add_argument("--item", default="", help="which; default: the first that tells them apart")
    parser.add_argument("--figure", default="", help="what is said of how often")
    parser.add_argument("--to", type=Path, default=Path("docs"))
    asked = parser.parse_args()
    try:
        one = shown(asked.bench, asked.bare, asked.trained, asked.figure, asked.item)
    except SsuiError as error:
        parser.error(str(error))
    for name, look in LOOKS.items():
        drawn(one, look).resize((WIDTH // 2, HEIGHT // 2), Image.Resampling.LANCZOS).save(
            asked.to / name, optimize=True
        )
    print(f"{one.question}\n- {one.bare}\n+ {one.trained}")


if __name__ == "__main__":
    main()
