"""The user's copy of a benchmark: its files of rows and its pictures, read through the guarded doors, never
beyond the folder that was named.

Does not know what a row means. Nothing is fetched, and nothing is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ssui_gen.benching.adapters.shape import Group, Refused, Row
from ssui_gen.benching.records import BenchImage
from ssui_gen.errors import ConfigError, ImageError, RecordError
from ssui_gen.images import inspect
from ssui_gen.jsonl import RecordT, document, of_kind
from ssui_gen.records import ImageRef, Record
from ssui_gen.settings import ImageLimits
from ssui_gen.tables import rows

RowT = TypeVar("RowT", bound=Row)
SHOWN = 12
"""Columns that a message lists."""


@dataclass
class Copy:
    """One copy."""

    root: Path
    limits: ImageLimits
    layout: str
    """What the folder should hold, for messages: files, and the version whose layout that is."""
    _known: dict[str, ImageRef] = field(default_factory=dict, init=False)

    def find(self, *names: str) -> Path:
        """The first of these files that is there. Raises ConfigError."""
        for name in names:
            path = self.root / name
            if path.is_file():
                self._keep_inside(path)
                return path
        raise ConfigError(f"{self.root}: no {' nor '.join(names)}; expected {self.layout}")

    def glob(self, *patterns: str) -> list[Path]:
        """The files of the first pattern that fits any, by name; empty where none does."""
        for pattern in patterns:
            if found := sorted(path for path in self.root.glob(pattern) if path.is_file()):
                for path in found:
                    self._keep_inside(path)
                return found
        return []

    def _keep_inside(self, path: Path) -> None:
        if not Path(os.path.realpath(path)).is_relative_to(self.root.resolve()):
            what = "is a link out of its folder: copy the folder with `cp -rL`, and name the copy"
            raise ConfigError(f"{path}: {what}")

    def object_of(self, path: Path) -> dict[str, Any]:
        """A file that is one JSON object."""
        value: dict[str, Any] = self._of(path, dict)
        return value

    def _of(self, path: Path, kind: type) -> Any:
        try:
            value = document(path)
        except RecordError as error:
            raise ConfigError(f"{error}; expected {self.layout}") from None
        if not isinstance(value, kind):
            found = f"expected a JSON {'list' if kind is list else 'object'}; got {str(value)[:60]!r}"
            raise ConfigError(f"{path}:1:1: {found}: another edition? Expected {self.layout}")
        return value

    def folder(self, *names: str) -> Path:
        """The first of these folders that is there, else the first: its pictures are then told missing."""
        return next((found for name in names if (found := self.root / name).is_dir()), self.root / names[0])

    def listed(self, path: Path) -> Iterator[tuple[str, Any]]:
        """The rows of a file that is one JSON list, by their place."""
        for number, value in enumerate(self._of(path, list), 1):
            yield f"{path.name}:{number}", value

    def keyed(self, path: Path) -> Iterator[tuple[str, Any]]:
        """The values of a file that is one JSON object, by their place."""
        for key, value in self._of(path, dict).items():
            yield f"{path.name}:{key[:80]}", value

    def table(self, path: Path) -> Iterator[tuple[str, Any]]:
        """The rows of a CSV file by their place; one that cannot be read comes as a text that says why."""
        for line in rows(path):
            yield f"{path.name}:{line.number}", line.value if line.value is not None else str(line.error)

    def groups(
        self, kind: type[RowT], rows: Iterable[tuple[str, Any]], make: Callable[[str, RowT], Iterable[Group]]
    ) -> Iterator[Group]:
        """What `make` makes of each row, which gets its place with it; a row of another shape is refused."""
        for where, value in rows:
            try:
                row = as_row(kind, value, where, self.layout)
            except RecordError as error:
                yield Group(where, refused=(refused(where, error),))
            else:
                yield from make(where, row)

    def picture(self, name: str, licence: str) -> BenchImage:
        """Checked and decoded, once a name. Raises ImageError."""
        if name not in self._known:
            self._known[name] = inspect(self.root, name, self.limits)
        return BenchImage(**self._known[name].model_dump(), licence=licence)

    def below(self, folder: Path, name: str) -> str:
        """`name` as seen from `folder`, as seen from the root; nothing of it is resolved here."""
        return (folder.relative_to(self.root) / name).as_posix()


def as_row(kind: type[RecordT], value: Any, where: str, layout: str) -> RecordT:
    """A row as its layout has it. Raises RecordError that tells the columns of another edition from a wrong
    value.
    """
    if not isinstance(value, dict):
        said = value if isinstance(value, str) else f"got {str(value)[:80]!r}"
        raise RecordError(f"{where}: expected an object; {said[:200]}")
    if missing := sorted(needed(kind) - value.keys()):
        found = ", ".join(map(str, list(value)[:SHOWN]))[:300]
        lack = ", ".join(map(repr, missing))
        raise RecordError(f"{where}: no {lack} (columns: {found}): another edition? Expected {layout}")
    return of_kind(kind, value, where)


def needed(kind: type[Record]) -> set[str]:
    """The columns that a row cannot lack."""
    return {field.alias or name for name, field in kind.model_fields.items() if field.is_required()}


def refused(row: str, error: RecordError | ImageError) -> Refused:
    """In one line, whatever stood in the row."""
    reason = error.reason if isinstance(error, ImageError) else "item_invalid"
    text = " ".join(str(error).split())
    return Refused(row, str(reason), text if text.startswith(row) else f"{row}: {text}")
