"""Which benchmark is run: the run's own, one that an adapter reads from somebody's copy, or a folder's.

Items of a benchmark of NAME are written to `bench-NAME` in the run, once: figures are of items that can be
looked at. Others' pictures stay where they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.benching.adapters import ADAPTERS
from ssui_gen.benching.adapters.adapter import Adapter
from ssui_gen.benching.adapters.shape import Refused
from ssui_gen.benching.bench import ABOUT, ITEMS, Bench, read_about, read_bench, write_bench
from ssui_gen.benching.entry import folder_name
from ssui_gen.benching.kept import RESPONSES
from ssui_gen.benching.records import Item
from ssui_gen.benching.vqa.reading import NAME as QUESTIONS
from ssui_gen.benching.vqa.reading import Source as Asked
from ssui_gen.benching.vqa.reading import read_questions
from ssui_gen.config_vqa import Vqa
from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import as_line
from ssui_gen.records import Reason, Reject
from ssui_gen.settings import ImageLimits

OWN = "bench"
"""The folder of the run's own benchmark."""


class Source(NamedTuple):
    """What was asked for."""

    run: Path
    named: str | None
    """An adapter's name or a folder, of the run or of anybody; None: the run's own."""
    data: Path | None
    """Somebody's copy of it; of a folder where its pictures lie."""
    limits: ImageLimits
    mix: bool = False
    """Write other items over those that models have answered."""
    asking: Vqa = Vqa()
    """How visual questions are put."""


def find(source: Source) -> tuple[Path, Bench]:
    """The folder in the run, and the benchmark in it. Raises ConfigError where there is none."""
    if source.named is None:
        return _own(source)
    if adapter := ADAPTERS.get(source.named):
        return _adapted(source, adapter)
    if source.named == QUESTIONS:
        return _asked(source)
    for place in (Path(source.named), source.run / source.named):
        if place.is_dir():
            return _brought(source, place)
    known = ", ".join(sorted((*ADAPTERS, QUESTIONS)))
    raise ConfigError(
        f"--bench: no such benchmark or folder: {source.named!r}; expected a folder that holds {ITEMS}, or "
        f"one of: {known} (DATA= names your copy)"
    )


def folder_in(run: Path, named: str | None) -> Path:
    """Where a benchmark that was run lies in the run, by whatever name it was run: an adapter's, the folder's
    that it was brought in, its own, or that of where it lies. Raises RecordError for a `bench.json` that is
    none.
    """
    if named is None:
        return run / OWN
    place = next((one for one in (Path(named), run / named) if (one / ITEMS).is_file()), None)
    if named in ADAPTERS or place is None:
        return run / f"{OWN}-{folder_name(named)}"
    return place if _lies_in(run, place) else run / f"{OWN}-{folder_name(read_about(place).name)}"


def _lies_in(run: Path, place: Path) -> bool:
    return place.resolve().parent == run.resolve() and place.name.startswith(OWN)


def _own(source: Source) -> tuple[Path, Bench]:
    folder = source.run / OWN
    if not (folder / ITEMS).is_file():
        raise ConfigError(
            f"{folder / ITEMS}: no such file: `make bench` draws the microworld's; --bench (BENCH=) names "
            "another"
        )
    return folder, read_bench(folder, source.limits, source.data)


def _adapted(source: Source, adapter: Adapter) -> tuple[Path, Bench]:
    if source.data is None:
        raise ConfigError(f"--data: {source.named} is read from your copy of it: DATA= names the folder")
    items, refused = [], []
    for one in adapter.items(source.data, source.limits):
        if isinstance(one, Item):
            items.append(one)
        else:
            refused.append(one)
    rejects = [_reject(one) for one in refused if one.lost]
    facts = {"version": adapter.version, "licence": adapter.licence}
    folder, bench = _written(source, adapter.name, source.data, items, rejects, facts)
    return folder, bench._replace(told=_told(one for one in refused if not one.lost))


def _asked(source: Source) -> tuple[Path, Bench]:
    """Somebody's visual questions."""
    if source.data is None:
        raise ConfigError(f"--data: {QUESTIONS} is a set of yours: DATA= names its file or folder")
    home = source.run / f"{OWN}-{QUESTIONS}"
    root, items, refused = read_questions(Asked(source.data, home, source.limits, source.asking))
    return _written(source, QUESTIONS, root, items, map(_reject, refused), {})


def _reject(one: Refused) -> Reject:
    return Reject(seed_id=one.row, kind=None, stage="bench", reason=Reason(one.reason), detail=one.detail)


def _told(notices: Iterable[Refused]) -> tuple[str, ...]:
    """One line for each kind: how many there are, and the first in full."""
    found = list(notices)
    counts, first = Counter(one.reason for one in found), {one.reason: one for one in reversed(found)}
    return tuple(f"{reason} ({count:,}): {first[reason].detail}." for reason, count in counts.items())


def _brought(source: Source, place: Path) -> tuple[Path, Bench]:
    """A folder with a benchmark. What it says of its pictures' place counts inside of it alone: whoever
    packed it must not choose what of this computer is shown to a model.
    """
    if _lies_in(source.run, place):
        return place, read_bench(place, source.limits, source.data)
    root = source.data or place / read_about(place).root
    if source.data is None and not root.resolve().is_relative_to(place.resolve()):
        raise ConfigError(
            f"{place / ABOUT}: root: its pictures lie outside of it, in {root}: DATA= says where"
        )
    bench = read_bench(place, source.limits, root)
    facts = {"version": bench.about.version, "licence": bench.about.licence}
    return _written(source, bench.name, root, bench.items, bench.rejects, facts)


def _written(
    source: Source,
    name: str,
    root: Path,
    items: Iterable[Item],
    rejects: Iterable[Reject],
    facts: dict[str, Any],
) -> tuple[Path, Bench]:
    """The items in the run's folder. Raises ConfigError where models have answered others there."""
    folder, found = source.run / f"{OWN}-{folder_name(name)}", list(items)
    rows = b"".join(map(as_line, found))
    there = folder / ITEMS
    if there.is_file() and there.read_bytes() != rows and not source.mix:
        _check_unanswered(folder)
    write_bench(folder, name, root, found, **facts)
    bench = read_bench(folder, source.limits)
    return folder, bench._replace(rejects=tuple(chain(rejects, bench.rejects)))


def _check_unanswered(folder: Path) -> None:
    if asked := sorted(path.parent.name for path in folder.glob(f"*/{RESPONSES}")):
        raise ConfigError(
            f"{folder / ITEMS}: holds other items than are there now, and {', '.join(asked)} have answered "
            "them: use a new RUN, or --mix to go on here"
        )
