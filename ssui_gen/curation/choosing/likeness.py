"""Which texts say nearly the same: MinHash with one permutation, bands, then the exact figure.

Of texts that come one after another none is kept in memory (`near_duplicates`).

Likeness is Jaccard's index of the sets of three words in a row (Broder 1997, "On the resemblance and
containment of documents"). Sketches take the least hash in each of `BINS` bins (Li, Owen and Zhang 2012, "One
permutation hashing"), so that a text costs one hash for each of its words. Pictures are not compared.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from zlib import crc32

from ssui_gen.shelf import Shelf

LIKE = 0.8
"""From which likeness on two texts count as nearly the same."""
BINS, BAND = 40, 5
"""Two texts of likeness s are compared with a probability of about 1 − (1 − s^5)^8: 0.96 at 0.8."""
FULL = 16
"""Texts that share a band and are not alike, after which the band says nothing: records of one mould."""
WORDS = 3
RECENT = 200
"""Texts whose words are kept at hand: those of a mould are compared with the same few again and again."""
TABLES = (
    "CREATE TABLE texts (same BLOB PRIMARY KEY, number INT) WITHOUT ROWID",
    "CREATE TABLE bands (band INT, number INT, PRIMARY KEY (band, number)) WITHOUT ROWID",
)


def near_duplicates(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For each id of `texts` (id, text) that is nearly like an earlier one: the earlier one's id. Of the
    others nothing but the id is in memory. Raises RecordError where the disk is full.
    """
    found: dict[str, str] = {}
    with closing(_Earlier()) as earlier:
        for id, text in texts:
            like = earlier.like(id, _shingles(text))
            if like is not None:
                found[id] = like
    return found


class _Earlier:
    """Texts that were seen, by number: their words and bands are in temporary files."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        words = self._words = Shelf[bytes](Path(tempfile.gettempdir()))
        # not a method: nothing would hold the file but a cycle, until somebody looks for one
        self._recent = lru_cache(RECENT)(lambda number: frozenset(array("I", words[number])))
        self._db = sqlite3.connect("", isolation_level=None)
        for told in ("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", *TABLES, "BEGIN"):
            self._db.execute(told)

    def like(self, id: str, shingles: frozenset[int]) -> str | None:
        """The id of the first text that is nearly this, which else is one of them from now on."""
        words = array("I", sorted(shingles)).tobytes()
        same = hashlib.blake2b(words, digest_size=16).digest()
        if (number := self._one("SELECT number FROM texts WHERE same = ?", (same,))) is not None:
            return self._ids[number]
        self._db.execute("INSERT INTO texts VALUES (?, ?)", (same, len(self._ids)))
        bands = [hash(band) for band in _bands(shingles)]
        there = {band: self._in(band) for band in bands}
        known = dict.fromkeys(number for numbers in there.values() for number in numbers)
        like = next((one for one in known if likeness(shingles, self._recent(one)) >= LIKE), None)
        if like is None:
            fresh = ((band, len(self._ids)) for band, numbers in there.items() if len(numbers) < FULL)
            self._db.executemany("INSERT INTO bands VALUES (?, ?)", fresh)
        self._ids.append(id)
        self._words.put(words)
        return None if like is None else self._ids[like]

    def _one(self, query: str, told: tuple[object, ...]) -> int | None:
        row = self._db.execute(query, told).fetchone()
        return None if row is None else int(row[0])

    def _in(self, band: int) -> list[int]:
        """Those that share a band and are not alike, in their order."""
        found = self._db.execute("SELECT number FROM bands WHERE band = ? ORDER BY number", (band,))
        return [number for (number,) in found]

    def close(self) -> None:
        """Delete the bands' file; that of the words goes with this object."""
        self._db.close()


def likeness(one: frozenset[int], other: frozenset[int]) -> float:
    """Jaccard's index, from 0 to 1; of two empty sets 1."""
    union = len(one | other)
    return len(one & other) / union if union else 1.0


def _shingles(text: str) -> frozenset[int]:
    words = re.findall(r"\w+", text.casefold())
    rows = range(max(1, len(words) - WORDS + 1))
    return frozenset(crc32(" ".join(words[row : row + WORDS]).encode()) for row in rows)


def _bands(shingles: frozenset[int]) -> Iterator[tuple[int, ...]]:
    """The sketch in bands, each with its place; a bin that nothing fell into is −1."""
    least = [-1] * BINS
    for hash_ in shingles:
        bin_, rest = hash_ % BINS, hash_ // BINS
        least[bin_] = rest if least[bin_] < 0 else min(least[bin_], rest)
    for start in range(0, BINS, BAND):
        if any(part >= 0 for part in least[start : start + BAND]):
            yield (start, *least[start : start + BAND])
