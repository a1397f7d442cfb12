"""The one door to files of folders that others may have packed: no link is followed.

What is written is there whole or not at all, and private where private. Rows and their meaning are
`jsonl`'s; a file that people save at the same time is `curation/workspace/swap`'s.
"""

from __future__ import annotations

import errno
import filecmp
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ssui_gen.errors import RecordError

PUBLIC, PRIVATE = 0o666, 0o600
"""Modes, before the umask."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NotRegular(OSError):
    """A link, a folder, a pipe or a device where a file was expected."""

    def __str__(self) -> str:
        return str(self.strerror)


def atomic_write(path: Path, content: str | bytes | Iterable[str | bytes], mode: int = PUBLIC) -> None:
    """Replace a file so that a reader sees the old content or the new, never a part. A link is replaced, and
    what it names stays. Raises RecordError.
    """
    with _explained(path), beside(path, mode) as (temporary, file):
        _fill(file, content)
        temporary.replace(path)


def replace(path: Path, content: Iterable[str | bytes]) -> Path | None:
    """`atomic_write`, and keep what the file was beside it, as one former edition; returns where, or None
    where there was nothing or it says the same. Raises RecordError.
    """
    with _explained(path), beside(path) as (new, file):
        _fill(file, content)
        former = keep_former(path, new)
        new.replace(path)
    return former


def keep_former(path: Path, new: Path) -> Path | None:
    """Keep what a file is beside it, as one former edition, if `new` says something else; returns where.
    Raises OSError.
    """
    if not path.exists() or filecmp.cmp(path, new, shallow=False):
        return None
    former = path.with_name(f"{path.stem}.former{path.suffix}")
    with beside(former) as (copy, target), path.open("rb") as source:
        shutil.copyfileobj(source, target)
        copy.replace(former)
    return former


def _fill(file: BinaryIO, content: str | bytes | Iterable[str | bytes]) -> None:
    for part in [content] if isinstance(content, str | bytes) else content:
        file.write(part.encode("utf-8") if isinstance(part, str) else part)
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordError(f"{path}: could not be written: {error}; free some space and try again") from None


@contextmanager
def beside(path: Path, mode: int = PUBLIC) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file in the same folder, under a name that nobody can have put there before; gone at the end
    unless it was moved. Raises OSError.
    """
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(temporary, flags, mode), "w+b") as file:
        try:
            yield temporary, file
        finally:
            with suppress(OSError):
                temporary.unlink()


def open_own(path: Path, flags: int = os.O_RDWR, mode: int = PUBLIC) -> int:
    """A descriptor of a file that grows or is locked, made if it is not there. Raises RecordError for a link
    and for what is no file (a device may be one).
    """
    try:
        opened = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RecordError(f"{path}: is a link; expected a file of this folder's own") from None
        raise RecordError(f"{path}: could not be opened for writing: {error.strerror}") from None
    kind = os.fstat(opened).st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISCHR(kind)):
        os.close(opened)
        raise RecordError(f"{path}: is no file; expected a file of this folder's own")
    return opened


def read_regular(path: Path, most: int) -> bytes | None:
    """The bytes of the file `path`; None where it has more than `most`. Raises as `regular` does."""
    with regular(path) as file:
        data = file.read(most + 1)
    return data if len(data) <= most else None


@contextmanager
def regular(path: Path) -> Iterator[BinaryIO]:
    """The file `path`, whose last part is no link, to be read.

    Raises NotRegular, and OSError as `open` does. Never waits for a pipe.
    """
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise NotRegular(error.errno, "expected a file; this is a link") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise NotRegular(0, "expected a file")
        with open(opened, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(opened)


def name_of(id: str) -> str:
    """What stands for an id in a file's name: no id is a path."""
    if _PLAIN.fullmatch(id):
        return id
    return hashlib.blake2b(json.dumps([id]).encode(), digest_size=8).hexdigest()


def is_regular(path: Path) -> bool:
    """Whether a file lies at `path` itself, and no link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
