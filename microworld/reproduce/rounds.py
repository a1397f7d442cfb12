"""A training in rounds: what was trained draws from the same cuts anew and is trained on, with pairs of all
draws so far.

In the first round the bare policy hardly ever warns for nothing, so such warnings are in no pair; what was
trained does, and there they are paired. Pairs of earlier draws stay, as what was trained hardly errs where
these were found. (Xiong et al., arXiv 2312.11456, and Pang et al., arXiv 2404.19733, train in rounds by DPO.)
Of the product: `make pairs ROUND=2`, then `make train` with the adapter of the round before.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import process_time

from microworld.reproduce.branches import explored, joined
from microworld.reproduce.laboratory import Laboratory
from microworld.reproduce.paths import Told
from microworld.reproduce.settings import Cell, key
from microworld.reproduce.training import Trained, trained
from ssui_gen.branches import Cut

APART = 5_000
"""Seeds of a round's draws are apart by so much from those of the round before."""


def in_rounds(lab: Laboratory, paths: Sequence[Told], cuts: Sequence[Cut], cell: Cell) -> Trained:
    """Each of `cell.rounds` begins with the adapter of the one before; `cuts` are the first one's. Raises as
    `trained` does.
    """
    with tempfile.TemporaryDirectory() as folder:
        made, begin = trained(lab, paths, cuts, cell, Path(folder, "1"), None), Path(folder, "1")
        for number in range(2, cell.rounds + 1):
            anew, took = drawn_anew(lab, made, paths, cell, number)
            own, off = ([cut for cut in cuts if bool(cut.origin) is away] for away in (False, True))
            cuts, output = [*joined(own, anew), *off], Path(folder, str(number))
            more = trained(lab, paths, cuts, cell, output, begin)
            made, begin = Trained(more.weights, summed(made.facts, more.facts, took)), output
    return made


def drawn_anew(
    lab: Laboratory, made: Trained, paths: Sequence[Told], cell: Cell, number: int
) -> tuple[list[Cut], dict[str, float]]:
    """What the trained policy draws in a round, and what that took."""
    assert cell.data and cell.drawn, f"{key(cell)}: rounds are for cells that draw"
    began = process_time()
    cuts = explored(lab, made.weights, paths, cell.drawn, 1000 * cell.data.seed + APART * (number - 1))
    return cuts, {**drawing(cuts), "drawing_seconds": process_time() - began}


def drawing(cuts: Sequence[Cut]) -> dict[str, float]:
    """How much was drawn."""
    return {
        "draws": sum(cut.draws for cut in cuts),
        "drawn_tokens": sum((one.tokens or 0) * one.times for cut in cuts for one in cut.branches),
    }


def summed(*several: Mapping[str, float]) -> dict[str, float]:
    """What all rounds took together; `paths` and `examples` are those of one."""
    first, *_ = several
    names = dict.fromkeys(name for one in several for name in one)
    return {
        name: first[name] if name in ("paths", "examples") else sum(one.get(name, 0) for one in several)
        for name in names
    }
