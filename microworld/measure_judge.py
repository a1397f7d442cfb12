"""The judge on held-out scenes: its three questions, each in both orders where there are options, about
responses written as asked and in other forms; and whether it looks (measure_looking).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from PIL import Image

from microworld.ask import Checkpoint, Question
from microworld.corpus_judge import (
    LETTERS,
    RIGHT_WRONG,
    fits,
    guarded,
    judged,
    place,
    places,
    wrong_step,
)
from microworld.pairs import Pair
from microworld.pool import picture
from microworld.responses import (
    Response,
    readable,
    response,
    untidy,
)
from ssui_gen.shares import Share, share


class Case(NamedTuple):
    """A response to a pair, and the picture with which it is shown."""

    pair: Pair
    made: Response
    picture: Image.Image


def judging(model: Checkpoint, pairs: list[Pair]) -> dict[str, Share]:
    """The figures of this checkpoint, but for those of looking."""
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
    for said in in_both_orders(model, "judge", cases, [RIGHT_WRONG] * len(cases)):
        for truth, option in zip(truths, said, strict=True):
            found[truth].append(option == RIGHT_WRONG[not truth])
    return {
        "judge: right response called right": share(found[True]),
        "judge: wrong response called wrong": share(found[False]),
    }


def _steps(model: Checkpoint, cases: list[Case]) -> dict[str, Share]:
    found: dict[bool, list[bool]] = {True: [], False: []}
    truths = [wrong_step(case.made, case.pair) for case in cases]
    options = [places(max(0, truth - 2)) for truth in truths]
    for said in in_both_orders(model, "first_bad_step", cases, options):
        for truth, option in zip(truths, said, strict=True):
            found[truth == 0].append(option == place(truth))
    return {
        "first bad step: none called none": share(found[True]),
        "first bad step: the right one named": share(found[False]),
    }


def in_both_orders(
    model: Checkpoint, agent: str, cases: list[Case], options: Sequence[Sequence[str]]
) -> tuple[list[str], list[str]]:
    """What is picked of each case's options, as they are and reversed."""
    one, other = (_picked(model, agent, cases, [these[::way] for these in options]) for way in (1, -1))
    return one, other


def _picked(model: Checkpoint, agent: str, cases: list[Case], orders: Sequence[Sequence[str]]) -> list[str]:
    """The option that each answer names; the letter itself where it names none."""
    questions = [
        Question(agent, judged(Random(i), agent, pair, made.text, order), shown)
        for i, ((pair, made, shown), order) in enumerate(zip(cases, orders, strict=True))
    ]
    said = model.ask(questions, most=2)
    known = [dict(zip(LETTERS, order, strict=False)) for order in orders]
    return [options.get(letter, letter) for options, letter in zip(known, said, strict=True)]


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
