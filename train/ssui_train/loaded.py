"""What a run's folder gave: examples and rejects on disk, and of all of them what must be known at once.

That is a few numbers an example, and counts. Which are held out follows from them. Reads no file of a run.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ssui_gen.files import atomic_write
from ssui_gen.numbered import Chosen
from ssui_gen.run_files import NOT_TRAINED
from ssui_gen.shelf import Shelf
from ssui_train.example import Choice, Example
from ssui_train.source import TrainReject


class Loaded:
    """Grows by `add` and `reject`."""

    def __init__(self, near: Path) -> None:
        """On the disk where `near` is. Raises RecordError."""
        self.examples = Shelf[Example](near)
        self.rejects = Shelf[TrainReject](near)
        self.reasons: Counter[tuple[str, str]] = Counter()
        """How many paths, pairs and rows were left out, by what and why."""
        self.compared = ""
        """How far the prompts are known to be those that were explored."""
        self.drawn = 0
        """Branches that count by their advantage."""
        self.located = 0
        """Pairs that end with the step in error."""
        self.lots, self.pairs_each = array("Q"), array("Q")
        """Of each example: its seed's lot, and how many pairs it has."""
        self._digest = hashlib.sha256()

    def add(self, example: Example) -> None:
        self.examples.put(example)
        self.lots.append(_lot(example.seed_id))
        self.pairs_each.append(len(example.pairs))
        self.drawn += len(example.drawn)
        self.located += sum(pair.stops is not None for pair in example.pairs)
        self._digest.update(_told(example))

    def reject(self, row: TrainReject) -> None:
        self.rejects.put(row)
        self.reasons[row.what, row.reason.value] += 1

    @property
    def pairs(self) -> int:
        return sum(self.pairs_each)

    @property
    def sha256(self) -> str:
        """Of all that is trained on, token for token and with its pictures: what was left out shows here."""
        return self._digest.hexdigest()

    def write_rejects(self, folder: Path) -> None:
        atomic_write(folder / NOT_TRAINED, (row.model_dump_json() + "\n" for row in self.rejects))

    def held_out(self, share: float) -> tuple[Chosen[Example], Chosen[Example]]:
        """Examples to train on and examples kept back; twins, which share a seed, stay together."""
        lots = np.array(self.lots, dtype=np.uint64)
        seeds = np.unique(lots)
        count = min(round(share * len(seeds)), len(seeds) - 1)
        back = lots < seeds[count] if count > 0 else np.zeros(len(lots), dtype=bool)
        return self._some(~back), self._some(back)

    def _some(self, wanted: np.ndarray) -> Chosen[Example]:
        return Chosen(self.examples, map(int, np.flatnonzero(wanted)))

    def pairs_of(self, some: Chosen[Example]) -> Iterator[int]:
        """How many pairs each of them has."""
        return (self.pairs_each[number] for number in some.numbers)


def _lot(seed_id: str) -> int:
    """The same on every machine, and nothing to do with the order of the file."""
    return int.from_bytes(hashlib.blake2b(f"held out/{seed_id}".encode()).digest()[:8], "big")


def _told(example: Example) -> bytes:
    """All that is trained of an example."""
    pictures = [picture.sha256 for picture in example.images]
    ids = [example.prompt.ids, example.reference, *(branch.ids for branch in example.branches)]
    groups = [[tuple(drawn) for drawn in example.drawn]] if example.drawn else []
    parts = (example.id, pictures, ids, [_known(pair) for pair in example.pairs], *groups)
    return repr(parts).encode()


def _known(pair: Choice) -> tuple[object, ...]:
    """All that a pair is, without what it has not."""
    return tuple(pair) if pair.stops else pair[:4]
