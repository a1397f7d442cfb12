"""Which paths are drawn from once more: those without a pair, of the kind whose pairs a run lacks.

Cuts that had both kinds early spare draws (`explore.k` a cut are meant to be spent). These go to the rarer
kind, risky or benign, if what its pairs took so far lets expect one of every second path. Pure counts over
rows; what is chosen depends neither on the order in which paths were done nor on how many of the chosen are
done again already, so a run that was killed chooses as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ssui_gen.branches import Cut
from ssui_gen.config import Explore
from ssui_gen.records import KINDS, Kind

HOPE = 0.5
"""Pairs that drawing again from a path must be expected to bring: as few as one in two paths."""


class Lacking(NamedTuple):
    """What is to be drawn again, and why."""

    kind: Kind
    pairs: dict[Kind, int]
    """Cuts with both kinds of branch, before anything was drawn again."""
    paths: frozenset[str]
    draws: int
    each: int
    """Draws that a pair of this kind has taken."""

    @property
    def hopeful(self) -> bool:
        """Whether enough would come of it."""
        return self.draws >= HOPE * self.each * len(self.paths)

    def __str__(self) -> str:
        counts = ", ".join(f"{self.pairs[kind]} {kind}" for kind in KINDS)
        rarer = f"{self.kind} pairs are rarer (cuts with a pair: {counts})"
        if not self.hopeful:
            return f"{rarer}, and took {self.each:,} draws each: too many to look for more of them."
        return (
            f"{rarer}: {len(self.paths)} {self.kind} paths without one are drawn from again, with "
            f"{self.draws} draws that others spared."
        )


@dataclass
class Drawn:
    """One path: by cut its draws, and the cuts with a pair."""

    kind: Kind
    draws: dict[int, int] = field(default_factory=dict)
    paired: set[int] = field(default_factory=set)

    def left(self, each: int) -> int:
        """Draws that are missing to so many `each` cut."""
        return each * len(self.draws) - sum(self.draws.values())


class Ledger:
    """Draws and pairs of a run; one cut at a time, so that no branch is kept."""

    def __init__(self, settings: Explore) -> None:
        self.settings = settings
        self._drawn: dict[str, Drawn] = {}

    def note(self, cut: Cut) -> None:
        """Count a row; the last one of a cut counts."""
        drawn = self._drawn.setdefault(cut.path_id, Drawn(cut.kind))
        drawn.draws[cut.cut] = cut.draws
        (drawn.paired.add if cut.of("good") and cut.of("bad") else drawn.paired.discard)(cut.cut)

    def lacking(self) -> Lacking | None:
        """None where nothing lacks, nothing is spared, or no pair of the rarer kind was found."""
        first = [drawn for drawn in self._drawn.values() if not self._is_again(drawn)]
        pairs = {kind: sum(len(drawn.paired) for drawn in first if drawn.kind == kind) for kind in KINDS}
        few, many = sorted(KINDS, key=lambda kind: pairs[kind])
        kinds = {drawn.kind for drawn in self._drawn.values()}
        if len(kinds) < len(KINDS) or not self.settings.adaptive or not 0 < pairs[few] < pairs[many]:
            return None
        chosen = self._chosen(few, sum(drawn.left(self.settings.k) for drawn in first))
        paths = [path for path in chosen if not self._is_again(self._drawn[path])]
        draws = sum(self._drawn[path].left(self.settings.most_per_cut) for path in paths)
        each = round(self._spent(few) / pairs[few])
        return Lacking(few, pairs, frozenset(paths), draws, each) if paths else None

    def _is_again(self, drawn: Drawn) -> bool:
        """Whether it was drawn from again: only then more than k a cut are spent on a path."""
        return drawn.left(self.settings.k) < 0

    def _spent(self, kind: Kind) -> int:
        """Draws on a kind before anything was drawn again: k a cut where something was since."""
        own = [drawn for drawn in self._drawn.values() if drawn.kind == kind]
        return sum(sum(one.draws.values()) + min(0, one.left(self.settings.k)) for one in own)

    def _chosen(self, kind: Kind, spared: int) -> Iterator[str]:
        """By id, as long as the spared draws suffice; a path without a pair has had its k a cut."""
        for path, drawn in sorted(self._drawn.items()):
            takes = (self.settings.most_per_cut - self.settings.k) * len(drawn.draws)
            open_ = self._is_again(drawn) or not drawn.paired
            if drawn.kind == kind and open_ and 0 < takes <= spared:
                spared -= takes
                yield path
