"""How many calls are in flight, by what the servers say: additive increase, multiplicative decrease.

The servers' own queue is kept between a tenth and a half of what they run: their batch is then always full,
and the rest waits at our gate, where deeper calls go first. `Policy` decides and is pure; `Steering` looks,
turns the gate and keeps the account. Covers no reading of metrics (`metrics`), no person's word (`ctl`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import NamedTuple

from ssui_gen.client import ChatClient
from ssui_gen.config import Limits
from ssui_gen.gate import Gate
from ssui_gen.metrics import Counts, Load, Meter, together

LOOK_SECONDS = 2.0
QUEUE_ROOM, QUEUE_FULL = 0.1, 0.5
"""Waiting to running sequences at the servers: no more places above the first, fewer above the second."""
QUEUE_NOISE = 4
"""So many waiting sequences may just have arrived."""
KV_ROOM, KV_FULL = 0.9, 0.95
"""How full the KV cache is: no more places above the first, fewer above the second."""
SEEN = 0.5
"""More places help only if the servers run or queue at least this share of the calls in flight."""
FEWER = 0.75
"""What a decrease leaves. With a queue of half the batch, 1.5 × 0.75 still fills the batch."""
MORE = 8
"""An increase is the number at the start divided by this."""
LASTING_LOOKS = 3
"""A gauge must be too high so many times in a row: a burst of arrivals is not a load."""
SETTLING_LOOKS = 5
"""After a decrease has come about, before anything else is changed."""
BUSY = (429, 503)
"""vLLM says 503 when its queue is full, hosted servers 429."""


class Trouble(StrEnum):
    """Why there should be fewer calls in flight."""

    REFUSED = "calls were refused (429, 503)"
    PREEMPTED = "sequences were preempted"
    KV_FULL = "the KV cache was full"
    QUEUED = "calls queued at the servers"


class Look(NamedTuple):
    """One look at our gate and at the servers."""

    in_use: int
    most_in_use: int
    """Since the last look."""
    waiting: int
    """At our gate."""
    refused: int = 0
    """Since the last look."""
    preempted: float = 0.0
    """Since the last look."""
    load: Load | None = None
    """None when no server says."""


class Policy:
    """How many places there should be; `why` says it in words."""

    def __init__(self, start: int, most: int) -> None:
        self.places = start
        self.why = "as configured"
        self._start, self._most = start, most
        self._settling = 0
        self._high: Counter[Trouble] = Counter()

    def next(self, look: Look) -> Trouble | None:
        """Change `places` after one look; returns what made it smaller, if anything did."""
        trouble = self._trouble(look)
        if look.in_use > self.places:
            self.why = "fewer, as soon as calls in flight have ended"
        elif self._settling:
            self._settling -= 1
            self.why = "settling after a decrease"
        elif trouble and look.most_in_use:
            return self._less(trouble, look)
        else:
            self._perhaps_more(look)
        return None

    def _trouble(self, look: Look) -> Trouble | None:
        """Events count at once, gauges when they last."""
        load = look.load
        high = load is not None and load.waiting > max(QUEUE_NOISE, QUEUE_FULL * load.running)
        found = {
            Trouble.REFUSED: look.refused > 0,
            Trouble.PREEMPTED: look.preempted > 0,
            Trouble.KV_FULL: self._lasts(Trouble.KV_FULL, load is not None and load.kv_share > KV_FULL),
            Trouble.QUEUED: self._lasts(Trouble.QUEUED, high),
        }
        return next((trouble for trouble, is_so in found.items() if is_so), None)

    def _lasts(self, trouble: Trouble, high: bool) -> bool:
        self._high[trouble] = self._high[trouble] + 1 if high else 0
        return self._high[trouble] >= LASTING_LOOKS

    def _less(self, trouble: Trouble, look: Look) -> Trouble | None:
        """From what was really in use, which may be less than was allowed."""
        before = self.places
        self.places = max(1, int(FEWER * min(self.places, look.most_in_use)))
        self._settling = SETTLING_LOOKS
        self._high.clear()
        self.why = (
            f"fewer: {trouble}" if self.places < before else f"the least there can be, though {trouble}"
        )
        return trouble if self.places < before else None

    def _perhaps_more(self, look: Look) -> None:
        if obstacle := self._obstacle(look):
            self.why = f"steady: {obstacle}"
            return
        self.places = min(self._ceiling(look.load), self.places + max(1, self._start // MORE))
        self.why = "more: calls wait for a place, and the servers have room"

    def _obstacle(self, look: Look) -> str:
        """Why more places would not help; empty when they may."""
        if not look.waiting:
            return "no call waits for a place"
        if self.places >= self._ceiling(look.load):
            return "at the limit" if look.load else "at the limit for servers that do not tell their load"
        return _fullness(look.load, look.in_use) if look.load else ""

    def _ceiling(self, load: Load | None) -> int:
        """Nobody knows whether a server that does not say has room for more than was configured."""
        return self._start if load is None else self._most


def _fullness(load: Load, in_use: int) -> str:
    if load.waiting > QUEUE_ROOM * load.running:
        return "enough calls queue at the servers"
    if load.kv_share > KV_ROOM:
        return "the KV cache is nearly full"
    if load.running + load.waiting < SEEN * in_use:
        return "most calls in flight are not in the servers' batch: something before it is slower"
    return ""


class Steering:
    """Turns the gate of a run, unless a person holds it."""

    def __init__(self, gate: Gate, clients: Iterable[ChatClient], limits: Limits) -> None:
        self.gate = gate
        self.most_allowed = limits.most_calls_in_flight
        self.least = self.most = gate.places
        """Places there were, so far."""
        self.decreases: Counter[Trouble] = Counter()
        self.counts = Counts()
        """What the servers counted since the first look, others' calls included."""
        self._policy = Policy(gate.places, limits.most_calls_in_flight)
        self._held = "" if limits.steer else "as configured (limits.steer is off)"
        self._clients = tuple(clients)
        self._meter = Meter()
        self._refused = 0

    @property
    def why(self) -> str:
        """Why there are as many places as there are."""
        return "paused" if self.gate.paused else self._held or self._policy.why

    @property
    def refused(self) -> int:
        """Calls that a server refused so far because it is busy."""
        return sum(client.refused[status] for client in self._clients for status in BUSY)

    @property
    def cache_share(self) -> float | None:
        """Share of prompt tokens that the servers found in their prefix caches; None when they do not say."""
        return self.counts.cache_hits / self.counts.cache_queries if self.counts.cache_queries else None

    def hold(self, places: int) -> None:
        """Keep so many places until `let_go`."""
        self._held = f"held at {places}"
        self._policy.places = places
        self._turn()

    def let_go(self) -> None:
        """Steer again from where the gate stands."""
        self._held = ""

    async def look(self) -> None:
        """Look once, and turn the gate if that is called for."""
        look = await self.measure()
        if self._held or self.gate.paused:
            return
        if trouble := self._policy.next(look):
            self.decreases[trouble] += 1
        self._turn()

    async def measure(self) -> Look:
        """Look once, for the account alone."""
        loads: dict[str, Load] = {}
        for part in await asyncio.gather(*(client.loads() for client in self._clients)):
            loads |= part
        grown = self._meter.grown(loads)
        self.counts = self.counts.plus(grown)
        refused, self._refused = self.refused - self._refused, self.refused
        gate = self.gate
        return Look(
            gate.in_use,
            gate.most_in_use(),
            gate.waiting,
            refused,
            grown.preemptions,
            together(loads.values()),
        )

    def _turn(self) -> None:
        self.gate.resize(self._policy.places)
        self.least, self.most = min(self.least, self.gate.places), max(self.most, self.gate.places)


@asynccontextmanager
async def steered(
    gate: Gate, clients: Iterable[ChatClient], limits: Limits, every: float = LOOK_SECONDS
) -> AsyncIterator[Steering]:
    """Steer `gate` until the block ends, with a look every so many seconds."""
    steering = Steering(gate, clients, limits)
    await steering.measure()
    task = asyncio.create_task(_keep_looking(steering, every))
    try:
        yield steering
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await steering.measure()


async def _keep_looking(steering: Steering, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        await steering.look()
