"""The rows of a shard as the events of its logs leave them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import as_line
from ssui_gen.records import Record
from ssui_gen.shards.attempts import GONE, ROW, Event
from ssui_gen.shards.stage import Key, Stage


class Rows:
    """Every row of a shard, once, in the order in which they were written."""

    def __init__(self, stage: Stage, where: str) -> None:
        self.stage, self.where = stage, where
        self.known: dict[Key, tuple[str, Record]] = {}

    def apply(self, event: Event) -> None:
        """Raises ConfigError for a row that is there already, and for what this version does not write."""
        kind, value = event
        try:
            if kind == ROW:
                self._add(*value)
            elif kind == GONE:
                for key in value[1]:
                    self.known.pop(tuple(key), None)
        except (KeyError, TypeError, ValueError, IndexError):
            raise ConfigError(
                f"{self.where}: a log holds {str(value)[:60]!r} as {kind}, which this version does not "
                "write: was it written by another version of ssui_gen, or edited?"
            ) from None

    def _add(self, file: str, value: dict[str, Any]) -> None:
        row = self.stage.kind(file).model_validate(value)
        key = self.stage.key(file, row)
        if self.known.pop(key, None) and file not in self.stage.replacing:
            raise ConfigError(f"{self.where}: twice: the row {' of '.join(filter(None, reversed(key)))!r}")
        self.known[key] = (file, row)

    @property
    def files(self) -> list[str]:
        """Those that have a row."""
        return list(dict.fromkeys(file for file, _ in self.known.values()))

    def lines(self, file: str) -> Iterator[bytes]:
        """As they stand in a run's folder."""
        return (as_line(row) for name, row in self.known.values() if name == file)
