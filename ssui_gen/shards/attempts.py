"""The attempts at a shard: a log each, with one writer, which says what it builds upon.

A log begins with a header: which attempt, and the logs before it with the bytes of each that count. Events
follow in the order in which they happened, a call before the row that used it, so every beginning of a log
is consistent; the last is `done`. A later attempt fences off the earlier: what those write beyond the bytes
that it names does not exist. Nothing depends on a clock or a lock.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from secrets import token_hex
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from ssui_gen import __version__
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jsonl import of_kind, parse
from ssui_gen.records import Record
from ssui_gen.shards.dealing import Deal, Which, as_written
from ssui_gen.shards.store import Log, Store

HEADER, CALL, ROW, GONE, EDITION, DONE = "attempt", "call", "row", "gone", "edition", "done"
"""Kinds of events; each line is an object with one of them as its key."""
Event = tuple[str, Any]
_NAME = re.compile(r"a([0-9]{4,})\.log")
_Name = Annotated[str, Field(pattern=rf"^{_NAME.pattern}$")]


class Header(Record):
    """The first line of a log."""

    number: int
    chain: tuple[tuple[_Name, int], ...]
    """Earlier logs, the oldest first, and how many bytes of each count."""
    deal: str
    shard: int
    ssui_gen: str
    host: str
    pid: int
    nonce: str
    """Tells two attempts from each other that would say the same."""


class Counts(Record):
    """What an attempt that came to the end of its shard says of itself; the calls are those that it made."""

    kept: int = 0
    dropped: int = 0
    """Rejects, or verdicts that lack."""
    passing: int = 0
    """Of these, what circumstances made: it is tried again where the shard is opened again."""
    calls: int = 0
    replayed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


class Last(NamedTuple):
    """The last attempt that has a header."""

    name: str
    header: Header


def log_of(number: int) -> str:
    return f"a{number:04}.log"


class Past:
    """What the attempts at a shard have left, up to where the last of them is whole."""

    def __init__(self, store: Store, deal: Deal, which: Which) -> None:
        """Raises ConfigError where a log is of another job, RecordError where it cannot be read."""
        self.store, self.which, self.deal = store, which, deal
        found = (_NAME.fullmatch(name) for name in store.names(which.folder))
        self.numbers = sorted(int(name[1]) for name in found if name)
        self.last = self._last()
        self.links: tuple[tuple[str, int], ...] = self.last.header.chain if self.last else ()
        """As a chain; with the last attempt in it when `events` has come to its end."""

    @property
    def done(self) -> Counts | None:
        """What the last attempt counted, if it came to the end of the shard. Raises ConfigError for counts
        that this version does not write.
        """
        if self.last is None:
            return None
        lines = self.store.tail(self._path(self.last.name)).split(b"\n")
        event = _event(lines[-2], "") if len(lines) > 1 and not lines[-1] else None
        if not event or event[0] != DONE:
            return None
        with as_written():
            return of_kind(Counts, event[1], f"{self._shown(self.last.name)}: {DONE}")

    def events(self) -> Iterator[Event]:
        """All that counts, in its order. Raises ConfigError where less is there than was built upon."""
        if self.last is None:
            return
        for name, size in self.last.header.chain:
            read = 0
            for line, event in self._read(name):
                if read >= size:
                    break
                read += len(line)
                yield event
            if read != size:
                raise ConfigError(
                    f"{self._shown(name)}: {size:,} bytes of it count for {self.last.name}, of which "
                    f"{read:,} can be read: put the file back as it was, or move all logs of "
                    f"{self.which.folder} away: its seeds are then done anew"
                )
        read = 0
        for line, event in self._read(self.last.name):
            read += len(line)
            yield event
        self.links = (*self.last.header.chain, (self.last.name, read))

    def _last(self) -> Last | None:
        """An attempt whose header was not written whole left nothing."""
        for number in reversed(self.numbers):
            name = log_of(number)
            kind, value = next((event for _, event in self._read(name)), ("", None))
            if kind == HEADER:
                with as_written():
                    header = of_kind(Header, value, f"{self._shown(name)}:1")
                self._require_ours(name, header)
                return Last(name, header)
        return None

    def _require_ours(self, name: str, header: Header) -> None:
        if (header.deal, header.shard) != (self.deal.id, self.which.number):
            raise ConfigError(
                f"{self._shown(name)}: a log of shard {header.shard} of another job (its seeds were dealt "
                "otherwise): move it away, or take a new RUN"
            )

    def _read(self, name: str) -> Iterator[tuple[bytes, Event]]:
        """The lines of a log and their events, up to the first that is none: a machine that lost its power
        may leave anything behind what it had written.
        """
        for line in self.store.lines(self._path(name)):
            event = _event(line, self._shown(name))
            if event is None:
                return
            yield line, event

    def _path(self, name: str) -> str:
        return f"{self.which.folder}/{name}"

    def _shown(self, name: str) -> str:
        return f"{self.store.place}/{self._path(name)}"


def _event(line: bytes, where: str) -> Event | None:
    try:
        value = parse(line, where)
    except RecordError:
        return None
    if not (isinstance(value, dict) and len(value) == 1):
        return None
    return next(iter(value.items()))


def claim(past: Past) -> tuple[Header, Log] | None:
    """Begin the next attempt, upon all that `past` has read; None if somebody else has begun it."""
    number = (past.numbers[-1] if past.numbers else 0) + 1
    header = Header(
        number=number,
        chain=past.links,
        deal=past.deal.id,
        shard=past.which.number,
        ssui_gen=__version__,
        host=socket.gethostname(),
        pid=os.getpid(),
        nonce=token_hex(8),
    )
    line = f'{{"{HEADER}":{header.model_dump_json()}}}\n'.encode()
    log = past.store.begin(f"{past.which.folder}/{log_of(number)}", line)
    return (header, log) if log else None
