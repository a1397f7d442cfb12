"""A log of inspect_ai → a model's folder of a benchmark, as a run of ours leaves it; people's labels → a log.

inspect_ai is an extra: who has not installed it is told how.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ssui_gen.benching.bench import Bench, read_bench
from ssui_gen.benching.edition import Makers, edition_of
from ssui_gen.benching.entry import folder_name
from ssui_gen.benching.kept import JUDGEMENTS, LABELS, RESPONSES, rows_in
from ssui_gen.benching.official.asking import PROMPT
from ssui_gen.benching.records import BenchJudgement
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jsonl import as_line, read
from ssui_gen.manifest import Edition
from ssui_gen.prompts import Prompt, home, load_prompt
from ssui_gen.serving.embedded import EMBEDDED

if TYPE_CHECKING:
    from ssui_gen.inspecting.logs import Read

EXTRA = "inspect_ai"
RATINGS = "inspect_ratings.jsonl"


class Imported(NamedTuple):
    """What a log gave."""

    folder: Path
    responses: int
    judgements: int
    checked: int
    """Responses whose verdicts were made anew from the judge's calls, and are the same."""
    failed: int
    """Samples that ended with an error."""


def import_log(log: Path, folder: Path, prompt: Prompt) -> Imported:
    """Write the rows of `log` into its model's folder below `folder`, that of the benchmark.

    Raises ConfigError for a log of other items, or where the folder has rows; RecordError for rows that are
    none, or that the log's own calls contradict.
    """
    _require()
    from ssui_gen.inspecting.logs import check, read_log

    found = read_log(log)
    bench = read_bench(folder)
    if found.told.items != bench.sha:
        raise ConfigError(
            f"{log}: its items are not those of {folder} (sha256 {found.told.items[:12]}…, there "
            f"{bench.sha[:12]}…): --run and --bench name the run that it was made of"
        )
    if not found.drawn:
        raise ConfigError(f"{log}: no sample has a response: {found.failed:,} ended with an error")
    checked = check(found, {item.id: item for item in bench.items}, prompt)
    responses = [one.response for one in found.drawn]
    rows = [row for one in found.drawn for row in one.rows]
    place = folder / folder_name(_only("models", {one.model for one in responses}, log))
    with RunDir(place) as home:
        if any(next(read(place / name), None) for name in (RESPONSES, JUDGEMENTS)):
            raise ConfigError(f"{place}: holds rows already: move them away, or import into another run")
        edition = _edition(found, bench, log)
        toy = not set(EMBEDDED).isdisjoint(edition.models.values())
        home.open_edition(edition, rows=0, mix=False, settings={}, features={}, sources={}, toy=toy)
        atomic_write(place / JUDGEMENTS, b"".join(map(as_line, rows)))
        atomic_write(place / RESPONSES, b"".join(map(as_line, responses)))
    return Imported(place, len(responses), len(rows), checked, found.failed)


def label_log(log: Path, model: Path, to: Path) -> tuple[Path, int]:
    """Write `log` to `to` with the labels of people in a model's folder beside the judge's verdicts; returns
    the file of scores that inspect_ai was given, and how many responses it is about. Raises ConfigError where
    there are no labels, or some are of other responses.
    """
    _require()
    from ssui_gen.inspecting.logs import read_log
    from ssui_gen.inspecting.people import add, as_lines, ratings

    labels = list(rows_in(model / LABELS, BenchJudgement))
    if not labels:
        raise ConfigError(f"{model / LABELS}: no labels yet: `ssui bench label` asks people for them")
    if to.exists():
        raise ConfigError(f"{to}: is there already: --output names another file")
    records = ratings(labels, read_log(log).drawn, log)
    atomic_write(model / RATINGS, as_lines(records))
    add(log, model / RATINGS, to)
    return model / RATINGS, len(records)


def _edition(found: Read, bench: Bench, log: Path) -> Edition:
    """With what the rows were made: so the same command goes on there."""
    responses = [one.response for one in found.drawn]
    rows = [row for one in found.drawn for row in one.rows]
    makers = Makers(
        model=responses[0].model,
        judge=_only("judges", {row.judge for row in rows} or {""}, log),
        asked=_only("prompts", {one.prompt_id for one in responses}, log),
        rubric=_only("rubrics", {row.rubric for row in rows} or {""}, log),
        official=load_prompt(home() / "prompts" / f"{PROMPT}.md").id,
    )
    return edition_of(bench, found.told.settings, makers, found.told.rendered)


def _only(what: str, names: set[str], log: Path) -> str:
    if len(names) != 1:
        raise ConfigError(f"{log}: expected rows of one make; its {what} are {', '.join(sorted(names))}")
    return next(iter(names))


def _require() -> None:
    if importlib.util.find_spec(EXTRA) is None:
        raise ConfigError(
            "inspect_ai is not installed here: `make inspect` makes .venv-inspect, which has it; or pip "
            "install 'ssui_gen[inspect]'"
        )
