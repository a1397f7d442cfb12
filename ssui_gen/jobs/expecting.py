"""How many calls are still to come, from what the units of this pass have taken: told only once it is known.

What ends first is what takes fewest calls, so the mean of ended units alone says too little: a unit under way
counts as one that takes more than it has taken so far (Kaplan and Meier 1958, JASA 53:457). Time is counted
by the pace of the last minutes. Pure.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ssui_gen.calling.meter import Spent, unit

ENOUGH = 5
"""Units that must have ended before anything is said."""
SHARE = 0.25
"""Of those that have begun, so many must have ended: of units that all began together the first to end say
little about the others."""
WINDOW_SECONDS = 120.0
"""The pace is that of the last so many seconds, of at least a few looks."""
LOOK_SECONDS = 1.0


class Expecting:
    """The units of one pass; `answers` says how many calls were answered so far by all of them."""

    def __init__(
        self, units: int | None, answers: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.units = units
        self.ended: Counter[int] = Counter()
        """Units that have ended, by the calls they took."""
        self.total = Spent()
        """What ended units took together."""
        self.most = Spent()
        """What the one with the most tokens took."""
        self._spent: dict[int, Spent] = {}
        self._clock, self._answers = clock, answers
        self._looks: deque[tuple[float, int]] = deque([(clock(), answers())])

    @contextmanager
    def unit(self) -> Iterator[None]:
        """One unit of work."""
        with unit() as spent:
            self._spent[id(spent)] = spent
            try:
                yield
            finally:
                del self._spent[id(spent)]
                self._end(spent)

    def _end(self, spent: Spent) -> None:
        self.ended[spent.calls] += 1
        self.total.calls += spent.calls
        self.total.prompt_tokens += spent.prompt_tokens
        self.total.completion_tokens += spent.completion_tokens
        self.total.usd += spent.usd
        if spent.tokens >= self.most.tokens:
            self.most = spent

    @property
    def working(self) -> list[Spent]:
        """What units under way have taken so far."""
        return list(self._spent.values())

    @property
    def known(self) -> bool:
        """Whether enough units have ended to say anything of the others."""
        ended, working = self.ended.total() - self.ended[0], len(self._spent)
        return ended >= min(ENOUGH, self.units or ENOUGH) and ended >= SHARE * (ended + working)

    def calls_left(self) -> float | None:
        """Of units under way and of those to come; None until it is known."""
        if not self.known or self.units is None:
            return None
        alive = _alive(self.ended, Counter(spent.calls for spent in self.working))
        waiting = max(0, self.units - self.ended.total() - len(self._spent))
        return waiting * sum(alive) + sum(_more(alive, spent.calls) for spent in self.working)

    def seconds_left(self) -> float | None:
        """At the pace of the last minutes; None until it is known."""
        left, pace = self.calls_left(), self._pace()
        return left / pace if left is not None and pace else None

    def _pace(self) -> float:
        """Calls a second."""
        now, answers = self._clock(), self._answers()
        if now - self._looks[-1][0] >= LOOK_SECONDS:
            self._looks.append((now, answers))
        while len(self._looks) > 2 and now - self._looks[0][0] > WINDOW_SECONDS:
            self._looks.popleft()
        began, before = self._looks[0]
        return (answers - before) / (now - began) if now > began else 0.0


def _alive(ended: Counter[int], working: Counter[int]) -> list[float]:
    """By a number of calls, from none on: the share of units that take more than that. Beyond the most that
    was seen nothing is."""
    at_risk, alive, found = ended.total() + working.total(), 1.0, []
    for calls in range(max([*ended, *working], default=0)):
        alive *= 1 - ended[calls] / at_risk if at_risk else 0.0
        at_risk -= ended[calls] + working[calls]
        found.append(alive)
    return found


def _more(alive: list[float], calls: int) -> float:
    """Calls that a unit is expected to take beyond those that it has taken."""
    here = alive[calls] if calls < len(alive) else 0.0
    return sum(alive[calls:]) / here if here else 0.0
