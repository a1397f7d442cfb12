"""One shard of a dataset, from where its last attempt stopped: the dataset stage in a folder of this machine.

All that counts goes to the shard's log on shared storage; the folder goes when the command ends.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from ssui_gen.errors import AccessDenied, ModelError, RecordError, ServerError, SsuiError, Superseded
from ssui_gen.files import atomic_write
from ssui_gen.jobs.job import Outcome
from ssui_gen.jobs.part import Part
from ssui_gen.jobs.plan import Plan
from ssui_gen.jobs.progress import Progressing, saying
from ssui_gen.manifest import RUN
from ssui_gen.records import Reason
from ssui_gen.shards.attempt import begin
from ssui_gen.shards.attempts import Counts, Past
from ssui_gen.shards.dealing import Which, seeds_of_shard, settle_deal
from ssui_gen.shards.edition import find_manifest, require_same
from ssui_gen.shards.store import Store
from ssui_gen.stages.dataset import make_dataset

ELSEWHERE = 75
"""Exit code (EX_TEMPFAIL of sysexits.h): nothing is wrong with the shard; another try may end otherwise."""


def code_of(error: SsuiError) -> int:
    """The exit code of a shard that ended so: 75 where circumstances of this machine may be why, else 1."""
    passing = isinstance(error, ModelError | ServerError | RecordError | Superseded)
    return ELSEWHERE if passing and not isinstance(error, AccessDenied) else 1


class Order(NamedTuple):
    """What a shard's command says."""

    store: Store
    which: Which
    seeds: Path | None
    limit: int | None
    scratch: Path | None
    """Where the folder of this machine is made; default: where temporary files go."""
    plan: Callable[[Path], Plan]
    """The job, in that folder."""


def make_shard(order: Order, console: Console) -> Outcome | None:
    """Do what is left of a shard; None if there is nothing left. Raises as `make_dataset` does, Superseded
    when another process takes the shard over.
    """
    store, which = order.store, order.which
    deal = settle_deal(store, which.of, order.seeds, order.limit)
    if Past(store, deal, which).done is not None:
        return None
    items, manifest = seeds_of_shard(store, deal, which), find_manifest(store)
    with _scratch(order) as folder:
        if manifest:
            atomic_write(folder / RUN, manifest.model_dump_json(indent=2) + "\n")
        plan = order.plan(folder)
        if manifest:  # before the shard is taken from whoever may be at it
            require_same(store, manifest, plan.edition({}), plan.config.model_dump(mode="json"), plan.mix)
        attempt = begin(store, deal, which, folder, plan.mix)
        with closing(attempt.log):
            if not deal.dealt[which.number].rows:
                attempt.finish(Counts())  # no server is started for nothing
                return None
            saying(console)(
                f"Shard {which}, attempt {attempt.header.number} in {folder}: {attempt.rebuilt:,} calls were "
                "made before."
            )
            part = Part(deal.seeds, items, attempt)
            outcome = asyncio.run(attempt.fenced(make_dataset(plan, console, part)))
            if not outcome.interrupted:
                attempt.finish(_counts(outcome.progress))
    return outcome


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


def _counts(progress: Progressing) -> Counts:
    funnel, tally = progress.funnel, progress.tally
    reasons = Counter[Reason]()
    for (_, reason), count in funnel.dropped.items():
        reasons[Reason(reason)] += count
    return Counts(
        paths=funnel.kept.total(),
        rejects=funnel.dropped.total(),
        reasons=reasons,
        calls=tally.calls,
        replayed=tally.replayed,
        prompt_tokens=tally.prompt_tokens,
        completion_tokens=tally.completion_tokens,
        seconds=round(progress.seconds, 2),
    )
