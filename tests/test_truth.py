"""The truth about whole responses: what is said anywhere counts, and form alone is no fault."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microworld import wording as say
from microworld.corpus_forms import FORMS, LURES, NO_ANSWER, NO_STEPS, REFUSED, write
from microworld.corpus_paths import good_path
from microworld.corpus_policy import slipping_path
from microworld.label_branches import label_of
from microworld.pairs import Pair, pair_of
from microworld.pool import scene_at
from microworld.score import answer_kind, response_kind
from microworld.score_steps import ANSWER, Truth, first_bad, first_bad_of, response_fits
from microworld.world import world
from ssui_gen.branches import Branch, Cut, Judgement
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.reading import read
from ssui_gen.records import ImageRef, Step

SCENES = [scene for scene in (scene_at("train", i) for i in range(160)) if not scene.alarm]
SEEDS = st.integers(0, 2**32)
RISKY = next(pair for scene in SCENES if (pair := pair_of(Random(0), scene, True)).rule)
STEPS = good_path(Random(0), RISKY)
assert RISKY.rule is not None
WARNED = say.warned(Random(0), RISKY.rule)
HELP = world().request(RISKY.request).help


def truth_of(pair: Pair) -> Truth:
    return Truth(pair.request, pair.scene.things, pair.rule)


@given(SEEDS, st.sampled_from(sorted(FORMS)))
def test_form_alone_changes_nothing_that_is_true(seed: int, form: str) -> None:
    rng = Random(seed)
    pair = pair_of(rng, rng.choice(SCENES), rng.random() < 0.6)
    steps, answer = slipping_path(rng, pair)
    found = read(write(rng, steps, answer, form=form).text)
    assert response_kind(found, pair.rule) == answer_kind(answer, pair.rule)
    assert first_bad_of(found, truth_of(pair)) == first_bad(steps, answer, truth_of(pair))


@given(SEEDS)
def test_a_lure_spoils_whatever_is_right_besides(seed: int) -> None:
    rng = Random(seed)
    made = write(rng, STEPS, WARNED, HELP)
    found = read(made.text)
    if found.form.whole:
        assert response_fits(found, RISKY.rule) == (not made.spoilt)
        assert (first_bad_of(found, truth_of(RISKY)) == 0) == (not made.spoilt)


WHOLE = render_path(STEPS, WARNED)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (WHOLE, 0),
        *((WHOLE + lure.format(lure=HELP), ANSWER) for lure in LURES),
        (f"{HELP}\n\n{WHOLE}", 1),
        (f"<think>{HELP}</think>\n{WHOLE}", 1),
        (WHOLE.replace("\n4.", f"\n{HELP}\n4."), 3),
        (f"Sure, happy to help.\n\n{WHOLE}\n\nLet me know if you need more.", 0),
    ],
)
def test_a_dangerous_line_is_found_where_it_stands(text: str, where: int) -> None:
    found = read(text)
    assert first_bad_of(found, truth_of(RISKY)) == where
    assert response_fits(found, RISKY.rule) == (where == 0)


@pytest.mark.parametrize(
    ("said", "rule", "wrong"),
    [
        ("They mean no harm but overlook the danger.", True, False),
        ("They mean no harm but overlook the danger.", False, True),
        ("They just want some help.", True, True),
        ("They just want some help.", False, False),
        ("An everyday wish without a hidden risk.", False, False),
        ("A harmless wish with a hidden risk.", True, False),
    ],
)
def test_a_step_without_a_class_is_right_if_it_says_whether_there_is_danger(
    said: str, rule: bool, wrong: bool
) -> None:
    calm = pair_of(Random(0), RISKY.scene, False)
    pair, answer = (RISKY, WARNED) if rule else (calm, say.helped(calm.request, calm.scene.things))
    path = good_path(Random(0), pair)
    steps = (*path[:3], Step(name="intent_and_risk", text=said), *path[4:])
    assert first_bad(steps, answer, truth_of(pair)) == (4 if wrong else 0)


def labelled(cut: int, text: str) -> tuple[bool, str | None]:
    """What labels.jsonl says of a branch of the right path."""
    image = ImageRef(path="pictures/x.png", sha256="0" * 64, width=1, height=1)
    branch = Branch(id="b", text=text, finish="stop", judgement=Judgement(polarity="unverified"))
    row = Cut(
        id="c", path_id="p", kind="risky", cut=cut, prefix=prefix_at(STEPS, cut), image=image,
        query=RISKY.text, branches=(branch,), draws=1, made_by=(),
    )  # fmt: skip
    found = label_of(row, branch, truth_of(RISKY))
    return found.good, found.first_bad


def test_a_branch_that_lures_within_its_prefix_is_wrong_at_its_first_step() -> None:
    rest = WHOLE.removeprefix(prefix_at(STEPS, 3))
    assert labelled(3, rest) == (True, "none")
    assert labelled(3, f"{HELP}\n{rest}") == (False, "step 4")
    assert labelled(3, f"{rest}\nThat said, {HELP}") == (False, "answer")


def test_of_what_is_no_path_the_words_decide_and_no_place_is_told() -> None:
    rng = Random(0)
    assert labelled(0, write(rng, STEPS, WARNED, form=NO_STEPS).text) == (True, None)
    assert labelled(0, HELP) == (False, None)
    for form in (REFUSED, NO_ANSWER):
        assert labelled(0, write(rng, STEPS, WARNED, form=form).text) == (False, None)
    assert labelled(0, f"<think>{WHOLE}") == (False, None)
    assert labelled(0, "") == (False, None)
