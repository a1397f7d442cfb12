"""A way of F that asks a model where a branch first goes wrong: polarity by steps, not by the end alone.

At level `outcome` a branch is good if nothing in it is wrong. At level `step` it is good if its first step is
right, whatever comes after: then the step is what a pair teaches, as in Step-DPO (arXiv 2406.18629). Steps
before the cut are the reference's and not in question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from ssui_gen.branches import Judgement, Place
from ssui_gen.config import Verify, WayName
from ssui_gen.judging.choosing import JudgeModel, choose
from ssui_gen.judging.questions import ANSWER, NONE, QUESTIONS, places
from ssui_gen.records import STEP_NAMES
from ssui_gen.verifying.verify import Case
from ssui_gen.verifying.weighing import shown, weighed

FIRST_BAD = QUESTIONS["first_bad"]
NAME: WayName = "first_bad_step"
"""Of this way of F."""
PLACES: Mapping[str, Place] = {place: place for place in get_args(Place)}
CLEAR = 0.5
"""Share of the probability that a place must hold to be where the error is."""


@dataclass(frozen=True)
class FirstBadStep:
    """The verifier; one for a run."""

    asked: JudgeModel
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


def place_in(judgement: Judgement) -> Place | None:
    """Where F says that a branch first goes wrong; None where it has no such way, or that one was not asked,
    or is not sure.
    """
    finding = judgement.by.get(NAME, {})
    return place_of(finding) if finding.get("polarity") == "bad" else None


def place_of(finding: Mapping[str, Any]) -> Place | None:
    """The place that holds most of the probability of a finding; without probabilities the one that every
    order names.
    """
    if shares := finding.get("shares"):
        most = max(shares, key=shares.__getitem__)
        return PLACES.get(most) if shares[most] >= CLEAR else None
    picked = set(finding.get("picked", ()))
    return PLACES.get(picked.pop()) if len(picked) == 1 else None
