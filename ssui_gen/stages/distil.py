"""reasoning paths → a run of what the policy says to them where it is told the danger: `RUN/distilled`.

Distillation from the same model with the evidence in its prompt; F is not asked and no pair is made. A run of
its own in the run's folder, as a round is: `loss: sft` trains on its paths, whose questions tell nothing.
Covers neither the work on one path (`exploring.distilling`) nor what becomes a row (`exploring.told`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from ssui_gen.config import Config
from ssui_gen.errors import NothingMade
from ssui_gen.exploring.distilling import Distilling, Rows, write_rows
from ssui_gen.exploring.explored import source_of
from ssui_gen.exploring.leaks import load_bench
from ssui_gen.files import atomic_write, own_folder
from ssui_gen.jobs.dry import Todo, tell, tried
from ssui_gen.jobs.forecast import Forecast
from ssui_gen.jobs.job import Outcome, carry_out, opened
from ssui_gen.jobs.progress import saying
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.manifest import RUN, Edition, check_root, read_manifest, seeds_of, seen_from_within
from ssui_gen.prompts import Prompt, home, rendered, rendered_files
from ssui_gen.records import Reason
from ssui_gen.run_files import DISTILLED, REJECTS

POLICY_NEEDS = ("sees_pictures", "room", "temperature", "samples")
"""And no prefix: each draw begins at the root."""
WANTED = ("n", "token_ids", "file_urls", "uuid", "priority")
SAMPLING = {"k", "temperature", "top_p", "max_tokens", "form"}
"""Of the settings of exploration what decides a draw here."""


class Plan(NamedTuple):
    """One job, settled before the first call."""

    of: Path
    """The run whose paths are asked about."""
    root: Path
    """Of the pictures."""
    uncurated: bool
    """Take paths that no person has seen."""
    mix: bool
    limit: int | None
    config: Config
    prompts: dict[str, Prompt]
    toy: bool = False
    """Let the embedded micro VLM play though the pictures are no drawn scenes."""
    retry: frozenset[Reason] = frozenset()
    """Rejects of these reasons are tried again, though they are of the item."""

    @property
    def run(self) -> Path:
        """What is made."""
        return self.of / DISTILLED

    @property
    def source(self) -> Path:
        """The file of paths; raises ConfigError."""
        return source_of(self.of, self.uncurated, "distil")

    def edition(self, policy: str) -> Edition:
        """What responses are drawn with, from the model of this name."""
        return Edition(
            prompts={name: self.prompts[name].id for name in ("policy", "told")},
            cards={"explore": self.config.explore.model_dump_json(include=SAMPLING)},
            models={"policy": policy},
            rendered=rendered(),
        )


async def distil(plan: Plan, console: Console) -> tuple[Outcome, Rows]:
    """Do what is left of `plan`; returns what became of its rows. Raises as `make_dataset` does."""
    say = saying(console)
    async with _ready(plan, console) as (folder, work):
        job = work.job
        folder.open_edition(
            plan.edition(job.models.played["policy"]),
            rows=work.funnel.kept.total(),
            mix=plan.mix,
            settings=plan.config.model_dump(mode="json"),
            features={role: found.model_dump() for role, found in job.features.items()},
            sources={"prompts": home() / "prompts", **rendered_files()},
            toy=job.toy,
        )
        work.try_again()
        left = sum(1 for _ in work.todo())
        outcome = await carry_out(job, work.todo(), work.on, funnel=work.funnel, left=left, console=console)
        if work.watch.forms:
            say(f"{work.watch.forms.total():,} distinct responses by form: {work.watch.shares}.")
        rows = write_rows(plan.run, plan.source, plan.root, plan.config, work.bench, work.note)
        folder.note({"told": dict(rows.counts)})
    return outcome, rows


async def foresee(plan: Plan, console: Console) -> Forecast:
    """Say which paths are left and what they will take, from a few that are really asked about. Raises as
    `distil` does, and NothingMade where no path is left.
    """
    say = saying(console)
    async with _ready(plan, console) as (folder, work):
        edition = plan.edition(work.job.models.played["policy"])
        folder.check(edition, work.funnel.kept.total(), plan.mix)
        some, left, unfit = work.survey()
        say(f"{work.source}: {left:,} paths to ask about; unfit: {unfit}")
        say(f"  policy: {work.job.models.names['policy']}")
        if not some:
            raise NothingMade(f"{work.source}: no path is left to ask about")
        results, pace = await tried(some, work.attempt)
        return tell(work.job, results, pace, Todo("paths", left, left, "paths with a response"), say)


def require_made(rows: Rows, run: Path) -> None:
    """Raises NothingMade, with the reasons, where there is nothing to train on."""
    if not rows.made:
        why = ", ".join(f"{reason} {count:,}" for reason, count in rows.counts.most_common())
        raise NothingMade(
            f"{run}: no response became a row ({why or 'none was drawn'}): each is told in {REJECTS}; reword "
            "prompts/policy.md, give more room (explore.max_tokens), hold it to the form (explore.form: "
            "regex) or take another policy"
        )


@asynccontextmanager
async def _ready(plan: Plan, console: Console) -> AsyncIterator[tuple[RunDir, Distilling]]:
    """The folder, held, and what asks about paths, once the policy is known to do what is asked."""
    source, config = plan.source, plan.config
    check_root(plan.root, plan.of)
    async with AsyncExitStack() as open_:
        own_folder(plan.run)
        folder = open_.enter_context(RunDir(plan.run, "distil"))
        _remember(plan)
        bench = load_bench(config.leaks, config.images)
        job = await open_.enter_async_context(
            opened(plan.run, config, ["policy"], plan.root, console, plan.toy)
        )
        work = Distilling(job, source, plan.root, plan.limit, bench, plan.retry, open_)
        work.note = plan.prompts["told"]
        held = ("regex",) if config.explore.form == "regex" else ()
        await job.probe(work.sample(), {"policy": (*POLICY_NEEDS, *held)}, WANTED, saying(console))
        work.asked = work.policy(plan.prompts["policy"])
        yield folder, work


def _remember(plan: Plan) -> None:
    """Where the pictures lie, and what the paths were made with."""
    if not (plan.run / RUN).exists():
        manifest = seen_from_within(read_manifest(plan.of / RUN))
        if not manifest.seeds:
            manifest = manifest.model_copy(update={"seeds": seeds_of(plan.root, plan.run)})
        atomic_write(plan.run / RUN, manifest.model_dump_json(indent=2) + "\n")
