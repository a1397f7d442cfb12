"""reasoning paths → branches.jsonl and pairs.jsonl: explore every cut, judge the branches, pair them up.

Branches are costly and resumed by their row; pairs are cheap and made anew each time from all of them. Covers
neither the work on one path (`exploration`) nor which branches become pairs (`pairs`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from ssui_gen.branches import Pair
from ssui_gen.config import Config
from ssui_gen.errors import ImageError
from ssui_gen.exploring.edited import edit_pairs
from ssui_gen.exploring.exploration import Exploration
from ssui_gen.exploring.explored import BRANCHES, Explored, read_paths, source_of
from ssui_gen.exploring.leaks import Bench, load_bench
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.files import replace
from ssui_gen.jobs.job import Job, Outcome, carry_out, opened
from ssui_gen.jobs.progress import saying
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jsonl import read
from ssui_gen.manifest import Edition, check_root
from ssui_gen.prompts import Prompt, policy_prompt, rendered
from ssui_gen.records import Reason, ReasoningPath
from ssui_gen.verifying.ways import needs_of, prompt_of, roles_of

PAIRS = "pairs.jsonl"
POLICY_NEEDS = ("sees_pictures", "room", "temperature", "samples", "prefix")
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

    @property
    def source(self) -> Path:
        """The file of paths; raises ConfigError."""
        return source_of(self.run, self.uncurated)

    @property
    def roles(self) -> list[str]:
        return ["policy", *roles_of(self.config.verify.by)]

    @property
    def edition(self) -> Edition:
        """What the branches are made with, but for the models' names; raises ConfigError."""
        asked = (prompt_of(name, self.config.verify, self.prompts) for name in self.config.verify.by)
        used = {prompt.name: prompt.id for prompt in (self.prompts["policy"], *asked) if prompt}
        how = {name: getattr(self.config, name).model_dump_json() for name in ("explore", "verify")}
        return Edition(prompts=used, cards=how, models={}, rendered=rendered())


class Written(NamedTuple):
    """The pairs of a run."""

    made: int
    before: int
    """How many there were."""
    former: Path | None
    """Where those are kept, if they were others."""


async def make_pairs(plan: Plan, console: Console) -> tuple[Outcome, Written]:
    """Do what is left of `plan`; returns what became of its pairs. Raises as `make_dataset` does."""
    source, config, edition = plan.source, plan.config, plan.edition
    check_root(plan.root, plan.run)
    async with AsyncExitStack() as open_:
        folder = open_.enter_context(RunDir(plan.run, "pairs"))
        bench = load_bench(config.leaks, config.images)
        job = await open_.enter_async_context(
            opened(plan.run, config, plan.roles, plan.root, console, plan.toy)
        )
        work = Exploration(job, source, plan.root, plan.limit, bench, plan.retry, open_)
        held = ("regex",) if config.explore.form == "regex" else ()
        needs = {"policy": (*POLICY_NEEDS, *held), **needs_of(config.verify.by)}
        await job.probe(work.sample(), needs, WANTED, saying(console))
        folder.open_edition(
            edition.model_copy(update={"models": job.models.played}),
            rows=work.funnel.kept.total(),
            mix=plan.mix,
            settings=config.model_dump(mode="json"),
            features={role: found.model_dump() for role, found in job.features.items()},
            sources={},
            toy=job.toy,
        )
        await work.prepare(plan.prompts, saying(console))
        outcome = await _pass(job, work, console)
        if not outcome.interrupted and work.find_lacking():
            outcome = Outcome(outcome.progress, (await _pass(job, work, console)).interrupted)
        saying(console)(f"{work.watch.forms.total():,} distinct branches by form: {work.watch.shares}.")
    return outcome, write_pairs(plan, source, bench)


async def _pass(job: Job, work: Exploration, console: Console) -> Outcome:
    """Work on all that is `todo` now."""
    left = sum(1 for _ in work.todo())
    return await carry_out(job, work.todo(), work.on, funnel=work.funnel, left=left, console=console)


def write_pairs(plan: Plan, source: Path, bench: Bench) -> Written:
    """Pair up what was drawn from the paths of `source`."""
    count, before = 0, sum(1 for _ in read(plan.run / PAIRS))

    def rows() -> Iterator[str]:
        nonlocal count
        for pair in _pairs(plan, source, bench):
            count += 1
            yield pair.model_dump_json() + "\n"

    former = replace(plan.run / PAIRS, rows())
    return Written(count, before, former)


def _pairs(plan: Plan, source: Path, bench: Bench) -> Iterator[Pair]:
    """In the order of the paths: what people edited, then what was drawn; none that a benchmark holds."""
    config, explored = plan.config, Explored(plan.run / BRANCHES)
    system = policy_prompt(plan.prompts["policy"], "")[0]
    for path in read_paths(source):
        if not isinstance(path, ReasoningPath):
            continue
        edits, cuts = edit_pairs(path, system, config.verify.level), explored.of(path)
        if (edits or cuts) and _apart(plan, path, bench):
            yield from edits
            yield from pair_up(cuts, config.pairs, system, config.verify.level)


def _apart(plan: Plan, path: ReasoningPath, bench: Bench) -> bool:
    """Whether no benchmark holds it; of a picture that cannot be read, which was told, nobody can say so."""
    try:
        return not (bench and bench.holds(path, plan.root, plan.config.images))
    except ImageError:
        return False
