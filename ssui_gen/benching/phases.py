"""The phases of a benchmark's run, each drained and resumed by its rows: every item is answered, then every
response judged, then scored by the benchmark's own rules. One that is stopped is the last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, NamedTuple

from rich.console import Console

from ssui_gen.benching.entry import Entry
from ssui_gen.calling.gate import Gate
from ssui_gen.jobs.job import Job, Outcome, carry_out
from ssui_gen.jobs.progress import Funnel

CALLS_EACH = 4
"""Of a response that is judged, about so many are in flight at once."""
Left = tuple[Entry, Any, Any]
"""A model's part, an item or a response, and what of it has no row yet."""


class Phase(NamedTuple):
    """One of them."""

    left: Callable[[Entry], Iterator[tuple[Any, Any]]]
    work: Callable[[Entry, Any, Any, Funnel], Awaitable[None]]
    few: bool
    """Whether no more are worked on at once than fill the gate: so few that a prefix cache holds them all."""


PHASES = (
    Phase(Entry.unanswered, Entry.answer, few=False),
    Phase(Entry.unjudged, Entry.judge, few=True),
    Phase(Entry.unscored, Entry.score, few=True),
)


async def carried_out(job: Job, entries: Sequence[Entry], funnel: Funnel, console: Console) -> Outcome:
    """All phases that have anything left; how the last of these ended, and what all took."""
    first, *others = PHASES
    outcome = await _carried_out(job, first, entries, funnel, console)
    began = outcome.progress.started
    for phase in others:
        if not outcome.interrupted and any(True for _ in _left(phase, entries)):
            outcome = await _carried_out(job, phase, entries, funnel, console)
    outcome.progress.started = began
    return outcome


def _left(phase: Phase, entries: Sequence[Entry]) -> Iterator[Left]:
    return ((entry, *left) for entry in entries for left in phase.left(entry))


async def _carried_out(
    job: Job, phase: Phase, entries: Sequence[Entry], funnel: Funnel, console: Console
) -> Outcome:
    funnel.fresh, room = 0, Gate(job.gate.places)
    left = sum(1 for _ in _left(phase, entries))

    async def work(one: Left) -> None:
        entry, of, parts = one
        funnel.in_flight += 1
        try:
            await phase.work(entry, of, parts, funnel)
        finally:
            funnel.in_flight -= 1
            funnel.fresh += 1

    async def in_room(one: Left) -> None:
        room.resize(job.gate.places // CALLS_EACH)
        async with room.place(0):
            await work(one)

    chosen = in_room if phase.few else work
    return await carry_out(job, _left(phase, entries), chosen, funnel=funnel, left=left, console=console)
