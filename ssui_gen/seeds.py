"""Seeds from a file of rows, a folder of pictures or a `datasets` dataset on disk, streamed one by one.

What is wrong with one seed becomes a reject row; what is wrong with the source is a ConfigError. Pictures are
named here, not opened (`images`), except that those inside a dataset or a Parquet file are written out once.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ssui_gen.album import METADATA, census, files, is_picture, may_be_read
from ssui_gen.columns import EXAMPLE, MORE, as_seed, of_pictures
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write, own_folder
from ssui_gen.jsonl import Line, validate
from ssui_gen.records import KINDS, Kind, Reason, Reject, Seed
from ssui_gen.tables import LINES, TABLES, holds_texts, is_dataset, is_table, rows

PICTURES = "pictures"
"""Folder below the run into which the pictures of a dataset or a Parquet file are written."""
LOOKED = "looked.jsonl"
"""What an import has beside its rows: theirs are the licences of its pictures."""


def root_of(source: Path, run: Path) -> Path:
    """The folder below which a source's pictures lie."""
    texts = holds_texts(source)
    if not all(texts[name] for name in of_pictures(texts)):
        return run / PICTURES
    return source if source.is_dir() else source.parent


def read_seeds(source: Path, new: Callable[[str], bool], run: Path) -> Iterator[Seed | Reject]:
    """Every seed of `source`, or why it is none. `new` says of an id whether it comes for the first time.

    Raises ConfigError for a source that has no row and no picture, or cannot be read.
    """
    number = 0
    for number, seed in enumerate(_seeds(source, run), 1):
        if isinstance(seed, Seed) and not new(seed.id):
            yield _reject(
                f"{source.name}:{number}:{seed.id}", Reason.SEED_DUPLICATE, f"the id {seed.id!r} came before"
            )
        else:
            yield seed
    if not number:
        raise ConfigError(f"{source}: not one row; a row of seeds looks like {EXAMPLE}")


def kinds_of(seed: Seed, twins: bool) -> tuple[Kind, ...]:
    """Which records are to be made of a seed."""
    return (seed.kind,) if seed.kind else KINDS if twins else ("risky",)


def require_seeds(source: Path, run: Path) -> None:
    """Raises ConfigError as `read_seeds` does, before a server is started for nothing."""
    next(read_seeds(source, lambda _: True, run), None)


def passed_over(source: Path) -> str:
    """What lies among a folder's pictures that is none, by ending; empty where there is nothing such."""
    if is_dataset(source) or not source.is_dir():
        return ""
    rest = [path for path in files(source) if path.name not in METADATA and not is_picture(path)]
    return census(rest) if rest else ""


def _seeds(source: Path, run: Path) -> Iterator[Seed | Reject]:
    if is_dataset(source) or (source.is_file() and is_table(source)):
        return _from_rows(source, run / PICTURES)
    if source.is_dir():
        return _from_folder(source)
    if source.is_file():
        raise ConfigError(
            f"{source}: expected a file of rows ending in {', '.join(TABLES)}, each row such as {EXAMPLE}"
        )
    raise ConfigError(f"{source}: no such file or folder: SEEDS= names a JSONL file, a folder or a dataset")


# --- rows ----------------------------------------------------------------------------------------------


def _from_rows(source: Path, pictures: Path) -> Iterator[Seed | Reject]:
    """A file's or dataset's rows: a column for the picture, and maybe `id`, text and `kind`."""
    strict = source.suffix.lower() in LINES
    for line in rows(source):
        if line.value is not None and not strict and not of_pictures(line.value):
            raise ConfigError(
                f"{line.path}: no column 'image' (columns: {', '.join(line.value)}); a row of seeds looks "
                f"like {EXAMPLE}"
            )
        yield _from_row(line, pictures, strict=strict)


def _from_row(line: Line, pictures: Path, *, strict: bool) -> Seed | Reject:
    """Strict: as rows of our own form are; else a row without an id gets its number as one."""
    value = _read_row(line, strict=strict)
    if isinstance(value, Reject):
        return value
    _each_picture(value, lambda image: _named(image, pictures))
    if not strict:
        value.setdefault("id", f"{line.path.name}-{line.number - 1:08d}")
    return _from_line(line._replace(value=value))


