"""The pairs of a run, made anew of all its rows: what people edited, what was drawn, what others say.

Which paths take part, in their order, and what is counted of pairs that came not to be. Which branches become
pairs is `pairs`'s, and so on; nothing is asked of any model.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ssui_gen.branches import Cut, Pair, Place
from ssui_gen.config import Config
from ssui_gen.exploring.corrected import corrected_pairs, corrections
from ssui_gen.exploring.counterparts import Wanted, counterparts, wanted
from ssui_gen.exploring.edited import edit_pairs
from ssui_gen.exploring.explored import Explored, read_paths
from ssui_gen.exploring.leaks import Bench
from ssui_gen.exploring.locating import Work, placed
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.exploring.twins import Twins, twin_pairs
from ssui_gen.records import ReasoningPath
from ssui_gen.run_files import BRANCHES

Counts = defaultdict[str, Counter[str]]
"""By source of a pair: made, or why not."""
OfPath = Callable[[ReasoningPath], Iterator[Pair]]


@dataclass(frozen=True)
class Making:
    """What pairs are made of, and how; of rows that stand there when it is first asked for pairs."""

    run: Path
    source: Path
    """The file of paths."""
    root: Path
    """Of the pictures."""
    config: Config
    system: str
    """What the policy was told first."""
    bench: Bench

    def pairs(self, places: Mapping[str, Place], counts: Counts) -> Iterator[Pair]:
        """In the order of the paths; `places` are of rejected branches, by id."""
        alone = self.config.pairs.first_bad == "labels"
        of_twins, asked = self._twins(counts), list[Wanted]()
        rewrites = corrections(self.run) if self.config.pairs.corrections else {}
        for path, cuts in self.explored():
            yield from edit_pairs(path, self.system, self.config.verify.level)
            drawn = [placed(pair, places, alone) for pair in self._drawn(cuts)]
            yield from drawn
            yield from corrected_pairs(cuts, rewrites, self.system, counts["corrected"]) if rewrites else ()
            yield from of_twins(path)
            back = [pair for pair in drawn if pair.source == "recovery"]
            if back:
                counts["recovery"]["made"] += len(back)
            asked += filter(None, (wanted(path, pair) for pair in back))
        if any(rewrites.values()):
            counts["corrected"]["unknown_branch"] += sum(map(len, rewrites.values()))
        if asked and self.config.pairs.counterparts:
            yield from counterparts(asked, self.explored(), self.system, counts["counterpart"])

    def unplaced(self) -> Iterator[Work]:
        """Paths with pairs of which nobody has said where the rejected one goes wrong."""
        for path, cuts in self.explored():
            pairs = [pair for pair in self._drawn(cuts) if not pair.first_bad]
            if pairs:
                yield path, cuts, pairs

    def explored(self) -> Iterator[tuple[ReasoningPath, list[Cut]]]:
        """Paths that no benchmark holds, with their own cuts and those behind wrong steps."""
        for path in read_paths(self.source):
            if isinstance(path, ReasoningPath):
                cuts = [*self._rows.of(path), *self._rows.off(path)]
                if (cuts or path.curation) and self.apart(path):
                    yield path, cuts

    @cached_property
    def _rows(self) -> Explored:
        """Looked through once, as every row is checked then."""
        return Explored(self.run / BRANCHES)

    def apart(self, path: ReasoningPath) -> bool:
        """Whether no benchmark holds it."""
        return self.bench.apart(path, self.root, self.config.images)

    def _drawn(self, cuts: list[Cut]) -> list[Pair]:
        settings, level = self.config.pairs, self.config.verify.level
        own, off = ([cut for cut in cuts if bool(cut.origin) is away] for away in (False, True))
        return [
            *pair_up(own, settings, self.system, level),
            *pair_up(off, settings, self.system, level, "recovery"),
        ]

    def _twins(self, counts: Counts) -> OfPath:
        settings = self.config.pairs
        if not settings.twins:
            return lambda path: iter(())
        twins = Twins(self.source, self.apart)
        cut, most = settings.twin_cut, settings.twins_per_path
        return lambda path: twin_pairs(path, twins, cut, most, self.system, counts["twin"])
