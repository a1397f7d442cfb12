"""Filling quotas: which classes still want rows while items are under way, and when none does.

A class is full when its rows are there; items that are under way to it hold its last places, and whoever
comes then waits for what becomes of them. Which seeds fill a class therefore depends on which come first.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from ssui_gen.records import ReasoningPath, Reject

Wants = Callable[[frozenset[str]], str | None]
"""Which class an item wants beside those that are taken; None for none."""


class Filling:
    """The places that are left in each class; of one event loop."""

    def __init__(self, quotas: Mapping[str, int], rows: Mapping[str, int]) -> None:
        self.quotas, self.rows = dict(quotas), Counter(rows)
        self.on_the_way: Counter[str] = Counter()
        self.passed = 0
        """Seeds that were not begun, as nothing is wanted any more."""
        self.closed = False
        """Whether the run stops: whoever waits for a place is not begun."""
        self._changed = asyncio.Event()

    def close(self) -> None:
        """Let go whoever waits."""
        self.closed = True
        self._changed.set()

    @property
    def done(self) -> bool:
        """Whether every class has its rows."""
        return all(self.rows[name] >= quota for name, quota in self.quotas.items())

    @property
    def taken(self) -> frozenset[str]:
        """Classes that are full once what is on the way arrives."""
        there = self.rows + self.on_the_way
        return frozenset(name for name, quota in self.quotas.items() if there[name] >= quota)

    @asynccontextmanager
    async def place(self, wants: Wants) -> AsyncIterator[frozenset[str] | None]:
        """Hold a place in the class that an item `wants` beside those that are taken until it has ended.
        Gives the classes that are taken, or None where nothing is wanted any more, or the run stops.
        """
        while not (self.closed or self.done or wants(self.taken)):
            self._changed.clear()
            await self._changed.wait()
        taken = self.taken
        wanted = None if self.closed or self.done else wants(taken)
        self.passed += self.done
        self.on_the_way.update([wanted] if wanted else [])
        try:
            yield taken if wanted else None
        finally:
            if wanted:
                self.on_the_way[wanted] -= 1
                self._changed.set()

    def count(self, row: ReasoningPath | Reject) -> None:
        """A row is there; before its place is given up."""
        if isinstance(row, ReasoningPath) and row.kind == "risky":
            self.rows[row.query.category] += 1
