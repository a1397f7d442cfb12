"""reasoning paths → branches.jsonl and pairs.jsonl: explore every cut, judge the branches, pair them up.

Branches are costly and resumed by their row; pairs are cheap and made anew each time from all of them.
Done means that every cut of a path has its row on disk. Covers neither drawing (`explore`) nor F (`verify`,
`judge`) nor which branches become pairs (`pairs`).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from ssui_gen.agent import Picture
from ssui_gen.branches import Cut
from ssui_gen.calls import Sending
from ssui_gen.config import Config
from ssui_gen.errors import CallFailed, ConfigError, ContextOverflow, ImageError, RequestRefused, SsuiError
from ssui_gen.explore import Explorer, Policy
from ssui_gen.images import data_url, file_url, picture_part
from ssui_gen.job import Job, Outcome, carry_out, opened
from ssui_gen.jsonl import Appender, atomic_write, read, validate
from ssui_gen.judge import Judge
from ssui_gen.pairs import pair_up
from ssui_gen.probe import Sample
from ssui_gen.progress import Funnel, saying
from ssui_gen.prompts import Prompt
from ssui_gen.records import ImageRef, Reason, ReasoningPath, Reject
from ssui_gen.rundir import Edition, RunDir
from ssui_gen.settings import ImageLimits
from ssui_gen.verify import PURE, Verifier, together

PATHS, CURATED = "reasoning_paths.jsonl", "curated.jsonl"
BRANCHES, PAIRS, REJECTS = "branches.jsonl", "pairs.jsonl", "pairs_rejects.jsonl"
POLICY_NEEDS = ("sees_pictures", "prefix")
JUDGE_NEEDS = ("sees_pictures",)
SAMPLED = 20
"""Paths that are looked through for a picture to ask the models about."""
WANTED = ("n", "token_ids", "logprobs", "file_urls", "uuid", "priority")
REASONS: dict[type[SsuiError], Reason] = {
    ContextOverflow: Reason.CONTEXT_OVERFLOW,
    RequestRefused: Reason.REQUEST_REFUSED,
    CallFailed: Reason.CALL_FAILED,
}
"""Failed calls that cost one path; any other stops the run. The first match counts."""


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

    @property
    def source(self) -> Path:
        """Curated paths where there are any; raises ConfigError where nobody has looked and none may pass."""
        curated, paths = self.run / CURATED, self.run / PATHS
        if curated.exists():
            return curated
        if not paths.exists():
            raise ConfigError(f"{paths}: no such file: make it with `make dataset RUN={self.run.name}`")
        if not self.uncurated:
            count = sum(1 for _ in read(paths))
            raise ConfigError(
                f"{self.run}: no {CURATED}: no person has seen its {count} paths. Curate them, or take them "
                "as they are: UNCURATED=1 (--uncurated)"
            )
        return paths

    @property
    def roles(self) -> list[str]:
        return ["policy", *(["judge"] if "judge" in self.config.verify.by else [])]

    def edition(self, names: dict[str, str]) -> Edition:
        """What the branches are made with."""
        used = {role: self.prompts[role].id for role in self.roles}
        how = {name: getattr(self.config, name).model_dump_json() for name in ("explore", "verify")}
        return Edition(prompts=used, cards=how, models=names)


async def make_pairs(plan: Plan, console: Console) -> tuple[Outcome, int]:
    """Do what is left of `plan`; returns how many pairs there are. Raises as `make_dataset` does."""
    source = plan.source
    async with AsyncExitStack() as open_:
        folder = open_.enter_context(RunDir(plan.run, "pairs"))
        job = await open_.enter_async_context(opened(plan.run, plan.config, plan.roles, plan.root, console))
        stage = _Stage(plan, source, job, open_)
        needs = {"policy": POLICY_NEEDS, "judge": JUDGE_NEEDS}
        await job.probe(stage.sample(), needs, WANTED, saying(console))
        folder.open_edition(
            plan.edition(job.models.played),
            rows=stage.funnel.kept.total(),
            mix=plan.mix,
            settings=plan.config.model_dump(mode="json"),
            features={role: found.model_dump() for role, found in job.features.items()},
            sources={},
        )
        stage.prepare()
        left = sum(1 for _ in stage.todo())
        outcome = await carry_out(
            job, stage.todo(), stage.work, funnel=stage.funnel, left=left, console=console
        )
    return outcome, write_pairs(plan)


class _Stage:
    """The open files of a run and the work on one path."""

    def __init__(self, plan: Plan, source: Path, job: Job, open_: AsyncExitStack) -> None:
        self.plan, self.source, self.job = plan, source, job
        self.funnel = Funnel()
        self.branches = open_.enter_context(closing(Appender(plan.run / BRANCHES)))
        self.rejects = open_.enter_context(closing(Appender(plan.run / REJECTS)))
        self.done: set[str] = set()
        """Ids of cuts on disk, and of paths that were rejected."""
        self._count_done()
        self.explorer: Explorer

    def _count_done(self) -> None:
        for line in read(self.plan.run / BRANCHES):
            self._note(validate(Cut, line))
        for line in read(self.plan.run / REJECTS):
            reject = validate(Reject, line)
            self.done.add(reject.seed_id)
            self.funnel.dropped[reject.stage, reject.reason] += 1

    def _note(self, cut: Cut) -> None:
        self.done.add(cut.id)
        self.funnel.kept[_kind_of(cut)] += 1

    def todo(self) -> Iterator[ReasoningPath]:
        """Paths with a cut that has no row yet, in their order."""
        paths = (validate(ReasoningPath, line) for line in read(self.source))
        first = itertools.islice(paths, self.plan.limit)
        return (path for path in first if path.id not in self.done and _cut_ids(path) - self.done)

    def sample(self) -> Sample | None:
        """The first picture that can be used."""
        limits = self.plan.config.images
        for path in itertools.islice(self.todo(), SAMPLED):
            with suppress(ImageError):
                ref = path.image
                return Sample(data_url(self.plan.root, ref, limits), file_url(self.plan.root, ref, limits))
        return None

    def prepare(self) -> None:
        """Make the explorer, once it is known what the models can do."""
        found = self.job.features["policy"]
        policy = Policy(
            self.job.callers["policy"], self.job.models.names["policy"], self.plan.prompts["policy"],
            by_n=found.n, token_ids=found.token_ids,
        )  # fmt: skip
        verify = self.plan.config.verify
        parts: dict[str, Verifier] = {name: self._verifier(name) for name in verify.by}
        self.explorer = Explorer(
            policy, self.plan.config.explore, together(parts, verify.mode), self._picture
        )

    def _verifier(self, name: str) -> Verifier:
        if name in PURE:
            return PURE[name]
        return Judge(
            self.job.callers["judge"], self.job.models.names["judge"], self.plan.prompts["judge"],
            self.plan.config.verify, lambda case: self._picture(case.path),
        )  # fmt: skip

    def _picture(self, path: ReasoningPath) -> Picture:
        limits = self.plan.config.images
        return Picture(path.image, limits.longest_side, partial(_part, self.plan.root, path.image, limits))

    async def work(self, path: ReasoningPath) -> None:
        """One path: a row for each cut that has none, or a reject."""
        self.funnel.in_flight += 1
        try:
            for cut in await self.explorer.explore(path):
                if cut.id not in self.done:
                    self.branches.write(cut)
                    self._note(cut)
        except ImageError as error:
            self._reject(path, Reason(error.reason), str(error))
        except tuple(REASONS) as error:
            self._reject(path, next(r for kind, r in REASONS.items() if isinstance(error, kind)), str(error))
        finally:
            self.funnel.in_flight -= 1
            self.funnel.fresh += 1

    def _reject(self, path: ReasoningPath, reason: Reason, detail: str) -> None:
        self.rejects.write(
            Reject(seed_id=path.id, kind=path.kind, stage="explore", reason=reason, detail=detail)
        )
        self.funnel.dropped["explore", reason] += 1


def write_pairs(plan: Plan) -> int:
    """Pair up what is in `branches.jsonl`; returns how many pairs there are."""
    cuts = [validate(Cut, line) for line in read(plan.run / BRANCHES)]
    system = plan.prompts["policy"].render(text="")[0]
    by_path = itertools.groupby(sorted(cuts, key=lambda c: (c.path_id, c.cut)), key=lambda c: c.path_id)
    made = [pair for _, group in by_path for pair in pair_up(list(group), plan.config.pairs, system)]
    atomic_write(plan.run / PAIRS, "".join(pair.model_dump_json() + "\n" for pair in made))
    return len(made)


def _part(root: Path, ref: ImageRef, limits: ImageLimits, sending: Sending) -> dict[str, Any]:
    return picture_part(root, ref, limits, by_file=sending.by_file, by_uuid=sending.by_uuid)


def _cut_ids(path: ReasoningPath) -> set[str]:
    return {Cut.id_of(path.id, cut) for cut in range(len(path.steps))}


def _kind_of(cut: Cut) -> str:
    """For the account: which kinds of branch a cut has."""
    found = Counter(branch.judgement.polarity for branch in cut.branches)
    kinds = [kind for kind in ("good", "bad") if found[kind]]
    return f"{cut.kind}, {' and '.join(kinds) or 'unverified'} branches"
