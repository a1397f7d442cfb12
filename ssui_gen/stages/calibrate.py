"""branches.jsonl and labels → how often each way of F is right: tables, numbers, two diagrams.

Labels are rows {"branch_id": ..., "good": true | false} of people, or of the microworld's truth. Every way is
run on every labelled branch; a call that was made while exploring is answered from the journal. Models are
started and asked as in `ssui pairs`. The figures are in `calibrate`, their looks in `reliability`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from ssui_gen.branches import Branch, BranchLabel, Judgement
from ssui_gen.calling.asking import Sample
from ssui_gen.calling.pictures import Pictures
from ssui_gen.config import Config, Verify, WayName
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.explored import Explored, first_paths, read_paths, source_of
from ssui_gen.files import atomic_write
from ssui_gen.images import data_url
from ssui_gen.jobs.job import Job, carry_out, opened
from ssui_gen.jobs.progress import Funnel, saying
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jsonl import read, validate
from ssui_gen.manifest import check_root
from ssui_gen.prompts import Prompt
from ssui_gen.records import ReasoningPath
from ssui_gen.run_files import BRANCHES, LABELS
from ssui_gen.shares import Share, share
from ssui_gen.verifying.calibrate import ALL, Finding, calibrations
from ssui_gen.verifying.reliability import draw, errors_table, numbers, table
from ssui_gen.verifying.steady import settled
from ssui_gen.verifying.verify import Case, Verifier, joined, together
from ssui_gen.verifying.ways import PURE, needs_of, roles_of, ways

NUMBERS, PICTURE = "calibration.json", "calibration.png"
USUAL: tuple[WayName, ...] = ("label", "contains")
"""Tried in any case, as they cost nothing."""


class Plan(NamedTuple):
    """What is to be calibrated, settled before the first call."""

    run: Path
    root: Path
    """Of the pictures."""
    labels: Path | None
    """None means those of the run."""
    by: tuple[WayName, ...]
    """Ways beside those that the settings use."""
    config: Config
    prompts: dict[str, Prompt]
    toy: bool = False
    """Let the embedded micro VLM play though the pictures are no drawn scenes."""

    @property
    def names(self) -> tuple[WayName, ...]:
        return tuple(dict.fromkeys((*USUAL, *self.by, *self.config.verify.by)))


class Labelled(NamedTuple):
    """A path, and the branches of it that somebody has labelled."""

    path: ReasoningPath
    cases: tuple[tuple[str, Branch, Case], ...]
    """Each with the id of its cut."""


async def make_calibration(plan: Plan, console: Console) -> dict[str, Any]:
    """Print the tables and write numbers and diagrams beside the branches; returns those numbers. Raises
    ConfigError without labels, and as `make_pairs` does.
    """
    known = _labels(plan)
    check_root(plan.root, plan.run)
    async with AsyncExitStack() as open_:
        open_.enter_context(RunDir(plan.run, "calibration"))
        roles = roles_of(plan.names)
        job = await open_.enter_async_context(
            opened(plan.run, plan.config, roles, plan.root, console, plan.toy)
        )
        await job.probe(_sample(plan, known), needs_of(plan.names), ("logprobs",), saying(console))
        verify = await _settled(plan, job, saying(console))
        work = _Work(plan, job, known, verify)
        left = sum(1 for _ in _labelled(plan, known))
        await carry_out(job, _labelled(plan, known), work.on, funnel=work.funnel, left=left, console=console)
    return _report(plan, work, console)


async def _settled(plan: Plan, job: Job, say: Callable[[str], None]) -> Verify:
    """How F is asked, as exploration settles it, of all ways that are tried."""
    settings = plan.config.verify.model_copy(update={"by": plan.names})
    paths = first_paths(source_of(plan.run, uncurated=True))
    found = await settled(job, settings, plan.prompts, _pictures(plan).of, paths, say)
    return plan.config.verify.model_copy(update={"orders": found.orders})


def _pictures(plan: Plan) -> Pictures:
    return Pictures(plan.root, plan.config.images, plan.config.limits.seeds_in_flight)


def _labels(plan: Plan) -> dict[str, BranchLabel]:
    file = plan.labels or plan.run / LABELS
    if not file.exists():
        raise ConfigError(f"{file}: no such file: expected rows {{branch_id, good}}; --labels names another")
    known = {row.branch_id: row for row in (validate(BranchLabel, line) for line in read(file))}
    if next(_labelled(plan, known), None) is None:
        raise ConfigError(f"{file}: none of its {len(known)} branches is in {plan.run / BRANCHES}")
    return known


def _labelled(plan: Plan, known: dict[str, BranchLabel]) -> Iterator[Labelled]:
    explored = Explored(plan.run / BRANCHES)
    for path in read_paths(source_of(plan.run, uncurated=True)):
        if isinstance(path, ReasoningPath):
            cases = tuple(
                (cut.id, branch, Case.of(path, cut, branch))
                for cut in explored.of(path)
                for branch in cut.branches
                if branch.id in known
            )
            if cases:
                yield Labelled(path, cases)


def _sample(plan: Plan, known: dict[str, BranchLabel]) -> Sample | None:
    """The first picture, and how many any path shows at most."""
    if not roles_of(plan.names):
        return None
    first = next(_labelled(plan, known)).path.image
    most = max(len(one.path.images) for one in _labelled(plan, known))
    return Sample(data_url(plan.root, first, plan.config.images), most=most)


class _Work:
    """The ways of F, and what each has said so far."""

    def __init__(self, plan: Plan, job: Job, known: dict[str, BranchLabel], verify: Verify) -> None:
        pictures = _pictures(plan)
        parts = ways(plan.names, job, verify, plan.prompts, pictures.of)
        self.alone: dict[str, Verifier] = {
            name: together({name: verifier}, "all", verify.form) for name, verifier in parts.items()
        }
        self.verify, self.known, self.funnel = verify, known, Funnel()
        self.found: dict[str, list[Finding]] = {}
        self.places: list[tuple[bool, str]] = []
        """Whether `first_bad_step` named the true place, where that is labelled; and of which path."""

    async def on(self, one: Labelled) -> None:
        """All ways on all labelled branches of a path."""
        for cut, branch, case in one.cases:
            said = {name: await verifier(case) for name, verifier in self.alone.items()}
            said[self.configured] = self._configured(said)
            truth = self.known[branch.id]
            for name, judgement in said.items():
                where = (cut, one.path.id, one.path.kind)
                finding = Finding(judgement.polarity, judgement.probability, truth.good, *where)
                self.found.setdefault(name, []).append(finding)
            self._note_place(said.get("first_bad_step"), truth, one.path.id)
        self.funnel.kept["paths calibrated"] += 1
        self.funnel.fresh += 1

    @property
    def configured(self) -> str:
        """What the settings make of the ways together."""
        return {"all": " and ", "any": " or "}[self.verify.mode].join(self.verify.by)

    def _configured(self, said: dict[str, Judgement]) -> Judgement:
        return joined({name: said[name] for name in self.verify.by}, self.verify.mode)

    def _note_place(self, said: Judgement | None, truth: BranchLabel, path: str) -> None:
        shares = said and said.by.get("first_bad_step", {}).get("shares")
        if shares and truth.first_bad:
            self.places.append((max(shares, key=shares.get) == truth.first_bad, path))

    @property
    def place(self) -> Share:
        return share((right for right, _ in self.places), [path for _, path in self.places])


def _report(plan: Plan, work: _Work, console: Console) -> dict[str, Any]:
    found = {way: calibrations(rows) for way, rows in work.found.items()}
    unread = [way for way in found if way in PURE and found[way][ALL].unverified.value == 1]
    shown = {way: one for way, one in found.items() if way not in unread}
    console.print(table(shown), errors_table(shown))
    say = saying(console)
    if work.place.n:
        say(f"first_bad_step names the true first wrong step in {work.place}.")
    verify = plan.config.verify
    say(f"Good from a probability of {verify.threshold} on (verify.threshold); other thresholds: {NUMBERS}.")
    rows = {way: numbers(one) for way, one in shown.items()}
    atomic_write(plan.run / NUMBERS, json.dumps(rows, indent=1) + "\n")
    if draw(shown, verify.threshold, plan.run / PICTURE):
        say(f"Reliability diagram: {plan.run / PICTURE}")
    return rows
