"""Rows that stay in their file: of each only where it lies is in memory, and it is read when it is asked for.

A file that is replaced meanwhile is read as it was, and one that grows may be; where another line lies in the
place of a row by now, that is said, and no row is given for it. What a row means, and which rows count, is
for whoever puts their places in.
"""

from __future__ import annotations

import os
import weakref
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from ssui_gen.errors import RecordError
from ssui_gen.jsonl import Line, read, record_of, validate
from ssui_gen.numbered import Numbered
from ssui_gen.records import Record
from ssui_gen.same_line import require_same

RecordT = TypeVar("RecordT", bound=Record)


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


IdT = TypeVar("IdT", bound=_HasId, covariant=True)
T = TypeVar("T", covariant=True)


class Placed(Numbered[RecordT]):
    """Grows by `put`; rows of a kind, by number."""

    def __init__(self, kind: type[RecordT], path: Path) -> None:
        """Empty, of a file that there is. Raises RecordError."""
        self.kind: type[RecordT] = kind
        self.path = path
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise RecordError(f"{path}: could not be read: {error.strerror or error}") from None
        weakref.finalize(self, os.close, self._file)
        self._numbers, self._offsets, self._sizes = array("Q"), array("Q"), array("I")
        self._marks = array("I")

    def put(self, line: Line) -> None:
        """The next row is the one of this line, which was found to be one."""
        self._numbers.append(line.number)
        self._offsets.append(line.offset)
        self._sizes.append(line.size)
        self._marks.append(line.mark)

    def __len__(self) -> int:
        return len(self._numbers)

    def at(self, number: int) -> RecordT:
        """Raises RecordError where the row is none any more."""
        line = self._numbers[number]
        try:
            raw = os.pread(self._file, self._sizes[number], self._offsets[number])
        except OSError as error:
            raise RecordError(f"{self.path}: could not be read: {error.strerror or error}") from None
        return record_of(self.kind, self.path, line, require_same(self.path, line, raw, self._marks[number]))


def every(kind: type[RecordT], path: Path) -> Sequence[RecordT]:
    """All rows of a file; none where there is no file. Raises RecordError for one that is none."""
    if not path.exists():
        return ()
    found = Placed(kind, path)
    for line in read(path):
        validate(kind, line)
        found.put(line)
    return found


class ById(Mapping[str, IdT], Generic[IdT]):
    """Rows by their ids, in their order; of the same id the last one."""

    def __init__(self, rows: Sequence[IdT], ids: Iterable[str] | None = None) -> None:
        """`ids` are theirs, where somebody knows them: else each row is read for its own."""
        self.rows: Sequence[IdT] = rows
        known = (row.id for row in rows) if ids is None else ids
        self._numbers = {id: number for number, id in enumerate(known)}

    def __getitem__(self, id: str) -> IdT:
        return self.rows[self._numbers[id]]

    def __contains__(self, id: Any) -> bool:
        return id in self._numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class Made(Mapping[str, T]):
    """A value for each of some ids, in their order, which is made each time it is asked for."""

    def __init__(self, ids: Collection[str], make: Callable[[str], T]) -> None:
        self._ids, self._make = ids, make

    def __getitem__(self, id: str) -> T:
        if id not in self._ids:
            raise KeyError(id)
        return self._make(id)

    def __contains__(self, id: Any) -> bool:
        return id in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)
