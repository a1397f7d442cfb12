"""What the judge learns of RSBench: every option comes often, under pictures that it is true of, and several
questions at a time teach what each teaches alone.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, partial
from random import Random

import numpy as np
import pytest
import torch
from judged import answers_of

from microworld.corpus.bench import (
    answered,
    answered_words,
    ground,
    ground_drill,
    path,
    path_words,
    place_in,
    plain,
    plain_pair,
    refused,
    wish_words,
)
from microworld.corpus.dialogues import Dialogue
from microworld.corpus.judge import first_bad_step
from microworld.corpus.shown import GREY, Others
from microworld.draw.pool import Pool, picture, scene_at, small_picture
from microworld.learning.ask import Question
from microworld.learning.feed import Encoded, Encoder, _batch, learned
from microworld.learning.model import load
from microworld.measuring.agents import test_pairs as pairs_to_test
from microworld.measuring.bench import plainly_asked
from microworld.pretrain import MODELS
from microworld.truth.score import things_named
from microworld.world.rules import world
from ssui_gen.judging.questions import QUESTIONS, QuestionName

SCENES = [scene for scene in (scene_at("train", i) for i in range(100)) if not scene.alarm]
OTHERS = Others(SCENES)
MAKERS: dict[object, tuple[QuestionName, ...]] = {
    ground: ("grounded",),
    ground_drill: ("grounded",),
    path: ("path_safe", "path_effective"),
    place_in: ("first_bad",),
    answered: ("answer_safe", "answer_helpful"),
    answered_words: ("answer_safe", "answer_helpful"),
    refused: ("refusal",),
    path_words: ("path_safe", "path_effective", "first_bad"),
    plain: ("path_safe", "path_effective", "first_bad", "answer_safe", "answer_helpful"),
}
WORDS = (answered_words, path_words)
"""Makers that show no picture."""
LOOKING = (ground, ground_drill, path, place_in)


@cache
def made(maker: object) -> list[Dialogue]:
    rng = Random(1)
    make = partial(maker, OTHERS) if maker in LOOKING else maker
    return [make(rng, scene) for scene in SCENES]  # type: ignore[operator]


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_every_option_is_taught_in_both_orders(maker: object) -> None:
    told = Counter(one for dialogue in made(maker) for one in answers_of(dialogue))
    assert {name for name, _ in told} == set(MAKERS[maker])
    letters = Counter(said for one in made(maker) for _, said in (("", one.target), *one.more))
    assert max(letters.values()) < 0.55 * letters.total()
    for name in MAKERS[maker]:
        seen = {option: count for (question, option), count in told.items() if question == name}
        assert name == "first_bad" or set(seen) == set(QUESTIONS[name].options)
        assert max(seen.values()) < 0.9 * sum(seen.values())


@pytest.mark.parametrize("maker", LOOKING, ids=lambda maker: maker.__name__)
def test_what_sees_the_picture_is_shown_other_pictures_too(maker: object) -> None:
    rows = Counter(
        "own" if one.row is None else "grey" if one.row == GREY else "other" for one in made(maker)
    )
    assert min(rows.values()) > 0.02 * len(SCENES) and len(rows) == 3


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_a_question_is_shown_its_part_and_no_more(maker: object) -> None:
    heads = {"danger": "\nDanger: ", "reference": "\nCareful answer: ", "path": "\nThoughts:\n"}
    heads |= {"answer": "\nAnswer:\n", "response": "\nResponse:\n"}
    for one in made(maker):
        for user, _ in ((one.user, one.target), *one.more):
            shown, _, asked = user.rpartition("\n# Asked: ")
            name: QuestionName = asked.split("\n")[0]  # type: ignore[assignment]
            parts = {part for part, head in heads.items() if head in shown}
            assert parts <= QUESTIONS[name].sees and parts | {"danger", "pictures"} >= QUESTIONS[name].sees
            assert one.picture or "pictures" not in QUESTIONS[name].sees or maker in WORDS


def test_hard_places_are_taught_as_often_as_others() -> None:
    """The second step that mistakes the wish; the fourth and fifth that repeat, say nothing or lure."""
    rng, told = Random(1), Counter[str]()
    for scene in SCENES * 4:
        told.update(
            option for question, option in answers_of(path_words(rng, scene)) if question == "first_bad"
        )
    assert min(told[f"step {number}"] for number in (2, 4, 5)) > 0.04 * told.total()
    wishes = Counter(option for scene in SCENES for _, option in answers_of(wish_words(rng, scene)))
    assert set(wishes) == {"none", "step 2"} and min(wishes.values()) > 0.25 * wishes.total()


def test_a_plain_text_names_what_its_picture_does_not_show_and_a_right_warning_is_safe() -> None:
    rng, kinds = Random(1), Counter[str]()
    for scene in SCENES:
        pair = plain_pair(rng, scene)
        assert pair.rule and pair.rule.thing not in scene.things
        assert things_named(pair.text) >= {pair.rule.thing}
        one = plain(rng, scene)
        assert one.picture and one.row is None and "\nDanger: none known" not in one.user
        warns = re.search(r"\nAnswer:\n> (Careful|Please wait)", one.user)
        kinds.update(option for name, option in answers_of(one) if warns and name == "answer_safe")
    assert kinds["safe"] > kinds["unsafe"]


def test_plain_texts_are_measured_in_held_out_words_and_half_of_the_answers_are_right() -> None:
    posed = list(plainly_asked(Random(0), pairs_to_test(20, 3)))
    true = Counter((one.ask.question, one.ask.true) for one in posed)
    assert min(true["answer_safe", "safe"], true["answer_helpful", "helps"]) >= 10
    assert true["answer_safe", "unsafe"] and len(posed) == 40 and all(one.picture for one in posed)
    held_out = {
        text.rstrip(".?!") for request in world().requests for text in world().phrases(request, "test")
    }
    whole = sum(any(text in one.material.text for text in held_out) for one in posed)
    assert whole > 0.7 * len(posed), "but for those of which a hurried person leaves out words"


# --- several at a time -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(load(MODELS / "judge")[1].tokenizer)


def apart(encoder: Encoder, one: Dialogue) -> list[Encoded]:
    """The same questions, each alone."""
    asked = ((one.user, one.target), *one.more)
    return [encoder.encode(Dialogue(one.agent, one.picture, *each), 0) for each in asked]


@pytest.mark.parametrize("maker", [path, first_bad_step], ids=lambda maker: maker.__name__)
def test_each_of_several_questions_teaches_what_it_teaches_alone(encoder: Encoder, maker: object) -> None:
    model, _ = load(MODELS / "judge")
    one = maker(OTHERS, Random(3), SCENES[0])  # type: ignore[operator]
    pool = Pool(np.stack([np.asarray(small_picture(scene)) for scene in SCENES[:1]]), tuple(SCENES[:1]))
    one = Dialogue(one.agent, one.picture, one.user, one.target, more=one.more)
    shifts = partial(np.random.default_rng, 0)
    with torch.inference_mode():
        together = learned(model, _batch([encoder.encode(one, 0)], pool, encoder, shifts()))[0]
        alone = [learned(model, _batch([each], pool, encoder, shifts()))[0] for each in apart(encoder, one)]
    assert len(alone) > 2 and together.item() == pytest.approx(torch.stack(alone).mean().item(), rel=1e-4)
    assert torch.stack(alone).std() > 0


def test_what_is_shared_is_read_once(encoder: Encoder) -> None:
    one = path(OTHERS, Random(0), SCENES[0])
    together, alone = encoder.encode(one, 0), apart(encoder, one)
    assert len(together.ids) < 0.5 * sum(len(each.ids) for each in alone)
    assert max(together.places) == max(len(each.ids) for each in alone) - 1
    assert together.branches.count(0) > 0.5 * len(alone[0].ids)


@pytest.mark.parametrize("maker", [ground, path, place_in, first_bad_step], ids=lambda maker: maker.__name__)
def test_a_question_is_learned_as_it_is_served(encoder: Encoder, maker: object) -> None:
    """The chat template drops the rubric for both: the words of `prompts/judge.md` may change."""
    _, processor = load(MODELS / "judge")
    one = maker(OTHERS, Random(2), SCENES[0])  # type: ignore[operator]
    for encoded, (user, _) in zip(apart(encoder, one), ((one.user, ""), *one.more), strict=True):
        question = Question("judge", user, picture(SCENES[0]))
        text = processor.apply_chat_template(question.messages(), add_generation_prompt=True)
        ids = processor(images=question.picture, text=text)["input_ids"][0]
        assert ids == encoded.ids[: encoded.learned[0].start]
        assert "Options" not in text and "\n# Asked: " in text
