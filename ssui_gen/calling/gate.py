"""How many calls are in flight at once: a gate with places, which lets the deepest waiting call in first.

It may be resized and paused at any time; what is inside always ends in peace. Covers no reason for either:
`steer` turns it by the servers' load, `ctl` at a person's word.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """A semaphore by depth, so that items finish before others start. The attributes are for reading."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.in_use = 0
        """More than `places` only after the gate was made smaller, until enough have left."""
        self.waiting = 0
        self.paused = False
        self._most_in_use = 0
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        """Also holds those that gave up, until their turn comes."""
        self._order = itertools.count()

    @asynccontextmanager
    async def place(self, depth: int) -> AsyncIterator[None]:
        """A place of one's own, for as long as the block lasts."""
        await self._enter(depth)
        try:
            yield
        finally:
            self._leave()

    def resize(self, places: int) -> None:
        """Have so many places, at least 1: new ones go to the deepest that wait, lost ones to nobody."""
        self.places = max(1, places)
        self._admit()

    def pause(self) -> None:
        """Let nobody in any more."""
        self.paused = True

    def resume(self) -> None:
        """Let in again."""
        self.paused = False
        self._admit()

    def most_in_use(self) -> int:
        """The most places that were in use since this was last asked."""
        most, self._most_in_use = self._most_in_use, self.in_use
        return most

    async def _enter(self, depth: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (-depth, next(self._order), turn))
        self.waiting += 1
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self.waiting -= 1
            else:
                self._leave()
            raise

    def _admit(self) -> None:
        while self._queue and not self.paused and self.in_use < self.places:
            turn = heapq.heappop(self._queue)[2]
            if not turn.done():
                turn.set_result(None)
                self.waiting -= 1
                self.in_use += 1
        self._most_in_use = max(self._most_in_use, self.in_use)

    def _leave(self) -> None:
        self.in_use -= 1
        self._admit()
