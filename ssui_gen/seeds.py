"""Seeds from a JSONL file, a folder of pictures or a `datasets` dataset on disk, streamed one by one.

What is wrong with one seed becomes a reject row; what is wrong with the source is a ConfigError. Pictures are
named here, not opened (`images`), except that a dataset's own pictures are written out once.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.images import SUFFIXES
from ssui_gen.jsonl import Line, atomic_write, read, validate
from ssui_gen.records import Reason, Reject, Seed

PICTURES = "pictures"
"""Folder below the run into which a dataset's pictures are written."""
ROWS = (".jsonl", ".ndjson")
COLUMNS = ("id", "image", "text", "kind")


def root_of(source: Path, run: Path) -> Path:
    """The folder below which a source's pictures lie."""
    if _is_dataset(source) and not _names_paths(source):
        return run / PICTURES
    return source if source.is_dir() else source.parent


def read_seeds(source: Path, new: Callable[[str], bool], run: Path) -> Iterator[Seed | Reject]:
    """Every seed of `source`, or why it is none. `new` says of an id whether it comes for the first time."""
    for number, seed in enumerate(_seeds(source, run), 1):
        if isinstance(seed, Seed) and not new(seed.id):
            yield _reject(
                f"{source.name}:{number}:{seed.id}", Reason.SEED_DUPLICATE, f"the id {seed.id!r} came before"
            )
        else:
            yield seed


def _seeds(source: Path, run: Path) -> Iterator[Seed | Reject]:
    if _is_dataset(source):
        return _from_dataset(source, run / PICTURES)
    if source.is_dir():
        return _from_folder(source)
    if source.is_file() and source.suffix.lower() in ROWS:
        return map(_from_line, read(source))
    if source.is_file():
        raise ConfigError(f"{source}: expected a file of rows ending in {' or '.join(ROWS)}")
    raise ConfigError(f"{source}: no such file or folder: SEEDS= names a JSONL file, a folder or a dataset")


def _is_dataset(source: Path) -> bool:
    return (source / "dataset_info.json").is_file() or (source / "dataset_dict.json").is_file()


def _names_paths(source: Path) -> bool:
    """Whether a dataset's column `image` holds paths, which are then relative to its folder."""
    info = source / "dataset_info.json"
    try:
        features = json.loads(info.read_bytes()).get("features") or {}
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise ConfigError(f"{info}: not a dataset's description: {error}; save the dataset again") from None
    return bool(features.get("image", {}).get("_type") == "Value")


def _from_line(line: Line) -> Seed | Reject:
    try:
        return validate(Seed, line)
    except RecordError as error:
        return _reject(f"{line.path.name}:{line.number}", Reason.SEED_INVALID, str(error))


def _reject(seed_id: str, reason: Reason, detail: str) -> Reject:
    return Reject(seed_id=seed_id, kind=None, stage="seed", reason=reason, detail=detail)


def _from_folder(folder: Path) -> Iterator[Seed | Reject]:
    """Pictures below `folder` in the order of their names; links to folders are not followed."""
    for path in _files(folder):
        if path.suffix.lower() in SUFFIXES:
            name = path.relative_to(folder).as_posix()
            try:
                yield Seed(id=name, image=name)
            except ValidationError:
                yield _unnameable(name)


def _files(folder: Path) -> Iterator[Path]:
    """Holds the names of one folder and of those above it, not of the whole tree."""
    for name in sorted(path.name for path in folder.iterdir()):
        path = folder / name
        if not path.is_dir():
            yield path
        elif not path.is_symlink():
            yield from _files(path)


def _unnameable(name: str) -> Reject:
    shown = os.fsencode(name).decode("utf-8", "backslashreplace")
    why = f"{shown!r}: expected a path of at most 200 characters, in UTF-8; rename the file"
    return _reject(shown, Reason.SEED_INVALID, why)


def _from_dataset(source: Path, pictures: Path) -> Iterator[Seed | Reject]:
    """A dataset saved with `save_to_disk`: a column `image`, and maybe `id`, `text` and `kind`."""
    from datasets import DatasetDict, Image, load_from_disk

    try:
        data = load_from_disk(str(source))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{source}: the dataset cannot be opened: {error}; save it again") from None
    if isinstance(data, DatasetDict):
        raise ConfigError(
            f"{source}: several splits ({', '.join(data)}): name one, SEEDS={source}/{next(iter(data))}"
        )
    if "image" not in data.column_names:
        raise ConfigError(f"{source}: no column 'image' (columns: {', '.join(data.column_names)})")
    data = data.select_columns([name for name in COLUMNS if name in data.column_names])
    if isinstance(data.features["image"], Image):
        data = data.cast_column("image", Image(decode=False))
        pictures.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(data):
        yield _from_row(source, number, row, pictures)


def _from_row(source: Path, number: int, row: Mapping[str, Any], pictures: Path) -> Seed | Reject:
    image = row["image"]
    values = {key: row[key] for key in ("text", "kind") if row.get(key) is not None}
    if isinstance(image, Mapping) and image.get("bytes"):
        image = _kept(image["bytes"], pictures)
    elif isinstance(image, Mapping):
        image = image.get("path")
    id = f"{source.name}-{number:08d}" if row.get("id") is None else str(row["id"])
    value = {"id": id, "image": image, **values}
    return _from_line(Line(source, number + 1, value, None))


def _kept(data: bytes, pictures: Path) -> str:
    """Write a picture once, under the hash of its bytes."""
    name = hashlib.sha256(data).hexdigest()
    path = pictures / name
    if not path.exists():
        atomic_write(path, data)
    return name
