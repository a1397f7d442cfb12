"""reasoning paths → branches.jsonl and pairs.jsonl: explore every cut, judge the branches, pair them up.

Branches are costly and resumed by their row; pairs are cheap and made anew each time from all of them. Covers
neither the work on one path (`exploration`) nor which branches become pairs (`making`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace as replaced
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from ssui_gen.branches import Place
from ssui_gen.config import Config
from ssui_gen.errors import NothingMade
from ssui_gen.exploring.corrected import corrections
from ssui_gen.exploring.exploration import Exploration
from ssui_gen.exploring.explored import Explored, first_paths, read_paths, source_of
from ssui_gen.exploring.leaks import load_bench
from ssui_gen.exploring.locating import Locating, Teller, asking, teller
from ssui_gen.exploring.making import Making
from ssui_gen.exploring.recovery import Recovery, some
from ssui_gen.exploring.written import Written, labels_of, write_pairs
from ssui_gen.jobs.dry import Todo, tell, tried
from ssui_gen.jobs.forecast import Forecast
from ssui_gen.jobs.job import Job, Outcome, carry_out, opened
from ssui_gen.jobs.part import Witness
from ssui_gen.jobs.progress import saying
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.manifest import PAIRS as EXPLORED
from ssui_gen.manifest import Edition, check_root
from ssui_gen.prompts import Prompt, home, policy_prompt, rendered, rendered_files
from ssui_gen.records import Reason, ReasoningPath, Reject
from ssui_gen.run_files import BRANCHES
from ssui_gen.verifying.first_bad_step import NAME
from ssui_gen.verifying.verify import Verifier
from ssui_gen.verifying.ways import needs_of, prompt_of, roles_of

POLICY_NEEDS = ("sees_pictures", "room", "temperature", "samples", "prefix")
ONCE_MORE = (
    "Not counted: paths that lack the rarer kind of pair are drawn from once more with what others spared; "
    "and what explore.recovery and pairs: {first_bad: ask} bring."
)
WANTED = ("n", "token_ids", "logprobs", "file_urls", "uuid", "priority")


class Plan(NamedTuple):
    """One job, settled before the first call."""

    run: Path
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
    asked: Config | None = None
    """Whom it asks, where that is not as its settings say: in a round the policy draws under an adapter,
    which is not to be remembered as a setting."""

    @property
    def source(self) -> Path:
        """The file of paths; raises ConfigError."""
        return source_of(self.run, self.uncurated)

    @property
    def roles(self) -> list[str]:
        return list(dict.fromkeys([*self.makers, *(roles_of((NAME,)) if self.asks else ())]))

    @property
    def makers(self) -> list[str]:
        """The roles that decide what a branch is."""
        return ["policy", *roles_of(self.config.verify.by)]

    @property
    def asks(self) -> bool:
        """Whether the judge is asked where rejected branches go wrong."""
        return self.config.pairs.first_bad == "ask"

    @property
    def system(self) -> str:
        """What the policy is told first."""
        return policy_prompt(self.prompts["policy"], "")[0]

    @property
    def edition(self) -> Edition:
        """What the branches are made with, but for the models' names; raises ConfigError."""
        asked = (prompt_of(name, self.config.verify, self.prompts) for name in self.config.verify.by)
        used = {prompt.name: prompt.id for prompt in (self.prompts["policy"], *asked) if prompt}
        how = {  # rows behind wrong steps say themselves how they were drawn
            "explore": self.config.explore.model_dump_json(exclude={"recovery"}),
            "verify": self.config.verify.model_dump_json(),
        }
        return Edition(prompts=used, cards=how, models={}, rendered=rendered())


class Part(NamedTuple):
    """One part of a run's paths, which lie in a folder of their own."""

    unfit: Sequence[Reject]
    """What else was dealt: what is wrong with it has been found already."""
    witness: Witness


async def foresee(plan: Plan, console: Console) -> Forecast:
    """Say which paths are left, who is asked, and what that will take, from a few paths that are really
    explored; what it will take is returned. Raises as `make_pairs` does, and NothingMade where no path is
    left.
    """
    say = saying(console)
    async with _ready(plan, console) as (folder, making, work):
        made = plan.edition.model_copy(update={"models": _of(work.job.models.played, plan.makers)})
        folder.check(made, work.funnel.kept.total(), plan.mix)
        some, left, unfit = work.survey()
        say(f"{making.source}: {left:,} paths to explore; unfit: {unfit}")
        for role in plan.roles:
            say(f"  {role}: {work.job.models.names[role]}")
        if not some:
            raise NothingMade(f"{making.source}: no path is left to explore")
        await work.prepare(plan.prompts, say)
        results, pace = await tried(some, work.attempt)
        todo = Todo("paths", left, left * len(some[0].steps), "cuts")
        ahead = tell(work.job, results, pace, todo, say)
        say(ONCE_MORE)
    return ahead


async def make_pairs(plan: Plan, console: Console) -> tuple[Outcome, Written]:
    """Do what is left of `plan`; returns what became of its pairs. Raises as `make_dataset` does."""
    labels, edition = labels_of(plan.run, plan.config), plan.edition
    if plan.config.pairs.corrections:
        corrections(plan.run)  # a fault in them is told now, and not after a night
    async with _ready(plan, console) as (folder, making, work):
        outcome = await _drawn(plan, edition, folder, work, console)
        places: Mapping[str, Place] = labels or {}
        ask = await _asking(plan, work, console) if plan.asks and not outcome.interrupted else None
        outcome = await _recovered(making, work, teller(labels, ask), plan, outcome, console)
        if ask and not outcome.interrupted:
            outcome, places = await _locate(making, work.job, Locating(ask), console)
    return outcome, write_pairs(making, places, saying(console))


