"""The rows of one model on disk: responses, judgements, scores by a benchmark's own rules, each once, and
which of them are tried again.

A row that circumstances spoiled (`call_failed`, a picture that was not there) stays in its file, to be
counted, until a run begins that can try it again; then it goes, so that a kill leaves it to do. What was
said of a response that is drawn again goes before it does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any, Generic, TypeVar

from ssui_gen.benching.official.shape import Judged
from ssui_gen.benching.records import BenchJudgement, Response
from ssui_gen.calling.journal import Seen
from ssui_gen.files import atomic_write
from ssui_gen.jobs.part import Witness, told_of_rows
from ssui_gen.jsonl import Appender, Line, as_line, read, validate
from ssui_gen.placed import Placed
from ssui_gen.records import Reason

RESPONSES, JUDGEMENTS, OFFICIAL = "responses.jsonl", "judgements.jsonl", "official.jsonl"
LABELS, DRAW, CARD = "labels.jsonl", "draw.json", "card.json"
"""What people said, which rows they were asked about, how far the judge can be trusted."""
TRUTH = "truth.jsonl"
"""What a world that knows says of every row, where there is one."""
RowT = TypeVar("RowT", Response, BenchJudgement, Judged)


def rows_in(path: Path, kind: type[RowT]) -> Iterator[RowT]:
    """Each id once, the first row that bears it; none where there is no file. Raises RecordError for a row
    that is none.
    """
    return (row for _, row in _lines_of(path, kind))


def placed(path: Path, kind: type[RowT]) -> Placed[RowT]:
    """The same as rows that stay in their file, which must be there. Raises RecordError."""
    found = Placed(kind, path)
    for line, _ in _lines_of(path, kind):
        found.put(line)
    return found


def _lines_of(path: Path, kind: type[RowT]) -> Iterator[tuple[Line, RowT]]:
    with closing(Seen()) as seen:
        for line in read(path):
            row = validate(kind, line)
            if seen.add(row.id):
                yield line, row


class Rows(Generic[RowT]):
    """The one writer of a file of rows."""

    def __init__(self, path: Path, kind: type[RowT], witness: Witness | None = None) -> None:
        """`witness` is told of each row, by the file's name and its folder's."""
        self.path, self.witness = path, witness
        self._kind: type[RowT] = kind
        self._file = self._opened()

    def _opened(self) -> Appender:
        return Appender(self.path, told_of_rows(self.witness, self._name))

    @property
    def _name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"

    def __iter__(self) -> Iterator[RowT]:
        """As `rows_in`."""
        return rows_in(self.path, self._kind)

    def write(self, rows: Iterable[RowT]) -> None:
        """All or none of them."""
        self._file.write(*rows)

    def forget(self, gone: Callable[[RowT], bool]) -> list[RowT]:
        """Take rows out of the file; returns them."""
        found = [row for row in self if gone(row)]
        if found:
            if self.witness:
                self.witness.gone(self._name, found)
            self._file.close()
            atomic_write(self.path, (as_line(row).decode() for row in self if not gone(row)))
            self._file = self._opened()
        return found

    def close(self) -> None:
        self._file.close()


class Kept:
    """The files of a model's folder."""

    def __init__(self, folder: Path, open_: AsyncExitStack, witness: Witness | None = None) -> None:
        def opened(name: str, kind: type[RowT]) -> Rows[RowT]:
            return open_.enter_context(closing(Rows(folder / name, kind, witness)))

        self.responses = opened(RESPONSES, Response)
        self.judgements = opened(JUDGEMENTS, BenchJudgement)
        self.official = opened(OFFICIAL, Judged)

    def __iter__(self) -> Iterator[Rows[Any]]:
        return iter((self.responses, self.judgements, self.official))

    def try_again(self, retry: Collection[Reason]) -> int:
        """Take out what this run tries again; returns how many. To be called when the models answer."""
        again = {row.id for row in self.responses if _is_tried(row, retry)}
        spoiled = {"call_failed"} | ({"request_refused"} if Reason.REQUEST_REFUSED in retry else set())
        gone: list[BenchJudgement | Judged] = [
            *self.judgements.forget(lambda row: row.response_id in again or row.unscored in spoiled),
            *self.official.forget(
                lambda row: row.response_id in again or not spoiled.isdisjoint(row.unscored.values())
            ),
        ]
        self.responses.forget(lambda row: row.id in again)
        return len(again) + sum(row.response_id not in again for row in gone)


def _is_tried(row: Response, retry: Collection[Reason]) -> bool:
    return row.reason is not None and (row.reason.passing or row.reason in retry)
