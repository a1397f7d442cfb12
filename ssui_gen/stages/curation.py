"""reasoning_paths.jsonl → curation/ → what people say there → curated.jsonl.

Export and merge, check, assign, resolve, apply. Each may be run at any time and again: nothing a person has
said is removed or overwritten, and `curated.jsonl` is written whole or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ssui_gen.commands import command
from ssui_gen.curation.asked.people import RESOLVED
from ssui_gen.curation.asked.texts import sha_of
from ssui_gen.curation.choosing.risk import ordered
from ssui_gen.curation.lines.sheet import Fault, Sheet, repaired
from ssui_gen.curation.outcomes.settle import State, curated
from ssui_gen.curation.page.pictures import Below
from ssui_gen.curation.workspace.board import Board, read_board
from ssui_gen.curation.workspace.folder import Folder, folder_of
from ssui_gen.curation.workspace.publish import Published, merge, publish
from ssui_gen.errors import ConfigError
from ssui_gen.files import replace
from ssui_gen.jsonl import as_line, read, validate
from ssui_gen.manifest import images_of, title_of
from ssui_gen.placed import every
from ssui_gen.records import ReasoningPath
from ssui_gen.run_files import CURATED, PATHS


def export(run: Path, names: Sequence[str], root: Path) -> Published:
    """Write the items and the page, and merge what people have said; see `publish`.

    Raises ConfigError where there are no paths.
    """
    source = run / PATHS
    if not source.exists():
        raise ConfigError(f"{source}: no such file: make it with `{command('dataset', run)}`")
    items = ordered(every(ReasoningPath, source))
    return publish(folder_of(run), items, names, Below(root, images_of(run)), title_of(run))


def faults(folder: Folder, names: Iterable[str] = ()) -> list[Fault]:
    """Everything that is wrong with these people's files; nobody is named: everybody's."""
    board = read_board(folder)
    if missing := [name for name in names if name not in board.names]:
        there = ", ".join(board.names) or "none"
        raise ConfigError(f"{folder.path(missing[0])}: no such file (people with a file: {there})")
    return _faults(board, names)


def _faults(board: Board, names: Iterable[str] = ()) -> list[Fault]:
    return board.folder.misnamed() + [fault for name in names or board.names for fault in board.faults(name)]


def repair(folder: Folder, names: Iterable[str] = ()) -> list[str]:
    """Put each object back on one line where an editor has spread them; returns whose file that was."""
    return [name for name in names or read_board(folder).names if folder.change(name, _repaired)]


def _repaired(sheet: Sheet) -> bytes:
    return (repaired(sheet.content) or sheet.content) if sheet.faults else sheet.content


def resolve(folder: Folder) -> Board:
    """Give `resolved.jsonl` a line for each item on which people differ."""
    merge(folder, [RESOLVED])
    return read_board(folder)


class Applied(NamedTuple):
    """What became of people's words."""

    states: Counter[State]
    """How many items came to which end."""
    faults: list[Fault]
    """What is wrong; then nothing was written."""
    former: Path | None = None
    """Where the rows that were replaced are kept, if they were others."""
    unseen: int = 0
    """How many paths were made, or made anew, since the items were exported."""


def apply(run: Path) -> Applied:
    """Write `curated.jsonl`, unless anything is wrong.

    Raises ConfigError where nobody has decided anything.
    """
    board = read_board(folder_of(run))
    states = Counter(outcome.state for outcome in board.outcomes.values())
    if found := _faults(board):
        return Applied(states, found)
    if not states["kept"] + states["fixed"] + states["dropped"]:
        raise ConfigError(
            f"{board.folder.root}: nobody has decided anything that holds ({states['disputed']} disputed): "
            "nothing was written"
        )
    rows = filter(None, (curated(board.outcomes[id]) for id in sorted(board.items)))
    return Applied(states, [], replace(run / CURATED, map(as_line, rows)), _unseen(run, board))


def _unseen(run: Path, board: Board) -> int:
    paths = (validate(ReasoningPath, line) for line in read(run / PATHS))
    return sum(board.shas.get(path.id) != sha_of(path) for path in paths)
