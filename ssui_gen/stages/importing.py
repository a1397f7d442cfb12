"""Rows of others → a folder of our own: seeds, pairs or gold, their pictures, and every row that is in none.

What is written is decided by the source, the settings and the benchmarks alone: the same command again
changes nothing, and one that was cut off goes on, as what a look at each picture found is kept.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ssui_gen.calling.journal import Seen
from ssui_gen.config import Config
from ssui_gen.errors import ConfigError, NothingMade, RecordError
from ssui_gen.exploring.leaks import load_bench
from ssui_gen.files import atomic_write, beside
from ssui_gen.importing import LAYOUTS
from ssui_gen.importing.making import Making, Rules
from ssui_gen.importing.mapped import NEEDED
from ssui_gen.importing.pictures import PICTURES, Pictures
from ssui_gen.importing.shape import Half, Imported, Layout, Left, Source, What
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jsonl import as_line, of_kind, read_object
from ssui_gen.licences import forbids
from ssui_gen.records import Record
from ssui_gen.run_files import PAIRS, REJECTS
from ssui_gen.seeds import LOOKED

ABOUT = "about.json"
OWN = (ABOUT, REJECTS, LOOKED, PICTURES, "seeds.jsonl", PAIRS, "gold.jsonl")
"""What an import folder may hold when one begins: nothing of anybody's is written over."""
EVERY = 1_000
"""Rows between two words about how far it is."""


class Plan(NamedTuple):
    """One import, as it was asked for."""

    layout: str
    source: Path
    folder: Path
    config: Config
    makes: What | None = None
    licence: str = ""
    name: str = ""
    half: Half | None = None
    pictures: Path | None = None
    columns: Mapping[str, str] = MappingProxyType({})
    limit: int | None = None
    evaluation: bool = False
    publishable: bool = False


def bring(plan: Plan, say: Callable[[str], None]) -> Imported:
    """Do all of it. Raises ConfigError before anything is written for what the layout, its licence or a
    benchmark does not allow; NothingMade, with the reasons, when no row is kept.
    """
    layout = _layout(plan.layout)
    rules, source = _rules(plan, layout), _source(plan, layout)
    bench = load_bench(plan.config.leaks, plan.config.images)
    with ExitStack() as open_:
        open_.enter_context(RunDir(_own(plan.folder), "import"))
        _check_same(plan.folder, layout, rules, source)
        _sweep(plan.folder)
        pictures = open_.enter_context(closing(Pictures(plan.folder, source)))
        seen = open_.enter_context(closing(Seen()))
        making = Making(rules, pictures, bench, seen.add)
        counts = _write(plan.folder, layout, source, making, say)
    about = _about(plan, layout, rules, source, counts)
    atomic_write(plan.folder / ABOUT, about.model_dump_json(indent=1) + "\n")
    if not about.kept:
        why = (
            ", ".join(f"{reason} {count:,}" for reason, count in about.left_out.items()) or "there is no row"
        )
        raise NothingMade(f"{plan.folder}: not one row was imported ({why}): each is told in {REJECTS}")
    return about


# --- what is allowed -----------------------------------------------------------------------------------


def _layout(name: str) -> Layout:
    if name not in LAYOUTS:
        raise ConfigError(f"--from: expected one of {', '.join(LAYOUTS)}; got {name!r}")
    return LAYOUTS[name]


def _rules(plan: Plan, layout: Layout) -> Rules:
    makes = plan.makes or layout.makes[0]
    if makes not in layout.makes:
        raise ConfigError(f"--as: {layout.title} can become {' or '.join(layout.makes)}; got {makes!r}")
    if _half(plan, layout) in layout.benchmark and makes != "gold" and not plan.evaluation:
        raise ConfigError(
            f"{layout.title}: models are measured with it, and {makes} are trained on: take it as gold "
            "(--as gold), run it as a benchmark (`ssui bench run`), or say --for-evaluation, and never train "
            "on what comes of it"
        )
    if layout.licence and plan.licence and plan.licence != layout.licence:
        raise ConfigError(f"--licence: {layout.title} says {layout.licence!r} itself; got {plan.licence!r}")
    licence = layout.licence or plan.licence.strip()
    if not licence:
        raise ConfigError(
            f"--licence: {layout.title} may be anybody's: say under which licence these rows are (such as "
            "CC-BY-4.0; `unknown` if nobody knows, and nothing of them will be published)"
        )
    name = plan.name or (f"{layout.title} ({layout.version})" if layout.licence else plan.source.stem)
    if plan.evaluation:
        name = f"{name}, only for measuring"
    return Rules(makes, name, licence, plan.evaluation, plan.publishable)


