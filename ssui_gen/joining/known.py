"""What the joined run already holds, kept in a temporary file, so that runs of any size can be joined.

A record's id comes from its seed's name alone, so two runs of other folders may use one id for two things. A
seed of another picture under a name that is taken is therefore renamed, and its records with it; a second
record of one seed, and one that says the very same as another, is a duplicate. Pure but for that file.
"""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from ssui_gen.curation.asked.texts import sha_of
from ssui_gen.records import ReasoningPath, row_id

TABLES = (
    "CREATE TABLE seeds (id TEXT PRIMARY KEY, sha TEXT) WITHOUT ROWID",
    "CREATE TABLE renamed (run INT, id TEXT, new TEXT, PRIMARY KEY (run, id)) WITHOUT ROWID",
    "CREATE TABLE kept (id TEXT PRIMARY KEY, sha TEXT) WITHOUT ROWID",
    "CREATE TABLE contents (sha TEXT PRIMARY KEY, id TEXT) WITHOUT ROWID",
    "CREATE TABLE became (run INT, id TEXT, new TEXT, own INT, PRIMARY KEY (run, id)) WITHOUT ROWID",
    "CREATE TABLE seen (what TEXT, id TEXT, run INT, PRIMARY KEY (what, id)) WITHOUT ROWID",
)
LONGEST_ID = 200
"""Characters of a seed's id."""
MARK = 8
"""Hex digits in the name of a seed that is renamed: its picture's, or of a hash of all that it shows."""


class Placed(NamedTuple):
    """What becomes of a record."""

    path: ReasoningPath
    """Under the ids of the joined run."""
    stands: str
    """Id of the record that says the same there; empty where a second record of a seed is left out."""
    why: str
    """Why it is left out; empty for one that is kept."""


class Known:
    """Seeds, records and other rows of the joined run, by id."""

    def __init__(self) -> None:
        self.renamed_seeds = 0
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        for table in TABLES:
            self._db.execute(table)

    def close(self) -> None:
        """Delete the file."""
        self._db.close()

    def seed(self, run: int, id: str, sha: str) -> tuple[str, bool]:
        """The name of a seed of that run, which shows what has this `sha` (`look_of`; empty: not known), and
        whether it is new here.
        """
        if new := self._one("SELECT new FROM renamed WHERE run = ? AND id = ?", run, id):
            return new, False
        taken = self._one("SELECT sha FROM seeds WHERE id = ?", id)
        if taken is None or taken == sha or not sha:
            name = id
        else:
            name = f"{id[: LONGEST_ID - MARK - 1]}~{_mark(sha)}"
        known = self._one("SELECT sha FROM seeds WHERE id = ?", name)
        self._db.execute("INSERT OR IGNORE INTO seeds VALUES (?, ?)", (name, sha))
        self.renamed_seeds += name != id
        self._db.execute("INSERT INTO renamed VALUES (?, ?, ?)", (run, id, name))
        return name, known is None

    def seed_name(self, run: int, id: str) -> str:
        """What a seed of that run is called here; as there, where nobody has told of it."""
        return str(self._one("SELECT new FROM renamed WHERE run = ? AND id = ?", run, id) or id)

    def place(self, run: int, path: ReasoningPath) -> Placed:
        """Take a record in, unless it is there; to be told once of each."""
        seed, _ = self.seed(run, path.seed_id, path.look)
        here = path if seed == path.seed_id else _renamed(path, seed)
        sha = sha_of(path)
        there = self._one("SELECT sha FROM kept WHERE id = ?", here.id)
        same = self._one("SELECT id FROM contents WHERE sha = ?", sha)
        if there == sha:
            placed = Placed(here, here.id, "the same record is there")
        elif there is not None:
            placed = Placed(here, "", f"another record of the seed {seed!r} is there: {here.id}")
        elif same is not None:
            placed = Placed(here, same, f"the record {same} says the same of the same picture")
        else:
            placed = Placed(here, here.id, "")
            self._db.execute("INSERT INTO kept VALUES (?, ?)", (here.id, sha))
            self._db.execute("INSERT OR IGNORE INTO contents VALUES (?, ?)", (sha, here.id))
        row = (run, path.id, placed.stands, not placed.why)
        self._db.execute("INSERT OR IGNORE INTO became VALUES (?, ?, ?, ?)", row)
        return placed

    def became(self, run: int, id: str) -> str:
        """The record here that stands for one of that run; empty where none does."""
        return str(self._one("SELECT new FROM became WHERE run = ? AND id = ?", run, id) or "")

    def own(self, run: int, id: str) -> str:
        """What a record of that run is called here if it stands here itself; empty for a duplicate."""
        return str(self._one("SELECT new FROM became WHERE run = ? AND id = ? AND own", run, id) or "")

    def first(self, run: int, what: str, id: str) -> bool:
        """Whether no earlier run had a row of this kind and id; that run itself may have several."""
        self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (what, id, run))
        return bool(self._one("SELECT run FROM seen WHERE what = ? AND id = ?", what, id) == run)

    def _one(self, query: str, *values: object) -> Any:
        row = self._db.execute(query, values).fetchone()
        return row[0] if row else None


def _mark(sha: str) -> str:
    """Two seeds that begin with the same picture of several are not the same."""
    return (row_id(sha) if "+" in sha else sha)[:MARK]


def _renamed(path: ReasoningPath, seed: str) -> ReasoningPath:
    other = "benign" if path.kind == "risky" else "risky"
    twin = row_id(seed, other) if path.twin_of else None
    return path.model_copy(update={"id": row_id(seed, path.kind), "seed_id": seed, "twin_of": twin})
