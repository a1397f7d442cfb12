"""Shared storage that is a folder: on a disk, or a network file system (POSIX)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ssui_gen.files import atomic_write, regular
from ssui_gen.shards.store import TAIL, Log, explained, whole


class Folder:
    """On a disk or a network file system (POSIX)."""

    def __init__(self, root: Path) -> None:
        self.root, self.place = root, str(root)

    def within(self, folder: str) -> Folder:
        return Folder(self.root / folder)

    def create(self, name: str, data: bytes) -> bool:
        """A finished file gets its name by a hard link, which one process alone can make."""
        path = self.root / name
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                _write_all(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), data)
                os.link(draft, path)
            except FileExistsError:
                return False
            finally:
                with suppress(OSError):
                    draft.unlink()
        return True

    def put(self, name: str, data: bytes) -> None:
        path = self.root / name
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, data)

    def read(self, name: str) -> bytes | None:
        with explained(self.root / name):
            try:
                with regular(self.root / name) as file:
                    return file.read()
            except FileNotFoundError:
                return None

    def names(self, folder: str) -> list[str]:
        with explained(self.root / folder):
            try:
                found = [path.name for path in (self.root / folder).iterdir()]
            except FileNotFoundError:
                return []
        return sorted(name for name in found if not name.startswith("."))

    def begin(self, name: str, first: bytes) -> Log | None:
        path = self.root / name
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
            except FileExistsError:
                return None
        log = _FileLog(path, file)
        log.write(first)
        return log

    def begun(self, name: str) -> bool:
        return (self.root / name).exists()

    def lines(self, name: str) -> Iterator[bytes]:
        with explained(self.root / name), regular(self.root / name) as file:
            yield from whole(file)

    def tail(self, name: str) -> bytes:
        with explained(self.root / name), regular(self.root / name) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            return file.read()


def _write_all(file: int, data: bytes) -> None:
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        os.fsync(file)
    finally:
        os.close(file)


class _FileLog:
    """What is written survives the process at once, the machine from the next `sync` on."""

    def __init__(self, path: Path, file: int) -> None:
        self.path, self._file = path, file
        self._dirty = self._broken = False

    def write(self, data: bytes) -> None:
        """A line that was torn is the last one: whoever reads leaves it out, but not what came behind it."""
        with explained(self.path):
            if self._broken:
                raise OSError("a line before was not written whole")
            self._broken = True
            if (written := os.write(self._file, data)) < len(data):
                raise OSError(f"only {written} of {len(data)} bytes could be written")
            self._broken, self._dirty = False, True

    def sync(self) -> None:
        dirty, self._dirty = self._dirty, False
        if dirty:
            with explained(self.path):
                getattr(os, "fdatasync", os.fsync)(self._file)

    def close(self) -> None:
        """A second close does nothing."""
        try:
            self.sync()
        finally:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1
