"""Reads a regular file where no link leads: for files of folders that others may have packed."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class NotRegular(OSError):
    """A link, a folder, a pipe or a device where a file was expected."""


def read_regular(path: Path, most: int) -> bytes | None:
    """The bytes of the file `path`, whose last part is no link; None where it has more than `most`.

    Raises NotRegular, and OSError as `open` does. Never waits for a pipe.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise NotRegular(error.errno, "expected a file; this is a link") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise NotRegular(0, "expected a file")
        with open(file, "rb", closefd=False) as opened:
            data = opened.read(most + 1)
    finally:
        os.close(file)
    return data if len(data) <= most else None


def is_regular(path: Path) -> bool:
    """Whether a file lies at `path` itself, and no link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
