"""What of a run is published, row by row, and why the rest is not.

A path is left out whose picture cannot be read any more, or whose licence does not let it be given away; a
pair whose path is. What people call their files and seeds stays behind: a picture is named by its own bytes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.benching.bench import ITEMS, Bench, read_bench
from ssui_gen.benching.records import Item
from ssui_gen.benching.scenarios import scenarios_of
from ssui_gen.branches import Pair
from ssui_gen.errors import ImageError
from ssui_gen.exploring.explored import read_paths
from ssui_gen.images import cleaned, shown
from ssui_gen.jsonl import read, validate
from ssui_gen.licences import Terms, terms_of
from ssui_gen.manifest import images_of
from ssui_gen.publishing.rows import Bound, Config, Picture, bench_row, pair_row, path_row
from ssui_gen.publishing.splits import split_of
from ssui_gen.records import ImageRef, ReasoningPath, Record
from ssui_gen.run_files import PAIRS

BENCH = "rsbench"
HELD = 64
"""Pictures that are kept as they are written: a path's pairs show one."""


class Why(StrEnum):
    """Why a row is not published. Closed: the card counts by it."""

    ROW_INVALID = "row_invalid"
    PICTURE_UNFIT = "picture_unfit"
    """Refused, gone, broken or changed since."""
    LICENCE_FORBIDS = "licence_forbids"
    LICENCE_UNKNOWN = "licence_unknown"
    """Nobody has said that it lets the picture be given away."""
    DUPLICATE = "duplicate"
    PATH_NOT_PUBLISHED = "path_not_published"
    OFF_PATH = "off_path"
    """Begins with a wrong step: trainers of this format would teach it."""


class LeftOut(Record):
    """A row of `published_rejects.jsonl`."""

    config: str
    id: str
    reason: Why
    detail: str


class Row(NamedTuple):
    """A row, and where it goes."""

    config: Config
    split: str
    cells: dict[str, Any]


