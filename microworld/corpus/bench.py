"""What the judge learns of RSBench: its seven questions about thoughts and answers.

`grounded` is asked of thoughts under their own picture and others, before any danger is told; `path_safe` and
`path_effective` of good thoughts and of such as talk themselves into the harm, go in circles or mislead;
`answer_safe`, `answer_helpful` and `refusal` of answers of all types. Some texts name the danger themselves
under a picture without it. F's questions: `judge`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from random import Random

from microworld.corpus.asides import aside
from microworld.corpus.asked import Ask, benching, both_ways, dialogue
from microworld.corpus.dialogues import NO_ASIDE, Dialogue, told
from microworld.corpus.judge import RISKY_SHARE, first_alone, other_picture, path_of, place
from microworld.corpus.parts import (
    LOOSE,
    answer,
    circling,
    in_six,
    looked,
    loosely,
    lured,
    mistaken,
    parted,
    thoughts,
    written,
)
from microworld.corpus.responses import Response, blind, right, right_answer
from microworld.corpus.shown import Others, Shown, fired, own
from microworld.truth.options import Texts, true_option
from microworld.truth.steps import Truth
from microworld.world.entities import Rule, Split
from microworld.world.layout import Placed
from microworld.world.pairs import Pair, loose_pair, pair_of, phrase
from microworld.world.rules import world
from microworld.world.scene import Scene
from ssui_gen.judging.questions import QUESTIONS, QuestionName, places
from ssui_gen.records import STEP_NAMES

RISKIER = 0.75
"""Share of the risky pairs where harmless ones have but one answer."""
UNTOLD = 0.08
"""Share of the questions that are asked without a line on the danger."""
PLACED = 0.6
"""Share of whole paths in words alone that are asked where they go wrong; of plain texts, those answered."""
PIECES = len(STEP_NAMES)
OF_PATH: tuple[QuestionName, ...] = ("path_safe", "path_effective")
OF_ANSWER: tuple[QuestionName, ...] = ("answer_safe", "answer_helpful")


# --- thoughts ----------------------------------------------------------------------------------------------


def ground(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """Thoughts alone, and whether they rest on what is shown."""
    pair = pair_of(rng, scene, rng.random() < RISKIER)
    made = (looked if rng.random() < 0.7 else thoughts)(rng, pair)
    return _grounded(rng, pair, written(rng, made, pair), other_picture(others, rng, scene))


def ground_drill(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """The first thought alone."""
    pair = pair_of(rng, scene, rng.random() < RISKIER)
    texts = Texts(first_alone(rng, looked(rng, pair).steps[0]), None)
    return _grounded(rng, pair, texts, other_picture(others, rng, scene))


def path(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """Thoughts, and whether they are safe and lead to the right end."""
    pair = pair_of(rng, scene, rng.random() < RISKIER)
    texts, other = written(rng, thoughts(rng, pair), pair), other_picture(others, rng, scene, 0.25)
    misled = other and true_of("path_effective", texts, pair, other) == "misleads"
    return _asked(rng, pair, texts, OF_PATH, other if misled else None)


def place_in(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """Thoughts and answer, and where they first go wrong."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    made = (path_of if rng.random() < 0.6 else in_six)(rng, pair)
    texts, other = written(rng, made, pair), other_picture(others, rng, scene, 0.25)
    misseen = other and true_of("first_bad", texts, pair, other) == place(1)
    return _asked(rng, pair, texts, ("first_bad",), other if misseen else None)


def path_words(rng: Random, scene: Scene) -> Dialogue:
    """Thoughts in words alone: do they go in circles, mistake the wish, or talk themselves into the harm?"""
    placed = rng.random() < PLACED
    pair = next(pair for pair in iter(partial(loose_pair, rng), None) if pair.rule or rng.random() < 0.3)
    drawn = (_thoughtless(rng, pair) for _ in iter(int, 1))
    made = next(made for made in drawn if not placed or len(made.steps) == PIECES)
    names: tuple[QuestionName, ...] = ("first_bad",) if placed else OF_PATH
    return replace(_asked(rng, pair, written(rng, made, pair), names, told=True), picture=False)


def _thoughtless(rng: Random, pair: Pair) -> Response:
    """Of a harmless pair nothing lures."""
    weights = (2, 4, 2, 5 if pair.rule else 0)
    return rng.choices((right, circling, mistaken, lured), weights)[0](rng, pair)


def wish_words(rng: Random, scene: Scene) -> Dialogue:
    """The first two steps in words alone: is the wish understood?"""
    pair = loose_pair(rng)
    made = (mistaken if rng.random() < 0.6 else right)(rng, pair)
    texts = parted(made._replace(steps=made.steps[:2]))
    asks = both_ways("first_bad", places(2), true_of("first_bad", texts, pair))
    beside = aside(texts, pair, own(pair))
    return replace(dialogue(benching(rng, pair, texts), asks, own(pair), beside), picture=False)


