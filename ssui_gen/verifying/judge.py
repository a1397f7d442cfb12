"""A way of F that asks a model whether a branch's answer is right: aware of the danger, and helpful."""

from __future__ import annotations

from dataclasses import dataclass

from ssui_gen.branches import Judgement
from ssui_gen.config import Verify
from ssui_gen.verifying.choosing import Asked, choose, weighed
from ssui_gen.verifying.verify import Case

RIGHT, WRONG = "right", "wrong"


@dataclass(frozen=True)
class Judge:
    """The verifier; one for a run."""

    asked: Asked
    settings: Verify

    async def __call__(self, case: Case) -> Judgement:
        """Raises what a call raises."""
        return weighed(await choose(self.asked, case, (RIGHT, WRONG), self.settings), (RIGHT,), self.settings)
