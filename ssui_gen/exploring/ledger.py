"""Which paths are drawn from once more: those without a pair, of the kind whose pairs a run lacks.

Cuts that had both kinds early spare draws (`explore.k` a cut are meant to be spent). These go to the rarer
kind, risky or benign, if every fourth path may be expected to show a pair by them. Pure counts over rows;
what is chosen depends neither on the order in which paths were done nor on how many of the chosen are done
again already, so a run that was killed chooses as one that was not.

How many may be expected: a share q of the kind's paths showed no pair in k draws a cut. If all err alike, t
times as many draws show none again in a share q^t; where some err more than others, those that are left err
less than that (Jensen's inequality), so 1 - q^t is the most that there is to hope.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ssui_gen.branches import Cut
from ssui_gen.config import Explore
from ssui_gen.records import KINDS, Kind

HOPE = 0.25
"""Share of the paths that must be expected to show a pair when they are drawn from again."""


class Lacking(NamedTuple):
    """What is to be drawn again, and why."""

    kind: Kind
    pairs: dict[Kind, int]
    """Cuts with both kinds of branch, before anything was drawn again."""
    paths: frozenset[str]
    draws: int
    without: int
    """Paths of this kind whose first draws showed no pair."""
    of: int
    """All of this kind."""
    more: float
    """As many times the first draws as a path may be drawn from again."""

    @property
    def hopeful(self) -> bool:
        """Whether enough would come of it."""
        return math.pow(self.without / self.of, self.more) <= 1 - HOPE

    def __str__(self) -> str:
        counts = ", ".join(f"{self.pairs[kind]} {kind}" for kind in KINDS)
        rarer = f"{self.kind} pairs are rarer (cuts with a pair: {counts})"
        if not self.hopeful:
            none = f"{self.without:,} of {self.of:,} {self.kind} paths showed none in all their draws"
            return f"{rarer}, and {none}: too many to look for more of them."
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
        return Lacking(few, pairs, frozenset(paths), draws, *self._without(few)) if paths else None

    def _is_again(self, drawn: Drawn) -> bool:
        """Whether it was drawn from again: only then more than k a cut are spent on a path."""
        return drawn.left(self.settings.k) < 0

    def _without(self, kind: Kind) -> tuple[int, int, float]:
        """Its paths without a pair before anything was drawn again, all of them, and how much more may be."""
        own = [drawn for drawn in self._drawn.values() if drawn.kind == kind]
        without = sum(self._is_again(drawn) or not drawn.paired for drawn in own)
        return without, len(own), self.settings.most_per_cut / self.settings.k - 1

    def _chosen(self, kind: Kind, spared: int) -> Iterator[str]:
        """By id, as long as the spared draws suffice; a path without a pair has had its k a cut."""
        for path, drawn in sorted(self._drawn.items()):
            takes = (self.settings.most_per_cut - self.settings.k) * len(drawn.draws)
            open_ = self._is_again(drawn) or not drawn.paired
            if drawn.kind == kind and open_ and 0 < takes <= spared:
                spared -= takes
                yield path