def _each_picture(value: dict[str, Any], change: Callable[[Any], Any]) -> None:
    """Change what a row by our names says of each of its pictures."""
    if "image" in value:
        value["image"] = change(value["image"])
    if isinstance(more := value.get(MORE), list | tuple):
        value[MORE] = [change(one) for one in more]


def _named(image: Any, pictures: Path) -> Any:
    """A picture's name; one that comes in the row is written first. What is neither is left to be refused."""
    if isinstance(image, Mapping) and image.keys() & {"bytes", "path"}:
        data = image.get("bytes")
        image = data if isinstance(data, bytes) else image if data else image.get("path")
    return _kept(image, pictures) if isinstance(image, bytes) else image


def _read_row(line: Line, *, strict: bool) -> dict[str, Any] | Reject:
    """By our names."""
    if line.value is None:
        return _unfit(line, str(line.error))
    try:
        return as_seed(line.value, strict=strict)
    except ValueError as error:
        return _unfit(line, f"{line.path}:{line.number}: {error}")


def _from_line(line: Line) -> Seed | Reject:
    try:
        return validate(Seed, line)
    except RecordError as error:
        whole = {"id", "image"} <= (line.value or {}).keys()
        return _unfit(line, str(error) if whole else f"{error}; a row of seeds looks like {EXAMPLE}")


def _unfit(line: Line, why: str) -> Reject:
    return _reject(f"{line.path.name}:{line.number}", Reason.SEED_INVALID, why)


def _reject(seed_id: str, reason: Reason, detail: str) -> Reject:
    return Reject(seed_id=seed_id, kind=None, stage="seed", reason=reason, detail=detail)


def _kept(data: bytes, pictures: Path) -> str:
    """Write a picture once, under the hash of its bytes."""
    name = hashlib.sha256(data).hexdigest()
    path = pictures / name
    if not path.exists():
        own_folder(pictures)
        atomic_write(path, data)
    return name


# --- a folder ------------------------------------------------------------------------------------------


def _from_folder(folder: Path) -> Iterator[Seed | Reject]:
    """What the metadata of each folder say, row by row; then the pictures that none of them named."""
    if any((one / LOOKED).is_file() for one in (folder, folder.parent)):
        raise ConfigError(
            f"{folder}: holds pictures of an import, whose licences only its rows say: name its seeds.jsonl "
            "(`ssui import --as seeds` makes one)"
        )
    if not any(map(may_be_read, files(folder))):
        raise ConfigError(
            f"{folder}: no picture that can be read ({census(files(folder))}): save pictures as JPEG or PNG "
            f"there, or name a file of rows such as {EXAMPLE}, or a folder that holds Parquet files alone"
        )
    named: Counter[str] = Counter()
    for path in files(folder):
        name = path.relative_to(folder).as_posix()
        if path.name in METADATA:
            yield from _from_metadata(path, folder, named)
        elif is_picture(path) and name not in named:
            yield _from_name(name)


def _from_metadata(path: Path, folder: Path, named: Counter[str]) -> Iterator[Seed | Reject]:
    """Rows with `file_name`, as seen from their folder; a picture may have several."""
    if others := [name for name in METADATA if name != path.name and (path.parent / name).exists()]:
        raise ConfigError(f"{path.parent}: both {path.name} and {others[0]} say what is shown: keep one")
    below = path.parent.relative_to(folder)
    for line in rows(path):
        value = _read_row(line, strict=False)
        yield (
            value
            if isinstance(value, Reject)
            else _from_line(line._replace(value=_placed(value, below, named)))
        )


def _placed(value: dict[str, Any], below: Path, named: Counter[str]) -> dict[str, Any]:
    """Its pictures as seen from the seeds' root, and the first as the id of a row that has none."""
    if not isinstance(value.get("image"), str):
        return value
    value = dict(value)
    _each_picture(value, lambda image: (below / image).as_posix() if isinstance(image, str) else image)
    name = value["image"]
    named.update({name, *filter(lambda one: isinstance(one, str), value.get(MORE) or ())})
    return {"id": name if named[name] == 1 else f"{name}#{named[name]}", **value}


def _from_name(name: str) -> Seed | Reject:
    try:
        return Seed(id=name, image=name)
    except ValidationError:
        shown = os.fsencode(name).decode("utf-8", "backslashreplace")
        why = f"{shown!r}: expected a path of at most 200 characters, in UTF-8; rename the file"
        return _reject(shown, Reason.SEED_INVALID, why)
