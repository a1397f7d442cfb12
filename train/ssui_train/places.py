"""Where the rows of a run lie, by the ids they are looked for by: rows of any number are found, none is kept.

In a temporary file without a name, as ids of millions would fill the memory. A place is the number of a line
and the bytes before it; `jsonl.at` reads it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ssui_gen.branches import Cut, Pair
from ssui_gen.jsonl import Line

_PLACE = "number INT, offset INT, mark INT"
TABLES = (
    f"CREATE TABLE cuts (path TEXT, {_PLACE}, PRIMARY KEY (path, number)) WITHOUT ROWID",
    f"CREATE TABLE branches (id TEXT PRIMARY KEY, {_PLACE}) WITHOUT ROWID",
    f"CREATE TABLE pairs (path TEXT, id TEXT, {_PLACE}, PRIMARY KEY (path, id)) WITHOUT ROWID",
    f"CREATE TABLE paths (id TEXT PRIMARY KEY, {_PLACE}) WITHOUT ROWID",
)
PATHS = "SELECT number, offset, mark FROM paths ORDER BY number"
FIRST = """
SELECT number, offset, mark FROM paths
ORDER BY NOT EXISTS (SELECT 1 FROM pairs WHERE path = paths.id), number LIMIT ?
"""
STRAY = """
SELECT number, offset, mark FROM pairs
WHERE NOT EXISTS (SELECT 1 FROM paths WHERE id = pairs.path) ORDER BY number
"""


class Place(NamedTuple):
    """Of a row in its file."""

    number: int
    offset: int
    mark: int
    """Of its bytes."""


def _place(line: Line) -> Place:
    return Place(line.number, line.offset, line.mark)


class Places:
    """Of paths, cuts, branches and pairs, each in the order of its file."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        for table in TABLES:
            self._db.execute(table)
        self._db.execute("BEGIN")  # and no end: a commit a row would cost as much again

    def close(self) -> None:
        """Delete the file."""
        self._db.close()

    def add_path(self, id: str, line: Line) -> bool:
        """Whether the id is new; the first one stays."""
        return self._add("IGNORE", "paths VALUES (?, ?, ?, ?)", (id, *_place(line)))

    def add_pair(self, pair: Pair, line: Line) -> bool:
        """Whether its path had none of this id; the first one stays."""
        told = (pair.path_id, pair.id, *_place(line))
        return self._add("IGNORE", "pairs VALUES (?, ?, ?, ?, ?)", told)

    def add_cut(self, cut: Cut, line: Line) -> None:
        """A cut with its branches; of those with one id the last one stays."""
        place = _place(line)
        self._add("REPLACE", "cuts VALUES (?, ?, ?, ?)", (cut.path_id, *place))
        for branch in cut.branches:
            self._add("REPLACE", "branches VALUES (?, ?, ?, ?)", (branch.id, *place))

    def _add(self, instead: str, into: str, told: tuple[object, ...]) -> bool:
        return self._db.execute(f"INSERT OR {instead} INTO {into}", told).rowcount == 1

    def count(self, table: str) -> int:
        (found,) = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(found)

    def paths(self, limit: int | None) -> Iterator[Place]:
        """All, or so many of them, those with pairs before others."""
        return self._found(FIRST, (limit,)) if limit else self._found(PATHS)

    def pairs_of(self, path: str) -> Iterator[Place]:
        return self._found("SELECT number, offset, mark FROM pairs WHERE path = ? ORDER BY number", (path,))

    def cuts_of(self, path: str) -> Iterator[Place]:
        return self._found("SELECT number, offset, mark FROM cuts WHERE path = ? ORDER BY number", (path,))

    def cut_with(self, branch: str) -> Place | None:
        """The row that holds a branch."""
        return next(self._found("SELECT number, offset, mark FROM branches WHERE id = ?", (branch,)), None)

    def stray_pairs(self) -> Iterator[Place]:
        """Those whose path is not here."""
        return self._found(STRAY)

    def _found(self, query: str, told: Iterable[object] = ()) -> Iterator[Place]:
        return (Place(*row) for row in self._db.execute(query, tuple(told)))
