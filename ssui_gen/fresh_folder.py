"""A folder that is made beside its place and then takes it whole; what a killed process left goes.

Whoever makes one holds it (`flock`), so that nobody takes it for one that was left.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ssui_gen.files import explained, no_folder, own_folder, require_own_way, unheard_of

FORMER = ".former"
"""In the name of a folder that is giving place to a new one."""


@contextmanager
def folder_beside(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`, gone at the end unless it was put in its place (`place_folder`). What
    a killed process left of such folders goes, or comes back to its place where that is empty.

    Raises RecordError for a link on the way or in its place (`claim`), where a file is, and where the disk
    refuses.
    """
    own_folder(folder.parent)
    require_own_way(folder / "x")
    if folder.exists() and not folder.is_dir():
        raise no_folder(folder)
    with explained(folder):
        _tidy(folder)
        fresh, held = _held_folder(folder)
        try:
            yield fresh
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            os.close(held)


def place_folder(fresh: Path, folder: Path) -> None:
    """Put it in its place; what was there goes only when it is. Raises OSError."""
    former = unheard_of(folder, FORMER)
    if folder.exists():
        folder.rename(former)
    fresh.rename(folder)
    shutil.rmtree(former, ignore_errors=True)


def _held_folder(folder: Path) -> tuple[Path, int]:
    """A new folder beside it, and the descriptor that holds it as long as its process lives."""
    while True:
        fresh = unheard_of(folder)
        fresh.mkdir()
        held = os.open(fresh, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(held, fcntl.LOCK_EX)
        if fresh.exists():  # nobody took it for one that was left
            return fresh, held
        os.close(held)


def _tidy(folder: Path) -> None:
    """What a process that was killed left beside `folder`: the former one back, if it was under way to give
    place; away with the rest that nobody holds.
    """
    name = re.escape(folder.name[:100])
    ours = re.compile(rf"\.{name}\.[0-9a-f]{{16}}({re.escape(FORMER)})?\.tmp")
    for left in (path for path in folder.parent.iterdir() if ours.fullmatch(path.name)):
        if left.is_symlink() or not left.is_dir():
            continue
        if left.name.endswith(f"{FORMER}.tmp") and not folder.exists():
            left.rename(folder)
        else:
            _take_away(left)


def _take_away(folder: Path) -> None:
    with suppress(OSError):
        found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(found)
