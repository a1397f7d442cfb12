"""One piece of work: branches of a data set, a cell (a training and what is measured of it), what the agents
did, or the paths that they wrote. Each is a file that is bound to its settings, to the models, to all code
that made it, and to the files that it was made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from pathlib import Path
from time import process_time
from typing import Any

from microworld.reproduce import kept
from microworld.reproduce.agents import checkpoint, observed
from microworld.reproduce.branches import by_steps, explored, joined, recovered, turned
from microworld.reproduce.laboratory import Laboratory
from microworld.reproduce.measuring import counted, measured
from microworld.reproduce.paths import Told, told
from microworld.reproduce.rounds import drawing, in_rounds, summed
from microworld.reproduce.settings import Agents, Branches, Cell, Data, Drawn, Written, key
from microworld.reproduce.training import Trained
from microworld.reproduce.written import as_written, written
from ssui_gen import provenance
from ssui_gen.branches import Cut
from ssui_gen.errors import ConfigError

Work = Branches | Cell | Agents | Written
EVALUATOR = "microworld.reproduce.measuring"
CODE = "microworld.reproduce.cell"
FOLDERS: dict[type[Work], str] = {
    Branches: "branches",
    Cell: "cells",
    Agents: "agents",
    Written: "paths",
}
OFF = 500
"""Seeds of draws behind wrong steps are apart by so much from those of draws from a path's own."""
AGENTS = "agents"
"""The agents' checkpoint, beside the policy's."""


@dataclass(frozen=True)
class Place:
    """Where everything lies, and what all of it is bound to."""

    folder: Path
    model: Path
    bound: Mapping[str, Any]
    """Of model and code; see `bound_to`."""

    def file(self, work: Work) -> Path:
        return self.folder / FOLDERS[type(work)] / f"{key(work)}.json"

    def made_of(self, work: Work) -> dict[str, Any]:
        """Raises Refused where what it needs is not there or may not be used."""
        needed = {key(one): self.read(one)[kept.SEAL] for one in needs(work)}
        return {"settings": work.model_dump(mode="json"), "needs": needed, **self.bound}

    def read(self, work: Work) -> dict[str, Any]:
        """The content of a file. Raises Refused where it is not there, edited, or made of something else."""
        return kept.fitting(self.file(work), self.made_of(work))


def bound_to(model: Path) -> dict[str, Any]:
    """What every file is bound to beside its own settings: the policy, the code, the evaluator. Raises
    ConfigError.
    """
    return {
        "model": _files(model),
        "agents": _files(model.with_name(AGENTS)),
        "code": provenance.code(CODE),
        "evaluator": provenance.code(EVALUATOR)["sha256"],
    }


def _files(folder: Path) -> str:
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; expected a checkpoint of the microworld (make micro)")
    return provenance.files(path for path in folder.iterdir() if path.is_file())


def needs(work: Work) -> tuple[Branches | Written, ...]:
    """The paths that the agents wrote, and the branches that a cell learns from, or behind whose wrong steps
    others begin.
    """
    if isinstance(work, Agents | Written) or work.data is None:
        return ()
    paths = [Written(data=work.data)] if work.data.written == "agents" else []
    return *paths, *(_sources(work) if isinstance(work, Cell) else _behind(work))


def _behind(work: Branches) -> Iterator[Branches]:
    return _parts(work.data, work.drawn) if work.off else iter(())


def _sources(cell: Cell) -> Iterator[Branches]:
    """Of the right paths, then of the wrong ones where there are any."""
    if cell.data is None or cell.drawn is None:
        return
    whole = cell.data.model_copy(update={"reviewed": False})
    for data in dict.fromkeys((whole.model_copy(update={"wrong": 0.0}), whole)):
        yield from _parts(data, cell.drawn)
        if cell.off:
            yield Branches(data=data, drawn=cell.drawn, off=cell.off)


def _parts(data: Data, drawn: Drawn) -> Iterator[Branches]:
    """PART draws at a time."""
    return (Branches(data=data, drawn=part, part=n) for n, part in enumerate(drawn.parts))


