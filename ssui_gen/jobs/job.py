"""The frame of every stage that calls models: models probed, calls journaled and steered, drained on request.

A stage says what there is to do and how one item is worked on; everything around that is here, so that
resuming, killing, pausing and counting are the same everywhere.
"""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from ssui_gen.calling.asking import Sample
from ssui_gen.calling.calls import Caller, Sending, Tally
from ssui_gen.calling.gate import Gate
from ssui_gen.calling.journal import CALLS, Journal
from ssui_gen.calling.probe import lacking, probe, require, told
from ssui_gen.calling.several import require_several
from ssui_gen.completions import Features
from ssui_gen.config import Config
from ssui_gen.config_spending import Prices
from ssui_gen.demo import are_drawn
from ssui_gen.errors import ConfigError
from ssui_gen.jobs.ctl import controlled
from ssui_gen.jobs.expecting import Expecting
from ssui_gen.jobs.obeying import obeying
from ssui_gen.jobs.part import Witness
from ssui_gen.jobs.progress import Funnel, Progressing, saying, shown
from ssui_gen.jobs.runner import Stop, run_all
from ssui_gen.jobs.served import Served, plays_embedded, served
from ssui_gen.jobs.spending import HOUR, NOTHING, Before, Purse, Reached
from ssui_gen.jobs.steer import steered
from ssui_gen.manifest import was_toy
from ssui_gen.serving.embedded import EMBEDDED, reads

STOPPING = "Stopping: what is in flight will be finished; the same signal again gives it up."
NO_TOY = (
    "{media}: these are no drawn scenes, and the embedded micro VLM knows nothing else: name a model "
    "(MODEL=... or BASE_URL=...), or let it play to see how things work: TOY=1 (--toy)"
)
TOO_MANY = (
    "models.{role}: {name} was taught {taught} picture(s) at a time, and {most} are shown together here: the "
    "micro VLMs that read two are those of CONFIG=microworld/two.yaml (--config); or name a model (MODEL=... "
    "or BASE_URL=...); or let it play all the same: TOY=1 (--toy)"
)
ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    progress: Progressing
    interrupted: bool
    """Whether something is left to do, since a person or a limit stopped it."""
    limit: Reached | None = None
    """What stopped it, if it was a limit."""


