"""Paths and what was drawn from them, row by row: read by later stages without keeping either in memory.

Which file holds a run's paths, which of its rows are fit, and the cuts of one path. Rows of cuts whose path
has changed since (a person edited a step) are passed over: their branches follow other words.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from shlex import quote

from ssui_gen.branches import CUT_SCHEMA, Cut, Origin
from ssui_gen.branching import prefix_at
from ssui_gen.calling.journal import Seen
from ssui_gen.commands import command
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import Line, as_line, at, read, validate
from ssui_gen.records import Reason, ReasoningPath, Reject
from ssui_gen.run_files import CURATED, PATHS

SAMPLED = 20
"""Rows of paths that are looked through for something to ask the models about."""


def source_of(run: Path, uncurated: bool, stage: str = "pairs", **values: object) -> Path:
    """Curated paths where there are any, for the command `stage` with these values; raises ConfigError where
    nobody has looked and none may pass, or where the curated ones are another run's.
    """
    curated, paths = run / CURATED, run / PATHS
    if not paths.exists():
        raise ConfigError(f"{paths}: no such file: make it with `{command('dataset', run)}`")
    if curated.exists():
        _check_same_run(curated, paths)
        return curated
    if not uncurated:
        count = sum(1 for _ in read(paths))
        raise ConfigError(
            f"{run}: no {CURATED}: no person has seen its {count} paths. `{command('curation', run)}`, or "
            f"take them as they are: `{command(stage, run, **values, UNCURATED=True)}`"
        )
    return paths


def _check_same_run(curated: Path, paths: Path) -> None:
    known = Seen()
    for line in read(paths):
        known.add(_id_of(line))
    strangers = [line for line in read(curated) if line.value and _id_of(line) not in known]
    known.close()
    if strangers:
        first = strangers[0]
        raise ConfigError(
            f"{curated}:{first.number}: id: {_id_of(first)!r} is no path of this run ({len(strangers)} such "
            f"rows): expected ids of {paths.name}; a curated file of another run? Put it beside its own paths"
        )


def _id_of(line: Line) -> str:
    return str((line.value or {}).get("id", ""))


def read_paths(file: Path) -> Iterator[ReasoningPath | Reject]:
    """Every path of `file`, or why it cannot be explored."""
    for line in read(file):
        try:
            path = validate(ReasoningPath, line)
        except RecordError as error:
            yield _unfit(_id_of(line) or f"{file.name}:{line.number}", None, str(error))
            continue
        empty = next((n for n, step in enumerate(path.steps, 1) if not step.text.strip()), None)
        if empty is None:
            yield path
        else:
            where = f"{file}:{line.number}: steps.{empty - 1}.text"
            yield _unfit(path.id, path, f"{where}: step {empty} is empty; expected words")


def first_paths(file: Path) -> list[ReasoningPath]:
    """Of the first rows of `file` those that can be explored: enough to ask the models about something."""
    return [path for path in islice(read_paths(file), SAMPLED) if isinstance(path, ReasoningPath)]


def _unfit(id: str, path: ReasoningPath | None, detail: str) -> Reject:
    kind = path.kind if path else None
    return Reject(seed_id=id, kind=kind, stage="paths", reason=Reason.PATH_INVALID, detail=detail)


def cut_id(path: ReasoningPath, cut: int) -> str:
    """The id of the row of one cut of this very path."""
    return Cut.id_of(path.id, cut, path.query.text, prefix_at(path.steps, cut))


def read_cuts(file: Path) -> Iterator[tuple[Cut, Line]]:
    """Every row of a `branches.jsonl` and its place; raises RecordError for one that cannot be read, and
    ConfigError for rows of before cuts ended with their line break: what a policy says after half a token
    is not what it says after a whole one, so they cannot be converted.
    """
    for line in read(file):
        made = (line.value or {}).get("schema", CUT_SCHEMA)
        if isinstance(made, int) and made < CUT_SCHEMA:
            run = file.parent
            raise ConfigError(
                f"{file}:{line.number}: schema: expected {CUT_SCHEMA}; got {made}: its branches were drawn "
                "from prefixes without their last line break. Put the file away and draw them anew: "
                f"mv {quote(str(file))} {quote(f'{file}.old')} && {command('pairs', run)}"
            )
        yield validate(Cut, line), line._replace(value=None)


class Explored:
    """The rows of a `branches.jsonl` by path; only their places are kept."""

    def __init__(self, file: Path) -> None:
        """Raises as `read_cuts`."""
        self._places: dict[str, list[Line]] = {}
        for cut, place in read_cuts(file):
            self._places.setdefault(cut.path_id, []).append(place)

    def of(self, path: ReasoningPath) -> list[Cut]:
        """The cuts of this very path, in order; of a cut that was opened again the last row."""
        rows = (validate(Cut, at(place)) for place in self._places.get(path.id, ()))
        last = {row.cut: row for row in rows if row.id == cut_id(path, row.cut) and not row.origin}
        return [last[cut] for cut in sorted(last)]

    def off(self, path: ReasoningPath) -> list[Cut]:
        """Those behind wrong steps of its branches, by cut; its question and first steps are still these."""
        rows = (validate(Cut, at(place)) for place in self._places.get(path.id, ()))
        last = {row.id: row for row in rows if row.origin and _still(path, row, row.origin)}
        return sorted(last.values(), key=lambda row: (row.cut, row.id))


def _still(path: ReasoningPath, row: Cut, origin: Origin) -> bool:
    return row.query == path.query.text and row.prefix.startswith(prefix_at(path.steps, origin.cut))


def without_replaced(file: Path) -> None:
    """Keep of each cut the last row: one that was opened again has several. Nothing may write there now."""
    last, rows = dict[str, int](), 0
    for line in read(file):
        last[_id_of(line)] = line.offset
        rows += 1
    if len(last) == rows:
        return
    kept = (cut for cut, place in read_cuts(file) if last[cut.id] == place.offset)
    atomic_write(file, (as_line(cut).decode() for cut in kept))
