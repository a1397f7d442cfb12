"""What was written into a person's file by the server, so that an old copy in an editor cannot undo it.

An editor that was opened before and is saved after puts every line back to what it said then, and nobody sees
it. Such a line says again what it said before it was changed here; a line that was changed by hand says
something new. The first is told, with both words kept; the second simply holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime

from ssui_gen.curation.lines.review import Review
from ssui_gen.curation.workspace.folder import Folder
from ssui_gen.jsonl import Appender, read, validate
from ssui_gen.records import Record

FOLDER = "history"


class Change(Record):
    """A row of `history/<name>.jsonl`."""

    at: str
    was: Review
    line: Review


class History:
    """What has been changed in one person's file, the newest last. Read once; grows with `add`.

    Raises ConfigError where its folder is a link, RecordError for what was not written here.
    """

    def __init__(self, folder: Folder, name: str) -> None:
        self._path = folder.inside(FOLDER) / f"{name}.jsonl"
        self._states: dict[str, list[Review]] = {}
        self.length = 0
        for row in read(self._path):
            self._note(validate(Change, row))

    def _note(self, change: Change) -> None:
        self.length += 1
        states = self._states.setdefault(change.line.id, [change.was])
        for line in (change.was, change.line):
            if line != states[-1]:
                states.append(line)

    def add(self, was: Review, line: Review) -> None:
        """A line that says what was last written is no change."""
        if line == was == (self._states.get(line.id) or [line])[-1]:
            return
        change = Change(at=datetime.now(UTC).isoformat(timespec="seconds"), was=was, line=line)
        with closing(Appender(self._path)) as rows:
            rows.write(change)
        self._note(change)

    def set_back(self, lines: Iterable[Review]) -> dict[str, Review]:
        """By item, what was last written of it, where the file says again what it said before that."""
        found = {}
        for line in lines:
            states = self._states.get(line.id, [])
            if states and line != states[-1] and line in states:
                found[line.id] = states[-1]
        return found
