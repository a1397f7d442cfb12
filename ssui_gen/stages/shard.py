"""One shard, from where its last attempt stopped: its stage's own work in a folder of this machine.

All that counts goes to the shard's log on shared storage; the folder goes when the command ends.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from ssui_gen.errors import AccessDenied, ModelError, RecordError, ServerError, SsuiError, Superseded
from ssui_gen.files import atomic_write
from ssui_gen.jobs.job import Outcome
from ssui_gen.jobs.part import Part, Witness
from ssui_gen.jobs.plan import Plan
from ssui_gen.jobs.progress import saying
from ssui_gen.manifest import Edition
from ssui_gen.records import Reason
from ssui_gen.shards.attempt import begin
from ssui_gen.shards.attempts import Counts, Past
from ssui_gen.shards.benches import bench_of
from ssui_gen.shards.dealing import Deal, Row, Which, items_of_shard
from ssui_gen.shards.edition import require_same
from ssui_gen.shards.paths import lay_out
from ssui_gen.shards.seeds import seeds_of, source_of
from ssui_gen.shards.stages import stage_of
from ssui_gen.shards.store import Store
from ssui_gen.stages.bench import Part as BenchPart
from ssui_gen.stages.bench import Plan as BenchPlan
from ssui_gen.stages.bench import make_bench
from ssui_gen.stages.dataset import make_dataset
from ssui_gen.stages.pairs import Part as PairsPart
from ssui_gen.stages.pairs import Plan as PairsPlan
from ssui_gen.stages.pairs import explore_part

ELSEWHERE = 75
"""Exit code (EX_TEMPFAIL of sysexits.h): nothing is wrong with the shard; another try may end otherwise."""


def code_of(error: SsuiError) -> int:
    """The exit code of a shard that ended so: 75 where circumstances of this machine may be why, else 1."""
    passing = isinstance(error, ModelError | ServerError | RecordError | Superseded)
    return ELSEWHERE if passing and not isinstance(error, AccessDenied) else 1


class Ended(NamedTuple):
    """How the work on a shard ended."""

    outcome: Outcome
    passing: int
    """Rows that circumstances spoiled: the same command tries them again."""


class Work(NamedTuple):
    """A stage's work on a shard, settled before the shard is taken from whoever may be at it."""

    edition: Edition
    """What its rows will be made with, but for the models' names."""
    settings: dict[str, Any]
    mix: bool
    do: Callable[[Witness], Coroutine[Any, Any, Ended]]


Items = Callable[[], Iterator[Row]]
"""Of a shard, as they were dealt."""


class Order(NamedTuple):
    """What a shard's command says."""

    store: Store
    which: Which
    deal: Deal
    scratch: Path | None
    """Where the folder of this machine is made; default: where temporary files go."""
    work: Callable[[Path, Items], Work]
    """The job, in that folder."""
    own_servers: Sequence[str] = ()
    """Addresses that end with this machine's work: the run does not remember them."""


def make_shard(order: Order, console: Console) -> Outcome | None:
    """Do what is left of a shard; None if there is nothing left. Raises as its stage does, Superseded when
    another process takes the shard over.
    """
    store, which, deal = order.store, order.which, order.deal
    if Past(store, deal, which).done is not None:
        return None
    stage, items = stage_of(deal), items_of_shard(store, deal, which)
    made = stage.read(store)
    with _scratch(order) as folder:
        for name, manifest in made.items():
            (folder / deal.folder / name).parent.mkdir(parents=True, exist_ok=True)
            atomic_write(folder / deal.folder / name, manifest.model_dump_json(indent=2) + "\n")
        work = order.work(folder, items)
        for manifest in () if work.mix else made.values():  # before the shard is taken from another
            require_same(store, stage, manifest, work.edition, work.settings)
        attempt = begin(store, deal, which, folder, work.mix, order.own_servers)
        with closing(attempt.log):
            if not deal.dealt[which.number].rows:
                attempt.finish(Counts())  # no server is started for nothing
                return None
            saying(console)(
                f"Shard {which}, attempt {attempt.header.number} in {folder}: {attempt.rebuilt:,} calls were "
                "made before."
            )
            ended = asyncio.run(attempt.fenced(work.do(attempt)))
            if not ended.outcome.interrupted:
                attempt.finish(_counts(ended))
    return ended.outcome


def dataset_work(plan: Plan, deal: Deal, items: Items, console: Console) -> Work:
    """The agents at work on some of the seeds."""

    async def do(witness: Witness) -> Ended:
        part = Part(source_of(deal), lambda: seeds_of(items), witness)
        outcome = await make_dataset(plan, console, part)
        return Ended(outcome, _passing(outcome))

    return Work(plan.edition({}), plan.config.model_dump(mode="json"), plan.mix, do)


def pairs_work(plan: PairsPlan, deal: Deal, items: Items, console: Console) -> Work:
    """A policy and F at work on some of the paths, which are laid out in the folder of `plan`."""
    unfit = lay_out(deal, items, plan.run)

    async def do(witness: Witness) -> Ended:
        outcome = await explore_part(plan, console, PairsPart(unfit, witness))
        return Ended(outcome, _passing(outcome))

    return Work(plan.edition, plan.config.model_dump(mode="json"), plan.mix, do)


def _passing(outcome: Outcome) -> int:
    dropped = outcome.progress.funnel.dropped
    return sum(n for (_, reason), n in dropped.items() if Reason(reason).passing)


def bench_work(plan: BenchPlan, store: Store, deal: Deal, items: Items, console: Console) -> Work:
    """The models under test and their judge at work on some of the scenarios."""
    bench = bench_of(store, deal, items)
    plan = plan.asking(bench)

    async def do(witness: Witness) -> Ended:
        done = await make_bench(plan, console, BenchPart(bench, deal.folder, witness))
        return Ended(done.outcome, done.failed)

    return Work(plan.edition(bench), plan.config.model_dump(mode="json"), plan.mix, do)


@contextmanager
def _scratch(order: Order) -> Iterator[Path]:
    """A folder of this attempt's own, on this machine."""
    if order.scratch:
        order.scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"ssui-{order.which.number:05}-", dir=order.scratch))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _counts(ended: Ended) -> Counts:
    progress = ended.outcome.progress
    funnel, tally = progress.funnel, progress.tally
    return Counts(
        kept=funnel.kept.total(),
        dropped=funnel.dropped.total(),
        passing=ended.passing,
        calls=tally.calls,
        replayed=tally.replayed,
        prompt_tokens=tally.prompt_tokens,
        completion_tokens=tally.completion_tokens,
        seconds=round(progress.seconds, 2),
    )
