"""The call journal: every answer a model gave, by the hash of what was asked, so that a killed run continues.

A run that starts again asks the same calls; those found here cost nothing. Each row is committed when put,
in WAL mode one write without waiting for the disk (0.03 ms, half of it the insert): a killed process loses no
answer, a power cut only the last ones. One process writes a journal.
Does not cover how a call's key is made (`agent`), nor pictures: requests name them by sha256.
"""

from __future__ import annotations

import json
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.completions import Completion, Usage
from ssui_gen.errors import RecordError
from ssui_gen.files import require_own

CALLS = "calls.sqlite"
"""Its name in a run's folder."""
LOOKUP = 500
"""Ids per query; old builds of SQLite take at most 999 variables."""

TABLE = """
CREATE TABLE IF NOT EXISTS calls (
    id TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    request TEXT NOT NULL,
    completion TEXT NOT NULL,
    created REAL NOT NULL
)
"""


SPENT = """
SELECT agent, json_extract(request, '$.model'), count(*),
       sum(json_extract(completion, '$.usage.prompt_tokens')),
       coalesce(sum(json_extract(completion, '$.usage.cached_tokens')), 0),
       sum(json_extract(completion, '$.usage.completion_tokens')),
       sum(json_extract(completion, '$.seconds'))
FROM calls GROUP BY 1, 2 ORDER BY 1, 2
"""
Told = Callable[[str, str, dict[str, Any], Completion], None]
"""Is given a call's key, agent, request and answer."""


class Call(NamedTuple):
    """A row of the journal."""

    id: str
    agent: str
    request: dict[str, Any]
    completion: Completion
    created: float
    """Seconds since 1970."""


class Spent(NamedTuple):
    """What an agent's calls to one model, by the name that was asked for, took."""

    agent: str
    model: str
    calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    seconds: float
    """Waited for, each call by itself; calls run side by side."""

    @property
    def usage(self) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cached_tokens=self.cached_tokens,
        )


class Journal:
    """Answers by key. `hits` counts the lookups that found one, `writes` the rows added."""

    def __init__(self, path: Path, told: Told | None = None) -> None:
        """`told` is given each answer before it is kept, and may raise."""
        self.path, self._told = path, told
        self.hits = 0
        self.writes = 0
        for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
            require_own(file)
        with self._explained():
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(TABLE)

    def get(self, key: str) -> Completion | None:
        """The answer to the call `key`; None when it was never made."""
        with self._explained():
            row = self._db.execute("SELECT completion FROM calls WHERE id = ?", (key,)).fetchone()
            found = row and Completion.model_validate_json(row[0])
        self.hits += found is not None
        return found

    def put(self, key: str, agent: str, request: dict[str, Any], completion: Completion) -> None:
        """Keep an answer; the first one under a key stays. Raises RecordError when the disk refuses."""
        if self._told:
            self._told(key, agent, request, completion)
        self.keep(Call(key, agent, request, completion, time.time()))

    def keep(self, call: Call) -> None:
        """`put` for one that was made before, of which nobody is told."""
        row = (call.id, call.agent, json.dumps(call.request), call.completion.model_dump_json(), call.created)
        with self._explained():
            self._db.execute("INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?, ?)", row)
        self.writes += 1

    def close(self) -> None:
        """A second close does nothing."""
        self._db.close()

    def rows_by_id(self, ids: Iterable[str]) -> dict[str, Call]:
        """The rows of those `ids` that are here."""
        return {call.id: call for call in self.those(dict.fromkeys(ids))}

    def those(self, ids: Iterable[str]) -> Iterator[Call]:
        """The same one after another, some at a time; `ids` are there once."""
        wanted = iter(ids)
        while part := list(islice(wanted, LOOKUP)):
            query = f"SELECT * FROM calls WHERE id IN ({','.join('?' * len(part))})"
            with self._explained():
                found = [_call(row) for row in self._db.execute(query, part)]
            yield from found

    def take(self, other: Path) -> int:
        """Take the answers of another journal in; those under a key that is here stay out. How many came."""
        with self._explained(other):
            before = self._db.total_changes
            self._db.execute("ATTACH DATABASE ? AS other", (str(other),))
            try:
                self._db.execute("INSERT OR IGNORE INTO calls SELECT * FROM other.calls")
            finally:
                self._db.execute("DETACH DATABASE other")
            return self._db.total_changes - before

    def spent(self) -> list[Spent]:
        """By agent and model, what all calls here took; summed up by the database, so of any size."""
        with self._explained():
            return [Spent(*row) for row in self._db.execute(SPENT)]

    @contextmanager
    def _explained(self, other: Path | None = None) -> Iterator[None]:
        """Of this journal, or of an `other` that is read with it."""
        try:
            yield
        except (sqlite3.Error, ValueError) as error:
            reason = " ".join(str(error).split())[:300]
            raise RecordError(
                f"{other or self.path}: the call journal cannot be used: {reason!r}; expected a SQLite file "
                f"of this version on a disk with free space. Free space and run the same command again; "
                f"if the file is damaged, move it away: finished rows stay, unfinished calls are made again"
            ) from None


def _call(row: tuple[str, str, str, str, float]) -> Call:
    return Call(row[0], row[1], json.loads(row[2]), Completion.model_validate_json(row[3]), row[4])


class Seen:
    """A set of ids kept in a temporary file, so that millions of them cost no memory."""

    def __init__(self) -> None:
        self._count = 0
        self._db = sqlite3.connect("", isolation_level=None)
        weakref.finalize(self, self._db.close)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE ids (id TEXT PRIMARY KEY) WITHOUT ROWID")
        self._db.execute("BEGIN")  # and no end: a commit an id would cost as much again

    def add(self, id: str) -> bool:
        """Whether `id` is new."""
        new = self._db.execute("INSERT OR IGNORE INTO ids VALUES (?)", (id,)).rowcount == 1
        self._count += new
        return new

    def __contains__(self, id: str) -> bool:
        return self._db.execute("SELECT 1 FROM ids WHERE id = ?", (id,)).fetchone() is not None

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        """In their own order; nothing is added meanwhile."""
        return (id for (id,) in self._db.execute("SELECT id FROM ids ORDER BY id"))

    def close(self) -> None:
        """Delete the file."""
        self._db.close()
