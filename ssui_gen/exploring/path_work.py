"""The frame of work on a run's paths: which are left, which are unfit, and the open files of its rows.

Done means that the rows of a path are on disk, or its reject. What is drawn from one path, and when it is
done, is for whoever derives from this (`exploration`, `distilling`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AsyncExitStack, closing, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ssui_gen.calling.asking import Sample
from ssui_gen.calling.journal import Seen
from ssui_gen.calling.pictures import Pictures
from ssui_gen.errors import OF_ITEM, ImageError
from ssui_gen.exploring.continuing import Policy
from ssui_gen.exploring.explored import SAMPLED, read_paths, without_replaced
from ssui_gen.exploring.leaks import Bench
from ssui_gen.images import data_url, file_url
from ssui_gen.jobs.forecast import TRIED
from ssui_gen.jobs.job import Job
from ssui_gen.jobs.lots import drawn
from ssui_gen.jobs.part import Witness, told_of_rows
from ssui_gen.jobs.progress import Funnel
from ssui_gen.jobs.rejects import Rejects
from ssui_gen.jsonl import Appender
from ssui_gen.prompts import Prompt
from ssui_gen.records import Reason, ReasoningPath, Reject

FOUND_ANEW = (Reason.PATH_INVALID, Reason.IN_BENCHMARK)
"""Looked for in each run: a path may have been mended since, or another benchmark named."""


class Survey(NamedTuple):
    """What is left of a run, before it is begun."""

    some: list[ReasoningPath]
    """A few of the paths that are left, drawn evenly, to be tried."""
    left: int
    """Paths."""
    unfit: str
    """Why how many others are not."""


class PathWork(ABC):
    """The open files of a run and the work on one path."""

    STAGE: str
    """In its rejects."""
    ROWS: str
    """The file of cuts."""
    REJECTS: str
    """The file of paths that are unfit."""

    def __init__(
        self,
        job: Job,
        source: Path,
        root: Path,
        limit: int | None,
        bench: Bench,
        retry: Collection[Reason],
        open_: AsyncExitStack,
        witness: Witness | None = None,
    ) -> None:
        self.job, self.source, self.root, self.limit, self.bench = job, source, root, limit, bench
        self.funnel = Funnel()
        self.say: Callable[[str], None] = _nothing
        rows = job.run / self.ROWS
        without_replaced(rows)
        open_.callback(without_replaced, rows)
        self.done = open_.enter_context(closing(Seen()))
        """Ids of cuts on disk that have what is enough, and of paths that were rejected."""
        self.branches = open_.enter_context(closing(Appender(rows, told_of_rows(witness, self.ROWS))))
        anew, file = () if witness else FOUND_ANEW, job.run / self.REJECTS
        again = Rejects(file, self.funnel, retry=retry, found_anew=anew, witness=witness)
        self.rejects = open_.enter_context(closing(again))
        self.pictures = Pictures(root, job.config.images, job.config.limits.seeds_in_flight)
        self._count_done()
        self.rejects.count(lambda reject: self.done.add(reject.seed_id))

    @abstractmethod
    def _count_done(self) -> None:
        """Count the rows that are there."""

    @abstractmethod
    def _is_left(self, path: ReasoningPath) -> bool:
        """Whether something is to be drawn from it."""

    @abstractmethod
    async def _draw(self, path: ReasoningPath) -> None:
        """Write what is drawn from one path; raises what a call raises."""

    def todo(self) -> Iterator[ReasoningPath | Reject]:
        """Paths that are left, in their order, and what is unfit among them."""
        for path in islice(read_paths(self.source), self.limit):
            if isinstance(path, Reject) or self.bench or self._is_left(path):
                yield path

    def _ahead(self) -> Iterator[ReasoningPath | Reject]:
        """Whatever models may be asked about."""
        yield from self.todo()

    def usable(self, unfit: Counter[str]) -> Iterator[ReasoningPath]:
        """What is `todo` and may be explored, as far as that is known before; counts what is `unfit`."""
        for path in self.todo():
            if isinstance(path, Reject):
                unfit[path.reason] += 1
            elif self.bench and self.bench.knows(path):
                unfit[Reason.IN_BENCHMARK] += 1
            elif self._is_left(path):
                yield path

    def survey(self) -> Survey:
        """What is left that may be asked about, as far as that is known before."""
        unfit: Counter[str] = Counter()
        some = drawn(self.usable(unfit), TRIED, lambda path: path.id)
        left = sum(1 for _ in self.usable(Counter()))
        return Survey(some, left, ", ".join(f"{why} {count:,}" for why, count in unfit.items()) or "none")

    def leave_out(self, unfit: Iterable[Reject]) -> None:
        """Write what is known to be unfit, unless it stands there."""
        for row in unfit:
            if row.seed_id not in self.done:
                self.rejects.write(row)

    def try_again(self) -> None:
        """Take the rejects that are tried now out of their file."""
        with closing(Seen()) as tried:
            for path in self.todo():
                if isinstance(path, ReasoningPath):
                    tried.add(path.id)
            self.rejects.forget(lambda reject: reject.seed_id in tried)

    def sample(self) -> Sample | None:
        """The first picture that can be used, and how many any of the first paths shows at most."""
        first = next((sample for _, sample in self._samples()), None)
        some = (path for path in islice(self._ahead(), SAMPLED) if isinstance(path, ReasoningPath))
        return first and first._replace(most=max(len(path.images) for path in some))

    def _samples(self) -> Iterator[tuple[ReasoningPath, Sample]]:
        limits = self.job.config.images
        for path in islice(self._ahead(), SAMPLED):
            if isinstance(path, ReasoningPath):
                with suppress(ImageError):
                    ref = path.image
                    yield path, Sample(data_url(self.root, ref, limits), file_url(self.root, ref, limits))

    def policy(self, prompt: Prompt) -> Policy:
        """The model that is to be trained, now that it is known what it can do."""
        found, name = self.job.features["policy"], self.job.models.names["policy"]
        caller = self.job.callers["policy"]
        return Policy(caller, name, prompt, found.most_n, found.token_ids, found.echoes)

    async def on(self, path: ReasoningPath | Reject) -> None:
        """One path: its rows, or a reject."""
        self.funnel.in_flight += 1
        try:
            await self._work_on(path)
        finally:
            self.funnel.in_flight -= 1
            self.funnel.fresh += 1

    async def _work_on(self, path: ReasoningPath | Reject) -> None:
        if isinstance(path, Reject):
            return self.rejects.write(path)
        try:
            if why := self.bench and self.bench.holds(path, self.root, self.job.config.images):
                self._reject(path, Reason.IN_BENCHMARK, why)
            elif self._is_wanted(path):
                await self._draw(path)
        except (ImageError, *OF_ITEM) as error:
            self._reject(path, Reason(error.reason), str(error))

    def _is_wanted(self, path: ReasoningPath) -> bool:
        """Whether to draw from a path that is `todo`."""
        return self._is_left(path)

    def _reject(self, path: ReasoningPath, reason: Reason, detail: str) -> None:
        row = Reject(seed_id=path.id, kind=path.kind, stage=self.STAGE, reason=reason, detail=detail)
        self.rejects.write(row)


def _nothing(line: str) -> None:
    """Until somebody listens."""
