"""A way of F that asks a model where a branch first goes wrong: polarity by steps, not by the end alone.

At level `outcome` a branch is good if nothing in it is wrong. At level `step` it is good if its first step is
right, whatever comes after: then the step is what a pair teaches, as in Step-DPO (arXiv 2406.18629). Steps
before the cut are the reference's and not in question.
"""

from __future__ import annotations

from dataclasses import dataclass

from ssui_gen.branches import Judgement
from ssui_gen.config import Verify
from ssui_gen.judging.choosing import Asked, choose
from ssui_gen.judging.questions import ANSWER, NONE, QUESTIONS, places
from ssui_gen.records import STEP_NAMES
from ssui_gen.verifying.verify import Case
from ssui_gen.verifying.weighing import shown, weighed

FIRST_BAD = QUESTIONS["first_bad"]


@dataclass(frozen=True)
class FirstBadStep:
    """The verifier; one for a run."""

    asked: Asked
    settings: Verify

    async def __call__(self, case: Case) -> Judgement:
        """Raises what a call raises."""
        options = places(len(STEP_NAMES), after=case.cut)
        good = (NONE,) if self.settings.level == "outcome" else [o for o in options if o not in own(case.cut)]
        chosen = await choose(self.asked, FIRST_BAD, shown(case), options, self.settings)
        return weighed(chosen, good, self.settings)


def own(cut: int) -> tuple[str, ...]:
    """The places that a pair from this cut teaches at level `step`; the last step goes with the answer."""
    last = cut + 1 == len(STEP_NAMES)
    return (f"step {cut + 1}", *((ANSWER,) if last else ()))
