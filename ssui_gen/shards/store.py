"""What shared storage can do: files made once and whole, logs with one writer. Nothing is locked, and nothing
that counts is ever replaced.

Who makes a name has it, and any other is refused: so it holds on network file systems and on object stores
as on a disk. Covers no meaning of what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from ssui_gen.errors import RecordError, SsuiError

TAIL = 65_536
"""Bytes of a log's end that are looked at for its last line."""
HELP = "free some space, or mend the storage, and start the same command again"


class Log(Protocol):
    """A log that this process alone writes."""

    def write(self, data: bytes) -> None:
        """Append whole lines. Raises RecordError, and from then on each time."""
        ...

    def sync(self) -> None:
        """See that what has been written outlives this machine; may be called by another thread."""
        ...

    def close(self) -> None: ...


class Store(Protocol):
    """Names are relative, with `/` between their parts."""

    place: str
    """As a person names it."""

    def within(self, folder: str) -> Store:
        """A folder of it, as a store of its own."""
        ...

    def create(self, name: str, data: bytes) -> bool:
        """Make a file, whole; False if there is one of this name. Raises RecordError."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Make a file, whole, in place of one of this name: for what is said and forgotten, and no row hangs
        on. Raises RecordError.
        """
        ...

    def read(self, name: str) -> bytes | None:
        """A file of `create` or `put`; None where there is none. Raises RecordError."""
        ...

    def names(self, folder: str) -> list[str]:
        """What lies in a folder, sorted; nothing where there is none."""
        ...

    def begin(self, name: str, first: bytes) -> Log | None:
        """Make a log with its first line; None if there is one of this name. Raises RecordError."""
        ...

    def begun(self, name: str) -> bool:
        """Whether there is a log of this name, now."""
        ...

    def lines(self, name: str) -> Iterator[bytes]:
        """The whole lines of a log, their line breaks with them; a torn last one is left out."""
        ...

    def tail(self, name: str) -> bytes:
        """The last bytes of a log, `TAIL` or more of them if there are so many."""
        ...


def whole(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Those that end: a torn last one is left out."""
    return (line for line in lines if line.endswith(b"\n"))


@contextmanager
def explained(place: object, kind: type[Exception] = OSError) -> Iterator[None]:
    """Raises RecordError for `kind`, with the place."""
    try:
        yield
    except SsuiError:
        raise
    except kind as error:
        raise RecordError(f"{place}: the shared storage refuses: {error}; {HELP}") from None
