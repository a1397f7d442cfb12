"""curation/ → a folder that Argilla or Label Studio reads, and what people said there → a person's file.

Nothing is sent anywhere: files go out, files come in. What comes in is taken whole or not at all; what went
out stands beside it (`sent_<name>.jsonl`), so that what was changed there is known from what was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from ssui_gen.curation.asked.form import Form
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.people import named
from ssui_gen.curation.formats import argilla, label_studio
from ssui_gen.curation.formats.outside import Answers, Sent, Tool, answered, line_of, said
from ssui_gen.curation.lines.merge import merged, three_way
from ssui_gen.curation.lines.review import Review, blank
from ssui_gen.curation.lines.shape import Found, agreement_with, shape
from ssui_gen.curation.lines.sheet import Sheet, in_words, written
from ssui_gen.curation.page.pictures import addresses, shown_in
from ssui_gen.curation.workspace.board import Board, read_board
from ssui_gen.curation.workspace.folder import Folder
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import as_line, document, read, validate

TOOLS = {tool.name: tool for tool in (argilla.TOOL, label_studio.TOOL)}
MOST_FAULTS = 20
"""Of a tool's own file, that are told one by one."""


def send(folder: Folder, tool: str, name: str) -> Path:
    """Write the items, and what a person has said of them, for a tool; returns the folder."""
    there, board = _tool(tool), read_board(folder)
    spoken = {line.id: line for line in board.sheet(name).reviews if line.said}
    items = list(board.share(name).values())
    pictures = addresses(folder.root, shown_in(items), embed=True)
    sent = [
        Sent(
            item,
            [pictures.get(one.sha256, "") for one in item.pictures],
            answered(spoken[item.id]) if _holds(item, spoken) else None,
        )
        for item in items
    ]
    home = folder.inside(tool)
    for file, text in there.files(folder.form, sent, name).items():
        atomic_write(home / file, text)
    lines = (line_of(folder.form, one.item, one.answers) for one in sent if one.answers)
    _remember(_sent(folder, tool, name), there, lines)
    return home


def _sent(folder: Folder, tool: str, name: str) -> Path:
    return folder.inside(tool) / f"sent_{named(name)}.jsonl"


def _remember(file: Path, tool: Tool, lines: Iterable[Review]) -> None:
    """What the tool says now."""
    drop: dict[str, None] = {} if tool.times else {"seconds": None}
    atomic_write(file, b"".join(as_line(line.model_copy(update=drop)) for line in lines))


def _holds(item: Item, said: Mapping[str, Review]) -> bool:
    return item.id in said and said[item.id].sha == item.sha


def _tool(name: str) -> Tool:
    if name not in TOOLS:
        raise ConfigError(f"expected one of {', '.join(TOOLS)}; got {name!r}")
    return TOOLS[name]


# --- and back ------------------------------------------------------------------------------------------


class Taken(NamedTuple):
    """What an import did."""

    said: int
    """Items of which something was said there."""
    faults: list[str]
    """Why nothing was taken."""


def receive(folder: Folder, tool: str, file: Path, name: str, user: str | None = None) -> Taken:
    """Take what `user` said in a tool into a person's lines; without a name the only user who said anything.

    Raises ConfigError for a file that is not that tool's, and where it is not clear whose words are meant.
    """
    there, board = _tool(tool), read_board(folder)
    named(name)
    answers = _answers(file, there, _read(file, there), user)
    lines, faults = _lines(board, answers)
    faults += [str(fault) for fault in board.foreign(board.sheet(name))]
    if not faults:
        sent = {line.id: line for row in read(_sent(folder, tool, name)) for line in [validate(Review, row)]}
        folder.change(name, partial(_together, board, name, lines, sent, faults))
    if not faults:
        _remember(_sent(folder, tool, name), there, (sent | lines).values())
    return Taken(len(lines), faults)


