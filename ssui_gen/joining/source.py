"""The runs that are joined: what each was made with, where its pictures lie, and what differs between them.

Raises ConfigError for what is no run, and for editions that differ unless that is allowed. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import read
from ssui_gen.manifest import PAIRS, RUN, Made, Manifest, pictures_of, read_manifest, source_of_seeds

PATHS = "reasoning_paths.jsonl"


class Source(NamedTuple):
    """A run that is joined with others."""

    number: int
    run: Path
    manifest: Manifest
    pairs: Manifest
    """Of its branches; empty where there are none."""
    root: Path
    """Of its pictures."""
    seeds: Path | None
    """Its seeds, where they are still there."""
    rows: int


def sources(runs: Sequence[Path], *, across: bool) -> list[Source]:
    """The runs, which must be runs, and of one make unless `across`."""
    if len({run.resolve() for run in runs}) < max(2, len(runs)):
        raise ConfigError(f"expected two runs or more, each once; got {', '.join(map(str, runs))}")
    found = [_source(number, run) for number, run in enumerate(runs)]
    if (differences := list(_differences(found))) and not across:
        raise ConfigError(
            f"{'; '.join(differences)}: records of several makes in one run are no longer comparable. "
            "--across-editions joins them all the same, and run.json tells which rows are of which"
        )
    return found


def _source(number: int, run: Path) -> Source:
    if not (run / PATHS).exists():
        raise ConfigError(f"{run}: no {PATHS}: expected a run of `ssui dataset`")
    seeds = source_of_seeds(run)
    return Source(
        number=number,
        run=run,
        manifest=read_manifest(run / RUN),
        pairs=read_manifest(run / PAIRS),
        root=pictures_of(run, None),
        seeds=seeds if seeds and seeds.exists() else None,
        rows=sum(1 for _ in read(run / PATHS)),
    )


def _differences(found: Sequence[Source]) -> Iterator[str]:
    """In words, by run, what its rows were made with that those before were not."""
    for part in ("manifest", "pairs"):
        told: list[tuple[Path, Made]] = []
        for source in found:
            for made in getattr(source, part).editions:
                if told and (changed := told[0][1].edition.changes(made.edition)):
                    what = "; ".join(changed)
                    yield f"{source.run}: made with something else than {told[0][0]} ({what})"
                told.append((source.run, made))


def joined(found: Sequence[Source], part: str) -> Manifest:
    """The manifest of all: editions one behind the other, `from_row` counted through, but for seeds."""
    manifests: list[tuple[Manifest, int]] = [(getattr(one, part), one.rows) for one in found]
    made, before = list[Made](), 0
    for manifest, rows in manifests:
        for one in manifest.editions:
            if not made or made[-1].edition != one.edition:
                made.append(one.model_copy(update={"from_row": before + one.from_row}))
        before += rows
    known = [manifest for manifest, _ in manifests if manifest.editions]
    last = known[-1] if known else manifests[-1][0]
    return last.model_copy(
        update={
            "editions": tuple(made),
            "toy": any(manifest.toy for manifest, _ in manifests),
            "counts": {},
            "merged": tuple(one.run.resolve().name for one in found),
        }
    )
