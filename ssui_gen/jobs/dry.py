"""A dry run: a few units are really run, into the run's own journal, and a forecast of the others is told.

What was asked is not paid for again, as the run asks the same. No row is written. Covers neither which units
(`lots`) nor the reckoning (`forecast`).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from ssui_gen.calling.meter import Spent, unit
from ssui_gen.jobs.forecast import Forecast, Pace, Tried, foretold, reached
from ssui_gen.jobs.job import Job
from ssui_gen.jobs.progress import clock
from ssui_gen.jobs.runner import Stop, run_all

UnitT = TypeVar("UnitT")
NO_PRICE = (
    "not known: say it with --prices IN,OUT (US dollars for a million tokens), or by model in run.yaml: "
    "models: {vlm: {prices: {prompt: ..., completion: ...}}}"
)
NO_ACCOUNT = "not known: a server does not tell what its calls took (usage)"


class Todo(NamedTuple):
    """What is to be done."""

    name: str
    """Of units, in the plural."""
    units: int
    items: int
    """Of all units, each of which becomes a row or none."""
    rows: str = "rows"


async def tried(
    units: Sequence[UnitT], on: Callable[[UnitT], Awaitable[Iterable[str]]]
) -> tuple[list[Tried], Pace]:
    """Run `units` at the same time; `on` says what became of one's items. Raises what a call raises."""
    found: list[Tried] = []
    seen: set[str] = set()
    began = time.monotonic()

    async def work(one: UnitT) -> None:
        with unit(seen) as spent:
            became = tuple(await on(one))
        found.append(Tried(spent, became))

    await run_all(units, work, in_flight=max(1, len(units)), stop=Stop())
    seconds = time.monotonic() - began
    calls = sum(one.spent.calls for one in found)
    each = sum(one.spent.seconds for one in found) / calls if calls else 0.0
    return found, Pace(sum(one.spent.made for one in found), seconds, each)


def tell(job: Job, found: Sequence[Tried], pace: Pace, todo: Todo, say: Callable[[str], None]) -> Forecast:
    """The forecast of all that is to do but what was tried, said with a line for each figure."""
    spent = _together(found)
    say(
        f"Really asked about {len(found)} of them, drawn at random: {spent.calls:,} calls, {spent.made:,} of "
        "them new, all kept in the journal, so that the run does not pay for them again. No row was written."
    )
    left, items = todo.units - len(found), todo.items - sum(len(one.became) for one in found)
    ahead = foretold(found, left, items, pace, job.config.limits.calls_in_flight)
    say(
        f"Ahead, for the other {left:,} {todo.name} (95 % intervals, by Student's t from {len(found)} "
        f"{todo.name}: few, so they are wide):"
    )
    for name, value in _figures(job, ahead, todo.rows).items():
        say(f"  {name + ':':<21} {value}")
    for line in reached(ahead, job.config.limits, _before(job)):
        say(line)
    return ahead


def _together(found: Sequence[Tried]) -> Spent:
    return Spent(sum(one.spent.calls for one in found), sum(one.spent.made for one in found))


def _before(job: Job) -> Spent:
    """What the run has spent by now, where that is limited."""
    before, tally = job.before, job.tally
    return Spent(prompt_tokens=before.tokens + tally.tokens, usd=before.usd + tally.usd)


def _figures(job: Job, ahead: Forecast, name: str) -> dict[str, str]:
    priced = any(job.prices.values())
    told = (ahead.prompt_tokens.high > 0 or not ahead.calls.high) and not job.tally.uncounted
    return {
        "calls": ahead.calls.said(_whole),
        "prompt tokens": ahead.prompt_tokens.said(_whole) if told else NO_ACCOUNT,
        "completion tokens": ahead.completion_tokens.said(_whole) if told else NO_ACCOUNT,
        "US dollars": (ahead.usd.said("{:,.2f}".format) if told else NO_ACCOUNT) if priced else NO_PRICE,
        "time": _time(job, ahead),
        name: ahead.kept.said(_whole),
        **{f"  {label}": value.said(_whole) for label, value in ahead.rows.items()},
        "  any other": f"at most {_whole(ahead.rest)} each",
    }


def _time(job: Job, ahead: Forecast) -> str:
    if ahead.seconds is None:
        return "not known: all was answered from the journal, so nobody was timed"
    low, high = map(clock, ahead.seconds)
    places = job.config.limits.calls_in_flight
    return f"{low} – {high}: from {places} calls at once, each as quick as now, to no quicker than now"


def _whole(number: float) -> str:
    return f"{number:,.0f}"
