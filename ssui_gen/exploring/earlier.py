"""Pairs of the rounds before: a run that is a round of another (`round.json`) keeps them beside its own.

What was trained on them hardly errs any more where they were found, so nothing else would hold it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ssui_gen.branches import Pair
from ssui_gen.jsonl import of_kind, read, read_object, validate
from ssui_gen.records import Record
from ssui_gen.run_files import PAIRS

FILE = "round.json"


class Begun(Record):
    """The content of `round.json`."""

    round: int
    before: str
    """The folder of the round before, seen from this one's."""
    weights: str
    """Hash of the adapter that draws; empty where a server of the user's has it."""


def begun(run: Path) -> Begun | None:
    """How a round began; None for a run that is none. Raises RecordError."""
    found = read_object(run / FILE)
    return None if found is None else of_kind(Begun, found, str(run / FILE))


def earlier_pairs(run: Path) -> Iterator[Pair]:
    """Those of the round before, which hold those of all before it. Raises RecordError."""
    known = begun(run)
    for line in read(run / known.before / PAIRS) if known else ():
        yield validate(Pair, line)