# --- plainly unsafe texts ----------------------------------------------------------------------------------


def plain(rng: Random, scene: Scene) -> Dialogue:
    """Thoughts or an answer about a text that names what the picture does not show: it counts as there. Some
    thoughts speak of the picture alone.
    """
    pair = plain_pair(rng, scene)
    there = named(pair)
    if rng.random() < PLACED:
        warned = Texts(None, right_answer(rng, there))
        return _asked(rng, pair, warned if rng.random() < 0.3 else _told(rng, there), OF_ANSWER, own(there))
    made = in_six(rng, there) if rng.random() < PLACED else rng.choice((right, blind))(rng, pair)
    names: tuple[QuestionName, ...] = OF_PATH if rng.random() < 0.5 else ("first_bad",)
    return _asked(rng, pair, written(rng, made, there), names, own(there))


def plain_pair(rng: Random, scene: Scene, split: Split = "train") -> Pair:
    """A wish that is harmless under this picture, in a text that names a thing which makes it risky."""
    rules = [rule for rule in world().rules if world().is_clear_benign(rule.request, scene.things)]
    rule = rng.choice(rules)
    text = told(rng, phrase(rng, rule.request, split), rule.thing)
    return Pair(scene, rule.request, text, rule)


def named(pair: Pair) -> Pair:
    """The same where the thing that the text names stands in the picture."""
    assert pair.rule
    placed = (*pair.scene.placed, Placed(pair.rule.thing, 0.5, 0.5, 0.3))
    return replace(pair, scene=replace(pair.scene, placed=placed))


# --- answers -----------------------------------------------------------------------------------------------


def answered(rng: Random, scene: Scene) -> Dialogue:
    """An answer alone: is it safe, does it help?"""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    return _asked(rng, pair, _told(rng, pair), OF_ANSWER)


def answered_words(rng: Random, scene: Scene) -> Dialogue:
    """The same without a picture; the danger is told."""
    pair = loose_pair(rng)
    return replace(_asked(rng, pair, _told(rng, pair), OF_ANSWER, told=True), picture=False)


def refused(rng: Random, scene: Scene) -> Dialogue:
    """An answer, and what it does; nothing is shown."""
    pair = loose_pair(rng)
    return replace(_asked(rng, pair, _told(rng, pair), ("refusal",)), picture=False)


def _told(rng: Random, pair: Pair) -> Texts:
    said = answer(rng, pair)
    return Texts(None, loosely(rng, said, pair) if rng.random() < LOOSE else said)


# --- what is true, and how it is asked ---------------------------------------------------------------------


def true_of(question: QuestionName, texts: Texts, pair: Pair, shown: Shown | None = None) -> str:
    """The true option under a picture, the pair's own if none is named, with the danger that is told."""
    things = (shown or own(pair)).things
    found = true_option(question, texts, Truth(pair.request, things, pair.rule))
    assert found, texts
    return found


def grounding(texts: Texts, pair: Pair, shown: Shown, split: Split = "train") -> str | None:
    """What is true of thoughts under another picture; None where it is unclear what decides there."""
    if true_of("grounded", texts, replace(pair, rule=None), shown) == "invented":
        return "invented"
    rules = fired(pair, shown, split)
    rule: Rule | None = next(iter(rules or ()), None)
    return None if rules is None else true_of("grounded", texts, replace(pair, rule=rule), shown)


def _grounded(rng: Random, pair: Pair, texts: Texts, other: Shown | None) -> Dialogue:
    found = grounding(texts, pair, other) if other else None
    shown = other if other and found else own(pair)
    asks = both_ways("grounded", options("grounded"), found or true_of("grounded", texts, pair))
    rule = next(iter(fired(pair, shown) or ()), None)
    beside = aside(texts, replace(pair, rule=rule), shown)
    return dialogue(benching(rng, pair, texts), asks, shown, beside)


def _asked(
    rng: Random,
    pair: Pair,
    texts: Texts,
    questions: Sequence[QuestionName],
    other: Shown | None = None,
    told: bool = False,
) -> Dialogue:
    """Each question in both orders; without a line on the danger only under the pair's own picture."""
    told = told or other is not None or rng.random() > UNTOLD
    asks = [ask for name in questions for ask in _both_ways(name, texts, pair, other)]
    shown = other or own(pair)
    beside = aside(texts, pair, shown) if "danger" in QUESTIONS[questions[0]].sees else NO_ASIDE
    return dialogue(benching(rng, pair, texts, told), asks, shown, beside)


def _both_ways(name: QuestionName, texts: Texts, pair: Pair, other: Shown | None) -> tuple[Ask, ...]:
    return both_ways(name, options(name), true_of(name, texts, pair, other))


def options(question: QuestionName) -> tuple[str, ...]:
    """As they are, those of `first_bad` for six steps."""
    return QUESTIONS[question].options or places(PIECES)
