"""How many calls should be in flight: additive increase, multiplicative decrease, by what the servers say.

The servers' own queue is kept between a tenth and a half of what they run: their batch is then always full,
and the rest waits at our gate, where deeper calls go first. Pure: `steer` looks and turns the gate.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import NamedTuple

from ssui_gen.calling.metrics import Load

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
