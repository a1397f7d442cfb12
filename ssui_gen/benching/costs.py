"""What a bench cost: calls, tokens and seconds of the model and of its judge. Pure sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ssui_gen.benching.official.shape import Judged
from ssui_gen.benching.records import BenchJudgement, Response
from ssui_gen.completions import Completion

TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens")


def cost(
    responses: Sequence[Response],
    judgements: Sequence[BenchJudgement | Judged],
    calls: Mapping[str, Completion],
) -> dict[str, Any]:
    """`calls` are those that the journal has, by id. A call that several rows name counts once; `found` says
    how many of the calls the sums are of, and without a journal the responses' own usage counts.
    """
    asked = _ids(responses)
    model = _sum(asked, calls)
    if not model["found"]:
        used = Counter[str]()
        for row in responses:
            used.update({name: row.usage.get(name) or 0 for name in TOKENS})
        model |= dict(used) | {"calls": len(asked) or len(responses)}
    return {"model": model, "judge": _sum(_ids(judgements), calls)}


def _ids(rows: Iterable[Response | BenchJudgement | Judged]) -> set[str]:
    return {call for row in rows for call in row.made_by}


def _sum(ids: set[str], calls: Mapping[str, Completion]) -> dict[str, Any]:
    found = [calls[id] for id in ids if id in calls]
    return {
        "calls": len(ids),
        "found": len(found),
        "prompt_tokens": sum(call.usage.prompt_tokens for call in found),
        "cached_tokens": sum(call.usage.cached_tokens or 0 for call in found),
        "completion_tokens": sum(call.usage.completion_tokens for call in found),
        "seconds": round(sum(call.seconds for call in found), 3),
    }
