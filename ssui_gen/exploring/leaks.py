"""Keeps a benchmark out of training: a path whose picture or text it holds is found before a draw is made.

Pictures by their bytes and by a perceptual hash, which re-encoding and resizing hardly change; texts by the
letters they share. A crop or a paraphrase is not found. Covers finding, not what happens then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rapidfuzz import fuzz, process, utils

from ssui_gen.album import census, files, is_picture
from ssui_gen.columns import pictures, texts
from ssui_gen.config import Leaks
from ssui_gen.errors import ConfigError, ImageError
from ssui_gen.images import hash_of, original, perceptual_hash
from ssui_gen.jsonl import Line
from ssui_gen.records import ReasoningPath
from ssui_gen.settings import ImageLimits
from ssui_gen.tables import TABLES, is_dataset, is_table, rows

MARK = "<image>"
"""Where a picture stands in a text of others."""


@dataclass
class Bench:
    """What the benchmarks hold."""

    settings: Leaks
    shas: dict[str, str] = field(default_factory=dict)
    """The picture's name, for the message, by its sha256; several may have one name."""
    hashes: dict[str, int] = field(default_factory=dict)
    """Perceptual ones, by the sha256 too."""
    texts: dict[str, str] = field(default_factory=dict)
    """By their letters, without case and points."""

    def __bool__(self) -> bool:
        return bool(self.shas or self.texts)

    def holds(self, path: ReasoningPath, root: Path, limits: ImageLimits) -> str:
        """Why `path` must not be trained on; empty when it may. Raises ImageError."""
        hashes = (perceptual_hash(root, image.path, limits) for image in path.images)
        return self.knows(path) or next(filter(None, map(self.looks, hashes)), "")

    def apart(self, path: ReasoningPath, root: Path, limits: ImageLimits) -> bool:
        """Whether `path` may be trained on; of a picture that cannot be read, as was told, nobody can say."""
        try:
            return not (self and self.holds(path, root, limits))
        except ImageError:
            return False

    def knows(self, path: ReasoningPath) -> str:
        """As `holds`, by the pictures' sha256 and the text alone: no file is opened."""
        shas = [image.sha256 for image in path.images]
        return next(filter(None, (self.has(sha, None) for sha in shas)), "") or self.has("", path.query.text)

    def has(self, sha256: str, text: str | None) -> str:
        """Why a picture with this text must not be trained on, by its sha256 and its letters alone."""
        if name := self.shas.get(sha256):
            return f"the benchmark has this very picture, {name}"
        return self._like_text(text) if text else ""

    def looks(self, hash: int) -> str:
        """Whose picture looks like the one of this perceptual hash; empty for none."""
        for sha, other in self.hashes.items():
            if (bits := (hash ^ other).bit_count()) <= self.settings.picture_bits:
                name = self.shas[sha]
                return f"the benchmark's picture {name} differs in {bits} bits of its perceptual hash"
        return ""

    def _like_text(self, text: str) -> str:
        asked, least = utils.default_process(text), self.settings.text_likeness
        found = process.extractOne(asked, self.texts.keys(), scorer=fuzz.ratio, score_cutoff=least)
        return f"the benchmark's text {self.texts[found[0]]!r} is {found[1]:.0f} % the same" if found else ""

    def add(self, other: Bench) -> None:
        self.shas |= other.shas
        self.hashes |= other.hashes
        self.texts |= other.texts

    def add_text(self, text: str) -> None:
        plain = text.replace(MARK, " ").strip()
        if letters := utils.default_process(plain):
            self.texts.setdefault(letters, plain)

    def add_picture(self, data: bytes, name: str, limits: ImageLimits) -> None:
        """Raises ImageError."""
        sha = hashlib.sha256(data).hexdigest()
        if sha not in self.shas:
            self.hashes[sha] = hash_of(data, name, limits)
            self.shas[sha] = name


def load_bench(settings: Leaks, limits: ImageLimits) -> Bench:
    """Read the benchmarks that are named; raises ConfigError for what cannot be compared."""
    bench = Bench(settings)
    for source in map(Path, settings.bench):
        reading = _Reading(Bench(settings), source, limits)
        reading.all()
        if not reading.bench:
            raise _unfit(source, _nothing(source))
        bench.add(reading.bench)
    return bench


class _Reading:
    """One benchmark: a file of rows, a dataset on disk, or a folder of pictures and files of rows."""

    def __init__(self, bench: Bench, source: Path, limits: ImageLimits) -> None:
        self.bench, self.source, self.limits = bench, source, limits
        self.root = source if source.is_dir() else source.parent
        self.folder = source.is_dir() and not is_dataset(source)
        self.names: set[str] = set()
        """Of the pictures of a folder: rows often name them from elsewhere."""

    def all(self) -> None:
        shown, tables = _parts(self.source)
        for path in shown:
            self.names.add(path.name)
            self._add_picture(path.relative_to(self.root).as_posix(), str(path))
        for table in tables:
            for line in self._rows(table):
                self._add_row(line, table)

    def _rows(self, table: Path) -> Iterator[Line]:
        try:
            yield from rows(table)
        except ConfigError as error:
            raise _unfit(self.source, str(error)) from None

    def _add_row(self, line: Line, table: Path) -> None:
        where = f"{table.name}:{line.number}"
        if line.value is None:
            raise _unfit(self.source, str(line.error))
        for text in texts(line.value):
            self.bench.add_text(text)
        for number, picture in enumerate(pictures(line.value)):
            if isinstance(picture, bytes):
                self._add_bytes(picture, f"{where}:{number}", where)
            elif not (self.folder and Path(picture).name in self.names):
                self._add_picture(self._below(table, picture), f"{line.value.get('id', where)}")

    def _below(self, table: Path, name: str) -> str:
        """A name as seen from `table`, as seen from the root."""
        below = "" if table == self.source else table.parent.relative_to(self.root)
        return (below / Path(name)).as_posix()

    def _add_picture(self, name: str, where: str) -> None:
        try:
            self.bench.add_picture(original(self.root, name, self.limits), name, self.limits)
        except ImageError as error:
            raise _unfit(self.source, f"{where}: {error}") from None

    def _add_bytes(self, data: bytes, name: str, where: str) -> None:
        try:
            self.bench.add_picture(data, name, self.limits)
        except ImageError as error:
            raise _unfit(self.source, f"{where}: {error}") from None


def _parts(source: Path) -> tuple[list[Path], list[Path]]:
    """The pictures that lie there, and the files of rows; raises ConfigError."""
    if is_dataset(source) or (source.is_file() and is_table(source)):
        return [], [source]
    if source.is_dir():
        found = list(files(source))
        return list(filter(is_picture, found)), list(filter(is_table, found))
    if not source.exists():
        raise _unfit(source, "no such file or folder")
    raise _unfit(source, f"expected a folder, or a file ending in {', '.join(TABLES)}")


def _nothing(source: Path) -> str:
    there = f" ({census(files(source))})" if source.is_dir() else ""
    return f"no picture and no text in it{there}; expected columns such as image, text or question"


def _unfit(source: Path, why: str) -> ConfigError:
    """What cannot be compared cannot be kept apart."""
    return ConfigError(f"leaks.bench: {source}: {why}: mend it or leave it out")
