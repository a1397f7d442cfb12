"""F's verdict of what a judge or a guard chose, and what it is shown of a branch."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ssui_gen.branches import Judgement, Polarity
from ssui_gen.config import Verify
from ssui_gen.judging.choosing import Chosen, distrust
from ssui_gen.judging.questions import Material
from ssui_gen.verifying.verify import Case


def shown(case: Case) -> Material:
    """Picture, question, danger, careful answer, and the whole response to the letter."""
    path = case.path
    return Material(
        pictures=path.images,
        text=path.query.text,
        danger=path.query.scenario if path.kind == "risky" else "",
        reference=path.answer,
        response=case.response,
    )


def weighed(chosen: Chosen, good: Collection[str], settings: Verify) -> Judgement:
    """The verdict: good if the `good` options together are probable enough, and the answer can be trusted."""
    rest: dict[str, Any] = {"by": chosen.raw, "made_by": chosen.calls}
    if chosen.shares is None:
        polarity, detail = _by_word(chosen, good)
        return Judgement(polarity=polarity, detail=detail, **rest)
    probability = min(1.0, sum(chosen.shares[option] for option in good))
    if why := _doubt(chosen, probability, settings):
        return Judgement(polarity="unverified", probability=probability, detail=why, **rest)
    sure = probability >= settings.threshold
    return Judgement(polarity="good" if sure else "bad", probability=probability, **rest)


def _doubt(chosen: Chosen, probability: float, settings: Verify) -> str:
    """Why the good options' probability cannot be trusted; empty when it can."""
    if found := distrust(chosen, settings):
        return found.detail
    return "undecided" if abs(probability - settings.threshold) < settings.doubt else ""


def _by_word(chosen: Chosen, good: Collection[str]) -> tuple[Polarity, str]:
    """Without log-probabilities: what both orders say."""
    picked = chosen.picked
    if chosen.heard and len({*picked}) == 1:
        return ("good" if picked[0] in good else "bad"), "no log-probabilities"
    return "unverified", f"no log-probabilities, and the orders say {', '.join(map(repr, picked))}"