def _read(file: Path, tool: Tool) -> list[Any]:
    """The elements of a tool's file, each of its shape."""
    try:
        rows = document(file)
    except RecordError as error:
        raise ConfigError(str(error)) from None
    if not isinstance(rows, list):
        raise ConfigError(f"{file}: expected a list of {tool.name}'s; got {type(rows).__name__}")
    found = [_element(tool, row, f"{file}: [{at}]") for at, row in enumerate(rows)]
    _stop_at([one for one in found if isinstance(one, str)])
    return found


def _element(tool: Tool, row: Any, where: str) -> BaseModel | str:
    """One of a tool's, or what is wrong with it in a line."""
    if why := tool.refused(row):
        return f"{where}: {why}"
    try:
        return tool.element.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return f"{where}: not {tool.name}'s: {place}: {first['msg']}; got {str(first['input'])[:60]!r}"


def _stop_at(faults: Sequence[str]) -> None:
    """Raises ConfigError with the first of them, and how many there are."""
    if faults:
        rest = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise ConfigError("\n".join([*faults[:MOST_FAULTS], *rest]))


def _answers(file: Path, tool: Tool, rows: list[Any], user: str | None) -> list[Answers]:
    there = tool.users(rows)
    if user is None and len(there) > 1:
        raise ConfigError(
            f"expected --user with one of {', '.join(sorted(there))}: several have said something"
        )
    if user is not None and user not in there:
        raise ConfigError(f"--user: expected one of {', '.join(sorted(there)) or 'nobody'}; got {user!r}")
    whose = user if user is not None else next(iter(there), "")
    found: list[Answers] = []
    faults: list[str] = []
    for at, row in enumerate(rows):
        try:
            found += filter(None, [tool.answers_of(row, whose)])
        except RecordError as error:
            faults.append(f"{file}: [{at}]: {error}")
    _stop_at(faults)
    return found


def _lines(board: Board, answers: Sequence[Answers]) -> tuple[dict[str, Review], list[str]]:
    """A line for each item that was answered, and everything that is wrong with any."""
    lines: dict[str, Review] = {}
    faults: list[str] = []
    for one in answers:
        item = board.known.get((one.id, one.sha))
        if item is None:
            faults.append(f"{one.id}: expected an item of this run, with its sha; got {one.sha!r}")
        elif one.id in lines:
            faults.append(f"{one.id}: expected each item once; got it again: leave one of the two there")
        else:
            line, wrong = _line(board.folder.form, item, one)
            faults += (f"{one.id}: {in_words(way)}: {found}" for way, found in wrong)
            lines[one.id] = line
    return lines, faults


def _line(form: Form, item: Item, answers: Answers) -> tuple[Review, list[Found]]:
    """What was said as a line, and what is wrong with it; a blank one where that is its shape."""
    plain = said(form, item, answers)
    if wrong := list(shape(form, plain)):
        return blank(form, item.id, item.sha), wrong
    line = Review.model_validate(plain)
    return line, list(agreement_with(form, item, line))


def _together(
    board: Board,
    name: str,
    lines: Mapping[str, Review],
    sent: Mapping[str, Review],
    faults: list[str],
    sheet: Sheet,
) -> bytes:
    """The person's file with what `lines` change of what was `sent`; as it is, where that clashes."""
    del faults[:]
    form = board.folder.form
    mine = merged(form, {id: item.sha for id, item in board.items.items()}, lines.values())
    there = {line.id: line for line in sheet.reviews}
    for line in (one for one in mine if one.matters):
        nothing = blank(form, line.id, line.sha)
        theirs, base = there.get(line.id, nothing), sent.get(line.id, nothing)
        both, clashes = three_way(base if base.sha == line.sha else nothing, line, theirs)
        faults += (
            f"{line.id}: {clash}: changed here and there, and not alike: change {sheet.path.name} or what "
            "was said there, then import again"
            for clash in clashes
        )
        before = (*line.before, *(one for one in theirs.before if one not in line.before))
        there[line.id] = both.model_copy(update={"before": before})
    share = {id: item.sha for id, item in board.share(name).items()}
    return sheet.content if faults else written(merged(form, share, there.values()), sheet)
