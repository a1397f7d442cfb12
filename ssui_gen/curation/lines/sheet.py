"""A person's file: bytes to lines with every fault located, and lines to bytes. Touches no file itself.

Faults are told as `file:line:column: field: message`, lines and columns from 1, columns in characters, so
that editors can point at them. What editors, git and people do to a file is borne where it changes nothing (a
byte order mark, CRLF, blank lines) and explained where it does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.curation.asked.form import Form
from ssui_gen.curation.lines.located import Located, Way, located
from ssui_gen.curation.lines.review import Review
from ssui_gen.curation.lines.rows import Reviews, Row, Rows, plain
from ssui_gen.curation.lines.shape import shape
from ssui_gen.jsonl import as_line
from ssui_gen.placed import ById
from ssui_gen.strict_json import DECODER

_MARKER = re.compile(r"<{7}( |$)|={7}$|>{7}( |$)|\|{7}( |$)")
_BETWEEN = re.compile(r"[ \t\r\n,]*")
_SPREAD = "expected one object on each line; got objects spread over lines, as an editor's formatting does"
BOM = b"\xef\xbb\xbf"
MOST_FAULTS = 100
"""Of one line, that are told one by one."""
_REPAIR = "`ssui curation check --repair` puts each object back on a line of its own"


class Fault(NamedTuple):
    """One thing that is wrong with a person's file."""

    path: Path
    line: int
    column: int
    field: str
    message: str

    def __str__(self) -> str:
        """Without a character that could steer a terminal."""
        said = f"{self.field}: {self.message}" if self.field else self.message
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in said)
        return f"{self.path}:{self.line}:{self.column}: {shown}"


@dataclass
class Sheet:
    """A person's file as it was read."""

    path: Path
    content: bytes = b""
    rows: Rows = field(default_factory=Rows)
    faults: list[Fault] = field(default_factory=list)
    lines: int = 0

    @property
    def reviews(self) -> Sequence[Review]:
        return Reviews(self.rows)

    @cached_property
    def by_id(self) -> Mapping[str, Review]:
        """By item; of two lines of one the last."""
        return ById(self.reviews, self.rows.ids)


def read_sheet(path: Path, content: bytes, form: Form) -> Sheet:
    """Every line of `content`; what cannot be a line is a fault."""
    sheet = Sheet(path, content, Rows(content))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        sheet.faults.append(Fault(path, 1, 1, "", "expected UTF-8; got UTF-16: save the file as UTF-8"))
        return sheet
    start = len(BOM) if content.startswith(BOM) else 0
    raw = content[start:].split(b"\n")
    sheet.lines = len(raw) - (raw[-1] == b"")
    inside = _conflicts(sheet, raw)
    for number, line in enumerate(raw, 1):
        if line.strip(b" \t\r") and number not in inside:
            _read_line(sheet, number, start, line, form)
        start += len(line) + 1
    if sheet.faults and (spread := _spread(path, content)):
        sheet.faults = [spread]
    _tell_twins(sheet)
    return sheet


def _spread(path: Path, content: bytes) -> Fault | None:
    """An array, or objects that do not stand one on a line: one fault, and where more is wrong, its place."""
    lines = [line.strip() for line in content.split(b"\n") if line.strip()]
    try:
        objects = _decoded(content)
    except UnicodeDecodeError:
        return None
    except json.JSONDecodeError as error:
        if lines[0] not in (b"{", b"["):
            return None
        return Fault(
            path, error.lineno, error.colno, "", f"{_SPREAD}, and here {error.msg}: mend it; then {_REPAIR}"
        )
    except (ValueError, RecursionError):
        if lines[0] not in (b"{", b"["):
            return None
        what = "a key that stands twice, or a number such as NaN"
        return Fault(path, 1, 1, "", f"{_SPREAD}, and in them {what}: mend it; then {_REPAIR}")
    whole = bool(objects) and all(isinstance(one, dict) for one in objects)
    if whole and (lines[0].startswith(b"[") or len(objects) != len(lines)):
        return Fault(path, 1, 1, "", f"{_SPREAD}: {_REPAIR}")
    return None


def _read_line(sheet: Sheet, number: int, start: int, line: bytes, form: Form) -> None:
    def fault(column: int, field: str, message: str) -> None:
        sheet.faults.append(Fault(sheet.path, number, column, field, message))

    try:
        text = line.decode("utf-8").rstrip("\r")
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode("utf-8", "replace")) + 1
        fault(column, "", f"expected UTF-8; got the byte 0x{line[error.start]:02x}: save the file as UTF-8")
        return
    value = plain(text)
    if value is None or any(shape(form, value)):
        found = located(text)
        wrong = list(islice(_wrong(form, found), MOST_FAULTS + 1))
        for one in wrong[:MOST_FAULTS]:
            fault(*one)
        if len(wrong) > MOST_FAULTS:
            fault(1, "", f"more is wrong in this line than these {MOST_FAULTS} faults")
        if wrong:
            return
        value = found.value
    sheet.rows.put(Review.model_validate(value).id, number, start, len(line))


