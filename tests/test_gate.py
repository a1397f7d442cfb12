"""The gate lets the deepest in first, and never loses a place, whatever is done to it."""

from __future__ import annotations

import asyncio
import random

from ssui_gen.calling.gate import Gate


class Visitors:
    """Tasks that enter a gate, in the order they got in, and stay until they are told to leave."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.inside: dict[int, asyncio.Event] = {}
        self.order: list[int] = []
        self.tasks: dict[int, asyncio.Task[None]] = {}

    async def send(self, *depths: int) -> None:
        """One visitor each; a visitor is known by how many came before."""
        for depth in depths:
            number = len(self.tasks)
            self.tasks[number] = asyncio.create_task(self._visit(number, depth))
        await settle()

    async def _visit(self, number: int, depth: int) -> None:
        async with self.gate.place(depth):
            self.order.append(number)
            self.inside[number] = asyncio.Event()
            try:
                await self.inside[number].wait()
            finally:
                del self.inside[number]

    async def leave(self, *numbers: int) -> None:
        for number in numbers:
            self.inside[number].set()
        await settle()

    async def give_up(self, number: int) -> None:
        self.tasks[number].cancel()
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_the_deepest_enters_first_and_equals_in_their_order() -> None:
    async def run() -> None:
        them = Visitors(Gate(1))
        await them.send(0, 1, 5, 1, 5)
        for _ in range(4):
            await them.leave(them.order[-1])
        assert them.order == [0, 2, 4, 1, 3]

    asyncio.run(run())


def test_a_larger_gate_admits_at_once_and_a_smaller_one_waits_until_enough_have_left() -> None:
    async def run() -> None:
        gate = Gate(1)
        them = Visitors(gate)
        await them.send(0, 0, 0, 0, 0)
        gate.resize(4)
        await settle()
        assert (gate.in_use, gate.waiting) == (4, 1)
        gate.resize(2)
        await them.leave(0, 1)
        assert (gate.in_use, gate.waiting) == (2, 1)
        await them.leave(2)
        assert (gate.in_use, gate.waiting) == (2, 0)

    asyncio.run(run())


def test_nobody_enters_a_paused_gate_and_all_inside_may_leave() -> None:
    async def run() -> None:
        gate = Gate(2)
        them = Visitors(gate)
        await them.send(0, 0, 0)
        gate.pause()
        await them.leave(0, 1)
        assert (gate.in_use, gate.waiting) == (0, 1)
        gate.resume()
        await settle()
        assert (gate.in_use, gate.waiting) == (1, 0)

    asyncio.run(run())


def test_who_gives_up_leaves_no_place_behind_and_takes_none() -> None:
    async def run() -> None:
        gate = Gate(1)
        them = Visitors(gate)
        await them.send(0, 0, 0)
        await them.give_up(1)
        await them.give_up(0)
        assert (gate.in_use, gate.waiting, them.order) == (1, 0, [0, 2])
        them.tasks[2].cancel()
        await settle()
        assert gate.in_use == 0

    asyncio.run(run())


def test_who_is_admitted_and_cancelled_in_the_same_turn_gives_the_place_back() -> None:
    async def run() -> None:
        gate = Gate(1)
        them = Visitors(gate)
        await them.send(0, 0, 0)
        them.inside[0].set()
        while gate.waiting == 2:
            await asyncio.sleep(0)
        await them.give_up(1)
        assert (gate.in_use, gate.waiting) == (1, 0)

    asyncio.run(run())


def test_after_any_history_the_account_is_right() -> None:
    async def run(rng: random.Random) -> None:
        gate = Gate(rng.randint(1, 4))
        them = Visitors(gate)
        for _ in range(200):
            match rng.randrange(6):
                case 0 | 1:
                    await them.send(rng.randrange(6))
                case 2 if them.inside:
                    await them.leave(rng.choice(list(them.inside)))
                case 3 if them.tasks:
                    await them.give_up(rng.choice(list(them.tasks)))
                case 4:
                    gate.resize(rng.randint(1, 6))
                case 5:
                    rng.choice((gate.pause, gate.resume))()
            await settle()
            alive = sum(not task.done() for task in them.tasks.values())
            assert gate.in_use == len(them.inside)
            assert gate.waiting == alive - len(them.inside)
            assert gate.paused or not gate.waiting or gate.in_use >= gate.places
        gate.resume()
        await settle()
        while them.inside:
            await them.leave(next(iter(them.inside)))
        assert (gate.in_use, gate.waiting) == (0, 0)

    for seed in range(20):
        asyncio.run(run(random.Random(seed)))
