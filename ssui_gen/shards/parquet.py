"""Rows of a run as Parquet shards, so many rows a file, and back: nothing is lost on the way.

The columns follow from the kind of the rows alone, so that all files of a kind have the same; what has no
columns of its own (a mapping by names) is JSON text. What is given away has a form of its own (`publishing`).
"""

from __future__ import annotations

import enum
import itertools
import json
import types
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write, own_folder
from ssui_gen.fresh_folder import folder_beside, place_folder
from ssui_gen.jsonl import as_line, of_kind, records
from ssui_gen.records import Record

FOLDER = "parquet"
"""In a run's."""
GROUP = 1_000
"""Rows of a row group, which are held at a time."""


def write_shards(kind: type[Record], source: Path, folder: Path, rows: int) -> int:
    """Write a file of rows as shards `train-00000-of-00003.parquet` in `folder`, in place of what is there;
    returns how many rows. Raises RecordError where a row cannot be read, or the disk refuses.
    """
    import pyarrow

    try:
        with folder_beside(folder) as draft:
            count = _write(kind, records(kind, source), draft, rows)
            place_folder(draft, folder)
    except (OSError, pyarrow.ArrowException) as error:
        raise RecordError(f"{folder}: could not be written: {error}; free some space and try again") from None
    return count


def _write(kind: type[Record], found: Iterator[Record], folder: Path, rows: int) -> int:
    """Of a kind without a row one file, which has its columns all the same."""
    files, count, more = list[Path](), 0, True
    while more or not files:
        path = folder / f"{len(files):05}.part"
        written = _write_file(path, kind, islice(found, rows))
        more = written == rows
        if written or not files:
            files.append(path)
        count += written
    for number, file in enumerate(files):
        file.rename(folder / f"train-{number:05}-of-{len(files):05}.parquet")
    for left in folder.glob("*.part"):
        left.unlink()
    return count


def _write_file(path: Path, kind: type[Record], rows: Iterator[Record]) -> int:
    import pyarrow
    import pyarrow.parquet

    schema, count = schema_of(kind), 0
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while group := [cells(kind, row.model_dump(mode="json")) for row in islice(rows, GROUP)]:
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def read_shards(kind: type[Record], folder: Path) -> Iterator[Record]:
    """The rows of all shards in a folder, in their order. Raises RecordError for a file that is none of ours,
    ConfigError where one lacks.
    """
    import pyarrow
    import pyarrow.parquet

    for path in require_all(folder):
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                for number, batch in enumerate(file.iter_batches(GROUP)):
                    for place, row in enumerate(batch.to_pylist(), 1 + number * GROUP):
                        yield of_kind(kind, values(kind, row), f"{path}:{place}")
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise RecordError(f"{path}: cannot be read as rows of ours: {error}") from None


def require_all(folder: Path) -> list[Path]:
    """The shards of a folder, by their names all that there are. Raises ConfigError."""
    there = sorted(folder.glob("train-*-of-*.parquet"))
    wanted = [folder / f"train-{number:05}-of-{len(there):05}.parquet" for number in range(len(there))]
    if not there or there != wanted:
        names = ", ".join(path.name for path in there[:3]) or "none"
        raise ConfigError(f"{folder}: expected all of train-00000-of-N.parquet to the last; got {names} …")
    return there


def unfold(kind: type[Record], folder: Path, to: Path) -> int:
    """Write shards as a file of rows, whole; returns how many. Raises as `read_shards`."""
    count = itertools.count()
    own_folder(to.parent)
    atomic_write(to, (as_line(row) for row in read_shards(kind, folder) if next(count) >= 0))
    return next(count)


# --- columns of a kind -------------------------------------------------------------------------------


def schema_of(kind: type[BaseModel]) -> Any:
    """The columns of a kind of rows, as pyarrow has them."""
    import pyarrow

    return pyarrow.schema([pyarrow.field(name, _column(hint)) for name, hint in _hints(kind).items()])


def _hints(kind: type[BaseModel]) -> Mapping[str, Any]:
    return {field.alias or name: field.annotation for name, field in kind.model_fields.items()}


def _column(hint: Any) -> Any:
    import pyarrow

    hint = _plain(hint)
    if _is_kind(hint):
        return pyarrow.struct(list(schema_of(hint)))
    if (inner := _inner(hint)) is not None:
        return pyarrow.list_(_column(inner))
    usual = {bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}
    return usual.get(hint, pyarrow.string())


def _plain(hint: Any) -> Any:
    """Without what may be None, and without rules; a choice is what its values are."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _plain(args[0])
    if origin in (Union, types.UnionType):
        rest = [one for one in args if one is not types.NoneType]
        return _plain(rest[0]) if len(rest) == 1 else Any
    if origin is Literal:
        return type(args[0]) if len({*map(type, args)}) == 1 else Any
    return hint


def _is_kind(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def _inner(hint: Any) -> Any:
    """Of a list of one kind of things, which; else None."""
    args = get_args(hint)
    return args[0] if get_origin(hint) is tuple and args[1:] == (...,) else None


def _is_text(hint: Any) -> bool:
    """Whether it is JSON text in its column, as it has no columns of its own."""
    known = isinstance(hint, type) and issubclass(hint, str | bool | int | float | enum.Enum)
    return not (known or _is_kind(hint) or _inner(hint) is not None)


def cells(hint: Any, value: Any) -> Any:
    """A JSON value as its column has it."""
    return _changed(hint, value, lambda one: json.dumps(one, ensure_ascii=False))


def values(hint: Any, cell: Any) -> Any:
    """The JSON value that a cell is. Raises ValueError for text that is no JSON."""
    return _changed(hint, cell, json.loads)


def _may_lack(kind: type[BaseModel], name: str) -> bool:
    """Whether nothing may stand there: else it was left out of the row, as it says what is usual."""
    hint = _hints(kind)[name]
    return hint is Any or types.NoneType in get_args(hint)


def _changed(hint: Any, value: Any, of_text: Callable[[Any], Any]) -> Any:
    hint = _plain(hint)
    if value is None:
        return None
    if _is_kind(hint):
        cells = {name: _changed(inner, value.get(name), of_text) for name, inner in _hints(hint).items()}
        return {name: cell for name, cell in cells.items() if cell is not None or _may_lack(hint, name)}
    if (inner := _inner(hint)) is not None:
        return [_changed(inner, one, of_text) for one in value]
    return of_text(value) if _is_text(hint) else value
