"""Rows in JSONL files: read line by line with every fault located, append safely.

Lines end at `\n` and nowhere else (`str.splitlines` would cut at U+2028). One JSON document that is a whole
file or a body is read by the same strict rules (`document`, `parse`). Does not know what a row means.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ssui_gen.errors import RecordError
from ssui_gen.files import open_own
from ssui_gen.records import Record
from ssui_gen.same_line import mark_of, require_same
from ssui_gen.strict_json import Fault, value_of

MAX_LINE = 1_000_000
"""Bytes; a longer line is a fault and is skipped without being held in memory."""
MAX_DOCUMENT = 100_000_000
"""Bytes of a file that is one JSON document."""
MAX_OBJECT = 20_000_000
"""Bytes of a file that is one object."""
_BOM = b"\xef\xbb\xbf"
RecordT = TypeVar("RecordT", bound=Record)
_UNUSUAL = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"}
_ESCAPES = str.maketrans(_UNUSUAL)


class Line(NamedTuple):
    """One line of a file: its value, or where and why it has none."""

    path: Path
    number: int
    value: dict[str, Any] | None
    error: str | None
    offset: int = 0
    """Bytes before it in the file; `at` finds it again."""
    size: int = 0
    """Bytes of it, with its line break."""
    mark: int = 0
    """Of its bytes (`mark_of`): whether what lies there later is still this line."""


def read(path: Path, max_line: int = MAX_LINE) -> Iterator[Line]:
    """Every line that is not blank, in constant memory; a missing file has none. Raises RecordError."""
    yield from _numbered(path, _opened(path, max_line), max_line)


def _opened(path: Path, max_line: int) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a file and where they begin. Raises RecordError."""
    if not path.exists():
        return
    _refuse_pipe(path)
    try:
        with path.open("rb") as file:
            yield from _lines(file, max_line)
    except OSError as error:
        raise RecordError(f"{path}: could not be read: {error.strerror or error}") from None


def _refuse_pipe(path: Path) -> None:
    """A folder that was brought may hold one, and nobody would ever write into it."""
    if path.is_fifo():
        raise RecordError(f"{path}: is a pipe; expected a file")


def at(line: Line, max_line: int = MAX_LINE) -> Line:
    """The same line, read again: for whoever keeps places instead of rows. Raises RecordError, where another
    one lies there by now, too.
    """
    try:
        _refuse_pipe(line.path)
        with line.path.open("rb") as file:
            file.seek(line.offset)
            _, raw = next(_lines(file, max_line), (0, None))
    except OSError as error:
        raise RecordError(f"{line.path}: could not be read: {error.strerror or error}") from None
    same = require_same(line.path, line.number, raw, line.mark)
    found = _line(line.path, line.number, same, max_line) or line
    return found._replace(offset=line.offset, size=len(same), mark=line.mark)


def records(kind: type[RecordT], path: Path) -> Iterator[RecordT]:
    """Every row of a file that we alone write, in a third of the time of `read` and `validate`: a key that
    stands twice and NaN pass. Raises RecordError as they do.
    """
    for number, (_, raw) in enumerate(_opened(path, MAX_LINE), 1):
        try:
            yield kind.model_validate_json(raw or b"")
        except ValidationError:  # a fault, or no more than a blank line, or a mark of UTF-8
            if line := _line(path, number, raw, MAX_LINE):
                yield validate(kind, line)


def record_of(kind: type[RecordT], path: Path, number: int, raw: bytes) -> RecordT:
    """The row that a line of a file holds, which was found to be one before: read as `records` does. Raises
    RecordError.
    """
    try:
        return kind.model_validate_json(raw)
    except ValidationError:  # as above, or another file by now
        return validate(kind, _parsed(path, number, _bare(raw, number), whole=raw.endswith(b"\n")))


def _numbered(path: Path, lines: Iterable[tuple[int, bytes | None]], max_line: int) -> Iterator[Line]:
    for number, (offset, raw) in enumerate(lines, 1):
        if line := _line(path, number, raw, max_line):
            yield line._replace(offset=offset, size=len(raw or b""), mark=mark_of(raw or b""))


def _line(path: Path, number: int, raw: bytes | None, max_line: int) -> Line | None:
    """None of a blank one."""
    if raw is None:
        fault = f"{path}:{number}:1: longer than {max_line:,} bytes; shorten it"
        return Line(path, number, None, fault)
    text = _bare(raw, number)
    return _parsed(path, number, text, whole=raw.endswith(b"\n")) if text else None


def _bare(raw: bytes, number: int) -> bytes:
    return raw.removeprefix(_BOM if number == 1 else b"").strip(b" \t\r\n")


def _lines(file: BinaryIO, max_line: int) -> Iterator[tuple[int, bytes | None]]:
    """Lines with their line break and where they begin; None for one that is too long."""
    offset = file.tell()
    while raw := file.readline(max_line + 1):
        start, offset = offset, offset + len(raw)
        if len(raw) <= max_line or raw.endswith(b"\n"):
            yield start, raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(max_line)
            offset += len(raw)
        yield start, None


def _parsed(path: Path, number: int, text: bytes, *, whole: bool) -> Line:
    try:
        return Line(path, number, _loads(text), None)
    except Fault as fault:
        torn = "" if whole else " (torn last line: the file ends in the middle of it)"
        return Line(path, number, None, f"{path}:{number}:{fault.column}: {fault}{torn}")


