"""One model's folder of a bench → report.json and report.html; a baseline's folder beside it.

Reads rows and writes figures; what they are is `figures`' and `compare`'s, how they look `page`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen import __version__
from ssui_gen.benching.alarms import alarms
from ssui_gen.benching.bench import Bench, read_bench
from ssui_gen.benching.compare import changes, differences
from ssui_gen.benching.costs import cost
from ssui_gen.benching.entry import folder_name
from ssui_gen.benching.evidence import Model, gather
from ssui_gen.benching.failures import failures
from ssui_gen.benching.figures import figures
from ssui_gen.benching.kept import CARD, JUDGEMENTS, LABELS, OFFICIAL, RESPONSES, TRUTH, rows_in
from ssui_gen.benching.official.shape import Judged
from ssui_gen.benching.page import report_page
from ssui_gen.benching.records import BENCH_SCHEMA, BenchJudgement, Response
from ssui_gen.benching.telling import headline
from ssui_gen.benching.theirs import is_whole, scores
from ssui_gen.calling.journal import CALLS, Journal
from ssui_gen.completions import Completion
from ssui_gen.config_trust import Alarms
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write, is_regular
from ssui_gen.jsonl import read_object
from ssui_gen.judging.questions import RSBENCH

JSON, HTML = "report.json", "report.html"
NOT_ASKED = "{}: scored by the benchmark's own rules alone; RSBench's questions were not asked."
USUAL = Alarms()


class Results(NamedTuple):
    """A model's folder, read."""

    path: Path
    bench: Bench
    models: list[Model]
    """One per protocol."""
    responses: list[Response]
    judgements: list[BenchJudgement]
    official: list[Judged]
    """Scores by the benchmark's own rules."""

    @property
    def scores(self) -> list[dict[str, Any]]:
        """What those make of this protocol's responses."""
        items = {item.id: item for item in self.bench.items}
        return scores(items, [case.response for case in self.model.cases], self.official)

    @property
    def model(self) -> Model:
        return self.models[0]

    @property
    def edition(self) -> dict[str, Any]:
        """What the figures are of: whatever changes one of these makes other figures."""
        rows = [case.response for case in self.model.cases]
        labels = {row.judge for case in self.model.cases for row in case.drawn.values()}
        return {
            "bench": self.bench.name,
            "sha": self.bench.sha,
            "protocol": self.model.protocol,
            "judge": self.model.judge,
            "rubrics": sorted({row.rubric for row in self.judgements if row.judge == self.model.judge}),
            "people": sorted(labels),
            "prompts": sorted({row.prompt_id for row in rows}),
            "sampling": _distinct(row.sampling for row in rows),
            "ssui_gen": __version__,
        }


class Made(NamedTuple):
    """What was written, and what it says."""

    json: Path
    html: Path
    results: Results
    report: dict[str, Any]


def read_results(folder: Path) -> Results:
    """The folder of one model. Raises ConfigError where it has no responses, RecordError for broken rows."""
    bench = read_bench(folder.parent)
    responses = list(rows_in(folder / RESPONSES, Response))
    judgements = list(rows_in(folder / JUDGEMENTS, BenchJudgement))
    official = list(rows_in(folder / OFFICIAL, Judged))
    # ours are asked before theirs: where there are theirs alone, ours were not wanted
    wanted = () if official and not judgements else RSBENCH
    labels = [row for name in (LABELS, TRUTH) for row in rows_in(folder / name, BenchJudgement)]
    models = gather(bench.items, responses, judgements, labels, wanted=wanted)
    if not models:
        raise ConfigError(
            f"{folder / RESPONSES}: no response to an item of {folder.parent}: expected a model's folder of "
            "a bench, as `ssui bench` leaves it"
        )
    return Results(folder, bench, models, responses, judgements, official)


def make_report(folder: Path, baseline: Path | None = None, settings: Alarms = USUAL) -> Made:
    """Write both files into `folder`. Raises ConfigError and RecordError as `read_results` does."""
    results = read_results(folder)
    beside = read_results(baseline) if baseline else None
    report = report_of(results, beside, settings)
    shown = failures([one.model for one in (results, beside) if one], results.bench.root)
    atomic_write(folder / JSON, json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    atomic_write(folder / HTML, report_page(report, shown))
    return Made(folder / JSON, folder / HTML, results, report)


def make_again(bench: Path, settings: Alarms = USUAL) -> Iterator[Made]:
    """Every report that stands in a bench's folder, as `reported` has them. Raises as that and `make_report`
    do.
    """
    for folder, beside in reported(bench):
        yield make_report(folder, beside, settings)


def reported(bench: Path) -> list[tuple[Path, Path | None]]:
    """The folders of all models that have a report, each with that of the model that it was beside; those
    without one first. Raises ConfigError where there is none.
    """
    found = [(len(names), file.parent, names) for file in bench.glob(f"*/{JSON}") if (names := _named(file))]
    if not found:
        raise ConfigError(f"{bench}: no <model>/{JSON} in it: nothing was reported yet (`ssui bench run`)")
    places = [
        (folder, bench / folder_name(names[1]) if names[1:] else None) for _, folder, names in sorted(found)
    ]
    return [(one, beside if beside and is_regular(beside / RESPONSES) else None) for one, beside in places]


def _named(file: Path) -> list[str]:
    """The models of a report; none where it is no such file."""
    names = (read_object(file) or {}).get("models")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def report_of(results: Results, beside: Results | None = None, settings: Alarms = USUAL) -> dict[str, Any]:
    """The content of `report.json`, keys in the order of docs/report.md."""
    card = read_object(results.path / CARD)
    found, theirs = figures(results.model), results.scores
    status = found.pop("status")
    other, moved, why = None, dict[str, Any](), ""
    if beside:
        why = "; ".join(differences([beside.edition, results.edition]))
        other = None if why else figures(beside.model)
        moved = {} if why else changes(beside.model, results.model)
    return {
        "schema": BENCH_SCHEMA,
        "status": status if all(map(is_whole, theirs)) else "incomplete",
        "models": [one.model.name for one in (results, beside) if one],
        "headline": _headline(results, [one for one in (found, other) if one], moved),
        "edition": results.edition,
        **found,
        "official": theirs,
        "change": moved if not why else {"why": f"not compared: {why}"},
        "baseline": other,
        "alarms": [
            alarm.as_row() for alarm in alarms((*results.model.cases, *results.model.plain), settings, card)
        ],
        "card": card,
        "cost": cost(*_asked_for(results)),
        "other_protocols": [figures(model) for model in results.models[1:]],
    }


def _headline(results: Results, found: list[Mapping[str, Any]], moved: dict[str, Any]) -> list[str]:
    return headline(found, moved) if results.model.asked else [NOT_ASKED.format(results.model.name)]


def _asked_for(
    results: Results,
) -> tuple[list[Response], list[BenchJudgement | Judged], dict[str, Completion]]:
    judged: list[BenchJudgement | Judged] = [*results.judgements, *results.official]
    rows: list[Response | BenchJudgement | Judged] = [*results.responses, *judged]
    wanted = {call for row in rows for call in row.made_by}
    path = results.path.parent.parent / CALLS
    if not (wanted and is_regular(path)):
        return results.responses, judged, {}
    with closing(Journal(path)) as journal:
        found = journal.rows_by_id(wanted)
    return results.responses, judged, {id: call.completion for id, call in found.items()}


def _distinct(values: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [json.loads(text) for text in sorted({json.dumps(value, sort_keys=True) for value in values})]
