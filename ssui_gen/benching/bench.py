"""A benchmark on disk: `bench.jsonl`, its items, and `bench.json`, which says where their pictures lie.

What is wrong with an item is a reject with its reason, and the rest goes on; an error only where nothing is
left, or the file is not the one that `bench.json` describes. Pictures are looked for here, and decoded by
whoever shows them.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from ssui_gen.benching.records import BENCH_SCHEMA, BenchImage, Item
from ssui_gen.errors import ConfigError, ImageError, RecordError
from ssui_gen.files import atomic_write, own_folder
from ssui_gen.images import original
from ssui_gen.jsonl import Line, as_line, of_kind, read, read_object, validate
from ssui_gen.numbered import Chosen
from ssui_gen.placed import Placed
from ssui_gen.records import Kind, Reason, Record, Reject
from ssui_gen.settings import ImageLimits

ITEMS, ABOUT = "bench.jsonl", "bench.json"


class About(Record):
    """The content of `bench.json`."""

    schema_version: int = Field(default=BENCH_SCHEMA, alias="schema")
    name: str
    version: str = ""
    root: str = "."
    """The folder below which the pictures lie, as seen from this file's."""
    sha256: str = ""
    """Of `bench.jsonl`; empty: not known."""
    licence: str = ""
    made: dict[str, Any] = Field(default_factory=dict)
    """How: a command, its seed, what it was made of."""


class Bench(NamedTuple):
    """A benchmark, ready to be run."""

    name: str
    root: Path
    """Of the pictures."""
    items: Sequence[Item]
    """In their order. Those of a folder stay in the file (`placed`)."""
    sha: str
    """Hash (SHA-256) of `bench.jsonl`."""
    rejects: tuple[Reject, ...] = ()
    about: About = About(name="")
    told: tuple[str, ...] = ()
    """What whoever reads a figure of it should know, though it cost no item."""

    @property
    def shared(self) -> int:
        """Pictures that stand in several scenarios, which then are not as independent as they count."""
        found = defaultdict[str, set[str]](set)
        for item in self.items:
            for image in item.images:
                found[image.sha256].add(item.scenario_id)
        return sum(len(scenarios) > 1 for scenarios in found.values())


def read_bench(folder: Path, limits: ImageLimits | None = None, root: Path | None = None) -> Bench:
    """The benchmark in `folder`; `root` wins over what it says of its pictures.

    Raises ConfigError where there is none, where it is not the one that was made, and where no item is left;
    RecordError for a `bench.json` that is none.
    """
    file = folder / ITEMS
    if not file.is_file():
        raise ConfigError(f"{file}: no such file; expected a benchmark's items, one a line")
    about, sha = read_about(folder), _sha(file)
    if about.sha256 and about.sha256 != sha:
        raise ConfigError(
            f"{file}: is not the file that {ABOUT} describes (sha256 {about.sha256[:12]}…): make the "
            f"benchmark anew, or put {sha} there if the change was meant"
        )
    below = root or below_of(folder, about)
    items, rejects = _sifted(file, below, limits or ImageLimits())
    if not items:
        raise ConfigError(f"{file}: no item is left: {_told(rejects)}")
    return Bench(about.name, below, items, sha, tuple(rejects), about)


def first_scenarios(bench: Bench, limit: int | None) -> Bench:
    """The items of the first so many: half of one says nothing."""
    if limit is None:
        return bench
    kept = set(list(dict.fromkeys(item.scenario_id for item in bench.items))[:limit])
    numbers = (number for number, item in enumerate(bench.items) if item.scenario_id in kept)
    return bench._replace(items=Chosen(bench.items, numbers))


def write_bench(
    folder: Path, name: str, root: Path, items: Iterable[Item], *, version: str = "", licence: str = "",
    made: dict[str, Any] | None = None,
) -> Path:  # fmt: skip
    """Write `items`, whose pictures lie below `root`, and what they are; returns the file of items."""
    own_folder(folder)
    atomic_write(folder / ITEMS, (as_line(item).decode() for item in items))
    inside = root.resolve().is_relative_to(folder.resolve().parent)  # a run may be moved as a whole
    kept = os.path.relpath(root.resolve(), folder.resolve()) if inside else str(root.resolve())
    about = About(
        name=name, version=version, root=kept, sha256=_sha(folder / ITEMS), licence=licence, made=made or {}
    )
    atomic_write(folder / ABOUT, about.model_dump_json(indent=1) + "\n")
    return folder / ITEMS


def read_about(folder: Path) -> About:
    """What `bench.json` says; of a folder without one its name. Raises RecordError."""
    value = read_object(folder / ABOUT)
    return About(name=folder.resolve().name) if value is None else of_kind(About, value, str(folder / ABOUT))


