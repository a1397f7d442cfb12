"""Several runs → one that later stages take as any other: records, rejects, branches, pairs, people, journal.

The joined run is written beside its place and moved there when it is whole, so it is there whole or not at
all; what a kill left is made anew. The runs that are joined are locked meanwhile and not changed.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from ssui_gen.calling.journal import CALLS, Journal
from ssui_gen.curation.choosing.risk import ordered
from ssui_gen.curation.page.pictures import Below
from ssui_gen.curation.workspace.folder import folder_of
from ssui_gen.curation.workspace.publish import publish
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write, is_regular
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.joining.known import Known
from ssui_gen.joining.people import check_sheets, join_people
from ssui_gen.joining.pictures import ROWS, Pictures
from ssui_gen.joining.rows import Joining
from ssui_gen.joining.source import Begins, Part, Source, joined, sources
from ssui_gen.jsonl import Appender, read, validate
from ssui_gen.manifest import PAIRS, RUN, Seeds, images_of, title_of
from ssui_gen.records import ReasoningPath
from ssui_gen.run_files import CURATED, PATHS

SEEDS = "seeds"


class Merged(NamedTuple):
    """What was done."""

    counts: Counter[str]
    pictures: Counter[str]
    words: int
    """Of people."""
    uncurated: list[Path]
    """Runs without a `curated.jsonl`, where others have one: then the joined run has none."""


def merge_runs(runs: Sequence[Path], to: Path, *, across: bool = False) -> Merged:
    """Join `runs` as `to`. Raises ConfigError where that exists, RunLocked while a run is going on."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(f"{to}: is there already: expected the name of a new run (--to)")
    found = sources(runs, across=across)
    check_sheets(found)
    part = to.with_name(f".{to.name}.part")
    with ExitStack() as open_:
        for source in found:
            if os.access(source.run, os.W_OK):
                open_.enter_context(RunDir(source.run))
        _clear(part)
        open_.enter_context(RunDir(part))
        done = _join(found, part, title=to.name)
        try:
            part.rename(to)
        except OSError as error:
            raise RecordError(f"{to}: could not be put in its place: {error}") from None
    return done


def _clear(part: Path) -> None:
    """What an interrupted joining left; raises RunLocked while another is at it."""
    if part.exists():
        with RunDir(part):
            shutil.rmtree(part)


def _join(found: Sequence[Source], to: Path, title: str) -> Merged:
    home = None if _share_seeds(found) else to / SEEDS
    counts: Counter[str] = Counter()
    pictures = Pictures(home)
    with closing(Known()) as known:
        joining = Joining(to, known, pictures, counts, {})
        uncurated = [one.run for one in found if not (one.run / CURATED).exists()]
        seeds = _seeds_and_records(found, joining)
        for source in found:
            joining.rejects(source)
            joining.branches(source)
            joining.pairs(source)
            if not uncurated:
                joining.curated(source)
            joining.labels(source)
        _write_manifests(found, to, seeds, joining.begins)
        words = join_people(found, to, known)
        counts["renamed seeds"] = known.renamed_seeds
    counts["calls"] = _join_journals(found, to)
    _drop_empty(to)
    if folder_of(to).root.is_dir():
        toy = title_of(to).removeprefix(to.resolve().name)
        paths = [validate(ReasoningPath, line) for line in read(to / PATHS)]
        root = home or found[0].root
        publish(folder_of(to), ordered(paths), [], Below(root, images_of(to)), f"{title}{toy}")
    return Merged(counts, pictures.counts, words, uncurated if len(uncurated) < len(found) else [])


def _share_seeds(found: Sequence[Source]) -> bool:
    """Whether all are of the same seeds, which lie in none of the runs: then they stay where they are."""
    seeds, root = found[0].seeds, found[0].root.resolve()
    same = all(one.seeds == seeds and one.root.resolve() == root for one in found)
    return same and seeds is not None and not any(root.is_relative_to(one.run.resolve()) for one in found)


def _seeds_and_records(found: Sequence[Source], joining: Joining) -> Seeds:
    """Run by run, as the first one's names win; returns where the seeds lie."""
    shared = found[0].manifest.seeds if joining.pictures.home is None else None
    home = joining.to / SEEDS
    with ExitStack() as open_:
        if not shared:
            home.mkdir(parents=True, exist_ok=True)
            seeds = open_.enter_context(closing(Appender(home / ROWS)))
        for source in found:
            if not shared:
                joining.seeds(source, seeds.write)
            joining.records(source)
    return shared or Seeds(source=f"{SEEDS}/{ROWS}", root=SEEDS)


def _write_manifests(found: Sequence[Source], to: Path, seeds: Seeds, begins: Begins) -> None:
    """And the words of every edition, under its number."""
    parts: tuple[tuple[Part, str, str], ...] = (("manifest", RUN, ""), ("pairs", PAIRS, "pairs-"))
    for part, name, prefix in parts:
        manifest = joined(found, part, begins)
        if part == "manifest":
            manifest = manifest.model_copy(update={"seeds": seeds})
        if manifest.editions or part == "manifest":
            atomic_write(to / name, manifest.model_dump_json(indent=2) + "\n")
        for number, made in enumerate(manifest.editions, 1):
            if kept := _used(found, part, prefix, made.edition):
                shutil.copytree(kept, to / "used" / f"{prefix}{number}", ignore=_strange)


def _used(found: Sequence[Source], part: Part, prefix: str, edition: object) -> Path | None:
    for source in found:
        for number, made in enumerate(getattr(source, part).editions, 1):
            kept = source.run / "used" / f"{prefix}{number}"
            linked = kept.is_symlink() or kept.parent.is_symlink()
            if made.edition == edition and kept.is_dir() and not linked:
                return kept
    return None


def _strange(folder: str, names: list[str]) -> list[str]:
    """Links, pipes and devices, which no run of ours holds: they stay where they are."""
    paths = [Path(folder, name) for name in names]
    return [one.name for one in paths if one.is_symlink() or not (one.is_dir() or is_regular(one))]


def _join_journals(found: Sequence[Source], to: Path) -> int:
    """All calls of all runs: what was asked once is never asked again."""
    with closing(Journal(to / CALLS)) as journal:
        return sum(journal.take(one.run / CALLS) for one in found if (one.run / CALLS).exists())


def _drop_empty(to: Path) -> None:
    """A file without a row would say that the stage was run."""
    for path in to.glob("*.jsonl"):
        if path.stat().st_size == 0 and path.name != PATHS:
            path.unlink()
