"""What is still to come is told from what units took, and not before enough of them have ended."""

from __future__ import annotations

from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.calling.meter import count, unit
from ssui_gen.completions import Choice, Completion, Usage
from ssui_gen.config_spending import Prices
from ssui_gen.jobs.expecting import ENOUGH, Expecting

ANSWER = Completion(
    model="m", choices=(Choice(text="a", finish_reason="stop"),), usage=Usage(prompt_tokens=10), seconds=2.0
)


class World:
    """A clock, a number of answers, and units that take calls."""

    def __init__(self, units: int) -> None:
        self.now, self.answers = 0.0, 0
        self.expecting = Expecting(units, lambda: self.answers, lambda: self.now)

    def calls(self, number: int) -> None:
        for _ in range(number):
            count(str(self.answers), ANSWER, Prices(), made=True)
            self.answers, self.now = self.answers + 1, self.now + 1.0
            self.expecting.seconds_left()

    def unit(self, calls: int) -> None:
        with self.expecting.unit():
            self.calls(calls)


@given(st.integers(1, 30), st.integers(ENOUGH, 40), st.integers(0, 500))
def test_units_that_take_the_same_leave_just_what_is_left(calls: int, ended: int, more: int) -> None:
    world = World(ended + more)
    for _ in range(ended):
        world.unit(calls)
    assert world.expecting.calls_left() == more * calls
    assert abs((world.expecting.seconds_left() or 0) - more * calls) < 1e-6 * (1 + more * calls)


def test_it_is_not_known_until_enough_have_ended() -> None:
    world = World(100)
    for _ in range(ENOUGH - 1):
        world.unit(3)
        assert world.expecting.seconds_left() is None
    world.unit(3)
    assert world.expecting.seconds_left() is not None


def test_units_that_asked_nobody_tell_nothing() -> None:
    world = World(100)
    for _ in range(2 * ENOUGH):
        world.unit(0)
    assert world.expecting.seconds_left() is None


def test_the_first_of_many_that_began_together_say_nothing_of_the_others() -> None:
    """Else fifty units that take a hundred calls each look as if they took as few as the first five."""
    world = World(50)
    with ExitStack() as open_:
        for _ in range(50 - ENOUGH):
            open_.enter_context(world.expecting.unit())
        for _ in range(ENOUGH):
            world.unit(2)
        assert world.expecting.calls_left() is None


def test_units_under_way_count_as_longer_than_they_are() -> None:
    """Ten ended after 2 calls and ten are at their fifth: the mean of what ended, 2, is far too little."""
    world = World(40)
    with ExitStack() as open_:
        for _ in range(10):
            open_.enter_context(world.expecting.unit())
            world.calls(5)
            world.unit(2)
        left = world.expecting.calls_left()
    assert left is not None and left > 20 * 3


def test_units_inside_each_other_and_outside_count_apart_and_the_same_once() -> None:
    count("a", ANSWER, Prices(), made=True)
    with unit() as outer:
        count("a", ANSWER, Prices(prompt=100_000), made=True)
        count("a", ANSWER, Prices(), made=False)
        with unit() as inner:
            count("a", ANSWER, Prices(), made=False)
    assert (outer.calls, outer.made, outer.usd, outer.seconds) == (1, 1, 1.0, 2.0)
    assert (inner.calls, inner.made, inner.prompt_tokens) == (1, 0, 10)
