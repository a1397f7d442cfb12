"""The rows that an id means: a record, or all that became of a seed; its beginning will do if it is unique.

Reads rows one by one and keeps those that fit alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jsonl import read, validate
from ssui_gen.records import ReasoningPath, Reject

PATHS, CURATED, REJECTS = "reasoning_paths.jsonl", "curated.jsonl", "rejects.jsonl"
Row = ReasoningPath | Reject
MOST = 8
"""Ids that are named where several begin alike."""
KEPT = 1000
"""Rows that are looked at where an id fits that many: enough to say that it is not unique."""


def find(run: Path, id: str) -> list[Row]:
    """One record, or the records and rejects of one seed. Raises ConfigError where none fits, or several."""
    if not any((run / name).exists() for name in (PATHS, REJECTS)):
        raise ConfigError(f"{run}: neither {PATHS} nor {REJECTS}: expected a run; --run names it")
    records: dict[str, Row] = {}
    for row in _paths(run):
        if row.id == id:
            return [row]
        if id and row.id.startswith(id) and len(records) < KEPT:
            records[row.id] = row
    if len(records) == 1:
        return list(records.values())
    if records:
        raise _several(id, list(records))
    return _of_seed(run, id)


def _of_seed(run: Path, id: str) -> list[Row]:
    seeds: dict[str, list[Row]] = {}
    rows: Iterator[Row] = chain(_paths(run), _rejects(run))
    for row in rows:
        if id and row.seed_id.startswith(id):
            seeds.setdefault(row.seed_id, []).append(row)
        if len(seeds) > KEPT:
            break
    if id in seeds:
        return seeds[id]
    if len(seeds) == 1:
        return next(iter(seeds.values()))
    if seeds:
        raise _several(id, list(seeds))
    raise ConfigError(
        f"{run}: no record and no seed whose id begins with {id!r}: expected an id of {PATHS}, or a "
        f"seed_id of it or of {REJECTS}; its beginning will do"
    )


def _several(id: str, there: list[str]) -> ConfigError:
    more = f" and {len(there) - MOST:,} more" if len(there) > MOST else ""
    some = f"{', '.join(sorted(there)[:MOST])}{more}"
    return ConfigError(f"{id!r}: {len(there):,} ids begin with it ({some}): write more of one")


def _paths(run: Path) -> Iterator[ReasoningPath]:
    """As people left them, where they have looked."""
    curated = set()
    for line in read(run / CURATED):
        path = validate(ReasoningPath, line)
        curated.add(path.id)
        yield path
    for line in read(run / PATHS):
        try:
            path = validate(ReasoningPath, line)
        except RecordError:
            continue
        if path.id not in curated:
            yield path


def _rejects(run: Path) -> Iterator[Reject]:
    return (validate(Reject, line) for line in read(run / REJECTS))
