"""What exploration gave, counted row by row: branches by cut, class and form, pairs, cost. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ssui_gen.branches import Branch, Cut, Pair
from ssui_gen.exploring.cost import Cost
from ssui_gen.exploring.diversity import self_bleu
from ssui_gen.exploring.watch import Watch

BINS = 10
SAMPLED = 2000
"""Cuts whose branches are compared with each other, which takes some milliseconds a cut."""


@dataclass
class Numbers:
    """Everything the overview counts; one cut at a time, so that no branch is kept."""

    by_cut: dict[int, Counter[str]] = field(default_factory=dict)
    cuts: Counter[int] = field(default_factory=Counter)
    both: Counter[int] = field(default_factory=Counter)
    """Cuts with a good and a bad branch."""
    draws: Counter[int] = field(default_factory=Counter)
    distinct: Counter[int] = field(default_factory=Counter)
    alike: dict[int, list[float]] = field(default_factory=dict)
    """Self-BLEU of the first SAMPLED cuts that have two branches."""
    by_class: dict[str, Counter[str]] = field(default_factory=dict)
    histogram: Counter[int] = field(default_factory=Counter)
    details: Counter[str] = field(default_factory=Counter)
    watch: Watch = field(default_factory=Watch)
    """Forms of branches."""
    pairs: Counter[str] = field(default_factory=Counter)
    """By path."""
    pairs_by_cut: Counter[int] = field(default_factory=Counter)
    paired: set[tuple[str, int]] = field(default_factory=set)
    """Path and cut."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Paths that could not be explored, by reason."""
    pairs_by_kind: Counter[str] = field(default_factory=Counter)
    """Of those that cost something: a pair with another path's words was never drawn."""
    cost: Cost = field(default_factory=Cost)

    def add_cut(self, cut: Cut, category: str) -> None:
        kinds = Counter(branch.judgement.polarity for branch in cut.branches)
        self.by_cut.setdefault(cut.cut, Counter()).update(kinds)
        self.by_class.setdefault(category, Counter()).update(kinds)
        self.watch.note(cut)
        self.cuts[cut.cut] += 1
        self.both[cut.cut] += bool(kinds["good"] and kinds["bad"])
        self.draws[cut.cut] += cut.draws
        self.distinct[cut.cut] += len(cut.branches)
        if self.cuts.total() <= SAMPLED and (bleu := self_bleu([b.text for b in cut.branches])) is not None:
            self.alike.setdefault(cut.cut, []).append(bleu)
        for branch in cut.branches:
            self._add_branch(branch)

    def _add_branch(self, branch: Branch) -> None:
        said = branch.judgement
        if said.probability is not None:
            self.histogram[min(int(said.probability * BINS), BINS - 1)] += 1
        if said.detail:
            self.details[said.detail.split(":")[0]] += 1

    def add_pair(self, pair: Pair) -> None:
        self.pairs[pair.path_id] += 1
        self.pairs_by_cut[pair.cut] += 1
        self.pairs_by_kind[pair.kind] += not pair.twin_id
        self.paired.add((pair.path_id, pair.cut))
