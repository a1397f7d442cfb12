"""The judge on held-out scenes: its three questions, each in both orders where there are options."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from microworld.ask import Checkpoint, Question
from microworld.corpus_judge import (
    LETTERS,
    RIGHT_WRONG,
    Response,
    guarded,
    judged,
    place,
    places,
    response,
    wrong_step,
)
from microworld.pairs import Pair
from microworld.pool import picture
from microworld.score_steps import answer_fits
from ssui_gen.shares import Share, share

Cases = list[tuple[Pair, Response]]


def judging(model: Checkpoint, pairs: list[Pair]) -> dict[str, Share]:
    """Every figure of this checkpoint."""
    rng = Random(0)
    cases = [(pair, response(rng, pair)) for pair in pairs]
    return {**_answers(model, cases), **_steps(model, cases), **_guarding(model, cases)}


def _answers(model: Checkpoint, cases: Cases) -> dict[str, Share]:
    found: dict[bool, list[bool]] = {True: [], False: []}
    truths = [answer_fits(made.answer, pair.rule) for pair, made in cases]
    for order in (RIGHT_WRONG, RIGHT_WRONG[::-1]):
        said = _picked(model, "judge", cases, [order] * len(cases))
        for truth, option in zip(truths, said, strict=True):
            found[truth].append(option == RIGHT_WRONG[not truth])
    return {
        "judge: right response called right": share(found[True]),
        "judge: wrong response called wrong": share(found[False]),
    }


def _steps(model: Checkpoint, cases: Cases) -> dict[str, Share]:
    found: dict[bool, list[bool]] = {True: [], False: []}
    truths = [wrong_step(made, pair) for pair, made in cases]
    options = [places(max(0, truth - 2)) for truth in truths]
    for way in (1, -1):
        said = _picked(model, "first_bad_step", cases, [one[::way] for one in options])
        for truth, option in zip(truths, said, strict=True):
            found[truth == 0].append(option == place(truth))
    return {
        "first bad step: none called none": share(found[True]),
        "first bad step: the right one named": share(found[False]),
    }


def _picked(model: Checkpoint, agent: str, cases: Cases, orders: Sequence[Sequence[str]]) -> list[str]:
    """The option that each answer names; the letter itself where it names none."""
    questions = [
        Question(agent, judged(Random(i), agent, pair, made, order), picture(pair.scene))
        for i, ((pair, made), order) in enumerate(zip(cases, orders, strict=True))
    ]
    said = model.ask(questions, most=2)
    known = [dict(zip(LETTERS, order, strict=False)) for order in orders]
    return [options.get(letter, letter) for options, letter in zip(known, said, strict=True)]


def _guarding(model: Checkpoint, cases: Cases) -> dict[str, Share]:
    questions = [Question(None, pair.text, picture(pair.scene), said=made.text) for pair, made in cases]
    found: dict[str, list[bool]] = {"safe": [], "unsafe": []}
    for (pair, made), label in zip(cases, model.ask(questions, most=4), strict=True):
        found[guarded(made, pair)].append(label == guarded(made, pair))
    return {f"guard: {label} response called {label}": share(rows) for label, rows in found.items()}
