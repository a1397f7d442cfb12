"""seeds → reasoning_paths.jsonl and rejects.jsonl, over the agents' graph. Resumes where it stopped.

Done means that the row is on disk: what is left to do is read off the output files at the start. A call
that was made but whose row was not written is answered from the journal.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from rich.console import Console

from ssui_gen.demo import DRAWN, FILE, draw_seeds
from ssui_gen.errors import NothingMade
from ssui_gen.jobs.dry import Todo, tell, tried
from ssui_gen.jobs.forecast import Forecast
from ssui_gen.jobs.job import Job, Outcome, carry_out, opened
from ssui_gen.jobs.part import Part
from ssui_gen.jobs.plan import AGENTS, Plan
from ssui_gen.jobs.progress import Funnel, saying
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jobs.seedwork import SeedWork
from ssui_gen.jobs.source import Source
from ssui_gen.manifest import RUN, source_of_seeds
from ssui_gen.quotas import AT_MOST, foretold, full, out_of_reach
from ssui_gen.run_files import REJECTS
from ssui_gen.schemas import all_formats
from ssui_gen.seeds import passed_over, require_seeds

NEEDED = ("room",)
SEEING = ("sees_pictures", *NEEDED)
WANTED = ("samples", "json_schema", "logprobs", "file_urls", "uuid", "priority")


async def make_dataset(plan: Plan, console: Console, part: Part | None = None) -> Outcome:
    """Do what is left of `plan`, or of a `part` of it.

    Raises RunLocked, ConfigError and ServerError before the first call; AccessDenied, ServerGone and
    RecordError (the disk is full) after all that was finished has been written.
    """
    async with _ready(plan, console, part) as (folder, stage):
        job = stage.job
        folder.open_edition(
            plan.edition(job.models.played),
            rows=stage.funnel.kept.total(),
            mix=plan.mix,
            settings=plan.config.model_dump(mode="json"),
            features={role: found.model_dump() for role, found in job.features.items()},
            sources=plan.sources,
            toy=job.toy,
            seeds=stage.source.kept,
        )
        if part:
            part.witness.edition({RUN: folder.read()}, plan.run / "used")
        stage.try_again()
        if not part:
            _say_out_of_reach(stage, saying(console))
        outcome = await carry_out(
            job,
            stage.left,
            stage.work,
            funnel=stage.funnel,
            left=len(stage.left),
            console=console,
            admitted=stage.admitted,
            release=stage.let_go,
        )
        if stage.filling and stage.filling.passed:
            saying(console)(full(stage.filling.passed))
        return outcome


async def foresee(plan: Plan, console: Console) -> Forecast:
    """Say what `plan` finds, what it will ask, and what that will take, from a few seeds that are really
    run; what it will take is returned. Raises as `make_dataset` does, and NothingMade where no seed can be
    used.
    """
    say = saying(console)
    async with _ready(plan, console) as (folder, stage):
        played, rows = stage.job.models.played, stage.funnel.kept.total()
        folder.check(plan.edition(played), rows, plan.mix, stage.source.kept)
        found = stage.survey()
        say(f"{stage.source.name}: {found.seeds:,} seeds to do, {found.items:,} items; {found.unusable}")
        for name, models in _asked(plan, stage.job).items():
            say(f"  {name}: asked of {models}")
        if found.passed:
            say(full(found.passed))
        if not found.drawn:
            raise NothingMade(f"{stage.source.name}: no seed is left to do that can be used")
        _say_out_of_reach(stage, say)
        results, pace = await tried(found.drawn, stage.attempt)
        if stage.filling:
            say(AT_MOST)
        ahead = tell(stage.job, results, pace, Todo("seeds", found.seeds, found.items), say)
        there = stage.rows_by_class() + Counter(name for one in results for name in one.became)
        for line in foretold(plan.config.query.classes, there, ahead):
            say(line)
        return ahead


def _say_out_of_reach(stage: SeedWork, say: Callable[[str], None]) -> None:
    """Where more rows are wanted of classes than the seeds have items."""
    quotas = stage.plan.config.query.classes
    if quotas:
        for line in out_of_reach(quotas, stage.rows_by_class(), stage.count_risky_left()):
            say(line)


def _asked(plan: Plan, job: Job) -> dict[str, str]:
    """Each agent's model."""
    return {name: job.models.names[plan.cards[name].model] for name in AGENTS}


@asynccontextmanager
async def _ready(
    plan: Plan, console: Console, part: Part | None = None
) -> AsyncIterator[tuple[RunDir, SeedWork]]:
    """The run's folder, held, and its agents, at work as soon as they are asked."""
    async with AsyncExitStack() as open_:
        folder = open_.enter_context(RunDir(plan.run))
        source = Source.dealt(part) if part else await _source(plan, console)
        roles = [plan.cards[name].model for name in AGENTS]
        job = await open_.enter_async_context(
            opened(plan.run, plan.config, roles, source.root, console, plan.toy, part and part.witness)
        )
        stage = SeedWork(plan, source, job, open_, part)
        await job.probe(stage.sample(), _needs(plan), WANTED, saying(console), all_formats())
        stage.make_agents()
        yield folder, stage


def _needs(plan: Plan) -> dict[str, tuple[str, ...]]:
    """By role, what its model must be able to do."""
    cards = [plan.cards[name] for name in AGENTS]
    return {card.model: NEEDED for card in cards} | {card.model: SEEING for card in cards if card.picture}


async def _source(plan: Plan, console: Console) -> Source:
    """The seeds of the whole job; what lies beside them and is no picture is told."""
    seeds = await _seeds(plan)
    await asyncio.to_thread(require_seeds, seeds, plan.run)
    if rest := await asyncio.to_thread(passed_over, seeds):
        saying(console)(f"{seeds}: passed over as no pictures: {rest}")
    return Source.at(seeds, plan.run)


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
