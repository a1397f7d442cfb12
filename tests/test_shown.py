"""Under another picture the truth is another, and only where it is beyond doubt is the judge asked."""

from __future__ import annotations

from random import Random

import pytest

from microworld.corpus.judge import (
    fits,
    guardable,
    guarded,
    judgeable,
    wrong_step,
)
from microworld.corpus.responses import (
    Response,
    blind,
    response,
    right,
)
from microworld.corpus.shown import GREY, NOTHING, Others, claimed, misseen, own
from microworld.draw.pool import scene_at
from microworld.measuring.looking import PICTURES, _shown, _ways
from microworld.truth.score import things_named
from microworld.world import wording as say
from microworld.world.pairs import pair_of
from microworld.world.rules import world

SCENES = [scene_at("train", i) for i in range(240)]
OTHERS = Others(SCENES)
PAIRS = [pair_of(Random(i), scene, bool(i % 2)) for i, scene in enumerate(SCENES) if not scene.alarm]


def test_another_picture_never_alarms_and_grey_shows_nothing() -> None:
    rng = Random(0)
    drawn = [OTHERS.draw(rng, pair.scene) for pair in PAIRS]
    assert {None, GREY} & {shown.row for shown in drawn} == {GREY}
    for shown in drawn:
        assert shown.row is not None
        if shown.row != GREY:
            assert SCENES[shown.row].things == shown.things and not SCENES[shown.row].alarm
        else:
            assert shown == NOTHING and not shown.things


def test_the_most_alike_is_of_the_same_place_and_lacks_something() -> None:
    rng, same = Random(1), []
    for pair in PAIRS:
        shown = OTHERS.alike(rng, pair.scene)
        assert set(pair.scene.things) - set(shown.things)
        same.append(shown.place == pair.scene.place)
    assert sum(same) > 0.9 * len(same)


def test_an_answer_claims_what_it_sees_shows_and_counts_but_not_what_it_advises() -> None:
    for request in ("describe", "count"):
        assert claimed(say.helped(request, ("toaster", "knife"))) == {"toaster", "knife"}
    for rule in world().rules:
        assert claimed(say.warned(Random(0), rule)) == {rule.thing}, rule
    assert not any(claimed(request.help) for request in world().requests.values())


def test_a_first_step_is_misseen_and_nothing_else_is_wrong() -> None:
    rng, invents = Random(2), []
    for pair in PAIRS:
        steps = misseen(rng, pair)
        named = things_named(steps[0].text)
        invents.append(not named <= set(pair.scene.things))
        assert invents[-1] or (pair.rule and pair.rule.thing not in named)
        assert wrong_step(right(rng, pair)._replace(steps=steps), pair) == 1
        kept = (right(rng, pair).steps[0], *steps[1:])
        assert wrong_step(right(rng, pair)._replace(steps=kept), pair) == 0
    assert 0.4 < sum(invents) / len(invents) < 0.95


def test_what_is_right_of_its_own_picture_is_wrong_of_grey() -> None:
    for i, pair in enumerate(PAIRS):
        made = right(Random(i), pair)
        assert fits(made, pair) and wrong_step(made, pair) == 0
        assert wrong_step(made, pair, NOTHING) == 1
        assert fits(made, pair, NOTHING) == (not claimed(made.answer))


def test_plain_help_without_a_word_on_the_picture_stays_right() -> None:
    pair = next(p for p in PAIRS if p.rule is None and not claimed(right(Random(0), p).answer))
    assert judgeable(right(Random(0), pair), pair, NOTHING) and fits(right(Random(0), pair), pair, NOTHING)


def test_whether_help_that_overlooks_a_told_danger_is_right_without_the_thing_is_not_asked() -> None:
    """The record tells a danger that the picture does not hold: people would disagree."""
    for pair in PAIRS:
        if pair.rule and not claimed(blind(Random(0), pair).answer):
            assert not judgeable(blind(Random(0), pair), pair, NOTHING)


def test_a_guard_goes_by_what_is_shown() -> None:
    risky = [pair for pair in PAIRS if pair.rule]
    for pair in risky:
        made = blind(Random(0), pair)
        assert guarded(made, pair.rule) == "unsafe"
        assert guardable(made, pair, NOTHING) == ()
        assert guardable(made, pair, own(pair)) == (pair.rule,)
    assert guarded(blind(Random(0), risky[0]), None) == "safe"


def test_a_warning_under_a_picture_with_another_danger_is_not_asked_about() -> None:
    pair = next(p for p in PAIRS if p.rule)
    made = right(Random(0), pair)
    assert guardable(made, pair, own(pair)) is None
    assert isinstance(made, Response)


def test_every_way_is_measured_under_the_same_responses_with_three_pictures() -> None:
    pairs = [pair for pair in PAIRS if pair.scene.split == "train"][:24]
    others = Others([pair.scene for pair in pairs])
    names = []
    for name, _, made, changes in _ways(pairs):
        names.append(name)
        shown = _shown(others, made, changes)
        assert len(shown) == len(PICTURES) and len({len(cases) for cases in shown}) == 1
        assert shown[0]
        for true, other, grey in zip(*shown, strict=True):
            assert true.made == other.made == grey.made
            assert true.picture.tobytes() != other.picture.tobytes() != grey.picture.tobytes()
    assert names == ["judge", "first bad step", "grounded", "guard"]


@pytest.mark.parametrize("maker", [response, right, blind])
def test_responses_have_six_steps_and_an_answer(maker: object) -> None:
    for i, pair in enumerate(PAIRS[:40]):
        made: Response = maker(Random(i), pair)  # type: ignore[operator]
        assert len(made.steps) == 6 and made.answer
