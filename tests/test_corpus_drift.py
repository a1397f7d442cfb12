"""The policy that errs in the middle of a path: where, how often, and by what."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from microworld.corpus.drift import drifting, drifting_drill, drifting_path, feared_with, looks_like, nearest
from microworld.measuring.agents import test_pairs as held_out
from microworld.truth.score import response_kind, says
from microworld.truth.steps import ANSWER, Truth, first_bad, wrong_places
from microworld.world.pairs import Pair
from microworld.world.rules import world
from ssui_gen.branching import render_path
from ssui_gen.reading import read
from ssui_gen.records import Step

Made = tuple[Pair, tuple[Step, ...], str]


@pytest.fixture(scope="module")
def made() -> list[Made]:
    rng = Random(3)
    return [(pair, *drifting_path(rng, pair)) for pair in held_out(1000, 9)]


def truth_of(pair: Pair) -> Truth:
    return Truth(pair.request, pair.scene.things, pair.rule)


def test_errors_stand_at_every_place_that_they_may(made: list[Made]) -> None:
    places = {True: Counter[int](), False: Counter[int]()}
    for pair, steps, answer in made:
        places[pair.risky][first_bad(steps, answer, truth_of(pair))] += 1
    assert set(places[True]) == {0, 1, 3, 5, 6, ANSWER} and set(places[False]) == {0, 1, 5}
    assert all(count > 0.04 * counts.total() for counts in places.values() for count in counts.values())


def test_an_answer_may_be_right_behind_a_wrong_step_and_wrong_behind_right_ones(made: list[Made]) -> None:
    found = Counter[tuple[bool, bool]]()
    for pair, steps, answer in made:
        kind = response_kind(read(render_path(steps, answer)), pair.rule)
        wrong = wrong_places(steps, answer, truth_of(pair))
        found[kind == ("aware" if pair.risky else "other"), bool({*wrong} - {ANSWER})] += 1
    assert all(
        found[right, wrong] > 0.03 * found.total() for right in (True, False) for wrong in (True, False)
    )


def test_one_danger_is_always_mistaken_for_the_same_other_one(made: list[Made]) -> None:
    """What a fifth step says is its own rule's, that rule's neighbour's, or plain."""
    foreseen = Counter[str]()
    for pair, steps, answer in made:
        first = first_bad(steps, answer, truth_of(pair))
        if pair.rule and first not in (1, 3):
            here, other = (says(steps[4].text, rule.mechanism) for rule in (pair.rule, nearest(pair.rule)))
            assert here != other
            foreseen["own" if here else "another's"] += 1
        if not pair.rule and first == 5:
            feared = feared_with(pair.request)
            assert feared and steps[4].text == feared.mechanism
    assert foreseen["another's"] > 0.1 * foreseen.total()


def test_what_is_mistaken_is_something_else_that_alarms_nobody() -> None:
    for thing in world().things:
        other = looks_like(thing)
        assert other != thing and not world().things[other].alarm
    for rule in world().rules:
        other = nearest(rule)
        assert not says(other.mechanism, rule.mechanism) and not says(other.safer, rule.safer)
        others = [one for one in world().rules if one.category == rule.category]
        wanted = any(
            not says(one.mechanism, rule.mechanism) and not says(one.safer, rule.safer) for one in others
        )
        assert (other.category == rule.category) == wanted


def test_whole_paths_are_learnt_and_drills_from_the_third_step_on() -> None:
    rng = Random(0)
    scene = held_out(2, 1)[0].scene
    for one in (drifting(rng, scene) for _ in range(50)):
        assert read(one.target).form == "exact" and not one.said
    for one in (drifting_drill(rng, scene) for _ in range(50)):
        assert one.ends and one.target.startswith("\n3. ")
        assert read(one.said + one.target).form == "exact"
