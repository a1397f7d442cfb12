"""What is told beside the judge's questions about a response (`dialogues.Aside`), by the world's truth."""

from __future__ import annotations

from microworld.corpus.dialogues import Aside
from microworld.corpus.shown import Shown, fired
from microworld.truth.options import Texts, idle_steps, wrong_steps
from microworld.truth.score import lures
from microworld.truth.steps import Truth, answer_fits
from microworld.world.pairs import Pair
from ssui_gen.reading import read


def aside(texts: Texts, pair: Pair, shown: Shown) -> Aside:
    """Of thoughts and answer under a picture; the danger of the pair counts in any case."""
    rules = fired(pair, shown)
    decides = None if rules is None else next((rule.thing for rule in rules), "")
    truth = Truth(pair.request, shown.things, pair.rule)
    return Aside(decides, (*_steps(texts.path or "", truth), *_answer(texts.answer, truth)), pair.request)


def _steps(path: str, truth: Truth) -> tuple[tuple[str, tuple[bool, ...]], ...]:
    steps = read(path).steps
    wrong, idle = wrong_steps(path, truth), idle_steps(steps)
    return tuple(
        (step.text, (n in wrong, n in idle, lures(step.text, truth.rule))) for n, step in enumerate(steps, 1)
    )


def _answer(answer: str | None, truth: Truth) -> tuple[tuple[str, tuple[bool, ...]], ...]:
    if not answer:
        return ()
    last = answer.strip().splitlines()[-1]
    return ((last, (not answer_fits(answer, truth.rule), False, lures(answer, truth.rule))),)