def _half(plan: Plan, layout: Layout) -> Half:
    half = plan.half or layout.halves[0]
    if half not in layout.halves:
        raise ConfigError(f"--half: {layout.title} has {' and '.join(layout.halves)} here; got {half!r}")
    return half


def _source(plan: Plan, layout: Layout) -> Source:
    if plan.limit is not None and plan.limit < 1:
        raise ConfigError(f"--limit: expected a number from 1; got {plan.limit}")
    if plan.columns and not layout.mapped:
        raise ConfigError(f"--map: the columns of {layout.title} are known: {layout.expects}")
    if plan.columns and (missing := [one for one in NEEDED[layout.name] if one not in plan.columns]):
        raise ConfigError(f"--map: {layout.title} needs {' and '.join(missing)}, too")
    if layout.licence and "licence" in plan.columns:
        raise ConfigError(f"--map: {layout.title} says {layout.licence!r} itself: leave out licence=")
    if plan.pictures and not plan.pictures.is_dir():
        raise ConfigError(f"--pictures: {plan.pictures}: no such folder")
    beside_rows = plan.source if plan.source.is_dir() else plan.source.parent
    return Source(
        plan.source,
        plan.config.images,
        plan.pictures or beside_rows,
        told=plan.pictures is not None,
        columns=plan.columns,
        half=_half(plan, layout),
        limit=plan.limit,
    )


def _own(folder: Path) -> Path:
    """A folder that is new, or holds an import and nothing else. Raises ConfigError: seeds and pictures of
    somebody's own have the names that ours would have, but beside them is no word of a look.
    """
    known = OWN if (folder / LOOKED).exists() else ()
    found = folder.iterdir() if folder.is_dir() else ()
    strange = sorted(one.name for one in found if one.name not in known and not one.name.startswith("."))
    if strange:
        raise ConfigError(f"{folder}: holds {strange[0]!r}, which no import wrote: name a new folder")
    return folder


def _check_same(folder: Path, layout: Layout, rules: Rules, source: Source) -> None:
    """Raises ConfigError where the folder holds another import."""
    path = folder / ABOUT
    value = read_object(path)
    if value is None:
        return
    known = of_kind(Imported, value, str(path))
    if (known.layout, known.makes, known.half, known.name) != (
        layout.name,
        rules.makes,
        source.half,
        rules.name,
    ):
        what = f"{known.makes} of {known.name} ({known.layout}, {known.half})"
        raise ConfigError(f"{folder}: holds {what}: name another folder for this import")


def _sweep(folder: Path) -> None:
    """Remove what a writer that was killed left half done; the folder is ours, and held."""
    for path in folder.rglob(".*.tmp"):
        path.unlink()


# --- what is written -----------------------------------------------------------------------------------


def _write(
    folder: Path, layout: Layout, source: Source, making: Making, say: Callable[[str], None]
) -> Counter[str]:
    """Both files, whole; returns how many rows were left out for each reason, and kept for none."""
    counts: Counter[str] = Counter()
    targets = folder / f"{making.rules.makes}.jsonl", folder / REJECTS
    with beside(targets[0]) as (rows, kept), beside(targets[1]) as (rejects, dropped):
        try:
            for row in _made(layout, source, making):
                is_left = isinstance(row, Left)
                (dropped if is_left else kept).write(as_line(row))
                counts[row.reason if isinstance(row, Left) else ""] += 1
                if not counts.total() % EVERY:
                    say(f"{counts.total():,} rows, {counts['']:,} of them kept")
            for file in (kept, dropped):
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise RecordError(
                f"{folder}: could not be written: {error}; free some space and try again"
            ) from None
        rows.replace(targets[0])
        rejects.replace(targets[1])
    return counts


def _made(layout: Layout, source: Source, making: Making) -> Iterator[Record]:
    for one in layout.read(source):
        yield one if isinstance(one, Left) else making.of(one)


def _about(plan: Plan, layout: Layout, rules: Rules, source: Source, counts: Counter[str]) -> Imported:
    guarded = rules.makes != "gold" and not rules.evaluation
    return Imported(
        layout=layout.name,
        version=layout.version,
        makes=rules.makes,
        half=source.half,
        name=rules.name,
        licence=rules.licence,
        may_be_published=not (forbids(rules.licence) or rules.evaluation),
        evaluation=rules.evaluation or rules.makes == "gold",
        checked_against=tuple(Path(one).name for one in plan.config.leaks.bench) if guarded else (),
        kept=counts[""],
        left_out={reason: count for reason, count in counts.most_common() if reason},
    )
