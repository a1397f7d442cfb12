"""Rows that others wrote, one after another, each parsed as its layout has it or left out in words.

What lies in which format is `tables`' affair; what a row means is the layout's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from ssui_gen.album import census, files
from ssui_gen.benching.adapters.copy import SHOWN, as_row
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.importing.shape import Draft, Left, Row, Source, Why
from ssui_gen.jsonl import Line
from ssui_gen.tables import TABLES, is_dataset, is_table, rows

RowT = TypeVar("RowT", bound=Row)
MARK = "<image>"
"""Where a picture stands in a text of others."""


def left(row: str, reason: Why, why: object) -> Left:
    """In one line, which begins with its place, whatever stood in the row."""
    said = " ".join(str(why).split())
    return Left(row=row, reason=reason, detail=(said if said.startswith(row) else f"{row}: {said}")[:600])


def parsed(
    source: Source, kind: type[RowT], expects: str, make: Callable[[str, RowT], Iterable[Draft | Left]]
) -> Iterator[Draft | Left]:
    """What `make` makes of each row, which gets its place with it; a row of another shape is left out."""
    for where, line in placed(source):
        try:
            if line.value is None:
                raise RecordError(str(line.error))
            _require_one(kind, line.value, where, expects)
            found = list(make(where, as_row(kind, line.value, where, expects)))
        except RecordError as error:
            yield left(where, Why.ROW_INVALID, error)
        else:
            yield from found


def _require_one(kind: type[Row], value: Any, where: str, expects: str) -> None:
    if kind.ONE_OF and isinstance(value, Mapping) and not value.keys() & {*kind.ONE_OF}:
        lack, found = " or ".join(map(repr, kind.ONE_OF)), ", ".join(map(str, list(value)[:SHOWN]))[:300]
        raise RecordError(f"{where}: no {lack} (columns: {found}): another edition? Expected {expects}")


def placed(source: Source) -> Iterator[tuple[str, Line]]:
    """Every row with its place as seen from the source. Raises ConfigError where none can be read."""
    root = source.path if source.path.is_dir() else source.path.parent
    every = ((table, line) for table in _tables(source.path) for line in rows(table))
    for table, line in islice(every, source.limit):
        name = table.name if table == source.path else table.relative_to(root).as_posix()
        yield f"{name}:{line.number}", line


def _tables(path: Path) -> list[Path]:
    """The file itself, or those of a folder: one, or parts of one in Parquet."""
    if is_dataset(path) or (path.is_file() and is_table(path)):
        return [path]
    if not path.exists():
        raise ConfigError(f"{path}: no such file or folder: expected the rows of others")
    if path.is_file():
        raise ConfigError(f"{path}: expected a file of rows ending in {', '.join(TABLES)}")
    found = [one for one in files(path) if is_table(one) and not one.is_symlink()]
    if not found:
        raise ConfigError(
            f"{path}: no file of rows in it ({census(files(path))}); expected {', '.join(TABLES)}"
        )
    if len(found) > 1 and {one.suffix for one in found} != {".parquet"}:
        names = ", ".join(one.relative_to(path).as_posix() for one in found[:6])
        raise ConfigError(f"{path}: {len(found)} files of rows ({names}): name one of them")
    return found


def pictures_of(source: Source, where: str, value: Any) -> tuple[str | bytes, ...] | Left:
    """The pictures of a row, at least one: their bytes, or their names as seen from the pictures' folder."""
    found = list(_pictures(value))
    if not found:
        return left(where, Why.PICTURE_UNNAMED, f"{where}: no picture is named")
    below = Path() if source.told else Path(where.rpartition(":")[0]).parent
    return tuple(_seen_from(below, picture) for picture in found)


def _seen_from(below: Path, picture: str | bytes) -> str | bytes:
    if isinstance(picture, bytes) or below == Path() or Path(picture).is_absolute():
        return picture
    return f"{below.as_posix()}/{picture}"


def _pictures(value: Any) -> Iterator[str | bytes]:
    if isinstance(value, str | bytes):
        if value:
            yield value
    elif isinstance(value, Mapping):
        yield from _pictures(value.get("bytes") or value.get("path") or "")
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _pictures(one)
    elif value is not None:
        raise RecordError(f"expected a picture or its name; got {str(value)[:80]!r}")


def words_of(value: Any) -> str:
    """What is said in a turn, without the marks for its picture. Raises RecordError for what is no text."""
    if isinstance(value, list):
        parts = [said for part in value if (said := _of_part(part, "text")) is not None]
        value = "\n".join(part for part in parts if isinstance(part, str)) if parts else None
    if not isinstance(value, str):
        raise RecordError(f"expected a text; got {str(value)[:80]!r}")
    if "<video>" in value or "<audio>" in value:
        raise RecordError("it is about a video or a sound; expected a picture")
    return value.replace(MARK, " ").strip()


def pictures_in(value: Any) -> list[Any]:
    """The pictures that a turn names among its parts, as the APIs and LLaMA-Factory's v1 have it."""
    parts = value if isinstance(value, list) else []
    found = (_of_part(part, "image") or _of_part(part, "image_url") for part in parts)
    return [one.get("url") if isinstance(one, Mapping) and "url" in one else one for one in found if one]


def _of_part(part: Any, kind: str) -> Any:
    """What a part of this type holds, under its type's own name or as its value; None: it is of another."""
    if not isinstance(part, Mapping) or part.get("type") != kind:
        return None
    return part.get(kind, part.get("value"))
