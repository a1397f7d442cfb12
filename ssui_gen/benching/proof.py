"""Was anything of a benchmark trained on? What a run's trainings have read, held against the items.

An adapter has read the paths of its file but for those that it says were left out; of one whose files have
changed since nobody can say which, so all of them count. Pairs count as soon as they are made. How two
pictures or texts are compared stands in `exploring.leaks`, with what it cannot find.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.branches import Pair
from ssui_gen.errors import ConfigError, ImageError
from ssui_gen.exploring.explored import read_paths
from ssui_gen.exploring.leaks import Bench
from ssui_gen.jsonl import read, read_object, validate
from ssui_gen.manifest import images_of, pictures_of
from ssui_gen.records import Reason, ReasoningPath, Reject
from ssui_gen.run_files import CURATED, NOT_EXPLORED, NOT_TRAINED, PAIRS, PATHS

FACTS = "training.json"
"""What a training leaves in its folder, from its first step on."""


class Trained(NamedTuple):
    """What the trainings of a run have read, or are about to read."""

    run: Path
    paths: tuple[ReasoningPath, ...]
    by: tuple[str, ...]
    """What says so: adapters by their folders, pairs.jsonl, or all paths of the run."""


class Leak(NamedTuple):
    """A path that was trained on and that the benchmark holds."""

    run: str
    path_id: str
    why: str


class Compared(NamedTuple):
    """One run held against the benchmark."""

    run: str
    by: tuple[str, ...]
    paths: int
    unseen: int
    """Of these without their pictures, which are not there any more: by sha256 and words alone."""
    leaks: tuple[Leak, ...]


def trained_on(run: Path, *, whole: bool) -> Trained:
    """`whole`: the run is for training, so all its paths count but those that exploration has kept out.

    Raises ConfigError where there is no such run, RecordError for rows that cannot be read.
    """
    if not (run / PATHS).exists():
        raise ConfigError(f"{run / PATHS}: no such file: expected the folder of a run (--against)")
    known = {path.id: path for name in (PATHS, CURATED) for path in _paths(run / name)}
    read_by = {
        folder.relative_to(run).as_posix(): _read_by(run, folder, known)
        for folder in sorted(path.parent for path in run.rglob(FACTS))
    }
    if (run / PAIRS).exists():
        pairs = (validate(Pair, line) for line in read(run / PAIRS))
        read_by[PAIRS] = {id for pair in pairs for id in (pair.path_id, pair.twin_id) if id}
    if whole:
        read_by["all its paths"] = known.keys() - _kept_out(run)
    ids = set[str]().union(*read_by.values())
    return Trained(run, tuple(path for id, path in known.items() if id in ids), tuple(read_by))


def _paths(file: Path) -> Iterator[ReasoningPath]:
    """Those that can be trained on; whatever else the file holds is no path for training either."""
    return (path for path in read_paths(file) if isinstance(path, ReasoningPath))


def _read_by(run: Path, adapter: Path, known: dict[str, ReasoningPath]) -> set[str]:
    """Ids of the paths that one training has read."""
    data = _inside(read_object(adapter / FACTS), "data")
    name = CURATED if data.get("paths") == CURATED else PATHS
    file = run / name
    if _inside(data, "sha256").get(name) != _sha(file):
        return set(known)
    left_out = (line.value or {} for line in read(adapter / NOT_TRAINED))
    return {path.id for path in _paths(file)} - {
        str(row.get("id")) for row in left_out if row.get("what") == "path"
    }


def _inside(value: Mapping[str, Any] | None, key: str) -> Mapping[str, Any]:
    """The object under a key; an empty one where there is none: the folder may be anybody's."""
    found = (value or {}).get(key)
    return found if isinstance(found, dict) else {}


def _sha(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def _kept_out(run: Path) -> set[str]:
    found = (validate(Reject, line) for line in read(run / NOT_EXPLORED))
    return {row.seed_id for row in found if row.reason == Reason.IN_BENCHMARK}


def compare(bench: Bench, trained: Trained) -> Compared:
    """Everything that was trained on, held against the benchmark. Raises ConfigError for bad settings."""
    limits, name = images_of(trained.run), trained.run.resolve().name
    root, unseen, leaks = pictures_of(trained.run, None), 0, list[Leak]()
    for path in trained.paths:
        try:
            why = bench.holds(path, root, limits)
        except ImageError:
            why, unseen = bench.knows(path), unseen + 1
        leaks += [Leak(name, path.id, why)] if why else []
    return Compared(name, trained.by, len(trained.paths), unseen, tuple(leaks))
