"""One record in a terminal: its picture, steps, verdicts and calls; or what became of one seed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from ssui_gen.calling.journal import CALLS, Call, Journal
from ssui_gen.errors import ImageError
from ssui_gen.images import shown
from ssui_gen.manifest import images_of
from ssui_gen.records import ImageRef, ReasoningPath
from ssui_gen.settings import ImageLimits
from ssui_gen.showing import drawn
from ssui_gen.showing.found import Row, find
from ssui_gen.showing.told import of_calls, of_record, of_reject

WIDE = 56
"""Columns of a picture, at most."""
SIDE = 640


def show(run: Path, root: Path, id: str, console: Console, *, picture: bool = True) -> None:
    """Print what `id` means; the pictures of `run` lie below `root`. Raises ConfigError as `find` does."""
    rows = find(run, id)
    calls = _calls(run, rows)
    if picture and (path := next((row for row in rows if isinstance(row, ReasoningPath)), None)):
        limits = images_of(run, longest_side=SIDE)
        for image in path.images:
            _picture(root, image, limits, console)
    for number, row in enumerate(rows):
        if number:
            console.rule(style="dim")
        console.print(of_record(row) if isinstance(row, ReasoningPath) else of_reject(row), highlight=False)
        console.print()
        console.print(of_calls(row.made_by, calls), highlight=False)


def _calls(run: Path, rows: Iterable[Row]) -> dict[str, Call]:
    if not (run / CALLS).exists():
        return {}
    with closing(Journal(run / CALLS)) as journal:
        return journal.rows_by_id(id for row in rows for id in row.made_by)


def _picture(root: Path, image: ImageRef, limits: ImageLimits, console: Console) -> None:
    """As well as the terminal can, and where it lies in any case."""
    try:
        pixels = shown(root, image, limits)
    except ImageError as error:
        console.print(Text(f"its picture {image.path} cannot be shown: {error}", style="yellow"))
        return
    terminal = console.is_terminal
    colours = console.color_system in ("256", "truecolor") and console.encoding.startswith("utf")
    answer = drawn.asked() if terminal and colours else b""
    way = drawn.way_of(os.environ, colours=colours, is_terminal=terminal, answer=answer)
    columns = max(8, min(WIDE, console.width - 2))
    if way == "blocks":
        console.print(drawn.blocks(pixels, columns), end="")
    elif way != "path":
        console.file.write(_escaped(way, pixels, columns))
    where = f"{root / image.path} ({image.width} × {image.height})"
    console.print(Text(where, style="dim"), soft_wrap=True)
    console.print()


def _escaped(way: drawn.Way, pixels: Any, columns: int) -> str:
    """The picture in a protocol of the terminal's own."""
    if way == "sixel":
        return drawn.sixel(pixels)
    return drawn.kitty(pixels, columns) if way == "kitty" else drawn.iterm(pixels, columns)
