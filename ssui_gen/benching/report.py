"""One model's folder of a bench → report.json and report.html; a baseline's folder beside it.

Reads rows and writes figures; what they are is `figures`' and `compare`'s, how they look `page`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from ssui_gen import __version__
from ssui_gen.benching.alarms import alarms
from ssui_gen.benching.bench import Bench, read_bench
from ssui_gen.benching.compare import changes, differences
from ssui_gen.benching.costs import cost
from ssui_gen.benching.entry import folder_name
from ssui_gen.benching.evidence import Model
from ssui_gen.benching.failures import Source, failures
from ssui_gen.benching.figures import figures
from ssui_gen.benching.gathering import gather
from ssui_gen.benching.kept import CARD, JUDGEMENTS, LABELS, OFFICIAL, RESPONSES, TRUTH, placed, rows_in
from ssui_gen.benching.official.shape import Judged
from ssui_gen.benching.page import report_page
from ssui_gen.benching.records import BENCH_SCHEMA, BenchJudgement, Response
from ssui_gen.benching.telling import headline
from ssui_gen.benching.theirs import is_whole, scores
from ssui_gen.calling.journal import CALLS, Journal, Seen
from ssui_gen.completions import Completion
from ssui_gen.config_trust import Alarms
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write, is_regular
from ssui_gen.jsonl import read_object
from ssui_gen.judging.questions import RSBENCH
from ssui_gen.placed import ById, Placed

JSON, HTML = "report.json", "report.html"
NOT_ASKED = "{}: scored by the benchmark's own rules alone; RSBench's questions were not asked."
USUAL = Alarms()
RowT = TypeVar("RowT", BenchJudgement, Judged)
ResultsT = TypeVar("ResultsT")


class Results(NamedTuple):
    """A model's folder, read."""

    path: Path
    bench: Bench
    models: list[Model]
    """One per protocol."""
    responses: Placed[Response]
    calls: Seen
    """Of its judge's, that rows name."""

    @property
    def scores(self) -> list[dict[str, Any]]:
        """What the benchmark's own rules make of this protocol's responses."""
        replies = [case.response for case in self.model.cases]
        return scores(ById(self.bench.items), replies, rows_in(self.path / OFFICIAL, Judged))

    @property
    def source(self) -> Source:
        """Where a case's texts are."""
        return Source(self.model, self.bench.items, self.responses)

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
            "rubrics": sorted(self.model.rubrics),
            "people": sorted(labels),
            "prompts": sorted({row.prompt_id for row in rows}),
            "sampling": [json.loads(text) for text in sorted({row.sampling for row in rows})],
            "ssui_gen": __version__,
        }


class Made(NamedTuple, Generic[ResultsT]):
    """What was written, and what it says."""

    json: Path
    html: Path
    results: ResultsT
    """What it is made of."""
    report: dict[str, Any]


def read_results(folder: Path) -> Results:
    """The folder of one model. Raises ConfigError where it has no responses, RecordError for broken rows."""
    bench, calls = read_bench(folder.parent), Seen()
    if not (folder / RESPONSES).exists():
        raise _no_response(folder)
    responses = placed(folder / RESPONSES, Response)
    official = sum(1 for _ in _noted(rows_in(folder / OFFICIAL, Judged), calls))
    judgements = rows_in(folder / JUDGEMENTS, BenchJudgement)
    # ours are asked before theirs: where there are theirs alone, ours were not wanted
    wanted = () if official and next(rows_in(folder / JUDGEMENTS, BenchJudgement), None) is None else RSBENCH
    labels = chain.from_iterable(rows_in(folder / name, BenchJudgement) for name in (LABELS, TRUTH))
    models = gather(bench.items, responses, _noted(judgements, calls), labels, wanted=wanted)
    if not models:
        raise _no_response(folder)
    return Results(folder, bench, models, responses, calls)


def _no_response(folder: Path) -> ConfigError:
    return ConfigError(
        f"{folder / RESPONSES}: no response to an item of {folder.parent}: expected a model's folder of "
        "a bench, as `ssui bench` leaves it"
    )


def _noted(rows: Iterable[RowT], calls: Seen) -> Iterator[RowT]:
    """The rows, whose calls are added to these."""
    for row in rows:
        for call in row.made_by:
            calls.add(call)
        yield row


def make_report(folder: Path, baseline: Path | None = None, settings: Alarms = USUAL) -> Made[Results]:
    """Write both files into `folder`. Raises ConfigError and RecordError as `read_results` does."""
    results = read_results(folder)
    beside = read_results(baseline) if baseline else None
    report = report_of(results, beside, settings)
    shown = failures([one.source for one in (results, beside) if one], results.bench.root)
    atomic_write(folder / JSON, json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    atomic_write(folder / HTML, report_page(report, shown))
    return Made(folder / JSON, folder / HTML, results, report)


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
        "cost": _cost(results),
        "other_protocols": [figures(model) for model in results.models[1:]],
    }


def _headline(results: Results, found: list[Mapping[str, Any]], moved: dict[str, Any]) -> list[str]:
    return headline(found, moved) if results.model.asked else [NOT_ASKED.format(results.model.name)]


def _cost(results: Results) -> dict[str, Any]:
    path = results.path.parent.parent / CALLS
    if not is_regular(path):
        return cost(results.responses, results.calls, lambda _: ())
    with closing(Journal(path)) as journal:
        return cost(results.responses, results.calls, partial(_completions, journal))


def _completions(journal: Journal, ids: Iterable[str]) -> Iterator[Completion]:
    return (call.completion for call in journal.those(ids))
