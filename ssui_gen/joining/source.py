"""The runs that are joined: what each was made with, where its pictures lie, and what differs between them.

Raises ConfigError for what is no run, and for editions that differ unless that is allowed. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from ssui_gen.errors import ConfigError
from ssui_gen.manifest import PAIRS, RUN, Made, Manifest, pictures_of, read_manifest, source_of_seeds
from ssui_gen.run_files import PATHS

Part = Literal["manifest", "pairs"]
"""Of a source: the manifest of its paths, and that of its branches."""
Begins = Mapping[tuple[Part, int, int], int]
"""How many rows of that part are here where a run's rows, by its number, reach one, by its own."""


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
    )


def _differences(found: Sequence[Source]) -> Iterator[str]:
    """In words, by run, what its rows were made with that those before were not."""
    for part in get_args(Part):
        told: list[tuple[Path, Made]] = []
        for source in found:
            for made in getattr(source, part).editions:
                if told and (changed := told[0][1].edition.changes(made.edition)):
                    what = "; ".join(changed)
                    yield f"{source.run}: made with something else than {told[0][0]} ({what})"
                told.append((source.run, made))


def joined(found: Sequence[Source], part: Part, begins: Begins) -> Manifest:
    """The manifest of all: editions one behind the other, each from the row on where it begins here."""
    manifests: list[Manifest] = [getattr(one, part) for one in found]
    made = list[Made]()
    for source, manifest in zip(found, manifests, strict=True):
        for one in manifest.editions:
            if not made or made[-1].edition != one.edition:
                row = begins[part, source.number, one.from_row]
                made.append(one.model_copy(update={"from_row": row}))
    last = next((manifest for manifest in reversed(manifests) if manifest.editions), manifests[-1])
    return last.model_copy(
        update={
            "editions": tuple(made),
            "toy": any(manifest.toy for manifest in manifests),
            "counts": {},
            "merged": tuple(one.run.resolve().name for one in found),
        }
    )
