"""The sets of seeds. All is chosen by looking at `dev`; `final` is for claims, and nobody chose by it.

What was looked at while recipes, margins and this laboratory were made: `dev`, the product's own held-out
scenes (2026, 2027), and a first final set of three data seeds (test 70001, data 80001 to 80003), which showed
that three are too few. `more` is `final` with five data seeds that were added after its five had left much
undecided. No seed is in `dev` and in another, and claims on a set take no cell of others (`judging`).
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

SetName = Literal["dev", "final", "more"]


class Seeds(NamedTuple):
    """One set."""

    name: SetName
    test: int
    """Of the held-out pairs that every training is measured on."""
    data: tuple[int, ...]
    """Of the data sets: paths, branches and training each follow from one."""

    @property
    def few(self) -> Seeds:
        """The same with half of the data seeds, for what is only varied: an interval over three of five is
        wide, and each costs as much again.
        """
        return self._replace(data=self.data[: math.ceil(len(self.data) / 2)])

    def has(self, test: int, data: int | None) -> bool:
        """Whether a cell with these seeds belongs to it."""
        return test == self.test and (data is None or data in self.data)


DEV = Seeds("dev", test=5_027, data=(1_000, 1_001, 1_002, 1_003, 1_004))
FINAL = Seeds("final", test=70_101, data=(80_101, 80_102, 80_103, 80_104, 80_105))
MORE = Seeds("more", test=FINAL.test, data=(*FINAL.data, 80_106, 80_107, 80_108, 80_109, 80_110))
SETS: dict[SetName, Seeds] = {one.name: one for one in (DEV, FINAL, MORE)}
