"""One attempt under way: a run folder on this machine made from the logs before it, and a log of its own.

The stage works in that folder as in any; each call and row is told here first, and goes to the log. While it
works, the log is brought to safety each second, and a later attempt is looked for: then this one ends.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from ssui_gen.calling.journal import CALLS, Call, Journal
from ssui_gen.completions import Completion
from ssui_gen.errors import ConfigError, RecordError, Superseded
from ssui_gen.files import atomic_write
from ssui_gen.jobs.part import UNSAID, Word
from ssui_gen.records import Record, digest
from ssui_gen.shards.attempts import (
    CALL,
    DONE,
    EDITION,
    GONE,
    ROW,
    Counts,
    Header,
    Past,
    claim,
    log_of,
)
from ssui_gen.shards.control import TELL_SECONDS, heard, tell
from ssui_gen.shards.dealing import Deal, Which
from ssui_gen.shards.edition import share
from ssui_gen.shards.rows import Rows
from ssui_gen.shards.stage import Manifests, Stage
from ssui_gen.shards.stages import stage_of
from ssui_gen.shards.store import Log, Store

LOOK_SECONDS = 1.0
"""Between two looks for a later attempt, and the most of a log that a lost machine takes with it."""
T = TypeVar("T")
_CALL = TypeAdapter(Call)


def begin(
    store: Store, deal: Deal, which: Which, folder: Path, mix: bool, own_servers: Sequence[str] = ()
) -> Attempt:
    """Make `folder` from what there is of a shard, and take it over; `own_servers` are of this machine's work
    alone. Raises ConfigError, RecordError.
    """
    while True:
        past = Past(store, deal, which)
        rebuilt = rebuild(past, folder)
        if claimed := claim(past):
            attempt = Attempt(store, stage_of(deal), which, *claimed, rebuilt, mix, own_servers)
            attempt.listen()
            return attempt


def rebuild(past: Past, folder: Path) -> int:
    """A run folder's calls and rows from a shard's logs; returns how many calls."""
    for file in folder.glob(f"{CALLS}*"):
        file.unlink()
    stage = stage_of(past.deal)
    rows, calls = Rows(stage, f"{past.store.place}/{past.which.folder}"), 0
    with closing(Journal(folder / CALLS)) as journal:
        for event in past.events():
            rows.apply(event)
            if event[0] == CALL:
                journal.keep(as_call(event[1], rows.where))
                calls += 1
    for name in dict.fromkeys((*stage.files(stage.read(past.store)), *rows.files)):
        place = folder / past.deal.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(place, rows.lines(name))
    return calls


def edition_id(made: Manifests) -> str:
    """Of what all rows of an attempt are made with."""
    return digest({file: one.last.model_dump() if one.last else None for file, one in made.items()})


def as_call(value: Any, where: str) -> Call:
    """Raises ConfigError for what this version does not write."""
    try:
        return _CALL.validate_python(value)
    except ValueError:
        raise ConfigError(
            f"{where}: a log holds {str(value)[:60]!r} as a call, which this version does not write: was it "
            "written by another version of ssui_gen, or edited?"
        ) from None


@dataclass
class Attempt:
    """The witness of a shard's stage, and its fence."""

    store: Store
    stage: Stage
    which: Which
    header: Header
    log: Log
    rebuilt: int
    """Calls that earlier attempts have made."""
    mix: bool
    own_servers: Sequence[str] = ()
    """What the run is not to remember of who was asked."""
    word: Word = UNSAID
    """The last that a person has said to all shards."""
    _facts: Mapping[str, Any] = field(default_factory=dict)
    _told: float = -TELL_SECONDS

    def call(self, id: str, agent: str, request: dict[str, Any], completion: Completion) -> None:
        said = ",".join(
            (
                json.dumps(id),
                json.dumps(agent),
                json.dumps(request),
                completion.model_dump_json(),
                str(time.time()),
            )
        )
        self.log.write(f'{{"{CALL}":[{said}]}}\n'.encode())

    def rows(self, file: str, lines: bytes) -> None:
        head = f'{{"{ROW}":["{file}",'.encode()
        self.log.write(b"".join(head + line + b"]}\n" for line in lines.split(b"\n") if line))

    def gone(self, file: str, rows: Iterable[Record]) -> None:
        self._say(GONE, [file, [self.stage.key(file, row) for row in rows]])

    def edition(self, manifests: Manifests, used: Path) -> None:
        told = {file: one.forgetting(self.own_servers) for file, one in manifests.items()}
        share(self.store, self.stage, told, used, self.mix)
        self._say(EDITION, edition_id(manifests))

    def _say(self, kind: str, value: Any) -> None:
        self.log.write((json.dumps({kind: value}) + "\n").encode())

    def look(self) -> None:
        """Bring the log to safety. Raises Superseded where a later attempt has begun, RecordError."""
        if self.store.begun(f"{self.which.folder}/{log_of(self.header.number + 1)}"):
            raise Superseded(
                f"{self.store.place}: shard {self.which} was taken over by a later attempt: what this one "
                "wrote since is not counted; nothing is to be done"
            )
        self.log.sync()
        self.listen()

    def now(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts

    def listen(self) -> None:
        """Hear what is said to all shards, and say how far this one is. Nothing hangs on it: what cannot be
        read or written now is tried again.
        """
        with suppress(RecordError):
            self.word = heard(self.store)
        if self._facts and time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            with suppress(RecordError):
                tell(self.store, self.which, self.header, self._facts)

    def finish(self, counts: Counts) -> None:
        """The shard is done. Raises Superseded, RecordError."""
        self._say(DONE, counts.model_dump(mode="json"))
        self.log.close()
        self.look()

    async def fenced(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` until its end, or until a later attempt begins: then raises Superseded."""
        job, watch = asyncio.create_task(work), asyncio.create_task(self._watch())
        try:
            await asyncio.wait({job, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not job.done():
                await watch
            return await job
        finally:
            for task in (job, watch):
                task.cancel()
            await asyncio.gather(job, watch, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.look)
