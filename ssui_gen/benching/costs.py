"""What a bench cost: calls, tokens and seconds of the model and of its judge. Pure sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any

from ssui_gen.benching.records import Response
from ssui_gen.calling.journal import Seen
from ssui_gen.completions import Completion

TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens")
Find = Callable[[Iterable[str]], Iterable[Completion]]
"""Of calls, by id, those that the journal has, one after another."""


def cost(responses: Sequence[Response], judged: Seen, find: Find) -> dict[str, Any]:
    """`judged` are the calls that the judge's rows name. A call that several rows name counts once; `found`
    says how many of the calls the sums are of, and without a journal the responses' own usage counts.
    """
    with closing(Seen()) as asked:
        for call in (call for row in responses for call in row.made_by):
            asked.add(call)
        model = _sum(asked, find)
    if not model["found"]:
        used = Counter[str]()
        for row in responses:
            used.update({name: row.usage.get(name) or 0 for name in TOKENS})
        model |= dict(used) | {"calls": model["calls"] or len(responses)}
    return {"model": model, "judge": _sum(judged, find)}


def _sum(ids: Seen, find: Find) -> dict[str, Any]:
    found: Counter[str] = Counter(dict.fromkeys(("found", *TOKENS), 0))
    seconds: float = 0
    for call in find(ids):
        found["found"] += 1
        found.update({name: getattr(call.usage, name) or 0 for name in TOKENS})
        seconds += call.seconds
    return {"calls": len(ids), **found, "seconds": round(seconds, 3)}
