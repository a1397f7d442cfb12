"""The lines of a person's file that could be read, by their places in its bytes. Touches no file.

There are as many as items, and a line as an object takes ten times its bytes: each is read again where it is
asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import ValidationError

from ssui_gen.curation.lines.located import located
from ssui_gen.curation.lines.review import Review
from ssui_gen.errors import RecordError
from ssui_gen.jsonl import parse
from ssui_gen.numbered import Numbered


class Row(NamedTuple):
    """A line that could be read."""

    number: int
    text: str
    """As it stands in the file, without its line break."""
    review: Review


class Rows(Numbered[Row]):
    """In the order of the file. Grows by `put`."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content
        self.ids = list[str]()
        self.numbers, self._starts, self._sizes = array("Q"), array("Q"), array("Q")

    def put(self, id: str, number: int, start: int, size: int) -> None:
        """The next is of the item `id`, so many bytes from `start` on."""
        self.ids.append(id)
        for column, value in ((self.numbers, number), (self._starts, start), (self._sizes, size)):
            column.append(value)

    def __len__(self) -> int:
        return len(self.ids)

    def at(self, number: int) -> Row:
        """Read again."""
        start = self._starts[number]
        text = self.content[start : start + self._sizes[number]].decode("utf-8").rstrip("\r")
        return Row(self.numbers[number], text, _review(text))

    @cached_property
    def first(self) -> dict[str, int]:
        """By item the number, from 0, of its first row."""
        return {id: which for which, id in reversed(list(enumerate(self.ids)))}


class Reviews(Numbered[Review]):
    """What stands in rows."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def at(self, number: int) -> Review:
        """What stands in the row of this number."""
        return self._rows[number].review


def _review(text: str) -> Review:
    """Of a line in which nothing is wrong."""
    try:
        return Review.model_validate_json(text)
    except ValidationError:  # what is read with patience, as when it was read first
        value = plain(text)
        return Review.model_validate(located(text).value if value is None else value)


def plain(text: str) -> Any | None:
    """The value of a line without any flaw, read fast; None where there may be one."""
    try:
        return parse(text.encode("utf-8"), "")
    except RecordError:
        return None
