"""The rejects of a run: which of them are tried again, and how they leave the file for what comes instead.

A reject is done, but for one that circumstances made (`Reason.passing`), one of a reason that a person asks
for, and one that each run finds anew without a call. It stays in the file until the run that tries it again
is about to begin; then its row goes, so that a kill leaves it to do. Covers no routes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from ssui_gen.files import atomic_write
from ssui_gen.jobs.part import Witness, told_of_rows
from ssui_gen.jobs.progress import Funnel
from ssui_gen.jsonl import Appender, as_line, records
from ssui_gen.records import Reason, Reject


class Rejects:
    """The one writer of a run's file of rejects. `funnel` counts its rows by stage and reason."""

    def __init__(
        self,
        path: Path,
        funnel: Funnel,
        *,
        retry: Collection[Reason],
        found_anew: Collection[Reason],
        witness: Witness | None = None,
    ) -> None:
        """Those of `retry` are tried again though they are of the item; the `witness` is told."""
        self.witness = witness
        self.path, self.funnel = path, funnel
        self.retry, self.found_anew = frozenset(retry), frozenset(found_anew)
        self._file = self._opened()

    def count(self, done: Callable[[Reject], object]) -> None:
        """Count every row, and tell `done` of those that stay; raises RecordError for one that is none."""
        for row in self._rows():
            self.funnel.dropped[row.stage, row.reason] += 1
            if self._stays(row):
                done(row)

    def forget(self, tried: Callable[[Reject], bool]) -> None:
        """Take out what this run finds anew, and of what is tried again that which is `tried` now.

        To be called when the models are known to answer: until then nothing is lost.
        """
        gone = Counter((row.stage, row.reason) for row in self._rows() if self._goes(row, tried))
        if not gone:
            return
        if self.witness:
            self.witness.gone(self.path.name, (row for row in self._rows() if self._goes(row, tried)))
        self._file.close()
        atomic_write(self.path, (as_line(row).decode() for row in self._rows() if not self._goes(row, tried)))
        self._file = self._opened()
        self.funnel.dropped -= gone
        for (_, reason), count in gone.items():
            if reason not in self.found_anew:
                self.funnel.again[reason] += count

    def write(self, row: Reject) -> None:
        self._file.write(row)
        self.funnel.dropped[row.stage, row.reason] += 1

    def close(self) -> None:
        self._file.close()

    def _opened(self) -> Appender:
        return Appender(self.path, told_of_rows(self.witness, self.path.name))

    def _rows(self) -> Iterator[Reject]:
        return records(Reject, self.path)

    def _stays(self, row: Reject) -> bool:
        return not (row.reason.passing or row.reason in self.retry or row.reason in self.found_anew)

    def _goes(self, row: Reject, tried: Callable[[Reject], bool]) -> bool:
        return not self._stays(row) and (row.reason in self.found_anew or tried(row))