def below_of(folder: Path, about: About) -> Path:
    """The folder below which its pictures lie, without a way up in its name."""
    place = folder / about.root
    return place.resolve() if ".." in Path(about.root).parts else place


def _sha(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _told(rejects: Sequence[Reject]) -> str:
    """How many were rejected for what, and one of them."""
    counts = Counter(reject.reason for reject in rejects)
    said = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    return f"{said}; the first: {rejects[0].detail}" if rejects else "the file is empty"


# --- which items are fit ---------------------------------------------------------------------------


def _sifted(file: Path, root: Path, limits: ImageLimits) -> tuple[Sequence[Item], list[Reject]]:
    """The items that can be asked about, in their order, and why the others cannot."""
    rejects: list[Reject] = []
    items, sides = Placed(Item, file), list[_Side]()
    pictures = _Pictures(root, limits)
    for line, item in _apart(file, rejects):
        if why := _unfit(item) or pictures.fault(item.images):
            rejects.append(_reject(item.id, item.kind, *why))
        else:
            sides.append(_Side.of(item, len(items)))
            items.put(line)
    fit = _with_twins(sides, rejects)
    return (items if len(fit) == len(items) else Chosen(items, (one.number for one in fit))), rejects


def _apart(file: Path, rejects: list[Reject]) -> Iterator[tuple[Line, Item]]:
    """Rows that are items, none twice: by its id, or by what it shows and asks."""
    seen: dict[str, int] = {}
    for line in read(file):
        try:
            item = validate(Item, line)
        except RecordError as error:
            rejects.append(_reject(_name(line), None, Reason.ITEM_INVALID, str(error)))
            continue
        same = Item.id_of(item.kind, item.text, tuple(image.sha256 for image in item.images), item.turns)
        known = seen.get(f"id {item.id}") or seen.get(same)
        if known:
            why = f"{file}:{line.number}: the same as {file}:{known}"
            rejects.append(_reject(item.id, item.kind, Reason.ITEM_DUPLICATE, why))
            continue
        seen |= {f"id {item.id}": line.number, same: line.number}
        yield line, item


def _name(line: Line) -> str:
    """What a row that is no item calls itself."""
    found = (line.value or {}).get("id")
    return found[:200] if isinstance(found, str) and found else f"line {line.number}"


def _unfit(item: Item) -> tuple[Reason, str] | None:
    if item.kind == "risky" and not item.danger.strip():
        return Reason.DANGER_MISSING, "a risky item names its danger in one sentence, for the judge; got none"
    if not item.text.strip() and not item.images:
        return Reason.ITEM_INVALID, "neither a text nor a picture"
    return None


class _Pictures:
    """The pictures below a root, each looked at once."""

    def __init__(self, root: Path, limits: ImageLimits) -> None:
        self.root, self.limits = root, limits
        self._known: dict[str, str | tuple[Reason, str]] = {}
        """By path the hash of what lies there, or why nothing can be read."""

    def fault(self, images: Iterable[BenchImage]) -> tuple[Reason, str] | None:
        """The first thing that is wrong with these."""
        for image in images:
            found = self._known.setdefault(image.path, self._look(image.path))
            if not isinstance(found, str):
                return found
            if found != image.sha256:
                return Reason.IMAGE_CHANGED, f"{image.path}: expected the picture with sha256 {image.sha256}"
        return None

    def _look(self, name: str) -> str | tuple[Reason, str]:
        if name in self._known:
            return self._known[name]
        try:
            return hashlib.sha256(original(self.root, name, self.limits)).hexdigest()
        except ImageError as error:
            return Reason(error.reason), str(error)


class _Side(NamedTuple):
    """What ties an item to its scenario."""

    number: int
    id: str
    scenario: str
    kind: Kind
    twin_of: str | None

    @staticmethod
    def of(item: Item, number: int) -> _Side:
        return _Side(number, item.id, item.scenario_id, item.kind, item.twin.of if item.twin else None)


def _with_twins(items: list[_Side], rejects: list[Reject]) -> list[_Side]:
    """Without twins whose other item is not in their scenario; one that was rejected takes its twins along,
    as a scenario is right only as a whole.
    """
    while True:
        scenarios = {item.id: item.scenario for item in items}
        lost = [item for item in items if item.twin_of and scenarios.get(item.twin_of) != item.scenario]
        if not lost:
            return items
        for item in lost:
            why = f"twin of {item.twin_of}, which is no item of scenario {item.scenario}"
            rejects.append(_reject(item.id, item.kind, Reason.TWIN_UNKNOWN, why))
        gone = {item.id for item in lost}
        items = [item for item in items if item.id not in gone]


def _reject(name: str, kind: Kind | None, reason: Reason, detail: str) -> Reject:
    return Reject(seed_id=name, kind=kind, stage="bench", reason=reason, detail=detail)