def _loads(raw: bytes) -> dict[str, Any]:
    value = value_of(raw)
    if not isinstance(value, dict):
        raise Fault(f"expected an object; got {str(value)[:40]!r}")
    return value


def parse(raw: bytes, where: str) -> Any:
    """The JSON value that `raw` is, read as strictly as a line. Raises RecordError: the place in `where`."""
    try:
        return value_of(raw)
    except Fault as fault:
        raise RecordError(f"{where}:{fault.line}:{fault.column}: {fault}") from None


def document(path: Path, most: int = MAX_DOCUMENT) -> Any:
    """The one JSON value of a file of at most `most` bytes. Raises RecordError with the place."""
    _refuse_pipe(path)
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
    except OSError as error:
        raise RecordError(f"{path}: could not be read: {error.strerror or error}") from None
    if len(raw) > most:
        raise RecordError(f"{path}: expected at most {most:,} bytes; got more")
    return parse(raw.removeprefix(_BOM), str(path))


def validate(kind: type[RecordT], line: Line) -> RecordT:
    """The line as a record; raises RecordError with the place and the first fault."""
    if line.value is None:
        raise RecordError(line.error)
    return of_kind(kind, line.value, f"{line.path}:{line.number}")


def read_object(path: Path, most: int = MAX_OBJECT) -> dict[str, Any] | None:
    """A file that is one JSON object, or None where there is no file; raises RecordError with the place."""
    if not path.exists():
        return None
    value = document(path, most)
    if not isinstance(value, dict):
        raise RecordError(f"{path}:1:1: expected an object; got {str(value)[:40]!r}")
    return value


def of_kind(kind: type[RecordT], value: Any, where: str) -> RecordT:
    """A JSON value as a record; raises RecordError with the first fault, as one of `where`, what else it
    lacks, and how a row looks where people write such rows.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first, *more = error.errors()
        lacks = [str(one["loc"][0]) for one in more if one["type"] == "missing" and len(one["loc"]) == 1]
        others = len(more) - len(lacks)
        said = (
            f"{where}: {_fault_of(kind, first)}",
            f"it also lacks {', '.join(lacks)}" if lacks else "",
            f"{others} more fault{'s' if others > 1 else ''}" if others else "",
            f"a row looks like {kind.LOOKS}" if kind.LOOKS else "",
        )
        raise RecordError("; ".join(part for part in said if part)) from None


def _fault_of(kind: type[Record], fault: ErrorDetails) -> str:
    """Where and what, as pydantic says it, and what stands there."""
    if fault["type"] == "value_error" and not fault["loc"]:  # a rule of ours about several fields
        return str(fault["ctx"]["error"])
    field = ".".join(str(part) for part in fault["loc"]) or "the row"
    known = f" (known: {', '.join(_names(kind))})" if fault["type"] == "extra_forbidden" else ""
    got = fault["input"][:80] if isinstance(fault["input"], str) else fault["input"]
    shown = "" if fault["type"] == "missing" else f"; got {repr(got)[:90]}"
    return f"{field}: {fault['msg']}{known}{shown}"


def _names(kind: type[Record]) -> list[str]:
    """Of a row's fields, as they stand in a file."""
    return [field.alias or name for name, field in kind.model_fields.items()]


def as_line(row: Record) -> bytes:
    """A row as it stands in a file: no character in it that anything takes for a line break."""
    return (row.model_dump_json().translate(_ESCAPES) + "\n").encode("utf-8")


class Appender:
    """The one writer of a file that only grows. A torn last line, left by a kill, is cut off first.

    Open it before reading which rows are there: a last row without its line break is whole to `read`,
    but is cut off here.
    """

    def __init__(self, path: Path, told: Callable[[bytes], None] | None = None) -> None:
        """`told` is given the lines of rows before they are written, and may raise."""
        self.path, self._told = path, told
        self._file = open_own(path, os.O_RDWR | os.O_APPEND)
        self._size = _whole_lines(self._file)
        self.cut = os.fstat(self._file).st_size - self._size
        """Bytes of the torn line that were cut off."""
        if self.cut:
            os.ftruncate(self._file, self._size)

    def write(self, *rows: Record) -> None:
        """Append rows whole and together, or raise RecordError and leave the file as it was."""
        data = b"".join(map(as_line, rows))
        if self._told:
            self._told(data)
        try:
            written = os.write(self._file, data)
            if written < len(data):
                raise OSError(f"only {written} of {len(data)} bytes could be written")
        except OSError as error:
            with suppress(OSError):  # what cannot be cut off now is cut off when the file is next opened
                os.ftruncate(self._file, self._size)
            raise RecordError(
                f"{self.path}: a row could not be written: {error}; what was written before is safe: "
                "free some space and run the same command again"
            ) from None
        self._size += len(data)

    def close(self) -> None:
        """Force everything to the disk, then close; raises RecordError when the disk refuses."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise RecordError(f"{self.path}: the last rows may not be on the disk: {error}") from None
        finally:
            os.close(self._file)


def _whole_lines(file: int, block: int = 65536) -> int:
    """The size of the file up to and including its last line break."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - block)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
