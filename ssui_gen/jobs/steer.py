"""Turns the gate of a run by the servers' load, every two seconds, unless a person holds it.

Covers no rule for how many calls there should be (`pace`), no reading of metrics (`metrics`), and no
person's word (`ctl`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.gate import Gate
from ssui_gen.calling.metrics import Counts, Load, Meter, together
from ssui_gen.config import Limits
from ssui_gen.jobs.pace import Look, Policy, Trouble

LOOK_SECONDS = 2.0
BUSY = (429, 503)
"""vLLM says 503 when its queue is full, hosted servers 429."""


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
