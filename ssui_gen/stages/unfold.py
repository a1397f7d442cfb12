"""curation/<name>.jsonl → curation/<name>/*.md, one file an item, and back.

`unfold` writes the files and, beside them, the lines they were made of. `fold` takes what has changed in
either since, and does so for all files or none. Where both say something else, a person has to decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ssui_gen.curation.asked.people import named
from ssui_gen.curation.asked.texts import faults as edit_faults
from ssui_gen.curation.formats.markdown import Wrong, read_page, said_there, unfolded
from ssui_gen.curation.lines.merge import three_way
from ssui_gen.curation.lines.review import Review
from ssui_gen.curation.lines.sheet import Fault, Sheet, written
from ssui_gen.curation.page.pictures import addresses, shown_in
from ssui_gen.curation.workspace.board import Board, read_board
from ssui_gen.curation.workspace.folder import Folder
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write, name_of
from ssui_gen.jsonl import as_line, read, validate

LINES = ".lines.jsonl"
"""The lines that the files were made of."""
_NAME = re.compile(r"\d{4,}-[\w-]+\.md")
"""An id that may be part of a file's name as it is."""


def unfold(folder: Folder, name: str) -> int:
    """Write a file for each item of a person; returns how many.

    Raises ConfigError where the person's file has faults, or files say what has not been folded yet.
    """
    board = read_board(folder)
    if named(name) not in board.names:
        raise ConfigError(
            f"{folder.path(name)}: no such file: export it first (`ssui curation export --as {name}`)"
        )
    if faults := board.foreign(board.sheet(name)):
        raise ConfigError("\n".join(map(str, faults)))
    changed, wrong = _said(board, name)
    if changed or wrong:
        first = wrong[0].path if wrong else next(iter(changed.values())).path
        raise ConfigError(f"{first}: says what has not been folded: `ssui curation fold --as {name}` first")
    return _write(board, name)


def _write(board: Board, name: str) -> int:
    home = board.folder.inside(name)
    lines = {line.id: line for line in board.sheet(name).reviews}
    items = [item for id, item in board.share(name).items() if id in lines and lines[id].sha == item.sha]
    pictures = addresses(board.folder.root, shown_in(items), embed=False)
    fresh = {}
    for number, item in enumerate(items, 1):
        shown = [f"../{pictures.get(one.sha256, '')}" for one in item.pictures]
        page = unfolded(board.folder.form, item, lines[item.id], shown)
        fresh[f"{number:04d}-{name_of(item.id)}.md"] = page
    for path in _files(home):
        if path.name not in fresh:
            path.unlink()
    for file, content in fresh.items():
        atomic_write(home / file, content)
    atomic_write(home / LINES, b"".join(as_line(lines[item.id]) for item in items))
    return len(fresh)


def _files(home: Path) -> list[Path]:
    return sorted(path for path in home.glob("*.md") if _NAME.fullmatch(path.name))


class _Said(NamedTuple):
    """What a file says that the line it was made of did not."""

    path: Path
    base: Review
    line: Review


def fold(folder: Folder, name: str) -> tuple[list[str], list[Fault]]:
    """Take what the files say into the person's lines; returns the ids that say something new, and faults.

    With a fault nothing is taken.
    """
    board = read_board(folder)
    if not (folder.root / named(name) / LINES).exists():
        raise ConfigError(
            f"{folder.root / name}: nothing to fold: `ssui curation unfold --as {name}` comes first"
        )
    said, faults = _said(board, name)
    if faults or board.foreign(board.sheet(name)):
        return [], [*faults, *board.foreign(board.sheet(name))]
    folder.change(name, partial(_folded, board, said, faults))
    if not faults:
        _write(read_board(folder), name)
    return [] if faults else list(said), faults


def _said(board: Board, name: str) -> tuple[dict[str, _Said], list[Fault]]:
    """By item, the files that say something new; and what is wrong with any."""
    home, form = board.folder.inside(name), board.folder.form
    base = {name_of(line.id): line for line in (validate(Review, row) for row in read(home / LINES))}
    said: dict[str, _Said] = {}
    faults: list[Fault] = []
    for path in _files(home):
        id = path.stem.partition("-")[2]
        line = base.get(id)
        item = board.known.get((line.id, line.sha)) if line else None
        if line is None or item is None:
            faults.append(
                Fault(path, 1, 1, "id", f"expected the file of an item; {id!r} was not unfolded here")
            )
            continue
        found = read_page(form, item, _text(path))
        if isinstance(found, list):
            faults += (Fault(path, *wrong) for wrong in found)
        elif wrong := _other(line, found.values):
            faults.append(Fault(path, *wrong))
        elif (now := said_there(item, found, line)) != line:
            faults += (Fault(path, 1, 1, place, what) for place, what in edit_faults(item.path, now.edits))
            said[line.id] = _Said(path, line, now)
    return said, faults


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: could not be read: {error}: save it as UTF-8") from None


def _other(line: Review, values: dict[str, str]) -> Wrong | None:
    for name, was in (("id", line.id), ("sha", line.sha)):
        if values[name] != was:
            return Wrong(2, 1, name, f"expected {was!r}; got {values[name]!r}: put it back")
    return None


def _folded(board: Board, said: dict[str, _Said], faults: list[Fault], sheet: Sheet) -> bytes:
    """The person's file with what the files say; as it is, where `faults` are found."""
    del faults[:]
    faults += board.foreign(sheet)
    there = {line.id for line in sheet.reviews}
    faults += (_gone(one) for id, one in said.items() if id not in there)
    lines = [_together(line, said[line.id], faults) if line.id in said else line for line in sheet.reviews]
    return sheet.content if faults else written(lines, sheet)


def _gone(one: _Said) -> Fault:
    return Fault(
        one.path, 1, 1, "id", "expected a line of this item; got none: export again, which puts one back"
    )


def _together(line: Review, one: _Said, faults: list[Fault]) -> Review:
    """Into the line; of a file that was made of earlier texts, into what the line says of those."""
    for place, earlier in enumerate(line.before):
        if line.sha != one.base.sha and one.base.sha == earlier.sha:
            then = one.base.model_copy(update=earlier.words)
            merged, clashes = three_way(one.base, one.line, then)
            faults += _clashes(one, clashes)
            again = earlier.model_copy(update=merged.words)
            return line.model_copy(
                update={"before": (*line.before[:place], again, *line.before[place + 1 :])}
            )
    if line.sha != one.base.sha:
        return line.model_copy(update={"before": (one.line.earlier, *line.before)})
    merged, clashes = three_way(one.base, one.line, line)
    faults += _clashes(one, clashes)
    return merged


def _clashes(one: _Said, names: list[str]) -> Iterator[Fault]:
    what = "this file and the person's line both say something new: let one of them say what the other does"
    return (Fault(one.path, 1, 1, name, what) for name in names)
