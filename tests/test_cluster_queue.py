"""Which shard goes where: every shard comes to its end once, whatever fails and is lost."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.cluster.queue import HOPELESS, LOSSES, POISON, Queue

NODES = ("a", "b", "c")


def test_a_lost_nodes_shards_go_first_and_nobody_is_blamed() -> None:
    queue = Queue(range(6))
    assert [queue.take(node, NODES) for node in "aabb"] == [0, 1, 2, 3]
    assert queue.lose("b") == [2, 3]
    assert [queue.take("a", NODES) for _ in range(3)] == [2, 3, 4]
    assert not queue.retired(NODES) and not queue.aside


def test_a_shard_that_fails_on_three_nodes_is_set_aside_and_they_are_not_to_blame() -> None:
    queue = Queue([0, 1])
    for node in NODES:
        assert {queue.take(node, NODES), queue.take(node, NODES)} == {0, 1}
        queue.fail(0, "no luck")
        queue.fail(1, "neither")
    assert queue.aside == {0: "no luck", 1: "neither"} and queue.ended
    assert not queue.retired(NODES)


def test_a_shard_goes_to_a_node_that_has_not_tried_it_while_there_is_one() -> None:
    queue = Queue([0])
    queue.take("a", NODES)
    queue.fail(0, "no luck")
    assert queue.take("a", NODES) is None and queue.take("b", NODES) == 0
    queue.fail(0, "no luck")
    assert queue.take("a", ["a", "b"]) == 0, "there is nobody else"


def test_a_node_where_two_shards_failed_gets_no_more_and_one_success_clears_it() -> None:
    queue = Queue(range(4))
    for _ in range(2):
        shard = queue.take("a", NODES)
        assert shard is not None
        queue.fail(shard, "no luck")
    assert queue.retired(NODES) == {"a"}
    assert queue.retired(["a"]) == set(), "the last one works on"
    for shard in (queue.take("a", NODES), queue.take("b", NODES)):
        assert shard is not None
        queue.finish(shard)
    assert not queue.retired(NODES)


def test_where_nothing_succeeds_any_more_it_says_so() -> None:
    queue = Queue(range(HOPELESS))
    for _ in range(HOPELESS):
        assert not queue.hopeless
        shard = queue.take("a", NODES)
        assert shard is not None
        queue.fail(shard, "the server is gone")
    assert queue.hopeless


@given(
    shards=st.integers(1, 12),
    poisoned=st.sets(st.integers(0, 11), max_size=3),
    deadly=st.sets(st.integers(0, 11), max_size=1),
    bad=st.sampled_from([*NODES, ""]),
    dice=st.randoms(use_true_random=False),
)
def test_every_shard_is_done_or_set_aside_once(
    shards: int, poisoned: set[int], deadly: set[int], bad: str, dice: random.Random
) -> None:
    """Poisoned ones fail anywhere, deadly ones take their node along, and on a bad node all fail."""
    queue, tries = Queue(range(shards)), 0
    while not queue.ended:
        tries += 1
        assert tries < 200 + shards * (POISON + LOSSES) * 20, "no end"
        good = [node for node in NODES if node not in queue.retired(NODES)]
        for node in dice.sample(good, len(good)):
            queue.take(node, good)
        if not queue.running:
            continue
        shard, node = dice.choice(sorted(queue.running.items()))
        if shard in deadly:
            queue.lose(node)
        elif shard in poisoned or node == bad:
            queue.fail(shard, "no luck")
        else:
            queue.finish(shard)
    assert sorted([*queue.done, *queue.aside]) == list(range(shards))
    assert not set(queue.done) & (poisoned | deadly)
    if not bad:
        assert set(queue.aside) - deadly <= poisoned | deadly


@pytest.mark.parametrize("lost", [1, LOSSES])
def test_a_shard_that_ends_every_node_comes_to_an_end(lost: int) -> None:
    queue = Queue([0])
    for _ in range(lost):
        assert queue.take("a", NODES) == 0
        queue.lose("a")
    assert queue.ended == (lost == LOSSES)
