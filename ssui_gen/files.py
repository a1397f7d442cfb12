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
import shlex
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from ssui_gen.errors import RecordError

PUBLIC, PRIVATE = 0o666, 0o600
"""Modes, before the umask."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HOMES: set[Path] = set()
"""Folders below which nothing is written through a link (`claim`)."""


class NotRegular(OSError):
    """A link, a folder, a pipe or a device where a file was expected."""

    def __str__(self) -> str:
        return str(self.strerror)


def claim(home: Path) -> None:
    """From now on, until this process ends, nothing is written below `home` through a folder that is a link.
    `home` itself may be one: who names it knows where it lies.
    """
    _HOMES.add(_in_full(home))


def own_folder(path: Path) -> Path:
    """The folder, made where there is none. Raises RecordError for a link on the way to it, below a home that
    was claimed, and for what is no folder.
    """
    require_own_way(path / "x")
    with explained(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise no_folder(path) from None
    return path


def no_folder(path: Path) -> RecordError:
    return RecordError(f"{path}: expected a folder; a file is in its place: take it away")


def require_own(path: Path) -> None:
    """Raises RecordError where another program is about to write a file, and a link is in its place or on the
    way to it, or it has another name.
    """
    require_own_way(path)
    with suppress(FileNotFoundError):
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise _a_link(path)
        if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            raise _another_name(path)


def require_no_link(folder: Path) -> None:
    """Raises RecordError for a folder that another program is about to fill, and which is a link or holds
    one, however deep.
    """
    require_own_way(folder / "x")
    found = (Path(where) / name for where, *names in os.walk(folder) for name in chain(*names))
    if link := next(filter(Path.is_symlink, found), None):
        raise _a_link(link)


def require_own_way(path: Path) -> None:
    """Raises RecordError where a folder on the way to `path` is a link, below a home that was claimed."""
    above = _in_full(path).parents
    below = max((number for number, folder in enumerate(above) if folder in _HOMES), default=0)
    if link := next(filter(Path.is_symlink, reversed(above[:below])), None):
        raise _a_link(link)


def _in_full(path: Path) -> Path:
    """The path from the root on, its links as they stand."""
    return Path(os.path.normpath(Path.cwd() / path))


def _a_link(path: Path) -> RecordError:
    return RecordError(
        f"{path}: is a link to {path.readlink()}; expected what is this folder's own: put what it leads to "
        "in its place, or take the link away"
    )


def _another_name(path: Path) -> RecordError:
    name, own = shlex.quote(str(path)), shlex.quote(f"{path}.own")
    return RecordError(
        f"{path}: has another name too (a hard link), and what is added would stand there as well: make it "
        f"this folder's own: cp {name} {own} && mv {own} {name}"
    )


def atomic_write(path: Path, content: str | bytes | Iterable[str | bytes], mode: int = PUBLIC) -> None:
    """Replace a file so that a reader sees the old content or the new, never a part. A link is replaced, and
    what it names stays. Raises RecordError.
    """
    with explained(path), beside(path, mode) as (temporary, file):
        _fill(file, content)
        temporary.replace(path)


def replace(path: Path, content: Iterable[str | bytes]) -> Path | None:
    """`atomic_write`, and keep what the file was beside it, as one former edition; returns where, or None
    where there was nothing or it says the same. Raises RecordError.
    """
    with explained(path), beside(path) as (new, file):
        _fill(file, content)
        former = keep_former(path, new)
        new.replace(path)
    return former


def keep_former(path: Path, new: Path) -> Path | None:
    """Keep what a file is beside it, as one former edition, if `new` says something else; returns where. What
    a link leads to stays where it is, and is not copied. Raises OSError.
    """
    if not is_regular(path) or filecmp.cmp(path, new, shallow=False):
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
def explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordError(f"{path}: could not be written: {error}; free some space and try again") from None


@contextmanager
def beside(path: Path, mode: int = PUBLIC) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file in the same folder, under a name that nobody can have put there before; gone at the end
    unless it was moved. Raises OSError, and RecordError for a link on the way (`claim`).
    """
    require_own_way(path)
    temporary = unheard_of(path)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(temporary, flags, mode), "w+b") as file:
        try:
            yield temporary, file
        finally:
            with suppress(OSError):
                temporary.unlink()


def unheard_of(path: Path, what: str = "") -> Path:
    """A name beside it that nobody can have put there before."""
    return path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}{what}.tmp")


def open_own(path: Path, flags: int = os.O_RDWR, mode: int = PUBLIC) -> int:
    """A descriptor of a file that grows or is locked, made if it is not there. Raises RecordError for a link
    on the way or in its place, for what is no file (a device may be one), and where a file that grows has
    another name: what is written would stand there too.
    """
    require_own_way(path)
    try:
        opened = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _a_link(path) from None
        raise RecordError(f"{path}: could not be opened for writing: {error.strerror}") from None
    found = os.fstat(opened)
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISCHR(found.st_mode)):
        os.close(opened)
        raise RecordError(f"{path}: is no file; expected a file of this folder's own")
    if stat.S_ISREG(found.st_mode) and found.st_nlink > 1 and flags & os.O_APPEND:
        os.close(opened)
        raise _another_name(path)
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
