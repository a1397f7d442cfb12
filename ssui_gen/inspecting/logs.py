"""A log of inspect_ai → the rows of a model, each checked against the calls that the log holds.

The judge's calls stand in a log with their log-probabilities, so its verdicts are made anew from them by the
code that made them first. Rows that say something else are refused: a log is a file that somebody brought.
Covers neither files of ours nor what becomes of the rows (`stages.bench_log`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from zstandard import ZstdError

from ssui_gen.benching.judged import Judge, judge
from ssui_gen.benching.records import BenchJudgement, Item, Response
from ssui_gen.calling.calls import Request
from ssui_gen.calling.pictures import Picture
from ssui_gen.completions import Completion
from ssui_gen.config import Bench as Settings
from ssui_gen.errors import CallFailed, ConfigError, RecordError
from ssui_gen.inspecting.calling import asked_with, completion, messages
from ssui_gen.inspecting.scoring import RESPONSE, ROLE, ROWS
from ssui_gen.jsonl import of_kind
from ssui_gen.judging.choosing import JudgeModel
from ssui_gen.prompts import Prompt
from ssui_gen.settings import parse

SCORER = "judged"
COMPARED = ("verdict", "unscored", "shares", "mass", "gap", "picked", "shown")


class Told(NamedTuple):
    """What a log says of its task."""

    items: str
    """Hash of the items."""
    settings: Settings
    rendered: dict[str, str]


class Drawn(NamedTuple):
    """One sample: a draw of an item."""

    place: str
    """Where it stands, for people."""
    response: Response
    rows: list[BenchJudgement]
    calls: dict[tuple[str, ...], Completion]
    """The judge's, by what it was told."""


class Read(NamedTuple):
    """A log of ours."""

    told: Told
    drawn: list[Drawn]
    failed: int
    """Samples that ended with an error: they gave no response."""


def read_log(path: Path) -> Read:
    """Raises ConfigError for a file that is no log of this task, RecordError for rows that are none."""
    log = opened(path)
    told = _told(log, path)
    samples = list(log.samples or ())
    drawn = [_drawn(sample, path) for sample in samples if RESPONSE in sample.store]
    return Read(told, drawn, len(samples) - len(drawn))


def check(read: Read, items: dict[str, Item], prompt: Prompt) -> int:
    """How many samples' verdicts were made anew and are the same. Those of another rubric, and those whose
    calls the log does not hold, are left alone. Raises RecordError for a verdict that its calls do not give.
    """
    strangers = [one for one in read.drawn if one.response.item_id not in items]
    if strangers:
        raise RecordError(f"{strangers[0].place}: no item of this benchmark")
    able = [one for one in read.drawn if one.calls and all(row.rubric == prompt.id for row in one.rows)]
    for one in able:
        _same(one, asyncio.run(_anew(one, read.told.settings, items[one.response.item_id], prompt)))
    return len(able)


def opened(path: Path) -> EvalLog:
    """The log as inspect_ai has it. Raises ConfigError for a file that is none."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected a log of `inspect eval ssui_gen/rsbench`")
    try:
        return read_eval_log(str(path), resolve_attachments=True)
    except (ValueError, KeyError, OSError, ZstdError) as error:
        raise ConfigError(f"{path}: not a log of inspect_ai: {error}") from None


def _told(log: EvalLog, path: Path) -> Told:
    facts = log.eval.metadata or {}
    lacking = {"items", "settings", "rendered"} - facts.keys()
    if lacking:
        raise ConfigError(
            f"{path}: a log of {log.eval.task}, which does not say what its items and settings are; expected "
            "one of `inspect eval ssui_gen/rsbench`"
        )
    settings = parse(Settings, facts["settings"], f"{path}: eval.metadata.settings")
    return Told(str(facts["items"]), settings, {k: str(v) for k, v in dict(facts["rendered"]).items()})


def _drawn(sample: EvalSample, path: Path) -> Drawn:
    place = f"{path}: sample {sample.id}, epoch {sample.epoch}"
    response = of_kind(Response, sample.store[RESPONSE], f"{place}: store.{RESPONSE}")
    if (response.item_id, response.draw) != (str(sample.id), sample.epoch - 1):
        raise RecordError(f"{place}: its response is of {response.item_id}, draw {response.draw}")
    rows = [of_kind(BenchJudgement, row, f"{place}: judgements") for row in _rows(sample)]
    strangers = [row.response_id for row in rows if row.response_id != response.id]
    if strangers:
        raise RecordError(f"{place}: a judgement of another response, {strangers[0]}")
    return Drawn(place, response, rows, dict(_calls(sample.events)))


def _rows(sample: EvalSample) -> list[Any]:
    for name, score in (sample.scores or {}).items():
        if name.rpartition("/")[2] == SCORER:
            return list((score.metadata or {}).get(ROWS) or ())
    return []


def _calls(events: Iterable[Any]) -> Iterator[tuple[tuple[str, ...], Completion]]:
    """The judge's calls that were answered."""
    for event in events:
        if isinstance(event, ModelEvent) and event.role == ROLE and not event.output.empty:
            yield tuple(map(asked_with, event.input)), completion(event.output)


# --- verdicts made anew ----------------------------------------------------------------------------


class _Replay:
    """Answers from a log."""

    def __init__(self, calls: dict[tuple[str, ...], Completion]) -> None:
        self.calls = calls

    async def call(self, request: Request) -> tuple[str, Completion]:
        """Raises CallFailed for what is not in the log."""
        found = self.calls.get(tuple(map(asked_with, messages(request.body))))
        if found is None:
            raise CallFailed("no such call in the log")
        return request.id, found


async def _anew(one: Drawn, settings: Settings, item: Item, prompt: Prompt) -> list[BenchJudgement]:
    model = one.rows[0].judge if one.rows else ""
    asked = JudgeModel(_Replay(one.calls), model, prompt, lambda ref: Picture(ref, 0, lambda sending: {}))
    return await judge(Judge(asked, settings), item, one.response, [row.question for row in one.rows])  # type: ignore[misc]


def _same(one: Drawn, anew: Iterable[BenchJudgement]) -> None:
    for said, found in zip(one.rows, anew, strict=True):
        if said.unscored in ("call_failed", "request_refused"):
            continue  # such a call has left no answer
        apart = [name for name in COMPARED if getattr(said, name) != getattr(found, name)]
        if apart:
            name = apart[0]
            raise RecordError(
                f"{one.place}: {said.question}: {name} is {getattr(said, name)!r}, and the judge's calls in "
                f"this log give {getattr(found, name)!r}: the row was changed, or made by another version"
            )
