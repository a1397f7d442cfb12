"""How much a run may still spend (`limits: {tokens, usd, hours}`), and when no further unit may begin.

What is under way is always finished, so a unit begins only where what units have taken so far leaves room for
it and for the rest of those under way. As long as that is not known, few begin. So a limit is kept to within
what units under way differ from those that have ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ssui_gen.calling.calls import Tally
from ssui_gen.calling.journal import Spent
from ssui_gen.config_spending import Prices, Spending
from ssui_gen.errors import ConfigError
from ssui_gen.jobs.expecting import ENOUGH, Expecting

HOUR = 3600.0


class Before(NamedTuple):
    """What the run's journal held as this command began."""

    tokens: int = 0
    usd: float = 0.0

    @staticmethod
    def of(spent: Iterable[Spent], prices: Mapping[str, Prices]) -> Before:
        """A model without a price costs nothing."""
        tokens, usd = 0, 0.0
        for one in spent:
            tokens += one.prompt_tokens + one.completion_tokens
            usd += prices[one.model].of(one.usage) if one.model in prices else 0.0
        return Before(tokens, usd)


NOTHING = Before()


class Reached(NamedTuple):
    """A limit that leaves no room for one more unit."""

    name: str
    spent: float
    most: float

    def __str__(self) -> str:
        return (
            f"limits.{self.name}: {self.spent:,.6g} of {self.most:,.6g} are spent, one more may be too much"
        )

    @property
    def more(self) -> str:
        """What may be allowed instead: twice as much; as many hours again, as each command has its own."""
        return f"{self.most:g}" if self.name == "hours" else f"{2 * self.most:.12g}"


class Purse:
    """What is left to spend in one pass over units."""

    def __init__(
        self, most: Spending, before: Before, tally: Tally, expecting: Expecting, hours: float
    ) -> None:
        """`hours` have passed since the command began."""
        self.most, self.before, self.tally, self.expecting = most, before, tally, expecting
        self.empty: Reached | None = None
        self._began = time.monotonic() - hours * HOUR
        self._ended = asyncio.Condition()

    async def admits(self) -> bool:
        """Whether one more unit may begin; waits where only the end of others can tell. Raises ConfigError
        where tokens or dollars are limited and a server does not tell them.
        """
        async with self._ended:
            while not self.empty and self._must_wait():
                await self._ended.wait()
            self.empty = self.empty or self._reached()
        return not self.empty

    async def ended(self) -> None:
        """To be called when a unit has ended."""
        async with self._ended:
            self._ended.notify_all()

    def _must_wait(self) -> bool:
        """Nobody knows yet what a unit takes: first one begins, then one more for each that has ended."""
        ended = self.expecting.ended.total()
        learning = ended < ENOUGH and len(self.expecting.working) > ended
        return self.most.counted and learning and not self._reached()

    def _reached(self) -> Reached | None:
        most, tally = self.most, self.tally
        if most.counted and tally.uncounted:
            raise ConfigError(
                f"limits: tokens and usd cannot be kept to: {tally.uncounted} answers without usage, or with "
                "one that counts no prompt; what was finished is written. Limit hours instead"
            )
        tokens = self.before.tokens + tally.tokens
        total = self.expecting.total
        if most.tokens is not None and tokens + self._ahead(total.tokens, "tokens") >= most.tokens:
            return Reached("tokens", tokens, most.tokens)
        usd = self.before.usd + tally.usd
        if most.usd is not None and usd + self._ahead(total.usd, "usd") >= most.usd:
            return Reached("usd", usd, most.usd)
        hours = (time.monotonic() - self._began) / HOUR
        if most.hours is not None and hours >= most.hours:
            return Reached("hours", hours, most.hours)
        return None

    def _ahead(self, total: float, what: str) -> float:
        """What one more unit may take, as the largest so far, and the rest of those under way on average."""
        ended = self.expecting.ended.total()
        if not ended:
            return 0.0
        each = total / ended
        under_way = sum(max(0.0, each - float(getattr(one, what))) for one in self.expecting.working)
        return under_way + max(each, float(getattr(self.expecting.most, what)))
