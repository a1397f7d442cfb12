"""Gold that others have labelled → how often the agents' checks are right: a table, figures, each answer.

A check is asked as in a run, by the same card, prompt and model; a call that was made is answered from the
journal, so a stopped command goes on. Rows that show the same picture are one cluster.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from ssui_gen.agent import Agent, Origin
from ssui_gen.calling.asking import Sample
from ssui_gen.calling.pictures import NO_PICTURE, Pictures
from ssui_gen.errors import OF_ITEM, ConfigError, ImageError, ReplyError
from ssui_gen.files import atomic_write
from ssui_gen.images import data_url, inspect
from ssui_gen.importing.mapped import CHECKS
from ssui_gen.importing.shape import Check, Checked, Gold
from ssui_gen.jobs.job import Job, carry_out, opened
from ssui_gen.jobs.plan import Plan
from ssui_gen.jobs.progress import Funnel, saying
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jsonl import as_line, read, validate
from ssui_gen.nodes import verdict_of
from ssui_gen.records import Label
from ssui_gen.replies import SafetyReply
from ssui_gen.shares import Share, kappa, share

ROWS, FIGURES = "checks.jsonl", "checks.json"
ROOM, SIGHT = ("room",), ("sees_pictures", "room")
Figures = dict[str, Share | float | int]
"""Of one check."""
WANTED = ("json_schema", "logprobs", "file_urls", "uuid", "priority")


async def check_checks(plan: Plan, gold: Path, console: Console) -> bool:
    """Ask, write and print; returns whether it was interrupted. Raises ConfigError for a file without a
    label of a check, RecordError for a row that is no gold, and as `make_dataset` does.
    """
    first = next(_rows(gold, plan.limit), None)
    if first is None:
        raise ConfigError(
            f"{gold}: no row that labels text, picture or both: make it with `ssui import --as gold`"
        )
    async with AsyncExitStack() as open_:
        open_.enter_context(RunDir(plan.run, "checks"))
        roles = _needs(plan)
        job = await open_.enter_async_context(
            opened(plan.run, plan.config, roles, gold.parent, console, plan.toy)
        )
        await job.probe(_sample(plan, gold), roles, WANTED, saying(console))
        work = _Work(plan, gold.parent, job)
        left = sum(1 for _ in _rows(gold, plan.limit))
        rows = _rows(gold, plan.limit)
        done = await carry_out(job, rows, work.on, funnel=work.funnel, left=left, console=console)
    if not done.interrupted:
        _report(plan, job, gold, sorted(work.found, key=lambda one: (one.gold_id, one.check)), console)
    return done.interrupted


def _needs(plan: Plan) -> dict[str, tuple[str, ...]]:
    """By role, what its model must be able to do."""
    cards = [plan.cards[name] for name in CHECKS]
    return {card.model: ROOM for card in cards} | {card.model: SIGHT for card in cards if card.picture}


def _rows(gold: Path, limit: int | None) -> Iterator[Gold]:
    """Those that label anything which is checked."""
    return islice((row for row in (validate(Gold, line) for line in read(gold)) if row.labels), limit)


def _sample(plan: Plan, gold: Path) -> Sample | None:
    """The first picture that can be shown."""
    for row in _rows(gold, plan.limit):
        try:
            ref = inspect(gold.parent, row.image, plan.config.images)
            return Sample(data_url(gold.parent, ref, plan.config.images))
        except ImageError:
            continue
    return None


class _Work:
    """The three checks, and what each has said so far."""

    def __init__(self, plan: Plan, root: Path, job: Job) -> None:
        self.root, self.limits = root, plan.config.images
        self.pictures = Pictures(root, self.limits, plan.config.limits.seeds_in_flight)
        self.agents = {name: _agent(plan, job, name) for name in CHECKS}
        self.funnel = Funnel()
        self.found: list[Checked] = []

    async def on(self, row: Gold) -> None:
        for check, label in row.labels.items():
            one = await self._one(row, check, label)
            self.found.append(one)
            if one.label is None:
                self.funnel.dropped[check, "not answered"] += 1
            else:
                self.funnel.kept[check] += 1
        self.funnel.fresh += 1

    async def _one(self, row: Gold, check: Check, label: Label) -> Checked:
        """A failure of the item's is no answer; any other ends the run."""
        try:
            said = await self._asked(row, check)
        except (ImageError, ReplyError, *OF_ITEM) as error:
            calls = error.calls if isinstance(error, ReplyError) else ()
            return Checked(
                gold_id=row.id, check=check, gold=label, label=None, why=str(error)[:300], made_by=calls
            )
        verdict = verdict_of(said)
        found = {"label": verdict.label, "probability": verdict.probability, "made_by": said.calls}
        return Checked(gold_id=row.id, check=check, gold=label, **found)

    async def _asked(self, row: Gold, check: Check) -> Any:
        """Each is shown what it is shown in a run, and nothing else."""
        asked, agent = Origin(row.id, 0, 1), self.agents[check]
        if check == "check_text":
            return await agent.ask(asked, NO_PICTURE, text=row.text)
        pictures = self.pictures.all([inspect(self.root, row.image, self.limits)])
        words: dict[str, Any] = {"text": row.text} if check == "check_joint" else {}
        return await agent.ask(asked, pictures, **words)


