"""A verifier that asks a model: it sees picture, question, reference and branch, and picks an option.

The probability is read off the option letters' log-probabilities, in both orders, averaged: a model that
prefers a letter cancels itself. Little mass on the letters, or orders that disagree, is `unverified`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ssui_gen.agent import Picture, placeholder
from ssui_gen.branches import Judgement
from ssui_gen.branching import one_line, render_path
from ssui_gen.calls import Caller, Request
from ssui_gen.completions import Choice
from ssui_gen.config import Verify
from ssui_gen.labels import option_probabilities
from ssui_gen.prompts import Prompt
from ssui_gen.verify import Case

OPTIONS = ("A", "B")
RIGHT, WRONG = "right", "wrong"
ORDERS = ((RIGHT, WRONG), (WRONG, RIGHT))
TOP_LOGPROBS = 20
DEPTH = 9
"""Deeper than any draw: what is drawn is judged before more is drawn."""


@dataclass(frozen=True)
class _Answer:
    """One order's answer: P(right) among the options, and the mass of both; None where not reported."""

    right: float | None
    mass: float | None
    picked: str
    call: str


@dataclass(frozen=True)
class Judge:
    """The verifier; one for a run."""

    caller: Caller
    model: str
    prompt: Prompt
    settings: Verify
    picture_of: Callable[[Case], Picture]

    async def __call__(self, case: Case) -> Judgement:
        """Raises what a call raises."""
        answers = await asyncio.gather(*(self._ask(case, order) for order in ORDERS))
        calls = tuple(answer.call for answer in answers)
        raw = {"judge": [[a.right, a.mass, a.picked] for a in answers]}
        return self._weighed(answers).model_copy(update={"by": raw, "made_by": calls})

    def _weighed(self, answers: list[_Answer]) -> Judgement:
        sides = [(a.right, a.mass) for a in answers if a.right is not None and a.mass is not None]
        if len(sides) < len(answers):
            return _by_word([answer.picked for answer in answers])
        right, mass = sum(side[0] for side in sides) / 2, min(side[1] for side in sides)
        gap = abs(sides[0][0] - sides[1][0])
        if mass < self.settings.least_mass:
            return Judgement(polarity="unverified", probability=right, detail=f"label mass {mass:.2f}")
        if gap > self.settings.most_gap:
            return Judgement(polarity="unverified", probability=right, detail=f"orders differ by {gap:.2f}")
        good = right >= self.settings.threshold
        return Judgement(polarity="good" if good else "bad", probability=right)

    async def _ask(self, case: Case, order: tuple[str, str]) -> _Answer:
        picture = self.picture_of(case)
        call, completion = await self.caller.call(self._request(case, picture, order))
        choice = completion.choices[0]
        found = option_probabilities(choice, OPTIONS)
        letter = OPTIONS[order.index(RIGHT)]
        if found is None:
            return _Answer(None, None, _picked(choice, order), call)
        shares, mass = found
        return _Answer(shares[letter], mass, _picked(choice, order), call)

    def _request(self, case: Case, picture: Picture, order: tuple[str, str]) -> Request:
        path = case.path
        system, user = self.prompt.render(
            text=path.query.text,
            scenario=path.query.scenario if path.kind == "risky" else "",
            reference=one_line(path.answer),
            response=render_path(case.steps, case.answer or ""),
            options=dict(zip(OPTIONS, order, strict=True)),
        )
        content: Any = [placeholder(picture), {"type": "text", "text": user}]
        body = {
            "model": self.model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": content}],
            "temperature": 0.0,
            "max_tokens": 1,
            "logprobs": True,
            "top_logprobs": TOP_LOGPROBS,
        }
        return Request("judge", body, picture.part, picture.ref.sha256, DEPTH)


def _picked(choice: Choice, order: tuple[str, str]) -> str:
    """`right` or `wrong`; the answer itself where it is no option."""
    letter = choice.text.strip()[:1]
    return order[OPTIONS.index(letter)] if letter in OPTIONS else choice.text


def _by_word(picked: list[str]) -> Judgement:
    """Without log-probabilities: what both orders say."""
    if set(picked) == {RIGHT}:
        return Judgement(polarity="good", detail="no log-probabilities")
    if set(picked) == {WRONG}:
        return Judgement(polarity="bad", detail="no log-probabilities")
    return Judgement(polarity="unverified", detail=f"no log-probabilities, and the orders say {picked}")
