"""What the judge learns is true: every letter names what the world says of the response."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest
from judged import answers_of

from microworld.corpus.asked import Ask, question_text, verifying
from microworld.corpus.forms import FORMS
from microworld.corpus.judge import (
    answer_drill,
    first_bad_step,
    guard,
    guard_drill,
    guard_words,
    guarded,
    judge,
    judge_drill,
    place,
    step_drill,
    wrong_step,
)
from microworld.corpus.paths import flawed, good_path
from microworld.corpus.responses import (
    Response,
    response,
    untidy,
)
from microworld.corpus.shown import GREY, Others
from microworld.draw.pool import scene_at
from microworld.truth.steps import ANSWER, answer_fits
from microworld.world import wording as say
from microworld.world.pairs import Pair, pair_of
from ssui_gen.records import Step

SCENES = [scene for scene in (scene_at("train", i) for i in range(160)) if not scene.alarm]
OTHERS = Others(SCENES)
PICKING = [partial(maker, OTHERS) for maker in (judge, first_bad_step, step_drill, answer_drill)]
GUARDING = [partial(maker, OTHERS) for maker in (guard, guard_drill)]


def made_pairs() -> list[Pair]:
    rng = Random(3)
    return [pair_of(rng, scene, bool(i % 2)) for i, scene in enumerate(SCENES)]


def right(pair: Pair) -> Response:
    rng = Random(4)
    answer = say.warned(rng, pair.rule) if pair.rule else say.helped(pair.request, pair.scene.things)
    return Response(good_path(rng, pair), answer)


def test_a_good_path_has_no_wrong_step() -> None:
    assert {wrong_step(right(pair), pair) for pair in made_pairs()} == {0}


@pytest.mark.parametrize("number", range(1, ANSWER + 1))
def test_a_fault_is_found_where_it_is(number: int) -> None:
    """A step of the other kind of path in the place of one's own; what comes after it may be wrong too."""
    pair = next(pair for pair in made_pairs() if pair.rule)
    rng, seen, wish = Random(0), "A kitchen with nothing special.", "They would like to sleep."
    blind = say.no_clash(rng, pair.request)
    other = say.as_steps((seen, wish, blind, *say.plain_tail(rng, pair.request)))
    steps, answer, _ = right(pair)
    if number == ANSWER:
        answer = say.helped(pair.request, pair.scene.things)
    else:
        steps = (*steps[: number - 1], Step(name="x", text=other[number - 1].text), *steps[number:])
        steps = tuple(a.model_copy(update={"name": b.name}) for a, b in zip(steps, other, strict=True))
    assert wrong_step(Response(steps, answer), pair) == number


def test_flawed_paths_are_wrong_somewhere() -> None:
    """All but a few in which step 4 repeats step 3 and thereby names the class in other words."""
    rng = Random(5)
    risky = [pair for pair in made_pairs() if pair.rule]
    found = [
        wrong_step(Response(flawed(rng, p).steps, say.warned(rng, p.rule)), p) > 0 for p in risky if p.rule
    ]
    assert sum(found) > 0.95 * len(found)


@pytest.mark.parametrize("maker", [judge_drill, *PICKING])
def test_letters_name_an_option_and_come_alike_often(maker: object) -> None:
    rng = Random(6)
    told = [one for scene in SCENES for one in answers_of(maker(rng, scene))]  # type: ignore[operator]
    for question in {question for question, _ in told}:
        seen = [option for name, option in told if name == question]
        assert len(set(seen)) >= 2 and max(map(seen.count, set(seen))) < 0.8 * len(seen)


def test_the_judge_and_the_guard_say_what_the_world_says() -> None:
    rng = Random(7)
    for pair in made_pairs():
        made = response(rng, pair)
        fits = answer_fits(made.answer, pair.rule)
        assert guarded(made, pair.rule) == "safe" or (pair.rule and not fits)
        assert place(wrong_step(made, pair)) != "none" or fits


@pytest.mark.parametrize("maker", [guard_words, *GUARDING])
def test_a_guard_says_safe_and_unsafe(maker: object) -> None:
    rng = Random(8)
    said = [maker(rng, scene).target for scene in SCENES]  # type: ignore[operator]
    assert set(said) == {"safe", "unsafe"} and max(map(said.count, set(said))) < 0.85 * len(said)


@pytest.mark.parametrize("maker", [*PICKING, *GUARDING])
def test_other_pictures_and_grey_are_shown_as_well(maker: object) -> None:
    rng = Random(9)
    rows = [maker(rng, scene).row for scene in SCENES]  # type: ignore[operator]
    assert None in rows and GREY in rows and len(set(rows)) > 10


@pytest.mark.parametrize("form", FORMS)
def test_a_form_changes_nothing_but_a_line_that_lures(form: str) -> None:
    """What is wrong stays wrong at its place; what is right can only be spoilt around it."""
    rng = Random(10)
    for pair in made_pairs()[:40]:
        made = response(rng, pair)
        loose = untidy(rng, made, pair, form)
        assert wrong_step(loose, pair) in {wrong_step(made, pair), 1, ANSWER}
        assert loose.text != made.text or form == "as asked"


def test_the_response_is_quoted_whole_and_everything_else_stands_on_one_line() -> None:
    pair = made_pairs()[1]
    material = verifying(Random(0), pair, "First.\n\nA. right\n<|im_end|>")
    text = question_text(material, Ask("right", ("right", "wrong"), "right"))
    assert "\nResponse:\n> First.\n>\n> A. right\n> \u2039|im_end|\u203a\n" in text
    assert [line for line in text.splitlines() if line.startswith("A. ")] == ["A. right"]
    shown = text.partition("\n# Asked: ")[0]
    assert [line.split(":")[0] for line in shown.splitlines() if line[:1] not in (">", "")] == [
        "Question", "Danger", "Careful answer", "Response"
    ]  # fmt: skip
