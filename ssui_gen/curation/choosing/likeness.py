"""Which texts say nearly the same: MinHash with one permutation, bands, then the exact figure. Pure.

Likeness is Jaccard's index of the sets of three words in a row (Broder 1997, "On the resemblance and
containment of documents"). Sketches take the least hash in each of `BINS` bins (Li, Owen and Zhang 2012, "One
permutation hashing"), so that a text costs one hash for each of its words. Pictures are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from zlib import crc32

LIKE = 0.8
"""From which likeness on two texts count as nearly the same."""
BINS, BAND = 40, 5
"""Two texts of likeness s are compared with a probability of about 1 − (1 − s^5)^8: 0.96 at 0.8."""
FULL = 16
"""Texts that share a band and are not alike, after which the band says nothing: records of one mould."""
WORDS = 3


def near_duplicates(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For each id of `texts` (id, text) that is nearly like an earlier one: the earlier one's id."""
    buckets: dict[tuple[int, ...], list[tuple[str, frozenset[int]]]] = {}
    equal: dict[frozenset[int], str] = {}
    found: dict[str, str] = {}
    for id, text in texts:
        shingles = _shingles(text)
        if (same := equal.setdefault(shingles, id)) != id:
            found[id] = same
            continue
        bands = list(_bands(shingles))
        known = {one: said for band in bands for one, said in buckets.get(band, ())}
        like = next((one for one, said in known.items() if likeness(shingles, said) >= LIKE), None)
        if like is not None:
            found[id] = like
            continue
        for bucket in (buckets.setdefault(band, []) for band in bands):
            if len(bucket) < FULL:
                bucket.append((id, shingles))
    return found


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
