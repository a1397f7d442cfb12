"""How far the shards of a job are, by their logs alone; and finished ones opened again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ssui_gen.errors import ConfigError, NotRunning
from ssui_gen.shards.attempts import Counts, Past, claim
from ssui_gen.shards.control import Working, working
from ssui_gen.shards.dealing import Which
from ssui_gen.shards.merging import require_deal, shards_of
from ssui_gen.shards.store import Store

COUNTED = ("kept", "dropped", "calls", "replayed", "prompt_tokens", "completion_tokens")
"""What a finished attempt says of itself; the calls are those that this attempt has made."""


class State(NamedTuple):
    """One shard."""

    number: int
    items: int
    attempts: int
    host: str
    """Of the last attempt."""
    done: Counts | None


class Status(NamedTuple):
    """All shards, in their order."""

    items: str
    """What was dealt."""
    shards: tuple[State, ...]

    @property
    def lacking(self) -> list[int]:
        return [one.number for one in self.shards if one.done is None]

    @property
    def begun(self) -> list[int]:
        return [one.number for one in self.shards if one.done is None and one.attempts]

    @property
    def counts(self) -> Counter[str]:
        """Over the finished ones."""
        found = Counter[str]()
        for one in self.shards:
            found.update({name: getattr(one.done or Counts(), name) for name in COUNTED})
        return found


def status(store: Store) -> Status:
    """Looks at each shard. Raises ConfigError, RecordError."""
    deal = require_deal(store)
    pasts = [Past(store, deal, which) for which in shards_of(deal)]
    return Status(deal.items, tuple(_state(past) for past in pasts))


def _state(past: Past) -> State:
    number, host = past.which.number, past.last.header.host if past.last else ""
    return State(number, past.deal.dealt[number].rows, len(past.numbers), host, past.done)


def at_work(store: Store) -> Working:
    """What the shards that have begun say of themselves. Raises NotRunning where none is left to do, and as
    `status` does.
    """
    found = status(store)
    if not found.lacking:
        raise NotRunning(
            f"{store.place}: all shards are done: nobody is left to be told anything (of another stage: "
            "--stage, --bench)"
        )
    of = len(found.shards)
    return working(store, {Which(number, of): found.shards[number].attempts for number in found.begun})


def reopen(store: Store, numbers: Iterable[int]) -> list[int]:
    """Open finished shards again, so that their command tries these again: those that are named, else
    those with rows that circumstances spoiled. An attempt that says nothing begins; returns which shards are
    open now. Raises ConfigError.
    """
    deal = require_deal(store)
    shards = shards_of(deal)
    named = [*numbers]
    if unknown := [number for number in named if not 0 <= number < len(shards)]:
        raise ConfigError(f"{store.place}: shards are 0 to {len(shards) - 1}; got {unknown[0]}")
    opened = []
    for which in [shards[number] for number in named] or shards:
        past = Past(store, deal, which)
        if (done := past.done) is None:
            if named:
                opened.append(which.number)
        elif named or done.passing:
            for _ in past.events():  # to its end: it says upon what the next attempt builds
                pass
            if claimed := claim(past):
                claimed[1].close()
            opened.append(which.number)
    return opened
