"""reasoning paths → branches.jsonl and pairs.jsonl: explore every cut, judge the branches, pair them up.

Branches are costly and resumed by their row; pairs are cheap and made anew each time from all of them. Covers
neither the work on one path (`exploration`) nor which branches become pairs (`pairs`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from ssui_gen.branches import Cut, Pair, Place
from ssui_gen.config import Config
from ssui_gen.errors import ImageError
from ssui_gen.exploring.edited import edit_pairs
from ssui_gen.exploring.exploration import Exploration
from ssui_gen.exploring.explored import BRANCHES, Explored, first_paths, read_paths, source_of
from ssui_gen.exploring.leaks import Bench, load_bench
from ssui_gen.exploring.locating import Locating, Work, asking, labelled, placed
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.files import replace
from ssui_gen.jobs.job import Job, Outcome, carry_out, opened
from ssui_gen.jobs.progress import saying
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jsonl import read
from ssui_gen.manifest import Edition, check_root
from ssui_gen.prompts import Prompt, policy_prompt, rendered
from ssui_gen.records import Reason, ReasoningPath
from ssui_gen.verifying.first_bad_step import NAME
from ssui_gen.verifying.ways import needs_of, prompt_of, roles_of

PAIRS = "pairs.jsonl"
POLICY_NEEDS = ("sees_pictures", "room", "temperature", "prefix")
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
        asked = (*config.verify.by, *((NAME,) if plan.asks else ()))
        needs = {"policy": (*POLICY_NEEDS, *held), **needs_of(asked)}
        await job.probe(work.sample(), needs, WANTED, saying(console))
        folder.open_edition(
            edition.model_copy(update={"models": _of(job.models.played, plan.makers)}),
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
        places = labelled(plan.run) if config.pairs.first_bad == "labels" else {}
        if plan.asks and not outcome.interrupted:
            locating = Locating(await asking(job, config.verify, plan.prompts, work.pictures.of,
                                             first_paths(source), saying(console)))  # fmt: skip
            outcome = await _locate(plan, job, locating, bench, console)
            places = locating.places
    return outcome, write_pairs(plan, source, bench, places)


def _of(played: dict[str, str], roles: list[str]) -> dict[str, str]:
    return {role: name for role, name in played.items() if role in roles}


async def _locate(plan: Plan, job: Job, locating: Locating, bench: Bench, console: Console) -> Outcome:
    """Ask about every pair whose place is not known."""
    left = sum(1 for _ in _unplaced(plan, bench))
    done = await carry_out(
        job, _unplaced(plan, bench), locating.on, funnel=locating.funnel, left=left, console=console
    )
    counts = locating.funnel.kept
    saying(console)(
        f"Of {counts.total():,} rejected branches the judge says of {counts['located']:,} where they first "
        "go wrong."
    )
    return done


async def _pass(job: Job, work: Exploration, console: Console) -> Outcome:
    """Work on all that is `todo` now."""
    left = sum(1 for _ in work.todo())
    return await carry_out(job, work.todo(), work.on, funnel=work.funnel, left=left, console=console)


def write_pairs(plan: Plan, source: Path, bench: Bench, places: Mapping[str, Place]) -> Written:
    """Pair up what was drawn from the paths of `source`; `places` are of rejected branches, by id."""
    alone = plan.config.pairs.first_bad == "labels"
    count, before = 0, sum(1 for _ in read(plan.run / PAIRS))

    def rows() -> Iterator[str]:
        nonlocal count
        for pair in _pairs(plan, source, bench):
            count += 1
            yield placed(pair, places, alone).model_dump_json() + "\n"

    former = replace(plan.run / PAIRS, rows())
    return Written(count, before, former)


def _pairs(plan: Plan, source: Path, bench: Bench) -> Iterator[Pair]:
    """In the order of the paths: what people edited, then what was drawn; none that a benchmark holds."""
    system = policy_prompt(plan.prompts["policy"], "")[0]
    for path, cuts in _explored(plan, source, bench):
        yield from edit_pairs(path, system, plan.config.verify.level)
        yield from pair_up(cuts, plan.config.pairs, system, plan.config.verify.level)


def _explored(plan: Plan, source: Path, bench: Bench) -> Iterator[tuple[ReasoningPath, list[Cut]]]:
    """Paths that no benchmark holds, with their cuts."""
    explored = Explored(plan.run / BRANCHES)
    for path in read_paths(source):
        if not isinstance(path, ReasoningPath):
            continue
        cuts = explored.of(path)
        if (cuts or path.curation) and _apart(plan, path, bench):
            yield path, cuts


def _unplaced(plan: Plan, bench: Bench) -> Iterator[Work]:
    """Paths with pairs of which nobody has said where the rejected one goes wrong."""
    for path, cuts in _explored(plan, plan.source, bench):
        pairs = [pair for pair in pair_up(cuts, plan.config.pairs) if not pair.first_bad]
        if pairs:
            yield path, cuts, pairs


def _apart(plan: Plan, path: ReasoningPath, bench: Bench) -> bool:
    """Whether no benchmark holds it; of a picture that cannot be read, which was told, nobody can say so."""
    try:
        return not (bench and bench.holds(path, plan.root, plan.config.images))
    except ImageError:
        return False
