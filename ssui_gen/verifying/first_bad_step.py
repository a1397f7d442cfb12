"""A way of F that asks a model where a branch first goes wrong: polarity by steps, not by the end alone.

At level `outcome` a branch is good if nothing in it is wrong. At level `step` it is good if its first step is
right, whatever comes after: then the step is what a pair teaches, as in Step-DPO (arXiv 2406.18629). Steps
before the cut are the reference's and not in question.
"""

from __future__ import annotations

from dataclasses import dataclass

from ssui_gen.branches import Judgement
from ssui_gen.config import Verify
from ssui_gen.records import STEP_NAMES
from ssui_gen.verifying.choosing import Asked, choose, weighed
from ssui_gen.verifying.verify import Case

NONE, ANSWER = "none", "answer"


@dataclass(frozen=True)
class FirstBadStep:
    """The verifier; one for a run."""

    asked: Asked
    settings: Verify

    async def __call__(self, case: Case) -> Judgement:
        """Raises what a call raises."""
        options = places(case.cut)
        good = (NONE,) if self.settings.level == "outcome" else [o for o in options if o not in own(case.cut)]
        return weighed(await choose(self.asked, case, options, self.settings), good, self.settings)


def places(cut: int) -> tuple[str, ...]:
    """Where a branch from this cut can first go wrong, `none` first."""
    steps = (f"step {number}" for number in range(cut + 1, len(STEP_NAMES) + 1))
    return (NONE, *steps, ANSWER)


def own(cut: int) -> tuple[str, ...]:
    """The places that a pair from this cut teaches at level `step`; the last step goes with the answer."""
    last = cut + 1 == len(STEP_NAMES)
    return (f"step {cut + 1}", *((ANSWER,) if last else ()))
