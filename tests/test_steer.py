"""A run against servers that tell their load and servers that refuse: more where there is room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from fake_server import Fake, serve
from jobs import job, plain

from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.gate import Gate
from ssui_gen.config import Limits
from ssui_gen.jobs.pace import Trouble
from ssui_gen.jobs.steer import Steering, steered

OFTEN = 0.02
BODY = {"model": "fake-vlm", "messages": [{"role": "user", "content": "hello"}]}


@asynccontextmanager
async def busy(fake: Fake, limits: Limits, workers: int) -> AsyncIterator[Steering]:
    """Steered often, while so many workers call without a pause."""
    async with AsyncExitStack() as open_:
        client = ChatClient([fake.url], api_key="k", timeout_seconds=30, pause_seconds=0.01, tries=50)
        open_.push_async_callback(client.aclose)
        gate = Gate(limits.calls_in_flight)
        steering = await open_.enter_async_context(steered(gate, [client], limits, OFTEN))

        async def work() -> None:
            while True:
                async with gate.place(0):
                    await client.chat(BODY, affinity="a")

        tasks = [asyncio.create_task(work()) for _ in range(workers)]
        try:
            yield steering
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: object, seconds: float = 120) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def test_calls_in_flight_rise_until_the_batch_is_full_and_some_queue() -> None:
    async def run(fake: Fake) -> None:
        async with busy(fake, Limits(calls_in_flight=8), workers=64) as steering:
            await until(lambda: "enough calls queue" in steering.why)
            assert 24 < steering.gate.places <= 36
            assert not steering.decreases

    with serve(batch=24, latency=0.05) as fake:
        asyncio.run(run(fake))


def test_a_queue_that_is_too_long_makes_fewer_and_the_share_of_cache_hits_is_kept() -> None:
    async def run(fake: Fake) -> None:
        async with busy(fake, Limits(calls_in_flight=64), workers=64) as steering:
            await until(lambda: steering.gate.places <= 12)
            assert steering.decreases[Trouble.QUEUED] >= 5
            assert steering.cache_share == pytest.approx(0.75)
            await until(lambda: steering.why.startswith("steady"))
            assert steering.gate.places > 8

    with serve(batch=8, latency=0.05) as fake:
        asyncio.run(run(fake))


def test_refused_calls_make_fewer_until_the_server_takes_all() -> None:
    async def run(fake: Fake) -> None:
        async with busy(fake, Limits(calls_in_flight=40), workers=40) as steering:
            await until(lambda: steering.gate.places <= 10)
            assert steering.refused > 0 and steering.decreases[Trouble.REFUSED] >= 4
            fake.room = None
            await until(lambda: steering.gate.places == 40)

    with serve(room=10, latency=0.02) as fake:
        asyncio.run(run(fake))


def test_a_held_number_is_not_steered_and_let_go_is() -> None:
    async def run(fake: Fake) -> None:
        async with busy(fake, Limits(calls_in_flight=16), workers=32) as steering:
            steering.hold(20)
            await asyncio.sleep(10 * OFTEN)
            assert (steering.gate.places, steering.why) == (20, "held at 20")
            steering.let_go()
            await until(lambda: steering.gate.places < 16)

    with serve(batch=4, latency=0.02) as fake:
        asyncio.run(run(fake))


def test_steering_can_be_off() -> None:
    async def run(fake: Fake) -> None:
        async with busy(fake, Limits(calls_in_flight=16, steer=False), workers=32) as steering:
            await asyncio.sleep(15 * OFTEN)
            assert (steering.gate.places, steering.most, steering.least) == (16, 16, 16)
            assert "limits.steer is off" in steering.why

    with serve(batch=4, latency=0.02) as fake:
        asyncio.run(run(fake))


@pytest.mark.slow
def test_a_server_that_is_often_too_busy_costs_no_seed(tmp_path: Path) -> None:
    with serve(room=6, latency=0.05, retry_after="0.05") as fake:
        todo = job(tmp_path, fake.url, plain(60, kind="risky"), calls_in_flight=24, tries_per_call=30)
        ended = todo.here()
    assert ended.code == 0
    assert len(todo.paths) == 60 and not todo.rejects
    assert "times there were fewer, as calls were refused" in ended.out
