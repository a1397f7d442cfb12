"""The work on seeds: which are left to do, what becomes of one, and the open files of a run's rows.

Done means that the row is on disk. Covers neither who is asked (`served`) nor the flow of one item (`graph`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from functools import cached_property, partial
from itertools import islice
from typing import NamedTuple

from ssui_gen import graph
from ssui_gen.agent import Agent
from ssui_gen.calling.asking import Sample
from ssui_gen.calling.journal import Seen
from ssui_gen.calling.pictures import Pictures
from ssui_gen.errors import ImageError
from ssui_gen.images import data_url, file_url, inspect, inspect_together
from ssui_gen.jobs.filling import Filling
from ssui_gen.jobs.forecast import TRIED
from ssui_gen.jobs.job import Job
from ssui_gen.jobs.lots import drawn, highest, lot
from ssui_gen.jobs.part import Part, told_of_rows
from ssui_gen.jobs.plan import AGENTS, Plan
from ssui_gen.jobs.progress import Funnel
from ssui_gen.jobs.rejects import Rejects
from ssui_gen.jobs.source import Source
from ssui_gen.jsonl import Appender, records
from ssui_gen.records import ImageRef, Kind, Reason, ReasoningPath, Record, Reject, Seed
from ssui_gen.run_files import PATHS, REJECTS
from ssui_gen.seeds import kinds_of
from ssui_gen.shelf import Shelf
from ssui_gen.state import Context, Item
from ssui_gen.wanting import Wanting

FOUND_ANEW = (Reason.SEED_INVALID, Reason.SEED_DUPLICATE)
"""What is wrong with a seeds file is seen each time that it is read, and may have been mended since."""
SAMPLED = 20
"""Seeds that are looked through for a picture to ask the models about."""


class Survey(NamedTuple):
    """What is there to be done, every picture looked at."""

    seeds: int
    """That can be used."""
    items: int
    refused: Counter[str]
    """Seeds that cannot be used, by reason."""
    passed: int
    """Seeds that would not be begun, as every class has its rows."""
    drawn: list[Seed]
    """Some that can, drawn at random."""

    @property
    def unusable(self) -> str:
        told = ", ".join(f"{reason} {count:,}" for reason, count in self.refused.most_common())
        return f"unusable: {told or 'none'}"


class SeedWork:
    """The open files of a run and the work on one seed."""

    def __init__(
        self, plan: Plan, source: Source, job: Job, open_: AsyncExitStack, part: Part | None = None
    ) -> None:
        self.plan, self.source, self.job, self.root = plan, source, job, source.root
        self.funnel = Funnel()
        self.done = open_.enter_context(closing(Seen()))
        witness = part and part.witness
        self.paths = open_.enter_context(closing(Appender(plan.run / PATHS, told_of_rows(witness, PATHS))))
        anew = () if part else FOUND_ANEW
        again = Rejects(plan.run / REJECTS, self.funnel, retry=plan.retry, found_anew=anew, witness=witness)
        self.rejects = open_.enter_context(closing(again))
        self._count_done()
        query = plan.config.query
        self.filling = Filling(query.classes, self.rows_by_class()) if query.fill else None
        self._full: dict[str, frozenset[str]] = {}
        """By seed under way: classes that were taken as it began."""
        self.agents: dict[str, Agent[Record]] = {}
        self.pictures = Pictures(self.root, plan.config.images, plan.config.limits.seeds_in_flight)

    def make_agents(self) -> None:
        """Make the agents, once it is known what the models can do."""
        self.agents = {name: self._agent(name) for name in AGENTS}

    def sample(self) -> Sample | None:
        """The first picture of the seeds that can be used, and how many any seed has at most; read here,
        once, before any call is under way.
        """
        limits = self.plan.config.images
        most = max((len(seed.images) for seed in self.left if isinstance(seed, Seed)), default=1)
        for seed in self.left[:SAMPLED]:
            with suppress(ImageError):
                if isinstance(seed, Seed):
                    ref = inspect(self.root, seed.image, limits)
                    return Sample(data_url(self.root, ref, limits), file_url(self.root, ref, limits), most)
        return None

    def _agent(self, name: str) -> Agent[Record]:
        role = self.plan.cards[name].model
        return self.plan.agent(name, self.job.models.names[role], self.job.callers[role])

    def _count_done(self) -> None:
        """Rows on disk are done, and nothing else is; raises RecordError for a row that cannot be read."""
        for path in records(ReasoningPath, self.plan.run / PATHS):
            self._note(path.seed_id, path.kind)
            self.funnel.kept[path.kind] += 1
        self.rejects.count(lambda reject: self._note(reject.seed_id, reject.kind))

    def _note(self, seed_id: str, kind: Kind | None) -> None:
        self.done.add(_done_key(seed_id, kind))

    def try_again(self) -> None:
        """Take the rejects that are tried now out of their file."""
        with closing(Seen()) as tried:
            for seed in self.left if self.funnel.dropped else ():
                if isinstance(seed, Seed):
                    for kind in (None, *self._kinds_left(seed)):
                        tried.add(_done_key(seed.id, kind))
            self.rejects.forget(lambda reject: _done_key(reject.seed_id, reject.kind) in tried)

    @cached_property
    def left(self) -> Shelf[Seed | Reject]:
        """Seeds in their order, those without anything left to do passed over; looked for once."""
        found = Shelf[Seed | Reject](self.plan.run)
        with closing(Seen()) as known:
            chosen = filter(self._is_drawn, self.source.items(known.add))
            for seed in filter(self._is_left, islice(chosen, self.plan.limit)):
                found.put(seed)
        return found

    def _is_drawn(self, seed: Seed | Reject) -> bool:
        return self.plan.sample is None or lot(_id(seed)) <= self._highest

    @cached_property
    def _highest(self) -> str:
        """The highest lot among the seeds that are drawn."""
        with closing(Seen()) as known:
            ids = map(_id, self.source.items(known.add))
            return highest(ids, self.plan.sample or 0)

    def survey(self) -> Survey:
        """Look at every picture that is left to do."""
        refused: Counter[str] = Counter()
        seeds = items = passed = 0

        def usable() -> Iterator[Seed]:
            nonlocal seeds, items, passed
            for seed in self.left:
                if self.filling and self.filling.done and self._wants_class(seed):
                    passed += 1
                elif reason := self._unusable(seed):
                    refused[reason] += 1
                elif isinstance(seed, Seed):
                    seeds, items = seeds + 1, items + len(self._kinds_left(seed))
                    yield seed

        some = drawn(usable(), TRIED, _id)
        return Survey(seeds, items, refused, passed, some)

    def _unusable(self, seed: Seed | Reject) -> str:
        if isinstance(seed, Reject):
            return seed.reason
        try:
            self._images(seed)
        except ImageError as error:
            return error.reason
        return ""

    def _images(self, seed: Seed) -> list[ImageRef]:
        """Its pictures, each looked at. Raises ImageError for the first that cannot be used."""
        return inspect_together(self.root, seed.images, self.plan.config.images)

    async def attempt(self, seed: Seed) -> list[str]:
        """One seed's items through the graph, no row written: the class of each path, empty of a reject."""
        images = await asyncio.to_thread(self._images, seed)
        items = [Item.of(seed, kind, images, self.plan.config.twins) for kind in self._kinds_left(seed)]
        rows = await asyncio.gather(
            *(graph.run(item, self._context(item, self.plan.wanting)) for item in items)
        )
        return [row.query.category if isinstance(row, ReasoningPath) else "" for row in rows]

    def count_risky_left(self) -> int:
        """How many risky items are left to do."""
        seeds = (seed for seed in self.left if isinstance(seed, Seed))
        return sum("risky" in self._kinds_left(seed) for seed in seeds)

    def rows_by_class(self) -> Counter[str]:
        """The risky rows that are there."""
        paths = records(ReasoningPath, self.plan.run / PATHS)
        return Counter(path.query.category for path in paths if path.kind == "risky")

    def _is_left(self, seed: Seed | Reject) -> bool:
        if isinstance(seed, Reject):
            return _done_key(seed.seed_id, None) not in self.done
        return bool(self._kinds_left(seed))

    def _kinds_left(self, seed: Seed) -> list[Kind]:
        if _done_key(seed.id, None) in self.done:
            return []
        wanted = kinds_of(seed, self.plan.config.twins)
        return [kind for kind in wanted if _done_key(seed.id, kind) not in self.done]

    @asynccontextmanager
    async def admitted(self, seed: Seed | Reject) -> AsyncIterator[bool]:
        """Hold its place in a class, where classes are to be filled. Where each has its rows it is passed
        over: it is left for a run that wants more.
        """
        if self.filling is None or not self._wants_class(seed):
            yield True
            return

        async with self.filling.place(partial(self.plan.wanting.first, _id(seed))) as full:
            if full is not None:
                self._full[_id(seed)] = full
            self.funnel.fresh += full is None and self.filling.done
            yield full is not None

    def _wants_class(self, seed: Seed | Reject) -> bool:
        return isinstance(seed, Seed) and not seed.text and "risky" in self._kinds_left(seed)

    def let_go(self) -> None:
        """The run stops: seeds that wait for a class to become free are not begun."""
        if self.filling:
            self.filling.close()

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
        wanting = self.plan.wanting.without(self._full.pop(seed.id, frozenset()))
        try:
            images = await asyncio.to_thread(self._images, seed)
        except ImageError as error:
            return Reject(
                seed_id=seed.id, kind=None, stage="image", reason=Reason(error.reason), detail=str(error)
            )
        async with asyncio.TaskGroup() as kinds:
            for kind in self._kinds_left(seed):
                kinds.create_task(self._one(Item.of(seed, kind, images, self.plan.config.twins), wanting))
        return None

    async def _one(self, item: Item, wanting: Wanting) -> None:
        self._write(await graph.run(item, self._context(item, wanting)))

    def _write(self, row: ReasoningPath | Reject) -> None:
        """To be called when all calls of the row are in the journal."""
        if isinstance(row, ReasoningPath):
            self.paths.write(row)
            self.funnel.kept[row.kind] += 1
        else:
            self.rejects.write(row)
        if self.filling:
            self.filling.count(row)

    def _context(self, item: Item, wanting: Wanting) -> Context:
        pictures, rounds = self.pictures.all(item.images), self.plan.config.limits.reflection_rounds
        can = self.job.features[self.plan.cards["query"].model]
        at_once = can.most_n >= self.plan.config.query.texts
        steering = {"wanting": wanting, "at_once": at_once}
        return Context(**self.agents, pictures=pictures, rounds=rounds, **steering)  # type: ignore[arg-type]


def _id(seed: Seed | Reject) -> str:
    return seed.id if isinstance(seed, Seed) else seed.seed_id


def _done_key(seed_id: str, kind: Kind | None) -> str:
    return f"{kind or ''} {seed_id}"
