"""The rows that an id means: a record, or all that became of a seed; its beginning will do if it is unique.

Reads rows one by one and keeps those that fit alone. A row that cannot be read is passed over: the run may be
going on.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jsonl import RecordT, read, validate
from ssui_gen.records import ReasoningPath, Reject
from ssui_gen.run_files import CURATED, PATHS, REJECTS

Row = ReasoningPath | Reject
MOST = 8
"""Ids that are named where several begin alike."""
KEPT = 1000
"""Ids that are looked at where that many begin alike: enough to say that none is meant alone."""


def find(run: Path, id: str) -> list[Row]:
    """One record, or the records and rejects of one seed. A whole id comes before the beginning of another.
    Raises ConfigError where none fits, or several.
    """
    if not any((run / name).exists() for name in (PATHS, REJECTS)):
        raise ConfigError(f"{run}: neither {PATHS} nor {REJECTS}: expected a run; --run names it")
    of_seed, records, seeds = list[Row](), dict[str, list[Row]](), dict[str, list[Row]]()
    faults = list[RecordError]()
    rows: Iterator[Row] = chain(_paths(run, faults), _rows(Reject, run / REJECTS, faults))
    for row in rows:
        if isinstance(row, ReasoningPath):
            if row.id == id:
                return [row]
            _note(records, row.id, id, row)
        if row.seed_id == id:
            of_seed.append(row)
        _note(seeds, row.seed_id, id, row)
    if found := of_seed or _only(records, id) or _only(seeds, id):
        return found
    raise ConfigError(
        f"{run}: no record and no seed whose id begins with {id!r}: expected an id of {PATHS}, or a "
        f"seed_id of it or of {REJECTS}; its beginning will do{_unread(faults)}"
    )


def _unread(faults: list[RecordError]) -> str:
    """It may be in a line that cannot be read."""
    return f". Lines that cannot be read: {len(faults):,}, the first {faults[0]}" if faults else ""


def _note(found: dict[str, list[Row]], whole: str, beginning: str, row: Row) -> None:
    if beginning and whole.startswith(beginning) and (whole in found or len(found) < KEPT):
        found.setdefault(whole, []).append(row)


def _only(found: dict[str, list[Row]], id: str) -> list[Row]:
    """What stands under the one id there is, nothing where there is none. Raises ConfigError for several."""
    if len(found) < 2:
        return next(iter(found.values()), [])
    many = f"{len(found):,}{' or more' if len(found) == KEPT else ''}"
    more = f" and {len(found) - MOST:,} more" if len(found) > MOST else ""
    some = f"{', '.join(sorted(found)[:MOST])}{more}"
    raise ConfigError(f"{id!r}: {many} ids begin with it ({some}): write more of one")


def _paths(run: Path, faults: list[RecordError]) -> Iterator[ReasoningPath]:
    """As people left them, where they have looked."""
    curated = set()
    for path in _rows(ReasoningPath, run / CURATED, faults):
        curated.add(path.id)
        yield path
    yield from (path for path in _rows(ReasoningPath, run / PATHS, faults) if path.id not in curated)


def _rows(kind: type[RecordT], file: Path, faults: list[RecordError]) -> Iterator[RecordT]:
    for line in read(file):
        try:
            yield validate(kind, line)
        except RecordError as fault:
            faults.append(fault)
