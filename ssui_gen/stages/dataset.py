"""seeds → reasoning_paths.jsonl and rejects.jsonl, over the agents' graph. Resumes where it stopped.

Done means that the row is on disk: what is left to do is read off the output files at the start. A call
that was made but whose row was not written is answered from the journal.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console

from ssui_gen import graph
from ssui_gen.agent import Agent, Picture
from ssui_gen.calls import Caller, Sending, Tally
from ssui_gen.completions import Features
from ssui_gen.ctl import controlled
from ssui_gen.demo import draw_seeds
from ssui_gen.errors import ImageError
from ssui_gen.gate import Gate
from ssui_gen.images import data_url, file_url, inspect, picture_part
from ssui_gen.journal import Journal, Seen
from ssui_gen.jsonl import Appender, read, validate
from ssui_gen.plan import AGENTS, Plan
from ssui_gen.probe import Sample, lacking, probe, require
from ssui_gen.progress import Funnel, Progressing, saying, shown
from ssui_gen.records import (
    KINDS,
    REPLIES,
    ImageRef,
    Kind,
    Reason,
    ReasoningPath,
    Record,
    Reject,
    Seed,
    row_id,
)
from ssui_gen.rundir import RunDir
from ssui_gen.runner import Stop, run_all
from ssui_gen.seeds import read_seeds, root_of
from ssui_gen.served import Served, served
from ssui_gen.state import Crew, Item
from ssui_gen.steer import steered

PATHS = "reasoning_paths.jsonl"
REJECTS = "rejects.jsonl"
CALLS = "calls.sqlite"
NEEDED = ("sees_pictures",)
WANTED = ("json_schema", "logprobs", "file_urls", "uuid", "priority")
SAMPLED = 20
"""Seeds that are looked through for a picture to ask the models about."""
STOPPING = "Stopping: what is in flight will be finished; the same signal again gives it up."


@dataclass(frozen=True)
class Outcome:
    """How a dataset job ended."""

    progress: Progressing
    interrupted: bool


async def make_dataset(plan: Plan, console: Console) -> Outcome:
    """Do what is left of `plan`.

    Raises RunLocked, ConfigError and ServerError before the first call; AccessDenied, ServerGone and
    RecordError (the disk is full) after all that was finished has been written.
    """
    stop = Stop(lambda: console.print(STOPPING, soft_wrap=True))
    async with AsyncExitStack() as open_:
        folder = open_.enter_context(RunDir(plan.run))
        seeds = plan.seeds if plan.seeds else await asyncio.to_thread(draw_seeds, plan.run / "seeds")
        roles = [plan.cards[name].model for name in AGENTS]
        media = root_of(seeds, plan.run)
        models = await open_.enter_async_context(served(plan.config, plan.run, roles, media, saying(console)))
        stage = _Stage(plan, seeds, models, open_)
        await stage.probe(console)
        folder.open_edition(
            plan.edition(models.names),
            rows=stage.funnel.kept.total(),
            mix=plan.mix,
            settings=plan.config.model_dump(mode="json"),
            features={role: found.model_dump() for role, found in stage.features.items()},
            sources=plan.sources,
        )
        steering = await open_.enter_async_context(
            steered(stage.gate, models.players.values(), plan.config.limits)
        )
        progress = Progressing(stage.funnel, stage.tally, stage.count_left(), steering)
        await open_.enter_async_context(controlled(plan.run, progress, console.print))
        stop.notices.append(stage.gate.resume)  # what is in flight cannot end behind a closed gate
        gc.freeze()  # else a sixth of the CPU goes into looking through every import for LangGraph's cycles
        open_.callback(gc.unfreeze)
        async with shown(progress, console):
            with stop.on_signals():
                await run_all(
                    stage.todo(), stage.work, in_flight=plan.config.limits.seeds_in_flight, stop=stop
                )
        return Outcome(progress, interrupted=stop.asked)


class _Stage:
    """The open files of a run and the work on one seed."""

    def __init__(self, plan: Plan, seeds: Path, models: Served, open_: AsyncExitStack) -> None:
        self.plan, self.seeds, self.models = plan, seeds, models
        self.root = root_of(seeds, plan.run)
        self.funnel, self.tally = Funnel(), Tally()
        self.done = open_.enter_context(closing(Seen()))
        self.paths = open_.enter_context(closing(Appender(plan.run / PATHS)))
        self.rejects = open_.enter_context(closing(Appender(plan.run / REJECTS)))
        self._count_done()
        self.journal = open_.enter_context(closing(Journal(plan.run / CALLS)))
        self.gate = Gate(plan.config.limits.calls_in_flight)
        self.callers = {r: Caller(c, self.journal, self.gate, self.tally) for r, c in models.clients.items()}
        self.agents = {name: self._agent(name) for name in AGENTS}
        self.features: dict[str, Features] = {}
        self.part = lru_cache(maxsize=plan.config.limits.seeds_in_flight)(self._part)

    async def probe(self, console: Console) -> None:
        """Ask each model what it can do, with a picture of this run; raises ConfigError for a blind one."""
        sample = self._sample()
        for role, client in self.models.players.items():
            found = await probe(client, self.models.names[role], sample)
            require(found, NEEDED, role)
            if lost := lacking(found, WANTED):
                saying(console)(f"{role}: {lost}")
            self.features[role] = found
            for other, caller in self.callers.items():
                if self.models.clients[other] is client:
                    caller.sending = Sending(bool(found.file_urls), found.uuid, found.priority)

    def _sample(self) -> Sample | None:
        """The first picture of the seeds that can be used; read here, once, before any call is under way."""
        limits = self.plan.config.images
        for seed in islice(self.todo(), SAMPLED):
            with suppress(ImageError):
                if isinstance(seed, Seed):
                    ref = inspect(self.root, seed.image, limits)
                    return Sample(data_url(self.root, ref, limits), file_url(self.root, ref, limits))
        return None

    def _agent(self, name: str) -> Agent[Record]:
        card = self.plan.cards[name]
        return Agent(
            name=name,
            card=card,
            prompt=self.plan.prompts[card.prompt],
            model=self.models.names[card.model],
            reply=REPLIES[card.reply],
            caller=self.callers[card.model],
        )

    def _count_done(self) -> None:
        """Rows on disk are done, and nothing else is; raises RecordError for a row that cannot be read."""
        for line in read(self.plan.run / PATHS):
            path = validate(ReasoningPath, line)
            self._note(path.seed_id, path.kind)
            self.funnel.kept[path.kind] += 1
        for line in read(self.plan.run / REJECTS):
            reject = validate(Reject, line)
            self._note(reject.seed_id, reject.kind)
            self.funnel.dropped[reject.stage, reject.reason] += 1

    def _note(self, seed_id: str, kind: Kind | None) -> None:
        self.done.add(_done_key(seed_id, kind))

    def todo(self) -> Iterator[Seed | Reject]:
        """Seeds in their order, those without anything left to do passed over."""
        with closing(Seen()) as known:
            source = read_seeds(self.seeds, known.add, self.plan.run)
            yield from filter(self._is_left, islice(source, self.plan.limit))

    def count_left(self) -> int:
        """How many seeds `todo` will yield; reads the seeds once, pictures not."""
        return sum(1 for _ in self.todo())

    def _is_left(self, seed: Seed | Reject) -> bool:
        if isinstance(seed, Reject):
            return _done_key(seed.seed_id, None) not in self.done
        return bool(self._kinds_left(seed))

    def _kinds_left(self, seed: Seed) -> list[Kind]:
        if _done_key(seed.id, None) in self.done:
            return []
        kinds: tuple[Kind, ...] = KINDS if self.plan.config.twins else ("risky",)
        wanted = (seed.kind,) if seed.kind else kinds
        return [kind for kind in wanted if _done_key(seed.id, kind) not in self.done]

    async def work(self, seed: Seed | Reject) -> None:
        """One seed: its picture, then one item for each kind that is left."""
        self.funnel.in_flight += 1
        try:
            rejected = seed if isinstance(seed, Reject) else await self._each_kind(seed)
            if rejected:
                self._write(rejected)
            self.funnel.fresh += 1
        finally:
            self.funnel.in_flight -= 1

    async def _each_kind(self, seed: Seed) -> Reject | None:
        """Write a row for each kind; returns a reject if the picture cannot be used at all."""
        try:
            ref = await asyncio.to_thread(inspect, self.root, seed.image, self.plan.config.images)
        except ImageError as error:
            return Reject(
                seed_id=seed.id, kind=None, stage="image", reason=Reason(error.reason), detail=str(error)
            )
        async with asyncio.TaskGroup() as kinds:
            for kind in self._kinds_left(seed):
                kinds.create_task(
                    self._one(_item(seed, kind, ref, seed.kind is None and self.plan.config.twins))
                )
        return None

    async def _one(self, item: Item) -> None:
        self._write(await graph.run(item, self._crew(item)))

    def _write(self, row: ReasoningPath | Reject) -> None:
        """To be called when all calls of the row are in the journal."""
        if isinstance(row, ReasoningPath):
            self.paths.write(row)
            self.funnel.kept[row.kind] += 1
        else:
            self.rejects.write(row)
            self.funnel.dropped[row.stage, row.reason] += 1

    def _crew(self, item: Item) -> Crew:
        side = self.plan.config.images.longest_side
        picture = Picture(item.image, side, lambda sending: self.part(item.image, sending))
        return Crew(**self.agents, picture=picture, rounds=self.plan.config.limits.reflection_rounds)  # type: ignore[arg-type]

    def _part(self, ref: ImageRef, sending: Sending) -> dict[str, Any]:
        limits, by_file, by_uuid = self.plan.config.images, sending.by_file, sending.by_uuid
        return picture_part(self.root, ref, limits, by_file=by_file, by_uuid=by_uuid)


def _done_key(seed_id: str, kind: Kind | None) -> str:
    return row_id(seed_id, kind or "")


def _item(seed: Seed, kind: Kind, ref: ImageRef, twins: bool) -> Item:
    other: Kind = "benign" if kind == "risky" else "risky"
    return Item(
        id=row_id(seed.id, kind),
        seed_id=seed.id,
        kind=kind,
        twin_of=row_id(seed.id, other) if twins else None,
        image=ref,
        text=seed.text,
    )