def do(place: Place, work: Work) -> None:
    """Make the file. Raises SsuiError."""
    made_of, began = place.made_of(work), process_time()
    content = _made(place, work)
    kept.write(place.file(work), made_of, {**content, "cpu_seconds": round(process_time() - began, 1)})


def _made(place: Place, work: Work) -> dict[str, Any]:
    if isinstance(work, Agents):
        return {"rows": observed(checkpoint(place.model.with_name(AGENTS)), work)}
    if isinstance(work, Written):
        return {"rows": written(checkpoint(place.model.with_name(AGENTS)), told(work.data))}
    lab = laboratory(place.model)
    return _branches(lab, place, work) if isinstance(work, Branches) else _cell(lab, place, work)


def _branches(lab: Laboratory, place: Place, work: Branches) -> dict[str, Any]:
    """Of all paths; of a data set with wrong ones those alone, as the others are in another file."""
    paths = [one for one in _paths(place, work.data) if not (work.data.wrong and one.right)]
    seed = 1000 * work.data.seed + work.part
    if work.off:
        own = reduce(joined, (_rows(place.read(source)) for source in _behind(work)))
        found = recovered(lab, paths, own, work.off, seed + OFF)
    else:
        found = explored(lab, lab.bare, paths, work.drawn, seed)
    rows = [cut.model_dump(mode="json", by_alias=True) for cut in found]
    return {**drawing(found), "cuts": rows}


def _cell(lab: Laboratory, place: Place, cell: Cell) -> dict[str, Any]:
    made = _trained(lab, place, cell) if cell.data else Trained(lab.bare, {})
    found = measured(lab, made.weights, cell.test)
    return {"facts": made.facts, "counts": counted(found["rows"]), **found}


def _trained(lab: Laboratory, place: Place, cell: Cell) -> Trained:
    assert cell.data is not None
    paths = _paths(place, cell.data)
    for one in paths:
        lab.prompt(one.pair)
    cuts, drawn = _cuts(place, cell, paths)
    cuts = by_steps(cuts) if cell.supervision == "process" else cuts
    made = in_rounds(lab, paths, turned(cuts, cell.noise) if cell.noise else cuts, cell)
    both = sum({"good", "bad"} <= {b.judgement.polarity for b in cut.branches} for cut in cuts)
    facts = {name: round(value, 1) for name, value in summed(made.facts, drawn).items()}
    faults = {"paths_wrong": sum(not one.right for one in paths)}
    return Trained(made.weights, {**facts, **faults, "cuts": len(cuts), "cuts_with_both": both})


def _paths(place: Place, data: Data) -> tuple[Told, ...]:
    """Of a data set, by whoever writes them."""
    planned = told(data)
    if data.written == "truth":
        return planned
    return as_written(planned, place.read(Written(data=data))["rows"])


def _cuts(place: Place, cell: Cell, paths: tuple[Told, ...]) -> tuple[list[Cut], dict[str, float]]:
    """The branches of just these paths, and what drawing them took. Where none was made wrong on purpose, all
    are of one file.
    """
    assert cell.data is not None
    right = {one.path.id: one.right or not cell.data.wrong for one in paths}
    parts: dict[tuple[bool, bool], list[Cut]] = {}
    took = {"draws": 0.0, "drawn_tokens": 0.0, "drawing_seconds": 0.0}
    for source in _sources(cell):
        of_right, off = not source.data.wrong, source.off is not None
        made = place.read(source)
        found = _rows(made)
        rows = [cut for cut in found if right.get(cut.path_id) is of_right]
        share = len(rows) / max(len(found), 1)
        own = {**drawing(rows), "drawing_seconds": share * made["cpu_seconds"]}
        took = {name: value + own[name] for name, value in took.items()}
        known = parts.get((of_right, off))
        parts[of_right, off] = joined(known, rows) if known else rows
    return [cut for rows in parts.values() for cut in rows], took


def _rows(made: Mapping[str, Any]) -> list[Cut]:
    return [Cut.model_validate(row) for row in made["cuts"]]


@lru_cache(maxsize=1)
def laboratory(model: Path) -> Laboratory:
    """The one of this process."""
    return Laboratory(model)
