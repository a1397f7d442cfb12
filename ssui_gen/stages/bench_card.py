"""Judgements and labels of a model → card.json: how far its judge can be trusted, tried where nobody knows.

One card is of one judge and one edition of its rubric; judgements by others are left out, and counted. Other
models of the same benchmark are read for their labels alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from ssui_gen.benching.card import (
    ALL,
    Ordered,
    Outcome,
    Rated,
    agreement,
    by_model,
    moved,
    orders,
    stayed,
    trials,
)
from ssui_gen.benching.folders import Rows, judged_rows, read_rows
from ssui_gen.benching.judged import Judge
from ssui_gen.benching.kept import CARD, LABELS, rows_in
from ssui_gen.benching.labelled import settled
from ssui_gen.benching.printed import card_tables
from ssui_gen.benching.records import BenchJudgement
from ssui_gen.benching.trying import (
    AGAIN,
    ANOTHER,
    CANARY,
    PADDED,
    PAINTED,
    PLAIN,
    UNTOLD,
    Trial,
    Whole,
    most_calls,
    trials_of,
    tried,
)
from ssui_gen.calling.asking import Sample
from ssui_gen.calling.pictures import Pictures
from ssui_gen.config import Config
from ssui_gen.config_trust import Carding
from ssui_gen.files import atomic_write
from ssui_gen.images import plain_url
from ssui_gen.jobs.job import Job, carry_out, opened
from ssui_gen.jobs.progress import Funnel, saying
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.judging.choosing import JudgeModel
from ssui_gen.judging.questions import QUESTIONS, QuestionName
from ssui_gen.prompts import Prompt

DO_NOT_REUSE = "do not reuse: it is not as often right about every model"


class Plan(NamedTuple):
    """Settled before the first call."""

    run: Path
    model: Path
    """The folder of the model whose responses are judged."""
    config: Config
    prompts: dict[str, Prompt]
    toy: bool = False


class Made(NamedTuple):
    """The card, and whether all of it was tried."""

    path: Path
    card: dict[str, Any]
    interrupted: bool


async def make_card(plan: Plan, console: Console) -> Made:
    """Try the judge and write the card; an interrupted one is not written. Raises as `make_bench` does."""
    rows = judged_rows(plan.model)
    async with AsyncExitStack() as open_:
        open_.enter_context(RunDir(plan.run, "bench"))
        job = await open_.enter_async_context(
            opened(plan.run, plan.config, ["judge"], rows.bench.root, console, plan.toy)
        )
        sample = Sample(plain_url("grey"))
        await job.probe(sample, {"judge": ("sees_pictures", "room")}, ("logprobs",), saying(console))
        pictures = Pictures(rows.bench.root, plan.config.images, plan.config.limits.seeds_in_flight)
        judge = _judge(plan, job, pictures)
        work = _Work(judge, trials_of(_cases(rows, judge), plan.config.card), pictures)
        saying(console)(_ahead(work.trials))
        outcome = await carry_out(
            job, work.trials, work.on, funnel=work.funnel, left=len(work.trials), console=console
        )
        card = _card(plan, rows, judge, work.outcomes) | {"cost": _cost(job)}
    if not outcome.interrupted:
        atomic_write(plan.model / CARD, json.dumps(card, ensure_ascii=False, indent=1) + "\n")
        for table in card_tables(card):
            console.print(table)
    return Made(plan.model / CARD, card, outcome.interrupted)


def _judge(plan: Plan, job: Job, pictures: Pictures) -> Judge:
    asked = JudgeModel(job.callers["judge"], job.models.names["judge"], plan.prompts["judge"], pictures.of)
    return Judge(asked, plan.config.bench)


def _cases(rows: Rows, judge: Judge) -> list[Whole]:
    """Every response that is in rates, with what this judge said of it."""
    return [
        Whole(rows.items[one.item_id], one, _by(rows.said.get(one.id, {}), judge))
        for one in rows.responses.values()
        if rows.items[one.item_id].counted
    ]


def _by(said: Mapping[QuestionName, BenchJudgement], judge: Judge) -> dict[QuestionName, BenchJudgement]:
    return {name: row for name, row in said.items() if _is_of(row, judge)}


def _is_of(row: BenchJudgement, judge: Judge) -> bool:
    return row.judge == judge.asked.model and row.rubric == judge.rubric


def _ahead(trials: Sequence[Trial]) -> str:
    return (
        f"Ahead: {len(trials):,} trials, at most {most_calls(trials):,} calls to the judge; what it was "
        "asked before is in the journal."
    )


class _Work:
    """What is tried, and what came of it."""

    def __init__(self, judge: Judge, trials: Sequence[Trial], pictures: Pictures) -> None:
        self.judge, self.trials, self.pictures, self.funnel = judge, trials, pictures, Funnel()
        self.outcomes: list[Outcome] = []

    async def on(self, trial: Trial) -> None:
        self.outcomes.append(await tried(self.judge, trial, self.pictures))
        self.funnel.kept["trials"] += 1
        self.funnel.fresh += 1


def _cost(job: Job) -> dict[str, Any]:
    tally = job.tally
    return {
        "calls": tally.calls,
        "from_journal": tally.replayed,
        "prompt_tokens": tally.prompt_tokens,
        "cached_tokens": tally.cached_tokens,
        "completion_tokens": tally.completion_tokens,
    }


# --- the card ------------------------------------------------------------------------------------------


def _card(plan: Plan, rows: Rows, judge: Judge, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    said = [row for each in rows.said.values() for row in each.values()]
    settings, rated = plan.config.card, list(_rated(plan.model, rows, judge))
    own = {one.model for one in rows.responses.values()}
    card = {
        "judge": judge.asked.model,
        "rubric": judge.rubric,
        "models": sorted(own),
        "languages": sorted({rows.items[one.item_id].language for one in rows.responses.values()}),
        "of_another_judge_or_rubric": sum(not _is_of(row, judge) for row in said),
        "agreement": agreement(row for row in rated if row.model in own),
        "orders": orders(_ordered(rows, [row for row in said if _is_of(row, judge)])),
        "pictures": trials(_named(outcomes, ANOTHER, PLAIN), stayed),
        "untold": trials(_named(outcomes, UNTOLD), moved),
        "canaries": trials(_named(outcomes, CANARY), moved),
        "painted": trials(_named(outcomes, PAINTED), moved),
        "padded": trials(_named(outcomes, PADDED), moved),
        "again": trials([one._replace(question=ALL) for one in _named(outcomes, AGAIN)], moved),
        "by_model": by_model(rated, settings.alike),
        "thresholds": settings.model_dump(),
    }
    return card | {"warnings": warnings(card, settings)}


def _named(outcomes: Iterable[Outcome], *names: str) -> list[Outcome]:
    """Those of these trials; a canary has a name of its own behind the trial's."""
    return [one for one in outcomes if one.trial.partition(",")[0] in names]


