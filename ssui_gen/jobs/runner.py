"""A job over thousands: bounded work in flight, drained on request, nothing kept in memory.

Covers admission, interruption and the first fatal error. Not what the work is, nor where rows go: a
worker takes the next job only when it has handed in its last, so the shared iterator is the bounded queue,
and the event loop's one thread is the single writer.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ssui_gen.errors import SsuiError

JobT = TypeVar("JobT")


class Stop:
    """A request to stop: the first signal drains what is in flight, the second gives it up."""

    def __init__(self, *notices: Callable[[], object]) -> None:
        """`notices` are called at the first signal, for example to tell a person that it was heard."""
        self.asked = False
        self.notices = list(notices)
        self.releases = list[Callable[[], object]]()
        """Called once, whoever asks: what waits to begin does not."""
        self._main: asyncio.Task[object] | None = None

    def ask(self) -> None:
        if self.asked and self._main:
            self._main.cancel()
        elif not self.asked:
            for notice in self.notices:
                notice()
        self.drain()

    def drain(self) -> None:
        """Begin nothing more; nobody is told."""
        first, self.asked = not self.asked, True
        for release in self.releases if first else ():
            release()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Listen to SIGINT and SIGTERM; must be entered inside the task that runs the job."""
        loop = asyncio.get_running_loop()
        self._main = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.ask)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


async def run_all(
    jobs: Iterable[JobT], work: Callable[[JobT], Awaitable[None]], *, in_flight: int, stop: Stop
) -> None:
    """Work on `jobs`, at most `in_flight` at a time; the first SsuiError cancels the rest and is raised."""
    source = iter(jobs)

    async def worker() -> None:
        for job in source:
            await work(job)
            if stop.asked:
                return

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(in_flight):
                group.create_task(worker())
    except BaseExceptionGroup as group:  # `except*` gives what it raises bare in some versions of Python only
        errors, others = group.split(SsuiError)
        if errors is None or others is not None:
            raise
        raise _first(errors) from None


def _first(group: BaseExceptionGroup[SsuiError]) -> SsuiError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
