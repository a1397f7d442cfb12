"""Where the seeds of a job come from: a file, folder or dataset, or what a part of a larger job was dealt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from ssui_gen.jobs.part import Part
from ssui_gen.manifest import Seeds, seeds_of
from ssui_gen.records import Reject, Seed
from ssui_gen.seeds import read_seeds, root_of


class Source(NamedTuple):
    """Where seeds come from."""

    items: Callable[[Callable[[str], bool]], Iterable[Seed | Reject]]
    """All of them, told which ids come for the first time."""
    root: Path
    """Of the pictures."""
    kept: Seeds | None
    """As the run remembers it."""
    name: str
    """As messages name it."""

    @staticmethod
    def at(seeds: Path, run: Path) -> Source:
        """A file, folder or dataset that the run was told of."""
        return Source(
            lambda new: read_seeds(seeds, new, run), root_of(seeds, run), seeds_of(seeds, run), str(seeds)
        )

    @staticmethod
    def dealt(part: Part) -> Source:
        """What one part of a larger job was dealt."""
        seeds = part.seeds
        return Source(lambda _: part.items(), Path(seeds.root), seeds, seeds.source)
