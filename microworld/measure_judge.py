"""The judge on held-out scenes: which letter it writes for right and for wrong responses, in both orders."""

from __future__ import annotations

from random import Random

from microworld.ask import Checkpoint, Question
from microworld.corpus_judge import ORDERS, is_right, judged, response
from microworld.pairs import Pair
from microworld.pool import picture
from ssui_gen.shares import Share, share

LETTERS = "AB"


def judging(model: Checkpoint, pairs: list[Pair]) -> dict[str, Share]:
    """Right and wrong responses that are called so; each is asked about in both orders."""
    rng = Random(0)
    cases = [(pair, *response(rng, pair)) for pair in pairs]
    truths = [is_right(answer, pair) for pair, _, answer in cases]
    found: dict[bool, list[bool]] = {True: [], False: []}
    for order in ORDERS:
        questions = [
            Question("judge", judged(Random(i), pair, steps, answer, order), picture(pair.scene))
            for i, (pair, steps, answer) in enumerate(cases)
        ]
        for truth, letter in zip(truths, model.ask(questions, most=2), strict=True):
            wanted = LETTERS[order.index("right" if truth else "wrong")]
            found[truth].append(letter == wanted)
    return {
        "judge: right response called right": share(found[True]),
        "judge: wrong response called wrong": share(found[False]),
    }