def _wrong(form: Form, found: Located) -> Iterator[tuple[int, str, str]]:
    """Column, field and words of everything that is wrong with a line."""
    for flaw in found.flaws:
        yield flaw.offset + 1, "", flaw.message
    if found.value is not None or not found.flaws:
        for way, message in shape(form, found.value):
            yield found.column(way), in_words(way), message


def in_words(way: Way) -> str:
    """For example `reasons[1]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in way)
    return "".join(parts).removeprefix(".")


def _conflicts(sheet: Sheet, raw: Sequence[bytes]) -> set[int]:
    """Lines of merges that git could not finish: each is told once, and what it holds is not read."""
    inside: set[int] = set()
    start = 0
    for number, line in enumerate(raw, 1):
        found = _MARKER.match(line.decode("utf-8", "replace").rstrip("\r"))
        if found and found[0].startswith("<") and not start:
            start = number
        if start or found:
            inside.add(number)
        if found and (found[0].startswith(">") or not start):
            _tell_conflict(sheet, start or number, number)
            start = 0
    if start:
        _tell_conflict(sheet, start, sheet.lines)
    return inside


def _tell_conflict(sheet: Sheet, first: int, last: int) -> None:
    what = f"a merge that git left unfinished (lines {first} to {last}): of each item keep one line, "
    sheet.faults.append(
        Fault(sheet.path, first, 1, "", what + "and delete the lines with <<<<<<<, ======= and >>>>>>>")
    )


def _tell_twins(sheet: Sheet) -> None:
    first: dict[str, int] = {}
    for which, (id, number) in enumerate(zip(sheet.rows.ids, sheet.rows.numbers, strict=True)):
        if id in first:
            where = f"expected each item once; got {id!r} again (line {first[id]})"
            sheet.faults.append(at(sheet, sheet.rows[which], ("id",), f"{where}: keep one of the two lines"))
        first.setdefault(id, number)


def at(sheet: Sheet, row: Row, way: Way, message: str) -> Fault:
    """A fault of a line that could be read."""
    return Fault(sheet.path, row.number, located(row.text).column(way), in_words(way), message)


# --- back to bytes -------------------------------------------------------------------------------------


def written(lines: Iterable[Review], before: Sheet | None = None) -> bytes:
    """The file with these lines; a line that says what it said before stays as it was typed."""
    rows = before.rows if before else Rows()
    typed = {id: which for which, id in enumerate(rows.ids)}
    content = bytearray()
    for line in lines:
        which = typed.get(line.id)
        content += _typed(line, None if which is None else rows[which])
    return bytes(content)


def with_line(sheet: Sheet, line: Review) -> Sheet:
    """The file with this line in place of the one of its item, or after all others."""
    rows, text = sheet.rows, as_line(line).rstrip(b"\n")
    place = rows.first.get(line.id, len(rows))
    raw = sheet.content.split(b"\n") if sheet.content else [b""]
    if place == len(rows):
        raw[-1:] = [raw[-1], text, b""] if raw[-1].strip() else [text, b""]
        number = len(raw) - 1
    else:
        number = rows.numbers[place]
        raw[number - 1] = text
    there = [*zip(rows.ids, rows.numbers, strict=True), *([(line.id, number)] if place == len(rows) else [])]
    content = b"\n".join(raw)
    starts = list(accumulate((len(one) + 1 for one in raw), initial=0))
    after = Rows(content)
    for id, at_line in there:
        mark = len(BOM) if at_line == 1 and content.startswith(BOM) else 0
        after.put(id, at_line, starts[at_line - 1] + mark, len(raw[at_line - 1]) - mark)
    return replace(sheet, content=content, rows=after, lines=len(raw) - (raw[-1] == b""))


def _typed(line: Review, before: Row | None) -> bytes:
    return as_line(line) if before is None or before.review != line else f"{before.text}\n".encode()


def repaired(content: bytes) -> bytes | None:
    """A file that an editor has spread over many lines, or made an array of, with one object a line again.

    None where that is not what is wrong with it.
    """
    try:
        objects = _decoded(content)
        whole = bool(objects) and all(isinstance(one, dict) for one in objects)
        return "".join(map(_on_one_line, objects)).encode() if whole else None
    except (ValueError, RecursionError):
        return None


def _on_one_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def _decoded(content: bytes) -> list[Any]:
    """The values of a text, those of an array one by one; raises ValueError where it is no JSON."""
    text, found = content.decode("utf-8-sig").rstrip(), []
    at = _end_of_gap(text, 0)
    while at < len(text):
        one, at = DECODER.raw_decode(text, at)
        found += one if isinstance(one, list) else [one]
        at = _end_of_gap(text, at)
    return found


def _end_of_gap(text: str, at: int) -> int:
    gap = _BETWEEN.match(text, at)
    return gap.end() if gap else at
