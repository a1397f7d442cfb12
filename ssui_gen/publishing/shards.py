"""Rows → parquet files that `datasets` reads as they were written, pictures as bytes inside.

Nothing is ever embedded by its name: a picture comes here as bytes (`rows.Picture`). One row group is held at
a time. The door to pyarrow and datasets for writing; `tables` is that for reading what others wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.errors import RecordError
from ssui_gen.publishing.rows import COLUMNS, Config, Kind

GROUP_BYTES, SHARD_BYTES = 16_000_000, 400_000_000
"""Of pictures and words in a row group, which is what a viewer loads at once; of a file."""
DATA = "data"


class Shard(NamedTuple):
    """A file of rows."""

    config: Config
    split: str
    name: str
    """Below the folder."""
    rows: int
    bytes: int
    """Of the file."""
    held: int
    """Bytes of its rows in memory, as Arrow has them."""


class Writer:
    """The files of one split of one configuration."""

    def __init__(self, folder: Path, config: Config, split: str) -> None:
        self.folder, self.config, self.split = folder, config, split
        self._files: list[tuple[Path, int, int]] = []
        self._held: list[dict[str, Any]] = []
        self._weight = self._written = self._rows = self._bytes = 0
        self._open: Any = None

    def add(self, row: Mapping[str, Any]) -> None:
        """Raises RecordError for a row of other columns."""
        if row.keys() != COLUMNS[self.config].keys():
            odd = ", ".join(sorted(row.keys() ^ COLUMNS[self.config].keys()))
            raise RecordError(f"{self.config}: a row of other columns: {odd}")
        self._held.append(dict(row))
        self._weight += _weight(row)
        if self._weight >= GROUP_BYTES:
            self._flush()

    def close(self) -> list[Shard]:
        """What was written; a split without a row has no file."""
        self._flush()
        self._end()
        count = len(self._files)
        return [self._named(number, count, *one) for number, one in enumerate(self._files)]

    def _flush(self) -> None:
        import pyarrow
        import pyarrow.parquet

        if not self._held:
            return
        schema = features(self.config).arrow_schema
        if self._open is None:
            path = self._place(f"{self.split}-{len(self._files):05d}.part")
            self._open, self._rows, self._bytes = (path, pyarrow.parquet.ParquetWriter(path, schema)), 0, 0
        group = pyarrow.Table.from_pylist(self._held, schema=schema)
        self._open[1].write_table(group)
        self._rows, self._written = self._rows + len(self._held), self._written + self._weight
        self._bytes += group.nbytes
        self._held, self._weight = [], 0
        if self._written >= SHARD_BYTES:
            self._end()

    def _end(self) -> None:
        if self._open:
            path, writer = self._open
            writer.close()
            self._files.append((path, self._rows, self._bytes))
        self._open, self._written = None, 0

    def _place(self, name: str) -> Path:
        place = self.folder / DATA / self.config
        place.mkdir(parents=True, exist_ok=True)
        return place / name

    def _named(self, number: int, count: int, path: Path, rows: int, held: int) -> Shard:
        """By the hub's convention, once it is known how many there are."""
        last = path.rename(path.with_name(f"{self.split}-{number:05d}-of-{count:05d}.parquet"))
        name = last.relative_to(self.folder).as_posix()
        return Shard(self.config, self.split, name, rows, last.stat().st_size, held)


def _weight(value: Any) -> int:
    """About how many bytes a value takes."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_weight, value.values()))
    return sum(map(_weight, value)) if isinstance(value, list) else 8


def features(config: Config) -> Any:
    """The columns of a configuration as `datasets` has them."""
    from datasets import Features

    kinds = _kinds()
    return Features({name: kinds[kind] for name, (kind, _) in COLUMNS[config].items()})


def _kinds() -> dict[Kind, Any]:
    from datasets import Image, List, Value

    text = Value("string")
    part = {"type": text, "text": text}
    return {
        "text": text,
        "texts": List(text),
        "number": Value("int64"),
        "fraction": Value("float64"),
        "picture": Image(),
        "pictures": List(Image()),
        "messages": List({"role": text, "content": List(part)}),
    }


def texts(path: Path) -> Iterator[tuple[int, str, str | bytes]]:
    """Of every row of a file its number, column and each text or picture that stands there, however deep."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        number = 0
        for batch in file.iter_batches(64):
            for row in batch.to_pylist():
                number += 1
                for column, value in row.items():
                    yield from ((number, column, leaf) for leaf in _leaves(value))


def _leaves(value: Any) -> Iterator[str | bytes]:
    if isinstance(value, str | bytes):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
