"""seeds → reasoning_paths.jsonl and rejects.jsonl, over the agents' graph. Resumes where it stopped.

Done means that the row is on disk: what is left to do is read off the output files at the start. A call
that was made but whose row was not written is answered from the journal.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack, closing, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from ssui_gen import graph
from ssui_gen.agent import Agent
from ssui_gen.calling.asking import Sample
from ssui_gen.calling.journal import Seen
from ssui_gen.calling.pictures import Pictures
from ssui_gen.demo import DRAWN, FILE, draw_seeds
from ssui_gen.errors import ImageError, NothingMade
from ssui_gen.images import data_url, file_url, inspect
from ssui_gen.jobs.job import Job, Outcome, carry_out, opened
from ssui_gen.jobs.part import Part, told_of_rows
from ssui_gen.jobs.plan import AGENTS, Plan
from ssui_gen.jobs.progress import Funnel, saying
from ssui_gen.jobs.rejects import Rejects
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jsonl import Appender, read, validate
from ssui_gen.manifest import Seeds, seeds_of, source_of_seeds
from ssui_gen.records import (
    Kind,
    Reason,
    ReasoningPath,
    Record,
    Reject,
    Seed,
    row_id,
)
from ssui_gen.schemas import all_formats
from ssui_gen.seeds import kinds_of, passed_over, read_seeds, require_seeds, root_of
from ssui_gen.state import Crew, Item

PATHS = "reasoning_paths.jsonl"
REJECTS = "rejects.jsonl"
NEEDED = ("room",)
SEEING = ("sees_pictures", *NEEDED)
WANTED = ("samples", "json_schema", "logprobs", "file_urls", "uuid", "priority")
FOUND_ANEW = (Reason.SEED_INVALID, Reason.SEED_DUPLICATE)
"""What is wrong with a seeds file is seen each time that it is read, and may have been mended since."""
SAMPLED = 20
"""Seeds that are looked through for a picture to ask the models about."""


async def make_dataset(plan: Plan, console: Console, part: Part | None = None) -> Outcome:
    """Do what is left of `plan`, or of a `part` of it.

    Raises RunLocked, ConfigError and ServerError before the first call; AccessDenied, ServerGone and
    RecordError (the disk is full) after all that was finished has been written.
    """
    async with AsyncExitStack() as open_:
        folder = open_.enter_context(RunDir(plan.run))
        source = _dealt(part) if part else await _source(plan, console)
        roles = [plan.cards[name].model for name in AGENTS]
        job = await open_.enter_async_context(
            opened(plan.run, plan.config, roles, source.root, console, plan.toy, part)
        )
        stage = _Stage(plan, source, job, open_, part)
        await job.probe(stage.sample(), _needs(plan), WANTED, saying(console), all_formats())
        folder.open_edition(
            plan.edition(job.models.played),
            rows=stage.funnel.kept.total(),
            mix=plan.mix,
            settings=plan.config.model_dump(mode="json"),
            features={role: found.model_dump() for role, found in job.features.items()},
            sources=plan.sources,
            toy=job.toy,
            seeds=source.kept,
        )
        if part:
            part.witness.edition(folder.read(), plan.run / "used")
        stage.hire()
        stage.try_again()
        left = stage.count_left()
        return await carry_out(job, stage.todo(), stage.work, funnel=stage.funnel, left=left, console=console)


def _needs(plan: Plan) -> dict[str, tuple[str, ...]]:
    """By role, what its model must be able to do."""
    cards = [plan.cards[name] for name in AGENTS]
    return {card.model: NEEDED for card in cards} | {card.model: SEEING for card in cards if card.picture}


class _Source(NamedTuple):
    """Where items come from."""

    items: Callable[[Callable[[str], bool]], Iterable[Seed | Reject]]
    """All of them, told which ids come for the first time."""
    root: Path
    """Of the pictures."""
    kept: Seeds | None
    """As the run remembers it."""


async def _source(plan: Plan, console: Console) -> _Source:
    seeds = await _seeds(plan)
    await asyncio.to_thread(require_seeds, seeds, plan.run)
    if rest := await asyncio.to_thread(passed_over, seeds):
        saying(console)(f"{seeds}: passed over as no pictures: {rest}")

    def items(new: Callable[[str], bool]) -> Iterable[Seed | Reject]:
        return islice(read_seeds(seeds, new, plan.run), plan.limit)

    return _Source(items, root_of(seeds, plan.run), seeds_of(seeds, plan.run))


def _dealt(part: Part) -> _Source:
    return _Source(lambda _: part.items(), Path(part.seeds.root), part.seeds)


async def _seeds(plan: Plan) -> Path:
    """As told, else those of before, else drawn."""
    known, drawn = plan.seeds or source_of_seeds(plan.run), plan.run / DRAWN
    if known and known != drawn / FILE:
        return known
    return await asyncio.to_thread(draw_seeds, drawn)


def require_kept(funnel: Funnel, run: Path) -> None:
    """Raises NothingMade, with the reasons, if no record is kept."""
    if funnel.kept:
        return
    reasons: Counter[str] = Counter()
    for (_, reason), count in funnel.dropped.items():
        reasons[reason] += count
    why = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
    raise NothingMade(
        f"{run}: no record was made ({why or 'no seed was asked for'}): each reason is told in {REJECTS}"
    )


class _Stage:
    """The open files of a run and the work on one seed."""

    def __init__(
        self, plan: Plan, source: _Source, job: Job, open_: AsyncExitStack, part: Part | None
    ) -> None:
        self.plan, self.source, self.job, self.root = plan, source, job, source.root
        self.funnel = Funnel()
        self.done = open_.enter_context(closing(Seen()))
        self.paths = open_.enter_context(closing(Appender(plan.run / PATHS, told_of_rows(part, PATHS))))
        anew = () if part else FOUND_ANEW
        again = Rejects(plan.run / REJECTS, self.funnel, retry=plan.retry, found_anew=anew, part=part)
        self.rejects = open_.enter_context(closing(again))
        self._count_done()
        self.agents: dict[str, Agent[Record]] = {}
        self.pictures = Pictures(self.root, plan.config.images, plan.config.limits.seeds_in_flight)

    def hire(self) -> None:
        """Make the agents, once it is known what the models can do."""
        self.agents = {name: self._agent(name) for name in AGENTS}

    def sample(self) -> Sample | None:
        """The first picture of the seeds that can be used; read here, once, before any call is under way."""
        limits = self.plan.config.images
        for seed in islice(self.todo(), SAMPLED):
            with suppress(ImageError):
                if isinstance(seed, Seed):
                    ref = inspect(self.root, seed.image, limits)
                    return Sample(data_url(self.root, ref, limits), file_url(self.root, ref, limits))
        return None

    def _agent(self, name: str) -> Agent[Record]:
        role = self.plan.cards[name].model
        return self.plan.agent(name, self.job.models.names[role], self.job.callers[role])

    def _count_done(self) -> None:
        """Rows on disk are done, and nothing else is; raises RecordError for a row that cannot be read."""
        for line in read(self.plan.run / PATHS):
            path = validate(ReasoningPath, line)
            self._note(path.seed_id, path.kind)
            self.funnel.kept[path.kind] += 1
        self.rejects.count(lambda reject: self._note(reject.seed_id, reject.kind))

    def _note(self, seed_id: str, kind: Kind | None) -> None:
        self.done.add(_done_key(seed_id, kind))

    def try_again(self) -> None:
        """Take the rejects that are tried now out of their file."""
        with closing(Seen()) as tried:
            for seed in self.todo():
                if isinstance(seed, Seed):
                    for kind in (None, *self._kinds_left(seed)):
                        tried.add(_done_key(seed.id, kind))
            self.rejects.forget(lambda reject: _done_key(reject.seed_id, reject.kind) in tried)

    def todo(self) -> Iterator[Seed | Reject]:
        """Seeds in their order, those without anything left to do passed over."""
        with closing(Seen()) as known:
            yield from filter(self._is_left, self.source.items(known.add))

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
        wanted = kinds_of(seed, self.plan.config.twins)
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
                kinds.create_task(self._one(Item.of(seed, kind, ref, self.plan.config.twins)))
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

    def _crew(self, item: Item) -> Crew:
        picture, rounds = self.pictures.of(item.image), self.plan.config.limits.reflection_rounds
        return Crew(**self.agents, picture=picture, rounds=rounds)  # type: ignore[arg-type]


def _done_key(seed_id: str, kind: Kind | None) -> str:
    return row_id(seed_id, kind or "")
