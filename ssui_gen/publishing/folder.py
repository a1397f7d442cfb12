"""The folder that is given away: what is in it, what must not be, and how it comes to its place whole.

    published.json     every other file with its sha256, and the canary: nothing that is not listed leaves

It is written beside its place under another name, searched file by file as it lies there, and only then
moved. A folder of before gives way, one that is not ours is left alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from ssui_gen.album import is_hidden
from ssui_gen.errors import ConfigError, ImageError, RecordError
from ssui_gen.files import atomic_write, is_regular
from ssui_gen.fresh_folder import folder_beside
from ssui_gen.images import metadata_of
from ssui_gen.jsonl import read_object
from ssui_gen.publishing.guard import Guard
from ssui_gen.publishing.shards import texts
from ssui_gen.publishing.templates import inert

LISTED = "published.json"
NAMED = 5
"""Finds that a refusal tells of."""
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WEIGHTS = ".safetensors"
HEADER = 100_000_000
"""Bytes; no header of weights is longer (huggingface.co/docs/safetensors)."""
VOCABULARY = ("tokenizer.json", "vocab.json", "merges.txt", "tokenizer.model", "added_tokens.json")
"""Thousands of pieces of words, some of which somebody is called: they are the base model's."""


def canary_of(folder: Path) -> str:
    """The one that copies already bear; a new one where there are none, or what is there cannot be read."""
    with suppress(RecordError):
        told = (read_object(folder / LISTED) or {}).get("canary")
        if isinstance(told, str) and _GUID.fullmatch(told):
            return told
    return str(uuid4())


@contextmanager
def room(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder` (`fresh_folder.folder_beside`). Raises ConfigError where `folder` is
    none of ours, or holds what was put or written there since: it would be lost.
    """
    if folder.is_symlink() or folder.exists():
        _require_ours(folder)
    with folder_beside(folder) as fresh:
        yield fresh


def _require_ours(folder: Path) -> None:
    told = None
    if is_regular(folder / LISTED) and not folder.is_symlink():
        with suppress(RecordError):
            told = (read_object(folder / LISTED) or {}).get("files")
    if not isinstance(told, dict):
        raise ConfigError(
            f"{folder}: is there, and no folder that was published ({LISTED} lists no files): move it away"
        )
    there = {name: sha for name, sha in hashes_of(folder).items() if not is_hidden(Path(name).name)}
    if odd := sorted(name for name, sha in there.items() if told.get(name) != sha):
        raise ConfigError(
            f"{folder}: {', '.join(odd[:NAMED])}: put there or changed since it was published ({len(odd)} "
            "such), and would be lost: move what is yours to another folder, and run the same command again"
        )


# --- what is in it ---------------------------------------------------------------------------------------


def files_of(folder: Path) -> list[str]:
    """Names of all that lies in it, as paths below it. Raises ConfigError for a link or what is no file."""
    found = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    if odd := [path for path in found if not is_regular(path)]:
        raise ConfigError(f"{odd[0]}: is a link, or no file: nothing such is published")
    return [path.relative_to(folder).as_posix() for path in found]


def hashes_of(folder: Path) -> dict[str, str]:
    """sha256 by name, of all but the list itself."""
    return {name: _sha(folder / name) for name in files_of(folder) if name != LISTED}


def _sha(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_list(folder: Path, **told: Any) -> None:
    """published.json, the last file that is written."""
    listed = {**told, "files": hashes_of(folder)}
    atomic_write(folder / LISTED, json.dumps(listed, indent=1, ensure_ascii=False) + "\n")


def listed(folder: Path) -> dict[str, str]:
    """sha256 by name, if the folder holds just what its list says. Raises ConfigError else."""
    told = (read_object(folder / LISTED) or {}).get("files")
    if not isinstance(told, dict):
        raise ConfigError(f"{folder / LISTED}: no list of files: publish anew")
    found = hashes_of(folder)
    if odd := sorted(name for name in found.keys() | told.keys() if found.get(name) != told.get(name)):
        raise ConfigError(
            f"{folder}: {', '.join(odd[:NAMED])}: not as {LISTED} says ({len(odd)} such): nothing is sent; "
            "take away what was put there, or publish anew"
        )
    return found


# --- what must not be in it --------------------------------------------------------------------------------


def search(folder: Path, guard: Guard, told: Collection[str] = ()) -> None:
    """Raises ConfigError that names what must not leave, in whatever file it is; `told` is what whoever
    publishes says of themselves, which may stand in any file but those of rows.
    """
    said = {form for one in told for form in (one, str(inert(one)), json.dumps(one)[1:-1])}
    found = [
        (where, one)
        for where, text in _words(folder)
        for one in guard.find(text, () if ".parquet" in where else said, words=where not in VOCABULARY)
    ]
    if found:
        first = "; ".join(f"{where}: {one.what} ({one.words})" for where, one in found[:NAMED])
        more = f"; {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise ConfigError(
            f"not published: {first}{more}. Take it out where it comes from; if it is none: --allow WORD"
        )


def _words(folder: Path) -> Iterator[tuple[str, str]]:
    """Every text that lies in the folder, names of files too, and what a picture says besides its pixels."""
    for name in files_of(folder):
        yield name, name
        path = folder / name
        if path.suffix == ".parquet":
            yield from _cells(path, name)
        elif path.suffix == ".png":
            _check_picture(path.read_bytes(), name, {"Software"})
        elif path.suffix == WEIGHTS:
            yield name, _header(path)
        else:
            yield name, _text(path, name)


def _text(path: Path, name: str) -> str:
    """What can be searched. Raises ConfigError for what is no text, unless it is a vocabulary."""
    try:
        return path.read_text("utf-8", "replace" if name in VOCABULARY else "strict")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"not published: {name}: expected UTF-8, which can be searched; not so byte {error.start}"
        ) from None


def _header(path: Path) -> str:
    """What weights say in words: names of tensors, and what whoever saved them put beside."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        return file.read(min(size, HEADER)).decode("utf-8", "replace")


def _cells(path: Path, name: str) -> Iterator[tuple[str, str]]:
    for number, column, value in texts(path):
        if isinstance(value, str):
            yield f"{name}, row {number}, {column}", value
        else:
            _check_picture(value, f"{name}, row {number}, {column}")


def _check_picture(data: bytes, where: str, known: Collection[str] = ()) -> None:
    """`known` is what a plot of ours says."""
    try:
        carried = [name for name in metadata_of(data, where) if name not in known]
    except ImageError as error:
        raise ConfigError(f"not published: {error}") from None
    if carried:
        raise ConfigError(
            f"not published: {where}: the picture carries {', '.join(carried)}; expected pixels alone"
        )


def copied(source: Path, fresh: Path, names: Mapping[str, str | Path]) -> list[str]:
    """Copies files of `source` that are there, by their new names; returns these."""
    there = {new: name for new, name in names.items() if is_regular(source / name)}
    for new, name in there.items():
        (fresh / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, fresh / new, follow_symlinks=False)
    return list(there)
