"""A model's folder of a benchmark, read: the items, what the model said, what its judge made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ssui_gen.benching.bench import Bench, read_bench
from ssui_gen.benching.drawn import Drawable, verdict_of
from ssui_gen.benching.entry import folder_name
from ssui_gen.benching.gathering import gather
from ssui_gen.benching.kept import JUDGEMENTS, RESPONSES, rows_in
from ssui_gen.benching.rates import scenarios
from ssui_gen.benching.records import BenchJudgement, Item, Response
from ssui_gen.benching.vqa.reading import NAME
from ssui_gen.errors import ConfigError
from ssui_gen.judging.questions import QuestionName


class Rows(NamedTuple):
    """What a model's folder holds."""

    bench: Bench
    items: dict[str, Item]
    responses: dict[str, Response]
    said: dict[str, dict[QuestionName, BenchJudgement]]
    """By response what the judge said."""


def models_in(bench: Path) -> list[Path]:
    """The folders of all models that have answered. Raises ConfigError where none has."""
    there = answered(bench)
    if not there:
        raise ConfigError(f"{bench}: no <model>/{RESPONSES}: run the benchmark first (`ssui bench run`)")
    return there


def folder_of_model(bench: Path, model: str | None) -> Path:
    """The folder of a model's responses in a benchmark's; None: the only one's. Raises ConfigError."""
    there = answered(bench)
    wanted = [one for one in there if model is None or one.name in (model, folder_name(model))]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(one.name for one in there) or "none: run the benchmark first (`ssui bench run`)"
    raise ConfigError(f"{bench}: expected the name of one model, MODEL=... (--model); there are: {names}")


def answered(bench: Path) -> list[Path]:
    """The folders of the models that have answered a benchmark."""
    return sorted(file.parent for file in bench.glob(f"*/{RESPONSES}"))


def read_rows(model: Path) -> Rows:
    """Raises ConfigError where there are no responses, RecordError for rows that are none."""
    file = model / RESPONSES
    if not file.exists():
        raise ConfigError(f"{file}: no such file: run the benchmark first (`ssui bench run`)")
    bench = read_bench(model.parent)
    said: dict[str, dict[QuestionName, BenchJudgement]] = defaultdict(dict)
    for row in rows_in(model / JUDGEMENTS, BenchJudgement):
        said[row.response_id][row.question] = row
    items = {item.id: item for item in bench.items}
    found = {row.id: row for row in rows_in(file, Response) if row.item_id in items}
    return Rows(bench, items, found, said)


def judged_rows(model: Path) -> Rows:
    """As `read_rows`, of a benchmark whose responses are rated. Raises ConfigError for any other, too."""
    rows = read_rows(model)
    if rows.bench.name == NAME:
        raise ConfigError(
            f"{model}: what is right of visual questions is known: no judge is asked, and nobody labels"
        )
    return rows


def drawables(rows: Rows) -> Iterator[Drawable]:
    """The scenarios of which there is something to ask, by protocol and draw, with the judge's verdict on
    each.
    """
    said = [row for by_question in rows.said.values() for row in by_question.values()]
    for model in gather(rows.bench.items, rows.responses.values(), said, labels=()):
        for (scenario, draw), one in scenarios(model, model.headline).items():
            asked = tuple(case.response.id for case in one.cases if case.response.asked)
            if asked:
                id = f"{model.protocol}/{draw}/{scenario}"
                yield Drawable(id, model.protocol, verdict_of(one.row.judged.said), asked)
