"""The runner: bounded, drained on request, stopped by the first fatal error."""

import asyncio
import itertools
import os
import signal
from collections.abc import Iterator

import pytest

from ssui_gen.errors import ServerGone
from ssui_gen.jobs.runner import Stop, run_all


def test_no_more_than_in_flight_are_taken_from_the_source() -> None:
    taken, done = itertools.count(), 0
    most = 0

    def source() -> Iterator[int]:
        nonlocal most
        for job in range(50):
            most = max(most, next(taken) + 1 - done)
            yield job

    async def work(job: int) -> None:
        nonlocal done
        await asyncio.sleep(0.001)
        done += 1

    asyncio.run(run_all(source(), work, in_flight=4, stop=Stop()))
    assert done == 50
    assert most <= 4


def test_a_signal_lets_what_is_in_flight_finish_and_nothing_new_begin() -> None:
    begun: list[int] = []
    finished: list[int] = []

    async def work(job: int) -> None:
        begun.append(job)
        if job == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.02)
        finished.append(job)

    async def main() -> None:
        stop = Stop()
        with stop.on_signals():
            await run_all(iter(range(1000)), work, in_flight=3, stop=stop)
        assert stop.asked

    asyncio.run(main())
    assert sorted(begun) == sorted(finished)
    assert 6 <= len(begun) <= 9


def test_the_second_signal_gives_up_what_is_in_flight() -> None:
    async def work(job: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)

    async def main() -> None:
        stop = Stop()
        with stop.on_signals():
            await run_all(iter(range(2)), work, in_flight=2, stop=stop)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())


def test_the_first_fatal_error_stops_the_rest_and_comes_out_bare() -> None:
    async def work(job: int) -> None:
        if job == 2:
            raise ServerGone("nobody there")
        await asyncio.sleep(60)

    with pytest.raises(ServerGone, match="nobody there"):
        asyncio.run(run_all(iter(range(10)), work, in_flight=4, stop=Stop()))
