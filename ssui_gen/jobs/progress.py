"""What a person sees while a long job runs, and the account of it at the end.

A live panel on a terminal, one plain line every few seconds elsewhere. Counts only; decides nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from ssui_gen.calling.calls import Tally
from ssui_gen.jobs.expecting import Expecting
from ssui_gen.jobs.steer import Steering
from ssui_gen.records import Reason

PLAIN_LINE_SECONDS = 10.0
PANEL_SECONDS = 0.25
MANY_REFUSALS = 0.1
"""Share of items above which it is said what can be done about them."""
REFUSE_LESS = (
    "Another model for that agent (`model` in its card, `models` in run.yaml) or other words in prompts/ may "
    "be refused less; then try these again with --retry refused"
)


def saying(console: Console) -> Callable[[str], None]:
    """Prints plain words, paths among them, in one line however long."""
    return partial(console.print, markup=False, highlight=False, soft_wrap=True)


@dataclass
class Funnel:
    """Where items went, this process and earlier ones together."""

    kept: Counter[str] = field(default_factory=Counter)
    """Rows by kind."""
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rejects by stage and reason."""
    again: Counter[str] = field(default_factory=Counter)
    """Rejects of earlier processes that this one tries again, by reason."""
    in_flight: int = 0
    fresh: int = 0
    """Seeds finished by this process."""

    @property
    def total(self) -> int:
        return self.kept.total() + self.dropped.total()


@dataclass
class Progressing:
    """A job's counters, and how they are put into words."""

    funnel: Funnel
    tally: Tally
    seeds: int | None
    """How many seeds this process has to do; None when it cannot be known."""
    steering: Steering
    expecting: Expecting
    started: float = field(default_factory=time.monotonic)
    before: int = field(init=False)
    """Calls that were made by then: a second pass has a rate of its own."""

    def __post_init__(self) -> None:
        self.before = self.tally.calls

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def rate(self) -> float:
        """Calls a second."""
        return (self.tally.calls - self.before) / max(self.seconds, 1e-9)

    def facts(self) -> dict[str, Any]:
        """The counters that add up over the parts of a job."""
        gate, tally = self.steering.gate, self.tally
        return {
            "kept": self.funnel.kept.total(),
            "dropped": self.funnel.dropped.total(),
            "calls": tally.calls,
            "tokens": tally.tokens,
            "rate": round(self.rate, 2),
            "in_use": gate.in_use,
            "places": gate.places,
            "paused": gate.paused,
        }

    def line(self) -> str:
        """All counters in one line."""
        return (
            f"{self.funnel.kept.total()} done, {self.funnel.dropped.total()} rejected, "
            f"{self.funnel.in_flight} in flight | {self._pace()}, {self.rate:.1f} calls/s, "
            f"{self.tally.tokens:,} tokens"
            + (f", {self.tally.retries} retries" if self.tally.retries else "")
            + (f" | {self._eta()}" if self.seeds else "")
        )

    def _pace(self) -> str:
        gate = self.steering.gate
        return f"paused, {gate.places} at once" if gate.paused else f"{gate.places} at once"

    def _eta(self) -> str:
        left = self.expecting.seconds_left()
        return "ETA not yet known" if left is None else f"ETA {clock(left)}"


def clock(seconds: float) -> str:
    """As 1:02:03."""
    return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02}:{int(seconds % 60):02}"


@asynccontextmanager
async def shown(progress: Progressing, console: Console) -> AsyncIterator[None]:
    """Show `progress` until the block ends."""
    view = _panel if console.is_terminal else _lines
    task = asyncio.create_task(view(progress, console))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _lines(progress: Progressing, console: Console) -> None:
    while True:
        console.print(progress.line(), highlight=False, soft_wrap=True)
        await asyncio.sleep(PLAIN_LINE_SECONDS)


async def _panel(progress: Progressing, console: Console) -> None:
    bar = Progress(
        TextColumn("seeds"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
        console=console, auto_refresh=False,
    )  # fmt: skip
    task = bar.add_task("", total=progress.seeds)
    with Live(bar, console=console, auto_refresh=False, transient=True) as live:
        while True:
            bar.update(task, completed=progress.funnel.fresh, description=progress.line())
            live.refresh()
            await asyncio.sleep(PANEL_SECONDS)


def summary(progress: Progressing, title: str, item: Callable[[str], str] = str) -> Table:
    """The funnel with its reasons, and what it cost."""
    funnel, tally = progress.funnel, progress.tally
    table = Table("what", "number", title=escape(title), title_justify="left")
    table.columns[1].justify = "right"
    for kind, count in sorted(funnel.kept.items()):
        table.add_row(f"[green]{item(kind)} kept[/green]", f"{count:,}")
    for (stage, reason), count in funnel.dropped.most_common():
        table.add_row(f"[red]rejected[/red] at {stage}: {reason}", f"{count:,}")
    for reason, count in funnel.again.most_common():
        table.add_row(f"rejected before, tried again: {reason}", f"{count:,}")
    table.add_section()
    table.add_row("calls made / answered from the journal", f"{tally.calls:,} / {tally.replayed:,}")
    table.add_row("prompt tokens (of these cached)", f"{tally.prompt_tokens:,} ({tally.cached_tokens:,})")
    table.add_row("completion tokens", f"{tally.completion_tokens:,}")
    _pace_rows(table, progress.steering)
    table.add_row("seconds", f"{progress.seconds:,.1f}")
    return table


def account(progress: Progressing) -> dict[str, Any]:
    """The same for a script."""
    funnel, tally = progress.funnel, progress.tally
    dropped = [{"stage": at, "reason": why, "items": n} for (at, why), n in funnel.dropped.most_common()]
    return {
        "kept": dict(funnel.kept),
        "rejected": dropped,
        "tried_again": dict(funnel.again),
        **asdict(tally),
        "seconds": round(progress.seconds, 1),
    }


def refusals(funnel: Funnel) -> Iterator[str]:
    """Who refused how many of all items, in a line each; many are a sign that the model does not fit."""
    for (stage, reason), count in funnel.dropped.most_common():
        if reason != Reason.REFUSED:
            continue
        share = count / funnel.total
        line = f"{count:,} of {funnel.total:,} items refused by {stage} ({share:.0%})"
        yield f"{line}: what was said is in rejects.jsonl" + (
            f". {REFUSE_LESS}" if share > MANY_REFUSALS else ""
        )


def _pace_rows(table: Table, steering: Steering) -> None:
    """How the servers took the load."""
    if steering.cache_share is not None:
        table.add_row("prompt tokens the servers found in their prefix caches", f"{steering.cache_share:.1%}")
    least, most = steering.least, steering.most
    table.add_row("calls at once, at the end (least – most)", f"{steering.gate.places} ({least} – {most})")
    for trouble, count in steering.decreases.most_common():
        table.add_row(f"times there were fewer, as {trouble}", f"{count:,}")
