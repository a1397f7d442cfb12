"""Replace a file only if it still says what was read: whoever saves it meanwhile loses nothing.

The new content and the old trade places in one step of the kernel (renameat2 on Linux, renamex_np on macOS),
and only then the old is compared: there is no moment in between. An editor may hold the old open, emptied and
not yet written; Linux tells (a lease is refused), and such a file goes back as one that was saved. Where a
file system cannot trade or tell (some network ones), the file is compared and then replaced, which leaves a
moment.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

from ssui_gen.errors import RecordError
from ssui_gen.files import beside

_AT_FDCWD = -100
_EXCHANGE = 2
"""RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS."""


def replace_if(path: Path, content: bytes, seen: bytes | None) -> bool:
    """Write `content` where `seen` stands (None: no file yet); False, and nothing done, if it no longer does.

    A reader sees the old content or the new, never a part. Raises RecordError when the disk refuses.
    """
    path = Path(os.path.realpath(path))
    try:
        with beside(path) as (new, file):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            file.close()
            with suppress(FileNotFoundError):
                return _create(new, path) if seen is None else _trade_if(new, path, content, seen)
        return False
    except OSError as error:
        raise RecordError(f"{path}: could not be written: {error}; free some space and try again") from None


def _create(new: Path, path: Path) -> bool:
    """A link fails where a file has appeared."""
    with suppress(FileExistsError):
        os.link(new, path)
        return True
    return False


def _trade_if(new: Path, path: Path, content: bytes, seen: bytes) -> bool:
    shutil.copymode(path, new)
    if not _trade(new, path):
        return _compare_and_replace(new, path, seen)
    expected, placed, done = seen, content, True
    while True:
        busy, found = _is_being_written(new), new.read_bytes()
        if found == expected and not busy:
            return done
        _trade(new, path)  # someone has saved, or is about to: theirs goes back, the newest wins
        expected, placed, done = placed, found, False


def _is_being_written(path: Path) -> bool:
    """Whether somebody holds it open for writing; False too where the system cannot tell."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    with path.open("rb") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # else a broken lease kills its holder
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN
    return False


def _compare_and_replace(new: Path, path: Path, seen: bytes) -> bool:
    if path.read_bytes() != seen:
        return False
    new.replace(path)
    return True


def _trade(one: Path, other: Path) -> bool:
    """Exchange two files; False where the system cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "linux" and hasattr(libc, "renameat2"):
        return bool(libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE) == 0)
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        return bool(libc.renamex_np(*names, _EXCHANGE) == 0)
    return False
