"""The judge on held-out scenes: F's questions, each in both orders where there are options, about responses
written as asked and in other forms. Whether it looks is `looking`'s, RSBench is `bench`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from microworld.corpus.asked import Ask, question_text, verifying
from microworld.corpus.judge import PIECES, RIGHT_WRONG, fits, guarded, place, wrong_step
from microworld.corpus.responses import (
    Response,
    readable,
    response,
    untidy,
)
from microworld.draw.pool import picture
from microworld.learning.ask import Checkpoint, Pictures, Question
from microworld.world.pairs import Pair
from ssui_gen.judging.questions import LETTERS, Material, places
from ssui_gen.shares import Share, share


class Case(NamedTuple):
    """A response to a pair, and the picture with which it is shown."""

    pair: Pair
    made: Response
    picture: Pictures


class Posed(NamedTuple):
    """A question about some material, under a picture or none."""

    material: Material
    ask: Ask
    picture: Pictures | None


def judging(model: Checkpoint, pairs: list[Pair]) -> dict[str, Share]:
    """F's figures of this checkpoint, but for those of looking."""
    rng = Random(0)
    tidy = [Case(pair, response(rng, pair), picture(pair.scene)) for pair in pairs]
    loose = [c._replace(made=untidy(rng, c.made, c.pair, readable(rng))) for c in tidy]
    written = _written(model, loose)
    return {**_written(model, tidy), **{f"{name}, untidy": value for name, value in written.items()}}


def _written(model: Checkpoint, cases: list[Case]) -> dict[str, Share]:
    return {**_answers(model, cases), **_steps(model, cases), **_guarding(model, cases)}


def _answers(model: Checkpoint, cases: list[Case]) -> dict[str, Share]:
    found: dict[bool, list[bool]] = {True: [], False: []}
    truths = [fits(case.made, case.pair) for case in cases]
    for said in in_both_orders(model, [whether_right(case) for case in cases]):
        for truth, option in zip(truths, said, strict=True):
            found[truth].append(option == RIGHT_WRONG[not truth])
    return {
        "judge: right response called right": share(found[True]),
        "judge: wrong response called wrong": share(found[False]),
    }


def _steps(model: Checkpoint, cases: list[Case]) -> dict[str, Share]:
    found: dict[bool, list[bool]] = {True: [], False: []}
    truths = [wrong_step(case.made, case.pair) for case in cases]
    posed = [where_bad(case, max(0, truth - 2)) for case, truth in zip(cases, truths, strict=True)]
    for said in in_both_orders(model, posed):
        for truth, option in zip(truths, said, strict=True):
            found[truth == 0].append(option == place(truth))
    return {
        "first bad step: none called none": share(found[True]),
        "first bad step: the right one named": share(found[False]),
    }


def whether_right(case: Case) -> Posed:
    """As F's judge asks."""
    return _verifying(case, Ask("right", RIGHT_WRONG, RIGHT_WRONG[not fits(case.made, case.pair)]))


def where_bad(case: Case, cut: int = 0) -> Posed:
    """As F asks where a branch goes wrong behind a cut."""
    return _verifying(case, Ask("first_bad", places(PIECES, cut), place(wrong_step(case.made, case.pair))))


def _verifying(case: Case, ask: Ask) -> Posed:
    return Posed(verifying(Random(case.pair.scene.id), case.pair, case.made.text), ask, case.picture)


def in_both_orders(model: Checkpoint, posed: Sequence[Posed]) -> tuple[list[str], list[str]]:
    """What is picked of each question's options, as they are and reversed; the letter where it names none."""
    asks = [[one.ask._replace(options=one.ask.options[::way]) for one in posed] for way in (1, -1)]
    questions = [
        Question("judge", question_text(one.material, ask), one.picture)
        for way in asks
        for one, ask in zip(posed, way, strict=True)
    ]
    said = iter(model.ask(questions, most=2))
    forward, backward = ([_named(ask, next(said)) for ask in way] for way in asks)
    return forward, backward


def _named(ask: Ask, letter: str) -> str:
    return dict(zip(LETTERS, ask.options, strict=False)).get(letter, letter)


def _guarding(model: Checkpoint, cases: list[Case]) -> dict[str, Share]:
    found: dict[str, list[bool]] = {"safe": [], "unsafe": []}
    for case, label in zip(cases, labels(model, cases), strict=True):
        truth = guarded(case.made, case.pair.rule)
        found[truth].append(label == truth)
    return {f"guard: {label} response called {label}": share(rows) for label, rows in found.items()}


def labels(model: Checkpoint, cases: list[Case]) -> list[str]:
    """What the guard says of each conversation."""
    questions = [Question(None, pair.text, shown, said=made.text) for pair, made, shown in cases]
    return model.ask(questions, most=4)
