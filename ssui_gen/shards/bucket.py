"""Shared storage that is an object store (S3, GCS and others, by fsspec). The one door to fsspec.

An object store cannot append: a log is a folder of numbered parts, each made once and never replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write
from ssui_gen.shards.store import HELP, TAIL, Log, explained, whole

BLOCK = 1_000_000
"""Bytes that are copied at a time."""
PART_BYTES, PART_SECONDS = 1_000_000, 10.0
"""A log's next part is written when so much, or what is so old, waits for it."""


class Bucket:
    """On an object store, by fsspec. A log is a folder of numbered parts, each made once."""

    def __init__(self, place: str, fs: Any, root: str) -> None:
        self.place, self._fs, self._root = place, fs, root.rstrip("/")

    @classmethod
    def at(cls, url: str) -> Bucket:
        """Raises ConfigError for storage that is unknown, or whose client is not installed."""
        import fsspec

        try:
            fs, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"{url}: this storage cannot be used: {error}") from None
        if "file" in fs.protocol:
            raise ConfigError(f"{url}: is a folder: name it as one, {path}")
        return cls(url, fs, path)

    def within(self, folder: str) -> Bucket:
        return Bucket(f"{self.place}/{folder}", self._fs, f"{self._root}/{folder}")

    def _explained(self, name: str) -> AbstractContextManager[None]:
        """Clients of object stores raise errors of their own, of no common kind."""
        return explained(f"{self.place}/{name}", Exception)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def create(self, name: str, data: bytes) -> bool:
        """By a conditional put (S3's `If-None-Match`, GCS's `ifGenerationMatch`). One that was sent twice, as
        the first answer was lost, is refused as made already: by ourselves, if it says the same.
        """
        with self._explained(name):
            try:
                self._fs.pipe_file(self._path(name), data, mode="create")
            except FileExistsError:
                return self.read(name) == data
        return True

    def put(self, name: str, data: bytes) -> None:
        with self._explained(name):
            self._fs.pipe_file(self._path(name), data)

    def read(self, name: str) -> bytes | None:
        with self._explained(name):
            try:
                return bytes(self._fs.cat_file(self._path(name)))
            except FileNotFoundError:
                return None

    def state(self, name: str) -> str | None:
        """What changes when the file does; None where there is none. Raises RecordError."""
        with self._explained(name):
            try:
                self._fs.info(self._path(name))
            except FileNotFoundError:
                return None
            return str(self._fs.ukey(self._path(name)))

    def fetch(self, name: str, to: Path) -> None:
        """Copy a file of any size, whole or not at all. Raises RecordError."""
        with self._explained(name), self._fs.open(self._path(name), "rb") as source:
            atomic_write(to, iter(lambda: bytes(source.read(BLOCK)), b""))

    def names(self, folder: str) -> list[str]:
        with self._explained(folder):
            try:
                found = self._fs.ls(self._path(folder), detail=False)
            except FileNotFoundError:
                return []
        return sorted({path.rstrip("/").rpartition("/")[2] for path in found} - {""})

    def begin(self, name: str, first: bytes) -> Log | None:
        return _PartsLog(self, name) if self.create(_part(name, 0), first) else None

    def begun(self, name: str) -> bool:
        with self._explained(name):
            return bool(self._fs.exists(self._path(_part(name, 0))))

    def lines(self, name: str) -> Iterator[bytes]:
        for part in self._parts(name):
            yield from whole(BytesIO(self.read(part) or b""))

    def tail(self, name: str) -> bytes:
        data = b""
        for part in reversed(self._parts(name)):
            data = (self.read(part) or b"") + data
            if len(data) >= TAIL:
                break
        return data

    def _parts(self, name: str) -> list[str]:
        """Up to the first that is missing."""
        there, number = set(self.names(name)), 0
        while _part("", number)[1:] in there:
            number += 1
        return [_part(name, one) for one in range(number)]


def _part(name: str, number: int) -> str:
    return f"{name}/{number:06}"


class _PartsLog:
    """What is written survives this process from the next part on."""

    def __init__(self, bucket: Bucket, name: str) -> None:
        self._bucket, self._name, self._number = bucket, name, 1
        self._waiting: list[bytes] = []
        self._since, self._broken = monotonic(), False
        self._lock, self._sending = Lock(), Lock()

    def write(self, data: bytes) -> None:
        if self._broken:
            raise RecordError(f"{self._bucket.place}/{self._name}: a part before was not written; {HELP}")
        with self._lock:
            self._waiting.append(data)

    def sync(self) -> None:
        due = monotonic() - self._since >= PART_SECONDS
        if due or sum(map(len, self._waiting)) >= PART_BYTES:
            self._send()

    def close(self) -> None:
        self._send()

    def _send(self) -> None:
        with self._sending:
            with self._lock:
                data, self._waiting = b"".join(self._waiting), []
            self._since = monotonic()
            if data and not self._broken:
                self._broken = True
                if not self._bucket.create(_part(self._name, self._number), data):
                    raise RecordError(f"{self._bucket.place}/{self._name}: somebody else writes this log")
                self._number, self._broken = self._number + 1, False
