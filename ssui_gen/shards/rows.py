"""The rows of a shard as the events of its logs leave them, and whether they are what was dealt to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import as_line
from ssui_gen.records import Kind, ReasoningPath, Record, Reject, Seed
from ssui_gen.seeds import kinds_of
from ssui_gen.shards.attempts import GONE, ROW, Event

PATHS, REJECTS = "reasoning_paths.jsonl", "rejects.jsonl"
RECORDS: dict[str, type[Record]] = {PATHS: ReasoningPath, REJECTS: Reject}
Key = tuple[str, Kind | None]
"""A seed and which record of it; None where the seed itself was refused."""


class Rows:
    """Every record and reject of a shard, once, in the order in which they were written."""

    def __init__(self, where: str) -> None:
        self.where = where
        self._rows: dict[Key, tuple[str, Record]] = {}

    def apply(self, event: Event) -> None:
        """Raises ConfigError for a row that is there already, and for what this version does not write."""
        kind, value = event
        try:
            if kind == ROW:
                self._add(*value)
            elif kind == GONE:
                for seed_id, of_kind in value[1]:
                    self._rows.pop((seed_id, of_kind), None)
        except (KeyError, TypeError, ValueError, IndexError):
            raise ConfigError(
                f"{self.where}: a log holds {str(value)[:60]!r} as {kind}, which this version does not "
                "write: was it written by another version of ssui_gen, or edited?"
            ) from None

    def _add(self, file: str, row: dict[str, Any]) -> None:
        key = (row["seed_id"], row["kind"])
        if key in self._rows:
            raise ConfigError(f"{self.where}: twice: the {key[1] or 'reject'} of seed {key[0]!r}")
        self._rows[key] = (file, RECORDS[file].model_validate(row))

    def lines(self, file: str) -> Iterator[bytes]:
        """As they stand in a run's folder."""
        return (as_line(row) for name, row in self._rows.values() if name == file)

    def check(self, dealt: Iterable[Seed | Reject], twins: bool) -> None:
        """Raises ConfigError unless every seed that was dealt has its rows, and no other has any."""
        found: dict[str, set[Kind | None]] = {}
        for seed_id, kind in self._rows:
            found.setdefault(seed_id, set()).add(kind)
        for row in dealt:
            name = row.id if isinstance(row, Seed) else row.seed_id
            wanted = kinds_of(row, twins) if isinstance(row, Seed) else ()
            kinds = found.pop(name, set())
            if None not in kinds and kinds != {*wanted}:
                raise ConfigError(
                    f"{self.where}: seed {name!r}: expected {_named(wanted)}; got {_named(kinds)}"
                )
        if found:
            raise ConfigError(f"{self.where}: seed {next(iter(found))!r} was not dealt to this shard")


def _named(kinds: Iterable[Kind | None]) -> str:
    return " and ".join(sorted(kind or "a reject" for kind in kinds)) or "no row"
