"""Which paths are drawn from once more: those without a pair, of the kind whose pairs a run lacks.

Cuts that had both kinds early spare draws (`explore.k` a cut are meant to be spent). These go to the rarer
kind, risky or benign, as long as any pair of it shows that there is something to find. Pure counts over rows.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from ssui_gen.branches import Cut
from ssui_gen.config import Explore
from ssui_gen.records import KINDS, Kind


class Lacking(NamedTuple):
    """What is to be drawn again, and why."""

    kind: Kind
    pairs: dict[Kind, int]
    """Cuts with both kinds of branch."""
    paths: frozenset[str]
    draws: int

    def __str__(self) -> str:
        counts = ", ".join(f"{self.pairs[kind]} {kind}" for kind in KINDS)
        return (
            f"{self.kind} pairs are rarer (cuts with a pair: {counts}): {len(self.paths)} {self.kind} paths "
            f"without one are drawn from again, with {self.draws} draws that others spared."
        )


class Ledger:
    """Draws and pairs of a run; one cut at a time, so that no branch is kept."""

    def __init__(self, settings: Explore) -> None:
        self.settings = settings
        self.spared = 0
        self.pairs: Counter[Kind] = Counter()
        self._pairs_of: Counter[str] = Counter()
        self._short: dict[str, dict[int, int]] = {}
        """By path and cut, the draws that the cut has left."""
        self._kinds: dict[str, Kind] = {}

    def note(self, cut: Cut, sign: int = 1) -> None:
        """Count a row; with `sign` -1 take back one that another replaces."""
        paired = sign * bool(cut.of("good") and cut.of("bad"))
        self.spared += sign * (self.settings.k - cut.draws)
        self.pairs[cut.kind] += paired
        self._pairs_of[cut.path_id] += paired
        self._kinds[cut.path_id] = cut.kind
        left = max(self.settings.most_per_cut - cut.draws, 0)
        self._short.setdefault(cut.path_id, {})[cut.cut] = left if sign > 0 else 0

    def lacking(self) -> Lacking | None:
        """None where nothing lacks, nothing is spared, or nothing shows that more draws would help."""
        kinds = set(self._kinds.values())
        few, many = sorted(KINDS, key=lambda kind: self.pairs[kind])
        worth = 0 < self.pairs[few] < self.pairs[many]
        if len(kinds) < len(KINDS) or not self.settings.adaptive or not worth:
            return None
        chosen, left = [], self.spared
        for path, kind in self._kinds.items():
            takes = sum(self._short[path].values())
            if kind == few and not self._pairs_of[path] and 0 < takes <= left:
                chosen.append(path)
                left -= takes
        pairs = {kind: self.pairs[kind] for kind in KINDS}
        return Lacking(few, pairs, frozenset(chosen), self.spared - left) if chosen else None
