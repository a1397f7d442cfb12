"""Which benchmark is run: the run's own, one that an adapter reads from somebody's copy, or a folder's.

Items of a benchmark of NAME are written to `bench-NAME` in the run, once: figures are of items that can be
looked at. Others' pictures stay where they are.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.benching.bench import ABOUT, ITEMS, Bench, read_about, read_bench, write_bench
from ssui_gen.benching.entry import folder_name
from ssui_gen.benching.kept import RESPONSES
from ssui_gen.benching.records import Item
from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import as_line
from ssui_gen.records import Reason, Reject
from ssui_gen.settings import ImageLimits

OWN = "bench"
"""The folder of the run's own benchmark."""
ADAPTERS_ARE = "ssui_gen.benching.adapters"


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


def find(source: Source) -> tuple[Path, Bench]:
    """The folder in the run, and the benchmark in it. Raises ConfigError where there is none."""
    if source.named is None:
        return _own(source)
    if adapter := _adapters().get(source.named):
        return _adapted(source, adapter)
    for place in (Path(source.named), source.run / source.named):
        if place.is_dir():
            return _brought(source, place)
    known = ", ".join(sorted(_adapters())) or "none yet"
    raise ConfigError(
        f"--bench: no such benchmark or folder: {source.named!r}; expected a folder that holds {ITEMS}, or "
        f"one of: {known} (DATA= names your copy)"
    )


def _adapters() -> Mapping[str, Any]:
    if importlib.util.find_spec(ADAPTERS_ARE) is None:
        return {}
    found: Mapping[str, Any] = import_module(ADAPTERS_ARE).ADAPTERS
    return found


def _own(source: Source) -> tuple[Path, Bench]:
    folder = source.run / OWN
    if not (folder / ITEMS).is_file():
        raise ConfigError(
            f"{folder / ITEMS}: no such file: `make bench` draws the microworld's; --bench (BENCH=) names "
            "another"
        )
    return folder, read_bench(folder, source.limits, source.data)


def _adapted(source: Source, adapter: Any) -> tuple[Path, Bench]:
    if source.data is None:
        raise ConfigError(f"--data: {source.named} is read from your copy of it: DATA= names the folder")
    items, rejects = [], []
    for one in adapter.items(source.data, source.limits):
        if isinstance(one, Item):
            items.append(one)
        else:
            rejects.append(_refused(one))
    facts = {"version": adapter.version, "licence": adapter.licence}
    return _written(source, adapter.name, source.data, items, rejects, facts)


def _refused(one: Any) -> Reject:
    """What an adapter says of a row that is no item, in our words."""
    known = one.reason in {reason.value for reason in Reason}
    reason = Reason(one.reason) if known else Reason.ITEM_INVALID
    detail = one.detail if known else f"{one.reason}: {one.detail}"
    return Reject(seed_id=one.row, kind=None, stage="bench", reason=reason, detail=detail)


def _brought(source: Source, place: Path) -> tuple[Path, Bench]:
    """A folder with a benchmark. What it says of its pictures' place counts inside of it alone: whoever
    packed it must not choose what of this computer is shown to a model.
    """
    if place.resolve().parent == source.run.resolve() and place.name.startswith(OWN):
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
