"""Corrected branches: the truth rewrites what a pair rejects, from its first wrong step on. Draws nothing.

What a reference agent that never errs would hand in, as the product's corrections.jsonl; the pairs are the
product's own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from microworld.corpus.responses import right
from microworld.reproduce.branches import WAY
from microworld.reproduce.paths import Told
from microworld.world.pairs import Pair as Asked
from ssui_gen.branches import Branch, Correction, Cut, Pair
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.exploring.making import Making
from ssui_gen.jsonl import as_line
from ssui_gen.reading import read
from ssui_gen.records import STEP_NAMES
from ssui_gen.run_files import CORRECTIONS

LAST = len(STEP_NAMES)
BY = "the world's truth"


def rewritten(
    making: Making, pairs: Sequence[Pair], paths: Sequence[Told], cuts: Sequence[Cut]
) -> list[Pair]:
    """Instead of each pair its rejected side's rewrite over that side."""
    rejected = {pair.rejected_id for pair in pairs if pair.source == "branch"}
    asked = {one.path.id: one.pair for one in paths}
    rows = (
        row
        for cut in cuts
        for branch in cut.branches
        if branch.id in rejected and (row := rewrite(asked[cut.path_id], cut, branch))
    )
    (making.run / CORRECTIONS).write_bytes(b"".join(map(as_line, rows)))
    pairing = making.config.pairs.model_copy(update={"corrections": True})
    own = replace(making, config=making.config.model_copy(update={"pairs": pairing}))
    return [pair for pair in own.pairs({}, defaultdict(Counter)) if pair.source == "corrected"]


def rewrite(asked: Asked, cut: Cut, branch: Branch) -> Correction | None:
    """None where nothing is wrong. Where it is the answer alone, the sixth step is the branch's own."""
    (place,) = branch.judgement.by[WAY]["picked"]
    if place == "none":
        return None
    said = right(Random(f"rewrite/{branch.id}"), asked)
    steps = list(said.steps)
    if place == "answer":
        steps[-1] = read(cut.prefix + branch.text).steps[-1]
    step = LAST if place == "answer" else int(place.removeprefix("step "))
    text = render_path(steps, said.answer)[len(prefix_at(steps, step - 1)) :]
    return Correction(branch_id=branch.id, step=step, text=text, by=BY)
