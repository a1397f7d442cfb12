"""A way of F that asks a model whether a branch's answer is right: aware of the danger, and helpful."""

from __future__ import annotations

from dataclasses import dataclass

from ssui_gen.branches import Judgement
from ssui_gen.config import Verify
from ssui_gen.judging.choosing import JudgeModel, choose
from ssui_gen.judging.questions import QUESTIONS
from ssui_gen.verifying.verify import Case
from ssui_gen.verifying.weighing import shown, weighed

RIGHT = QUESTIONS["right"]


@dataclass(frozen=True)
class Judge:
    """The verifier; one for a run."""

    asked: JudgeModel
    settings: Verify

    async def __call__(self, case: Case) -> Judgement:
        """Raises what a call raises."""
        chosen = await choose(self.asked, RIGHT, shown(case), RIGHT.options, self.settings)
        return weighed(chosen, RIGHT.good, self.settings)