async def explore_part(plan: Plan, console: Console, part: Part) -> Outcome:
    """Draw what is left of a `part`; no pair is made. Raises as `make_dataset` does."""
    edition = plan.edition
    async with _ready(plan, console, part) as (folder, making, work):
        outcome = await _drawn(plan, edition, folder, work, console, part)
        return await _recovered(making, work, teller(None, None), plan, outcome, console)


async def _drawn(
    plan: Plan,
    edition: Edition,
    folder: RunDir,
    work: Exploration,
    console: Console,
    part: Part | None = None,
) -> Outcome:
    """What paths lack, then what the rarer kind of pair lacks."""
    config, job = plan.config, work.job
    folder.open_edition(
        edition.model_copy(update={"models": _of(job.models.played, plan.makers)}),
        rows=work.funnel.kept.total(),
        mix=plan.mix,
        settings=config.model_dump(mode="json"),
        features={role: found.model_dump() for role, found in job.features.items()},
        sources={"prompts": home() / "prompts", **rendered_files()},
        toy=job.toy,
    )
    if part:
        part.witness.edition({EXPLORED: folder.read()}, plan.run / "used")
    await work.prepare(plan.prompts, saying(console))
    work.try_again()
    work.leave_out(part.unfit if part else ())
    outcome = await _pass(job, work, console)
    if not outcome.interrupted and work.find_lacking():
        outcome = replaced(await _pass(job, work, console), progress=outcome.progress)
    saying(console)(f"{work.watch.forms.total():,} distinct branches by form: {work.watch.shares}.")
    return outcome


@asynccontextmanager
async def _ready(
    plan: Plan, console: Console, part: Part | None = None
) -> AsyncIterator[tuple[RunDir, Making, Exploration]]:
    """The run's folder, held, and what explores its paths, once the models are known to do what is asked."""
    source, config, asked = plan.source, plan.config, plan.asked or plan.config
    check_root(plan.root, plan.run)
    async with AsyncExitStack() as open_:
        folder = open_.enter_context(RunDir(plan.run, "pairs"))
        bench = load_bench(config.leaks, config.images)
        making = Making(plan.run, source, plan.root, config, plan.system, bench)
        job = await open_.enter_async_context(
            opened(plan.run, asked, plan.roles, plan.root, console, plan.toy, part and part.witness)
        )
        witness = part and part.witness
        work = Exploration(job, source, plan.root, plan.limit, bench, plan.retry, open_, witness)
        held = ("regex",) if config.explore.form == "regex" else ()
        ways = (*config.verify.by, *((NAME,) if plan.asks else ()))
        needs = {"policy": (*POLICY_NEEDS, *held), **needs_of(ways)}
        await job.probe(work.sample(), needs, WANTED, saying(console))
        yield folder, making, work


async def _asking(plan: Plan, work: Exploration, console: Console) -> Verifier:
    paths, say = first_paths(plan.source), saying(console)
    return await asking(work.job, plan.config.verify, plan.prompts, work.pictures.of, paths, say)


async def _recovered(
    making: Making, work: Exploration, tell: Teller, plan: Plan, outcome: Outcome, console: Console
) -> Outcome:
    """Draw behind wrong steps what has not been drawn yet, where that is wanted and all else is done."""
    if outcome.interrupted or not plan.config.explore.recovery.cuts:
        return outcome
    rows = Explored(making.run / BRANCHES)
    recovery = Recovery(work.explorer, making.config.explore, tell, rows, work.keep)

    def todo() -> Iterator[ReasoningPath]:
        return recovery.todo(some(read_paths(making.source), plan.limit))

    left = sum(1 for _ in todo())
    done = await carry_out(work.job, todo(), recovery.on, funnel=recovery.funnel, left=left, console=console)
    told = [f"{name} {n:,}" for name, n in recovery.funnel.kept.items()]
    told += [f"{reason.replace('_', ' ')} {n:,}" for (_, reason), n in recovery.funnel.dropped.items()]
    saying(console)(f"Behind wrong steps, of {left:,} paths: {', '.join(told) or 'nothing to draw'}.")
    return done


def _of(played: dict[str, str], roles: list[str]) -> dict[str, str]:
    return {role: name for role, name in played.items() if role in roles}


async def _locate(
    making: Making, job: Job, locating: Locating, console: Console
) -> tuple[Outcome, Mapping[str, Place]]:
    """Ask about every pair whose place is not known."""
    todo, counts = making.unplaced, locating.funnel.kept
    left = sum(1 for _ in todo())
    done = await carry_out(job, todo(), locating.on, funnel=locating.funnel, left=left, console=console)
    saying(console)(
        f"Of {counts.total():,} rejected branches the judge says of {counts['located']:,} where they first "
        "go wrong."
    )
    return done, locating.places


async def _pass(job: Job, work: Exploration, console: Console) -> Outcome:
    """Work on all that is `todo` now."""
    left = sum(1 for _ in work.todo())
    return await carry_out(job, work.todo(), work.on, funnel=work.funnel, left=left, console=console)