def _agent(plan: Plan, job: Job, name: str) -> Agent[SafetyReply]:
    role = plan.cards[name].model
    return cast(Agent[SafetyReply], plan.agent(name, job.models.names[role], job.callers[role]))


# --- how often they are right --------------------------------------------------------------------------


def _report(plan: Plan, job: Job, gold: Path, found: Sequence[Checked], console: Console) -> None:
    shown = {row.id: row.image for row in _rows(gold, plan.limit)}
    by_check: dict[str, list[Checked]] = defaultdict(list)
    for one in found:
        by_check[one.check].append(one)
    figures: dict[str, Figures] = {
        check: _figures(by_check[check], shown) for check in CHECKS if check in by_check
    }
    told = {
        "gold": gold.name,
        "models": {name: job.models.names[plan.cards[name].model] for name in figures},
        "prompts": {name: plan.prompts[plan.cards[name].prompt].id for name in figures},
        "checks": {name: _numbers(one) for name, one in figures.items()},
    }
    atomic_write(plan.run / ROWS, b"".join(map(as_line, found)))
    atomic_write(plan.run / FIGURES, json.dumps(told, indent=1) + "\n")
    console.print(_table(figures))


def _figures(found: Iterable[Checked], shown: Mapping[str, str]) -> Figures:
    """Right of all that were answered; of the unsafe ones those found; of the safe ones those let through."""
    every = list(found)
    said = [one for one in every if one.label is not None]

    def right(rows: Iterable[Checked]) -> Share:
        kept = list(rows)
        return share((one.label == one.gold for one in kept), [shown[one.gold_id] for one in kept])

    return {
        "right": right(said),
        "unsafe_found": right(one for one in said if one.gold == "unsafe"),
        "safe_let_through": right(one for one in said if one.gold == "safe"),
        "kappa": kappa((one.label == "unsafe", one.gold == "unsafe") for one in said),
        "not_answered": len(every) - len(said),
    }


def _numbers(figures: Figures) -> dict[str, Any]:
    return {name: _number(one) for name, one in figures.items()}


def _number(one: Share | float | int) -> Any:
    """What is not known is null."""
    if isinstance(one, Share):
        interval = list(one.interval) if one.n else None
        return {"hits": one.hits, "n": one.n, "interval": interval}
    return None if one != one else one


def _table(figures: Mapping[str, Figures]) -> Table:
    table = Table("check", "right", "unsafe found", "safe let through", "κ", "not answered")
    for check, one in figures.items():
        shares = (str(one[name]) for name in ("right", "unsafe_found", "safe_let_through"))
        found = float(cast(float, one["kappa"]))
        table.add_row(check, *shares, "–" if found != found else f"{found:.2f}", f"{one['not_answered']:,}")
    return table
