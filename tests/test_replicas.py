"""Choosing a replica: steady for a picture, fair under load, away from the dead."""

from __future__ import annotations

from contextlib import ExitStack

from ssui_gen.calling.replicas import DOWN_SECONDS, SPILL_FLOOR, Replicas

NAMES = ("http://a/v1", "http://b/v1", "http://c/v1")
KEYS = [f"picture {i}" for i in range(300)]


def test_a_key_keeps_its_replica_and_keys_spread_evenly() -> None:
    replicas = Replicas(NAMES)
    picked = [replicas.pick(key) for key in KEYS]
    assert picked == [Replicas(NAMES).pick(key) for key in KEYS]
    assert all(60 < picked.count(index) < 140 for index in range(3))


def test_losing_a_replica_moves_only_its_own_keys() -> None:
    three, two = Replicas(NAMES), Replicas(NAMES[:2])
    assert all(two.pick(key) == three.pick(key) for key in KEYS if three.pick(key) < 2)


def test_a_busy_replica_passes_its_keys_on_until_it_is_free_again() -> None:
    replicas = Replicas(NAMES)
    home = replicas.pick("picture")
    with ExitStack() as calls:
        for _ in range(SPILL_FLOOR + 1):
            assert replicas.pick("picture") == home
            calls.enter_context(replicas.using(home))
        assert replicas.pick("picture") != home
    assert replicas.pick("picture") == home


def test_equal_load_is_no_reason_to_move() -> None:
    replicas = Replicas(NAMES)
    with ExitStack() as calls:
        for index in [*range(3)] * 20:
            calls.enter_context(replicas.using(index))
        assert all(replicas.pick(key) == Replicas(NAMES).pick(key) for key in KEYS)


def test_without_a_key_the_least_loaded_takes_the_call() -> None:
    replicas = Replicas(NAMES)
    with replicas.using(0), replicas.using(2):
        assert replicas.pick("") == 1


def test_a_replica_that_is_down_is_passed_over_for_a_while() -> None:
    now = [100.0]
    replicas = Replicas(NAMES, clock=lambda: now[0])
    home = replicas.pick("picture")
    replicas.mark_down(home)
    assert replicas.pick("picture") != home
    now[0] += DOWN_SECONDS
    assert replicas.pick("picture") == home


def test_an_avoided_replica_is_still_better_than_none() -> None:
    assert Replicas(NAMES[:1]).pick("picture", avoid=0) == 0
    home = Replicas(NAMES).pick("picture")
    assert Replicas(NAMES).pick("picture", avoid=home) != home


def test_when_all_are_down_one_is_tried_anyway() -> None:
    replicas = Replicas(NAMES)
    home = replicas.pick("picture")
    for index in range(3):
        replicas.mark_down(index)
    assert replicas.pick("picture") == home