def _rated(model: Path, rows: Rows, judge: Judge) -> Iterator[Rated]:
    """The labelled rows of all models of the benchmark."""
    yield from _rated_of(model, rows, judge)
    for file in sorted(model.parent.glob(f"*/{LABELS}")):
        if file.parent != model:
            yield from _rated_of(file.parent, read_rows(file.parent), judge)


def _rated_of(model: Path, rows: Rows, judge: Judge) -> Iterator[Rated]:
    labels = settled(rows_in(model / LABELS, BenchJudgement))
    for (id, question), label in labels.items():
        response, row = rows.responses.get(id), rows.said.get(id, {}).get(question)
        if response and row and _is_of(row, judge):
            item, good = rows.items[response.item_id], QUESTIONS[question].good
            yield Rated(
                question=question,
                kind=item.kind,
                cluster=item.scenario_id,
                model=response.model,
                said=None if row.verdict is None else row.verdict in good,
                truth=label.verdict in good,
                probability=_probability(row),
                weight=label.weight,
            )


def _probability(row: BenchJudgement) -> float | None:
    """That one of the good options holds."""
    if row.shares is None:
        return None
    return min(1.0, sum(row.shares.get(option, 0.0) for option in QUESTIONS[row.question].good))


def _ordered(rows: Rows, said: Sequence[BenchJudgement]) -> Iterator[Ordered]:
    """Verdicts for which both orders were asked."""
    for row in said:
        item = rows.items.get(row.item_id)
        if item and len(row.picked) == 2:
            yield Ordered(row.question, item.scenario_id, len({*row.picked}) > 1, row.gap)


def warnings(card: Mapping[str, Any], settings: Carding) -> list[str]:
    """What whoever uses this judge must know, each in a sentence."""
    found = []
    for name, one in card["pictures"].items():
        if _beyond(one, settings.most_blind):
            found.append(f"blind: {name} changes nothing in {one['value']:.0%} of {one['n']}")
    if _beyond(card["orders"][ALL], settings.most_flips):
        one = card["orders"][ALL]
        found.append(f"follows the order of its options: {one['value']:.0%} of {one['n']} flip")
    for name, one in (card["canaries"] | card["painted"]).items():
        if _beyond(one, settings.most_injected):
            found.append(f"obeys what it judges: {name} turns {one['value']:.0%} of {one['n']}")
    for name, one in card["padded"].items():
        if _beyond(one, settings.most_padded):
            found.append(f"rates length: {name} turns {one['value']:.0%} of {one['n']}")
    for one in card["again"].values():
        if _beyond(one, settings.most_unsteady):
            found.append(f"unsteady: the same, asked again, turns {one['value']:.0%} of {one['n']}")
    if card["judge"] in card["models"]:
        found.append(
            f"judges itself: {card['judge']} is the judge and the model; take another judge beside it"
        )
    for question, one in card["by_model"].items():
        if one["reuse"] is False:
            found.append(f"{question}: {DO_NOT_REUSE}")
    return found


def _beyond(one: Mapping[str, Any], most: float) -> bool:
    return bool(one["n"]) and one["value"] > most
