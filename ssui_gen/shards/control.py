"""What a person says to all shards of a job, and what each says of itself: `ssui ctl` beyond a machine.

`control.json` lies beside the deal and holds the last word; each process that does a shard looks at it every
second. Beside its logs each keeps `now.json`. Both are replaced whole, by whoever is last; no row hangs on
them, and what cannot be read is passed over.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from secrets import token_hex
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jobs.part import UNSAID, Word
from ssui_gen.jsonl import of_kind, parse
from ssui_gen.records import Record
from ssui_gen.shards.attempts import Header
from ssui_gen.shards.dealing import Which
from ssui_gen.shards.store import Store

CONTROL, NOW = "control.json", "now.json"
TELL_SECONDS = 5.0
"""Between two words of a shard about itself."""
SILENT_SECONDS = 60.0
"""A shard that has said nothing for so long, by this machine's clock and its own, is taken for ended."""
SUMMED = ("kept", "dropped", "calls", "tokens", "rate", "in_use", "places", "paused")
MOST = 4096
"""Calls at once of a shard, beyond any server; each also has a most of its own."""


class Control(Record):
    """`control.json`."""

    id: str = Field(default_factory=lambda: token_hex(8))
    paused: bool = False
    places: Annotated[int, Field(ge=1, le=MOST)] | None = None


class Now(Record):
    """`now.json`: how far a shard is, this attempt's calls alone."""

    attempt: int
    host: str
    at: float
    """Unix time."""
    kept: int
    dropped: int
    calls: int
    tokens: int
    rate: float
    in_use: int
    places: int
    paused: bool

    @property
    def line(self) -> str:
        """In words."""
        return (
            f"{self.kept:,} done, {self.dropped:,} rejected | {self.in_use} in flight of {self.places}, "
            f"{self.rate:.1f} calls/s{', paused' if self.paused else ''}"
        )


def heard(store: Store) -> Word:
    """The last word; none where nobody has said any. Raises RecordError."""
    raw, where = store.read(CONTROL), f"{store.place}/{CONTROL}"
    if raw is None:
        return UNSAID
    said = of_kind(Control, parse(raw, where), where)
    return Word(said.id, said.paused, said.places)


def say(store: Store, **changed: Any) -> Control:
    """Say to all shards that something is otherwise (`paused`, `places`); what else was said still holds, if
    it can be read. Raises ConfigError for what no shard could heed, RecordError.
    """
    try:
        known = heard(store)
    except RecordError:
        known = UNSAID
    told = {"paused": known.paused, "places": known.places} | changed
    if (places := told["places"]) is not None and not 1 <= places <= MOST:
        raise ConfigError(f"concurrency: expected a number from 1 to {MOST}, or auto; got {places}")
    control = Control(**told)
    store.put(CONTROL, (control.model_dump_json(indent=1) + "\n").encode())
    return control


def tell(store: Store, which: Which, header: Header, facts: Mapping[str, Any]) -> None:
    """Say how far a shard is. Raises RecordError."""
    now = Now(attempt=header.number, host=header.host, at=time.time(), **facts)
    store.put(f"{which.folder}/{NOW}", (now.model_dump_json() + "\n").encode())


class Working(NamedTuple):
    """What the shards at work say together."""

    shards: dict[int, Now]
    silent: tuple[int, ...]
    """Begun, not done, and nothing was heard of them lately."""

    @property
    def line(self) -> str:
        """Their sums, in words."""
        said = [now.model_dump() for now in self.shards.values()]
        total = {name: sum(one[name] for one in said) for name in SUMMED}
        paused = f" ({total['paused']:,} paused)" if total["paused"] else ""
        return (
            f"{len(said):,} shards at work{paused}: {total['kept']:,} done, {total['dropped']:,} rejected | "
            f"{total['in_use']:,} calls in flight of {total['places']:,}, {total['rate']:.1f} calls/s, "
            f"{total['tokens']:,} tokens"
        )


def working(store: Store, attempts: Mapping[Which, int | None]) -> Working:
    """What is heard of shards, of each this attempt, or any. Raises RecordError."""
    found, silent = dict[int, Now](), list[int]()
    for which, attempt in attempts.items():
        now = _now(store, which)
        if now and attempt in (None, now.attempt) and abs(time.time() - now.at) < SILENT_SECONDS:
            found[which.number] = now
        else:
            silent.append(which.number)
    return Working(found, tuple(silent))


def _now(store: Store, which: Which) -> Now | None:
    name = f"{which.folder}/{NOW}"
    raw, where = store.read(name), f"{store.place}/{name}"
    try:
        return None if raw is None else of_kind(Now, parse(raw, where), where)
    except RecordError:
        return None
