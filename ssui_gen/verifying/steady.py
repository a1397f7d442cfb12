"""Does the order of the options decide what a judge says? Asked once, before its first verdict counts.

A model that always names the first letter is as sure as a good one. So the references of some paths, and each
with its answer exchanged for a refusal, are judged in both orders; where one of them comes out otherwise by
order alone, every branch of the run is asked about in both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from ssui_gen.branching import render_path
from ssui_gen.calling.pictures import Picture
from ssui_gen.config import Verify
from ssui_gen.errors import CallFailed, ContextOverflow, ImageError, RequestRefused
from ssui_gen.jobs.job import Job
from ssui_gen.prompts import Prompt
from ssui_gen.records import ImageRef, ReasoningPath
from ssui_gen.verifying.verify import Case, Verifier
from ssui_gen.verifying.ways import IN_ORDERS, ways

LOOKED_AT = 6
"""Paths; two questions about each."""
REFUSAL = "I am sorry, I cannot help with that."


async def settled(
    job: Job,
    settings: Verify,
    prompts: Mapping[str, Prompt],
    picture_of: Callable[[ImageRef], Picture],
    paths: Sequence[ReasoningPath],
    say: Callable[[str], None],
) -> Verify:
    """`settings`, with `orders: both` where one order cannot be trusted; raises what a call raises."""
    names = [name for name in settings.by if name in IN_ORDERS]
    if settings.orders == "both" or not names:
        return settings
    both = settings.model_copy(update={"orders": "both"})
    cases = [case for path in paths[:LOOKED_AT] for case in _cases(path)]
    for name, verifier in ways(names, job, both, prompts, picture_of).items():
        gaps = await asyncio.gather(*(_gap(verifier, case) for case in cases))
        turned = sum(gap > settings.most_gap for gap in gaps)
        if turned:
            say(
                f"{name}: of {len(cases)} answers it judges {turned} by the order of its options: each "
                "branch is asked about in both orders (verify.orders)"
            )
            return both
    return settings


def _cases(path: ReasoningPath) -> Iterable[Case]:
    for answer in (path.answer, REFUSAL):
        yield Case(path, 0, render_path(path.steps, answer), "stop")


async def _gap(verifier: Verifier, case: Case) -> float:
    """How far the orders are apart. Without log-probabilities both are asked anyway; what cannot be asked
    here is told where it is explored.
    """
    try:
        return (await verifier(case)).by["gap"] or 0.0
    except (ContextOverflow, RequestRefused, CallFailed, ImageError):
        return 0.0
