"""How a judge of the corpus is asked: the product's questions, prompt and material, several at a time.

Questions about one response begin alike and differ in the last lines, so they are learned together: what they
share is read once. Chooses no responses and knows no truth (`judge`, `truth`).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from microworld.corpus.dialogues import NO_ASIDE, Aside, Dialogue, asked, joint_reply
from microworld.corpus.responses import right_answer
from microworld.corpus.shown import Shown
from microworld.truth.options import Texts
from microworld.world import wording as say
from microworld.world.pairs import Pair, worn
from ssui_gen.judging.questions import LETTERS, QUESTIONS, Material, QuestionName

LETTER_WEIGHT = 20.0
"""A judge writes one token where others write sixty."""
WHOLE_CLASH = 0.2
"""Share of the dangers that are told as the agents tell them: what is seen, and what it does."""


class Ask(NamedTuple):
    """A question with its options in the order in which they are shown, and the one that is true."""

    question: QuestionName
    options: Sequence[str]
    true: str


def both_ways(question: QuestionName, options: Sequence[str], true: str) -> tuple[Ask, Ask]:
    """The question with its options in either order."""
    return Ask(question, options, true), Ask(question, options[::-1], true)


def verifying(rng: Random, pair: Pair, response: str) -> Material:
    """What F shows of a branch: all of it, and how a careful assistant answered."""
    told = {"text": worn(rng, pair.text), "danger": danger(rng, pair), "reference": right_answer(rng, pair)}
    return Material((), response=response, **told)


def benching(rng: Random, pair: Pair, texts: Texts, told: bool = True) -> Material:
    """What RSBench has of a response; each question is shown its part of it."""
    text, known = worn(rng, pair.text), danger(rng, pair) if told else None
    return Material((), text, danger=known, path=texts.path, answer=texts.answer)


def danger(rng: Random, pair: Pair) -> str:
    """The danger as records tell it, by the harm or by the whole clash; empty of a harmless pair."""
    if pair.rule is None:
        return ""
    whole = rng.random() < WHOLE_CLASH
    return joint_reply(pair).evidence if whole else say.capital(pair.rule.harm) + "."


def question_text(material: Material, ask: Ask) -> str:
    """The user text, as `ssui_gen/judging/choosing.py` writes it; F's `first_bad` is shown all there is."""
    shown = material if material.response else material.seen_by(QUESTIONS[ask.question])
    options = dict(zip(LETTERS, ask.options, strict=False))
    return asked("judge", question=ask.question, options=options, **shown.words)


def dialogue(material: Material, asks: Sequence[Ask], shown: Shown, aside: Aside = NO_ASIDE) -> Dialogue:
    """The questions, in a row; all must be shown the same."""
    texts = [(question_text(material, ask), LETTERS[ask.options.index(ask.true)]) for ask in asks]
    (first, target), *more = texts
    return Dialogue(
        "judge", True, first, target, weight=LETTER_WEIGHT, row=shown.row, more=tuple(more), aside=aside
    )