@dataclass
class Job:
    """The models of a job and what its calls go through."""

    run: Path
    config: Config
    models: Served
    journal: Journal
    gate: Gate
    tally: Tally = field(default_factory=Tally)
    features: dict[str, Features] = field(default_factory=dict)
    callers: dict[str, Caller] = field(default_factory=dict)
    """By role."""
    began: float = field(default_factory=time.monotonic)
    before: Before = NOTHING
    """What the run had spent by then, where that is limited."""
    witness: Witness | None = None
    """Where it is a part of a larger one."""
    lets: bool = False
    """Whether a person lets the embedded micro VLM play whatever it is shown."""

    @property
    def hours(self) -> float:
        """Since it began."""
        return (time.monotonic() - self.began) / HOUR

    @property
    def prices(self) -> dict[str, Prices]:
        """By the served model's name."""
        return {name: self.config.prices(role) for role, name in self.models.names.items()}

    @property
    def toy(self) -> bool:
        """Whether a model of the embedded server plays any role."""
        names = self.models.names
        return any(name in EMBEDDED for name in names.values()) or plays_embedded(self.config, names)

    async def probe(
        self,
        sample: Sample | None,
        needed: Mapping[str, Iterable[str]],
        wanted: Iterable[str],
        say: Callable[[str], None],
        formats: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Ask each model what it can do, in each of the `formats` that its replies will be held to; raises
        ConfigError for one that lacks what its role needs.
        """
        for role, client in self.models.players.items():
            dialect = self.config.dialect(role)
            name = self.models.names[role]
            if any("sees_pictures" in needed.get(other, ()) for other in self._played_by(client)):
                self._require_taught(name, sample.most if sample else 1, role)
            found = await probe(client, name, sample, dialect, formats)
            if sample and sample.most > 1 and found.sees_pictures is not False:
                await require_several(client, name, sample, dialect, found.terms, role)
            ours = name in EMBEDDED  # nobody could bring it what it lacks
            for line in (*told(found, ours), "" if ours else lacking(found, wanted)):
                if line:
                    say(f"{role}: {line}")
            sending = Sending.to(found, dialect)
            for other in self._played_by(client):
                require(found, needed.get(other, ()), other)
                self.features[other] = found
                prices = self.config.prices(other)
                self.callers[other] = Caller(client, self.journal, self.gate, self.tally, sending, prices)

    def _require_taught(self, name: str, most: int, role: str) -> None:
        """Raises ConfigError for a micro VLM that was taught fewer pictures together than it is shown."""
        taught = reads(name)
        if taught is not None and most > taught and not self.lets:
            raise ConfigError(TOO_MANY.format(role=role, name=name, most=most, taught=taught))

    def _played_by(self, client: Any) -> list[str]:
        return [role for role, other in self.models.clients.items() if other is client]


@asynccontextmanager
async def opened(
    run: Path,
    config: Config,
    roles: Iterable[str],
    media: Path,
    console: Console,
    toy: bool,
    witness: Witness | None = None,
) -> AsyncIterator[Job]:
    """The models that play `roles` and the run's journal; servers that are started may read `media`.

    Raises ConfigError where the embedded micro VLM would look at other pictures than drawn scenes, unless
    `toy` allows it, or did when the run began.
    """
    roles, lets = list(roles), toy
    toy = toy or was_toy(run, media)
    if not toy and plays_embedded(config, roles) and not are_drawn(media):
        raise ConfigError(NO_TOY.format(media=media))
    async with AsyncExitStack() as open_:
        models = await open_.enter_async_context(served(config, run, roles, media, saying(console)))
        journal = open_.enter_context(closing(Journal(run / CALLS, witness.call if witness else None)))
        job = Job(
            run, config, models, journal, Gate(config.limits.calls_in_flight), witness=witness, lets=lets
        )
        if config.limits.counted:
            job.before = Before.of(journal.spent(), job.prices)
        yield job


def _at_once(_: object) -> AbstractAsyncContextManager[bool]:
    return nullcontext(True)


async def carry_out(
    job: Job,
    items: Iterable[ItemT],
    work: Callable[[ItemT], Awaitable[None]],
    *,
    funnel: Funnel,
    left: int,
    console: Console,
    admitted: Callable[[ItemT], AbstractAsyncContextManager[bool]] = _at_once,
    release: Callable[[], object] = lambda: None,
) -> Outcome:
    """Work on `items`, `left` in number, with progress, steering and `ssui ctl`; drain on a signal, or where
    a limit is reached. Whether an item begins at all may have to wait in `admitted`; `release` then lets go
    whoever waits there, who has taken nothing yet and is not under way.
    """
    stop = Stop(lambda: console.print(STOPPING, soft_wrap=True))
    stop.releases.append(release)
    expecting = Expecting(left, lambda: job.tally.answers)
    limits = job.config.limits
    purse = Purse(limits, job.before, job.tally, expecting, job.hours)

    async def begun(item: ItemT) -> None:
        async with admitted(item) as begins:
            if begins:
                await measured(item)

    async def measured(item: ItemT) -> None:
        if limits.spends and not await purse.admits() and not stop.asked:
            saying(console)(f"{purse.empty}: what is in flight will be finished.")
            stop.drain()
        if not stop.asked:
            with expecting.unit():
                await work(item)
            await purse.ended()

    async with AsyncExitStack() as open_:
        steering = await open_.enter_async_context(steered(job.gate, job.models.players.values(), limits))
        progress = Progressing(funnel, job.tally, left, steering, expecting)
        await open_.enter_async_context(controlled(job.run, progress, console.print))
        await open_.enter_async_context(obeying(job.witness, progress, stop, saying(console)))
        stop.notices.append(job.gate.resume)  # what is in flight cannot end behind a closed gate
        gc.freeze()  # else a sixth of the CPU goes into looking through every import for LangGraph's cycles
        open_.callback(gc.unfreeze)
        await open_.enter_async_context(shown(progress, console))
        with stop.on_signals():
            await run_all(items, begun, in_flight=limits.seeds_in_flight, stop=stop)
    return Outcome(progress, interrupted=stop.asked, limit=purse.empty)
