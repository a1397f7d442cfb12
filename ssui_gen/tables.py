"""Rows that others wrote: JSONL, a JSON array, CSV, Parquet, a dataset saved to disk; each as a `Line`.

A fault of one row stands in its line; a file that cannot be read as what its name says is a ConfigError.
Knows nothing of columns (`columns`).
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import Line, read
from ssui_gen.strict_json import Fault, Twice, check, lax

LINES = (".jsonl", ".ndjson")
BATCH = 64
"""Rows of a Parquet file held at once: they may hold pictures."""
LONGEST_CELL = 10_000_000
"""Characters of a cell of a CSV file."""


def rows(path: Path) -> Iterator[Line]:
    """Every row of a file of `TABLES`, or of a dataset's only split. Of a folder of Parquet files a broken
    one is told of before the first row.
    """
    if shards := _shards(path):
        for shard in shards:
            _schema(shard)
        return (line for shard in shards for line in _parquet(shard))
    if is_dataset(path):
        return _numbered(path, _saved(path))
    return READERS[path.suffix.lower()](path)


def is_dataset(path: Path) -> bool:
    """Whether `path` is a folder made by `save_to_disk`, or one of Parquet files and nothing else."""
    return (
        bool(_shards(path))
        or (path / "dataset_info.json").is_file()
        or (path / "dataset_dict.json").is_file()
    )


def _shards(path: Path) -> list[Path]:
    """The files of a folder that holds Parquet files alone, by their names."""
    there = sorted(one for one in path.iterdir() if not one.name.startswith(".")) if path.is_dir() else []
    return there if all(one.suffix.lower() == ".parquet" for one in there) else []


def is_table(path: Path) -> bool:
    return path.suffix.lower() in TABLES


def unreadable(path: Path, why: object) -> ConfigError:
    return ConfigError(f"{path}: cannot be read as {path.suffix.lower()[1:]}: {' '.join(str(why).split())}")


def _numbered(path: Path, values: Iterable[Any], first: int = 1) -> Iterator[Line]:
    for number, value in enumerate(values, first):
        if isinstance(value, Mapping):
            yield Line(path, number, dict(value), None)
        else:
            said = str(value) if isinstance(value, Twice) else f"expected an object; got {str(value)[:40]!r}"
            yield Line(path, number, None, f"{path}:{number}: {said}")


def _json(path: Path) -> Iterator[Line]:
    """An array of objects, or an object whose values are objects or whose one value is such an array."""
    _require_file(path)
    try:
        value = lax(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(path, error) from None
    if isinstance(value, dict):
        arrays = [one for one in value.values() if isinstance(one, list)]
        value = arrays[0] if len(arrays) == 1 else list(value.values())
    if not isinstance(value, list) or not any(isinstance(one, dict) for one in value):
        raise unreadable(path, value if isinstance(value, Twice) else "expected an array of objects")
    return map(_strict, _numbered(path, value))


def _strict(line: Line) -> Line:
    """What a line of JSONL is refused for costs a row of an array that row, too; but for NaN, which other
    programs write for a gap, as they do into Parquet.
    """
    try:
        check(line.value, finite=False)
    except Fault as fault:
        return line._replace(value=None, error=f"{line.path}:{line.number}: {fault}")
    return line


def _require_file(path: Path) -> None:
    """A folder that was brought may hold a pipe, and nobody would ever write into it."""
    if path.exists() and not path.is_file():
        raise unreadable(path, "expected a file")


def _csv(path: Path) -> Iterator[Line]:
    csv.field_size_limit(LONGEST_CELL)
    _require_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=max(",;\t", key=head.count), restkey="")
            for row in reader:
                extra = f"{path}:{reader.line_num}: more cells than columns" if "" in row else None
                yield Line(path, reader.line_num, None if extra else dict(row), extra)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise unreadable(path, error) from None


def _parquet(path: Path) -> Iterator[Line]:
    import pyarrow
    import pyarrow.parquet

    _require_file(path)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for number, batch in enumerate(file.iter_batches(BATCH)):
                yield from _numbered(path, batch.to_pylist(), 1 + number * BATCH)
    except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
        raise unreadable(path, error) from None


READERS: dict[str, Callable[[Path], Iterator[Line]]] = {
    **dict.fromkeys(LINES, read),
    ".json": _json,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
}
"""The one list of formats, by a file's ending."""
TABLES = tuple(READERS)


def _saved(path: Path) -> Iterator[Any]:
    """A dataset's rows; pictures as their bytes or names, not decoded."""
    from datasets import DatasetDict, Image, List, load_from_disk

    try:
        data = load_from_disk(str(path))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{path}: the dataset cannot be opened: {error}; save it again") from None
    if isinstance(data, DatasetDict):
        raise ConfigError(f"{path}: several splits ({', '.join(data)}): name one, {path}/{next(iter(data))}")
    for name, feature in data.features.items():
        if isinstance(feature, Image):
            data = data.cast_column(name, Image(decode=False))
        elif isinstance(feature, List) and isinstance(feature.feature, Image):
            data = data.cast_column(name, List(Image(decode=False)))
    yield from data


def holds_texts(path: Path) -> dict[str, bool]:
    """Of each column of a dataset or a Parquet file, whether it holds texts, or lists of texts; nothing of
    other files.
    """
    if shards := _shards(path):
        return holds_texts(shards[0])
    if is_dataset(path):
        return {name: kinds[-1:] == ["Value"] for name, kinds in _features(path).items()}
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return {}
    kinds = {one.name: getattr(one.type, "value_type", one.type) for one in _schema(path)}
    text = ("string", "large_string", "string_view")
    return {name: str(kind) in text for name, kind in kinds.items()}


def _schema(path: Path) -> Any:
    """The columns of a Parquet file, by its last bytes alone."""
    import pyarrow
    import pyarrow.parquet

    _require_file(path)
    try:
        return pyarrow.parquet.read_schema(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise unreadable(path, error) from None


def _features(path: Path) -> dict[str, list[str]]:
    """The kind of each column of a dataset; of a list also that of what it holds."""
    info = path / "dataset_info.json"
    try:
        features = json.loads(info.read_bytes())["features"]
        return {name: list(_kinds(feature)) for name, feature in features.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ConfigError(f"{info}: not a dataset's description: {error}; save the dataset again") from None


def _kinds(feature: Any) -> Iterator[str]:
    yield str(feature.get("_type"))
    if isinstance(inner := feature.get("feature"), Mapping):
        yield from _kinds(inner)
