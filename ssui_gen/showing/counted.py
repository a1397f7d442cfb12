"""What a dataset is made of, counted row by row: classes, lengths, rounds, reasons. Pure, of bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from ssui_gen.branching import render_steps
from ssui_gen.records import KINDS, Kind, ReasoningPath, Reject

TEXTS = ("question", "path", "answer")
COLUMNS = 16
"""Of a histogram, at most."""
NICE = (1, 2, 5)


class Histogram(NamedTuple):
    """Lengths of one text, in characters."""

    name: str
    counts: tuple[int, ...]
    """By column, each as wide as `width`, from `start` on."""
    start: int
    width: int
    shortest: int
    median: int
    longest: int


@dataclass
class Counts:
    """All that the page counts; no row is kept."""

    kinds: Counter[Kind] = field(default_factory=Counter)
    classes: dict[str, Counter[Kind]] = field(default_factory=dict)
    lengths: dict[str, Counter[int]] = field(default_factory=lambda: {name: Counter() for name in TEXTS})
    rounds: Counter[int] = field(default_factory=Counter)
    """Records by how often reflection looked at them."""
    reasons: Counter[str] = field(default_factory=Counter)
    stages: dict[str, Counter[str]] = field(default_factory=dict)
    """By reason, where it was found."""
    people: Counter[str] = field(default_factory=Counter)
    """Curated records by how they were settled."""

    def add(self, path: ReasoningPath) -> None:
        self.kinds[path.kind] += 1
        self.classes.setdefault(path.query.category, Counter())[path.kind] += 1
        self.rounds[len(path.reflection)] += 1
        texts = (path.query.text, render_steps(path.steps), path.answer)
        for name, text in zip(TEXTS, texts, strict=True):
            self.lengths[name][len(text)] += 1
        if path.curation:
            self.people["edited" if path.curation.original else path.curation.settled] += 1

    def drop(self, reject: Reject) -> None:
        self.reasons[reject.reason] += 1
        self.stages.setdefault(reject.reason, Counter())[reject.stage] += 1

    def by_class(self, wanted: Iterable[str] = ()) -> Iterator[tuple[str, list[int]]]:
        """Classes, the most frequent first, each with its records by kind; the `wanted` ones in any case."""
        every = {name: Counter[Kind]() for name in wanted} | self.classes
        for name, found in sorted(every.items(), key=lambda one: (-one[1].total(), one[0])):
            yield name, [found[kind] for kind in KINDS]

    def histograms(self) -> Iterator[Histogram]:
        """Of each text that there is."""
        for name, lengths in self.lengths.items():
            if lengths:
                yield _histogram(name, lengths)


def _histogram(name: str, lengths: Counter[int]) -> Histogram:
    known = sorted(lengths)
    low, high = known[0], known[-1]
    width = _nice((high - low + 1) / COLUMNS)
    start = low // width * width
    counts = [0] * ((high - start) // width + 1)
    for length in known:
        counts[(length - start) // width] += lengths[length]
    half = (lengths.total() + 1) // 2
    sums = accumulate(lengths[length] for length in known)
    median = next(length for length, sum_ in zip(known, sums, strict=True) if sum_ >= half)
    return Histogram(name, tuple(counts), start, width, low, median, high)


def _nice(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, … that is not below."""
    power = 1
    while True:
        for step in NICE:
            if step * power >= least:
                return step * power
        power *= 10