class Gathered:
    """The rows of a run. Counts what it yields; ask for counts when all rows are out."""

    def __init__(
        self, run: Path, source: Path, root: Path, licence: str, allowed: tuple[str, ...], canary: str
    ) -> None:
        """`licence` is that of pictures whose seeds name none. Raises ConfigError and RecordError."""
        self.run, self.root, self.licence, self.canary = run, root, licence, canary
        self.allowed = allowed
        self.left: list[LeftOut] = []
        self.pictures: dict[str, tuple[Terms, str]] = {}
        """By their bytes' hash: terms and source of each that is published."""
        self.counts: Counter[tuple[str, str, str]] = Counter()
        """Rows by configuration, split and kind."""
        self.twinned = 0
        """Paths whose row of the other kind is published too."""
        self.classes: Counter[str] = Counter()
        self.settled: Counter[str] = Counter()
        self.limits = images_of(run)
        self.bench = read_bench(run / BENCH) if (run / BENCH / ITEMS).exists() else None
        self._picture = lru_cache(HELD)(self._encoded)
        self.paths = list(self._fit(source))
        self.scenario_of = scenarios_of(self.paths)
        self.held_out = self._held_out(self.bench)

    # --- which ---

    def _fit(self, source: Path) -> Iterator[ReasoningPath]:
        seen = set[tuple[str, ...]]()
        for path in read_paths(source):
            if not isinstance(path, ReasoningPath):
                self._leave("paths", path.seed_id, Why.ROW_INVALID, path.detail)
                continue
            same = (path.kind, path.query.text, path.look)
            fault = self._unfit(path) or (
                (Why.DUPLICATE, "says and shows what another does") if same in seen else None
            )
            if fault:
                self._leave("paths", path.id, *fault)
            else:
                seen.add(same)
                yield path

    def _unfit(self, path: ReasoningPath) -> tuple[Why, str] | None:
        if denied := denied_by(self._terms(path)):
            return denied
        try:
            for image in path.images:
                shown(self.root, image, self.limits)
        except ImageError as error:
            return Why.PICTURE_UNFIT, str(error)
        return None

    def _leave(self, config: Config, id: str, reason: Why, detail: str) -> None:
        self.left.append(LeftOut(config=config, id=id, reason=reason, detail=detail))

    def _terms(self, path: ReasoningPath) -> Terms:
        told = path.rights.licence if path.rights and path.rights.licence else self.licence
        return terms_of(told, self.allowed)

    def _held_out(self, bench: Bench | None) -> set[str]:
        """Scenarios of which the benchmark holds anything."""
        rows = {item.source.row for item in bench.items} if bench else set()
        return {self.scenario_of[path.id] for path in self.paths if path.id in rows}

    @property
    def example(self) -> ReasoningPath | None:
        """The first risky path, for people to see what a row says."""
        return next((path for path in self.paths if path.kind == "risky"), None)

    # --- rows ---

    def rows(self) -> Iterator[Row]:
        """All of them, one configuration after the other."""
        for row in chain(self._path_rows(), self._pair_rows(), self._bench_rows()):
            self.counts[row.config, row.split, row.cells["kind"]] += 1
            yield row

    def _path_rows(self) -> Iterator[Row]:
        ids = {path.id for path in self.paths}
        couples = {(path.id, path.twin_of) for path in self.paths if path.twin_of in ids}
        self.twinned = len({id for couple in couples for id in couple})
        for path in self.paths:
            scenario = self.scenario_of[path.id]
            twin = path.twin_of if path.twin_of in ids else None
            pictures, bound = self._bound(path)
            self.classes[path.query.category] += 1
            self.settled[path.curation.settled if path.curation else ""] += 1
            yield Row("paths", self._split(scenario), path_row(path, scenario, pictures, twin, bound))

    def _pair_rows(self) -> Iterator[Row]:
        known = {path.id: path for path in self.paths}
        for line in read(self.run / PAIRS):
            pair = validate(Pair, line)
            path = known.get(pair.path_id)
            if path is None or path.look != pair.look:
                self._leave(
                    "pairs",
                    pair.id,
                    Why.PATH_NOT_PUBLISHED,
                    f"its path {pair.path_id} is not published as it was",
                )
            elif pair.off_path:
                self._leave("pairs", pair.id, Why.OFF_PATH, "begins with a step that is not to be learnt")
            else:
                scenario = self.scenario_of[path.id]
                yield Row("pairs", self._split(scenario), pair_row(pair, scenario, *self._bound(path)))

    def _bench_rows(self) -> Iterator[Row]:
        for item in self.bench.items if self.bench else ():
            told = [image.licence or item.source.licence or self.licence for image in item.images]
            terms = [terms_of(one, self.allowed) for one in told or [item.source.licence or self.licence]]
            if denied := next(filter(None, map(denied_by, terms)), None):
                self._leave("bench", item.id, *denied)
                continue
            strictest = max(terms, key=lambda one: one.use == "noncommercial")
            sources = dict.fromkeys(filter(None, (_public(image.source) for image in item.images)))
            bound = Bound(strictest, "; ".join(sources), item.canary)
            yield Row("bench", "test", bench_row(item, self._pictures_of(item, bound), bound))

    def _split(self, scenario: str) -> str:
        return split_of(scenario, self.held_out)

    def _bound(self, path: ReasoningPath) -> tuple[list[Picture], Bound]:
        source = path.rights.source if path.rights else None
        bound = Bound(self._terms(path), source or "", self.canary)
        return [self._shown(self.root, image, bound) for image in path.images], bound

    def _pictures_of(self, item: Item, bound: Bound) -> list[Picture]:
        root = self.bench.root if self.bench else self.root
        return [self._shown(root, image, bound) for image in item.images]

    def _shown(self, root: Path, ref: ImageRef, bound: Bound) -> Picture:
        picture = self._picture(root, ImageRef(**ref.model_dump(include=set(ImageRef.model_fields))))
        self.pictures[picture.name] = (bound.terms, bound.source)
        return picture

    def _encoded(self, root: Path, ref: ImageRef) -> Picture:
        """As the models saw it: pixels alone, named by what they are."""
        data, kind = cleaned(root, ref, self.limits)
        return Picture(data, f"{hashlib.sha256(data).hexdigest()}.{kind}")


def denied_by(terms: Terms) -> tuple[Why, str] | None:
    """Why what stands under a licence is not given away."""
    if terms.use == "forbidden":
        return Why.LICENCE_FORBIDS, f"{terms.name!r} does not let it be given away"
    if terms.use == "unknown":
        return (
            Why.LICENCE_UNKNOWN,
            f"{terms.name!r} is not known here: read it, and say --allow-licence if it lets you",
        )
    return None


def _public(source: str) -> str:
    """A picture's hash before it was cleaned names somebody's file and nothing else."""
    return "" if source.startswith("sha256:") else source
