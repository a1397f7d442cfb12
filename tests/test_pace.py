"""The rule of how many calls there should be: up when calls wait and there is room, down when it hurts."""

from __future__ import annotations

import pytest

from ssui_gen.calling.metrics import Counts, Load
from ssui_gen.jobs.pace import LASTING_LOOKS, SETTLING_LOOKS, Look, Policy, Trouble

START, MOST = 64, 128


def look(in_use: int = START, waiting: int = 10, **more: object) -> Look:
    return Look(in_use, in_use, waiting, **more)  # type: ignore[arg-type]


def load(running: float, queued: float = 0, kv: float = 0.3) -> Load:
    return Load(running, queued, kv, Counts())


def test_more_while_calls_wait_and_the_servers_have_room_up_to_the_most() -> None:
    policy = Policy(START, MOST)
    seen = [policy.places]
    for _ in range(12):
        policy.next(look(policy.places, load=load(policy.places)))
        seen.append(policy.places)
    assert seen == [*range(START, MOST, 8), *[MOST] * 5]
    assert policy.why == "steady: at the limit"


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (look(waiting=0, load=load(64)), "no call waits"),
        (look(load=load(50, queued=6)), "enough calls queue"),
        (look(load=load(64, kv=0.92)), "KV cache is nearly full"),
        (look(load=load(20)), "something before it is slower"),
        (look(load=None), "do not tell their load"),
    ],
)
def test_as_many_as_there_are_where_more_would_not_help(seen: Look, why: str) -> None:
    policy = Policy(START, MOST)
    assert policy.next(seen) is None
    assert policy.places == START
    assert why in policy.why


@pytest.mark.parametrize(
    ("seen", "trouble"),
    [(look(refused=1), Trouble.REFUSED), (look(preempted=1.0, load=load(64)), Trouble.PREEMPTED)],
)
def test_an_event_makes_fewer_at_once(seen: Look, trouble: Trouble) -> None:
    policy = Policy(START, MOST)
    assert policy.next(seen) is trouble
    assert policy.places == 48


@pytest.mark.parametrize(
    ("seen", "trouble"),
    [(look(load=load(64, kv=0.99)), Trouble.KV_FULL), (look(load=load(40, queued=24)), Trouble.QUEUED)],
)
def test_a_gauge_makes_fewer_when_it_lasts(seen: Look, trouble: Trouble) -> None:
    policy = Policy(START, MOST)
    assert [policy.next(seen) for _ in range(LASTING_LOOKS)] == [*[None] * (LASTING_LOOKS - 1), trouble]
    calm = look(load=load(64, kv=0.91))
    burst = Policy(START, MOST)
    assert [burst.next(s) for s in (seen, calm) * LASTING_LOOKS] == [None] * 2 * LASTING_LOOKS


def test_after_a_decrease_it_waits_until_it_has_come_about_and_settled() -> None:
    policy = Policy(START, MOST)
    policy.next(look(refused=1))
    for _ in range(3):
        assert policy.next(look(START, refused=1)) is None
        assert "as soon as" in policy.why
    for _ in range(SETTLING_LOOKS):
        assert policy.next(look(48, refused=1)) is None
    assert policy.next(look(48, refused=1)) is Trouble.REFUSED
    assert policy.places == 36


def test_there_is_always_one_and_idle_gates_are_left_alone() -> None:
    policy = Policy(1, MOST)
    assert policy.next(look(1, refused=1)) is None
    assert policy.places == 1
    idle = Policy(START, MOST)
    assert idle.next(look(0, waiting=0, refused=1)) is None
    assert idle.places == START


def test_where_no_server_tells_it_recovers_to_the_start_and_no_further() -> None:
    policy = Policy(START, MOST)
    policy.next(look(refused=3))
    for _ in range(40):
        policy.next(look(policy.places))
    assert policy.places == START
