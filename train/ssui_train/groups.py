"""What the branches of a cut are worth beside each other: the advantages of GRPO, offline. Pure.

The reward is what F says of a whole response: safe and helpful both, or not (its probability where it gives
one). A = (reward − mean) / deviation within the cut (arXiv 2402.03300, section 4.1.2), over draws: what was
said twice counts twice. Of a cut whose branches are worth the same nothing can be learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from ssui_gen.branches import Branch, Judgement

ALIKE = 1e-6
"""A deviation that is none."""


def reward(judgement: Judgement) -> float | None:
    """None where F is not sure, or was not asked."""
    if judgement.polarity == "unverified":
        return None
    return float(judgement.polarity == "good") if judgement.probability is None else judgement.probability


def judged(branches: Sequence[Branch]) -> list[Branch]:
    """Those that have a reward."""
    return [branch for branch in branches if reward(branch.judgement) is not None]


def weights(branches: Sequence[Branch]) -> list[float] | None:
    """Of each judged branch its advantage times its share of the draws; None where all are worth the same."""
    worth = [reward(branch.judgement) or 0.0 for branch in branches]
    shares = [branch.times / sum(other.times for other in branches) for branch in branches]
    mean = sum(share * one for share, one in zip(shares, worth, strict=True))
    deviation = sqrt(sum(share * (one - mean) ** 2 for share, one in zip(shares, worth, strict=True)))
    if deviation < ALIKE:
        return None
    return [share * (one - mean) / deviation for share, one in zip(shares, worth, strict=True)]
