"""Keeps a benchmark out of training: a path whose picture or text it holds is found before a draw is made.

Pictures by their bytes and by a perceptual hash, which re-encoding and resizing hardly change; texts by the
letters they share. A crop or a paraphrase is not found. Covers finding, not what happens then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rapidfuzz import fuzz, process, utils

from ssui_gen.config import Leaks
from ssui_gen.errors import ConfigError, ImageError
from ssui_gen.images import inspect, perceptual_hash
from ssui_gen.records import ReasoningPath, Seed
from ssui_gen.seeds import read_seeds, root_of
from ssui_gen.settings import ImageLimits


@dataclass
class Bench:
    """What the benchmarks hold."""

    settings: Leaks
    shas: set[str] = field(default_factory=set)
    hashes: dict[str, int] = field(default_factory=dict)
    """By name, for the message."""
    texts: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.shas or self.texts)

    def holds(self, path: ReasoningPath, root: Path, limits: ImageLimits) -> str:
        """Why `path` must not be trained on; empty when it may. Raises ImageError."""
        if path.image.sha256 in self.shas:
            return "the benchmark has this very picture"
        return self._like_picture(perceptual_hash(root, path.image.path, limits)) or self._like_text(path)

    def _like_picture(self, hash: int) -> str:
        for name, other in self.hashes.items():
            if (bits := (hash ^ other).bit_count()) <= self.settings.picture_bits:
                return f"the benchmark's picture {name} differs in {bits} bits of its perceptual hash"
        return ""

    def _like_text(self, path: ReasoningPath) -> str:
        found = process.extractOne(
            path.query.text, self.texts, scorer=fuzz.ratio, processor=utils.default_process,
            score_cutoff=self.settings.text_likeness,
        )  # fmt: skip
        return f"the benchmark's text {found[0]!r} is {found[1]:.0f} % the same" if found else ""


def load_bench(settings: Leaks, limits: ImageLimits, run: Path) -> Bench:
    """Read the benchmarks that are named; raises ConfigError for a row that cannot be compared."""
    bench = Bench(settings)
    for source in map(Path, settings.bench):
        root = root_of(source, run)
        for seed in _seeds(source, run):
            try:
                bench.shas.add(inspect(root, seed.image, limits).sha256)
                bench.hashes[seed.image] = perceptual_hash(root, seed.image, limits)
            except ImageError as error:
                raise _unfit(source, f"{seed.id}: {error}") from None
            bench.texts += [seed.text] if seed.text else []
    return bench


def _seeds(source: Path, run: Path) -> Iterator[Seed]:
    for seed in read_seeds(source, lambda _: True, run):
        if not isinstance(seed, Seed):
            raise _unfit(source, seed.detail)
        yield seed


def _unfit(source: Path, why: str) -> ConfigError:
    """What cannot be compared cannot be kept apart."""
    return ConfigError(f"leaks.bench: {source}: {why}: mend it or leave it out")
