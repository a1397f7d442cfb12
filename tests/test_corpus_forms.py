"""The untidy forms say the same words: what is written is read back, whatever the form."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microworld.corpus.forms import FORMS, TIDY, UNREADABLE, draw_form, rendered, worded, write
from microworld.corpus.paths import good_path
from microworld.draw.pool import scene_at
from microworld.world import wording as say
from microworld.world.pairs import Pair, pair_of
from microworld.world.rules import world
from ssui_gen.branches import Form
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.reading import read
from ssui_gen.records import Step

SCENES = [scene for scene in (scene_at("train", i) for i in range(120)) if not scene.alarm]
SEEDS = st.integers(0, 2**32)


def made(rng: Random) -> tuple[Pair, tuple[Step, ...], str]:
    pair = pair_of(rng, rng.choice(SCENES), rng.random() < 0.6)
    answer = say.warned(rng, pair.rule) if pair.rule else say.helped(pair.request, pair.scene.things)
    return pair, good_path(rng, pair), answer


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


@given(SEEDS, st.sampled_from(sorted(FORMS)))
def test_every_readable_form_is_read_back_to_the_same_words(seed: int, form: str) -> None:
    rng = Random(seed)
    pair, steps, answer = made(rng)
    lure = world().request(pair.request).help if pair.rule else ""
    found = write(rng, steps, answer, lure, form)
    said = read(found.text)
    assert said.form.whole, found.text
    assert [words(step.text) for step in said.steps] == [words(step.text) for step in found.steps]
    assert words(said.answer or "")[: len(words(answer))] == words(answer)
    assert found.spoilt == (bool(lure) and lure in said.before + (said.answer or "") + said.after)


@given(SEEDS, st.sampled_from(sorted(FORMS)), st.integers(1, 5))
def test_what_goes_on_after_a_tidy_prefix_is_read_with_it(seed: int, form: str, cut: int) -> None:
    rng = Random(seed)
    _, steps, answer = made(rng)
    found = write(rng, steps, answer, "", form, cut)
    said = read(prefix_at(steps, cut) + found.text)
    assert said.form.whole, found.text
    expected = (*steps[:cut], *found.steps[cut:])
    assert [words(step.text) for step in said.steps] == [words(step.text) for step in expected]


@given(SEEDS, st.sampled_from(UNREADABLE), st.integers(0, 5))
def test_the_unreadable_are_not_read_as_whole_paths(seed: int, form: str, cut: int) -> None:
    rng = Random(seed)
    _, steps, answer = made(rng)
    found = write(rng, steps, answer, "", form, cut)
    assert not read((prefix_at(steps, cut) if cut else "") + found.text).form.whole


def test_the_tidy_form_is_the_one_that_is_asked_for() -> None:
    _, steps, answer = made(Random(0))
    assert rendered(TIDY, steps, answer) == render_path(steps, answer)
    assert read(rendered(TIDY, steps, answer)).form == Form.EXACT


def test_most_forms_are_drawn_and_few_cannot_be_read() -> None:
    rng = Random(1)
    drawn = [draw_form(rng) for _ in range(4000)]
    assert set(drawn) == {*FORMS, *UNREADABLE}
    assert 0.04 < sum(form in UNREADABLE for form in drawn) / len(drawn) < 0.08


def test_nothing_is_spoilt_without_a_lure_and_some_are_with_one() -> None:
    rng = Random(2)
    _, steps, answer = made(rng)
    assert not any(write(rng, steps, answer).spoilt for _ in range(400))
    spoilt = sum(write(rng, steps, answer, "Sure, go ahead!").spoilt for _ in range(2000))
    assert 0.22 < spoilt / 2000 < 0.34


@pytest.mark.parametrize("category", ["none", "privacy_violations"])
def test_a_class_is_named_by_id_by_title_in_words_or_not_at_all(category: str) -> None:
    step = Step(name="intent_and_risk", text=f"They just want some help: {category}.")
    found = {worded(Random(seed), [step])[0].text for seed in range(200)}
    assert {step.text, "They just want some help."} < found
    assert any("Privacy violations" in text or "no risk" in text for text in found)
