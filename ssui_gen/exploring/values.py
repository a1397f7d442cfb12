"""Steps by their value: the share of good ends among all draws that go through them. Pure.

As PRISM pairs steps below a common prefix (arXiv 2508.18649), with what exploration has drawn in the place of
its search tree: of each step that was drawn behind a cut the branches that begin with it, word for word; of
the path's own step all that was drawn behind the next cut. What nobody has judged does not count, so
`explore: {adaptive: false}` gives values that more draws stand behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ssui_gen.branches import Branch, Cut, Judgement
from ssui_gen.reading import read
from ssui_gen.records import row_id


@dataclass
class Step:
    """One step behind a cut."""

    text: str
    id: str
    good: int = 0
    judged: int = 0
    """Draws."""

    def count(self, branches: Sequence[Branch]) -> None:
        known = [branch for branch in branches if branch.judgement.polarity != "unverified"]
        self.judged += sum(branch.times for branch in known)
        self.good += sum(branch.times for branch in known if branch.judgement.polarity == "good")


def by_value(cuts: Sequence[Cut], least: float) -> Iterator[Cut]:
    """Each of a path's cuts, in order, with steps in the place of branches: their value is the probability,
    and from `least` on they are good.
    """
    after = {cut.cut: cut for cut in cuts}
    for cut in cuts:
        steps = _steps(cut, after.get(cut.cut + 1))
        branches = tuple(_as_branch(step, least) for step in steps if step.judged)
        yield cut.model_copy(update={"branches": branches})


def _steps(cut: Cut, after: Cut | None) -> list[Step]:
    found: dict[str, Step] = {}
    for branch in cut.branches:
        text = read(branch.text).own_step(cut.cut)
        found.setdefault(text, Step(text, branch.id)).count([branch])
    if after and after.prefix.startswith(cut.prefix):
        text = after.prefix.removeprefix(cut.prefix)
        own = Step(text, row_id(cut.path_id, "own step", str(cut.cut), text))
        found.setdefault(text, own).count(after.branches)
    return list(found.values())


def _as_branch(step: Step, least: float) -> Branch:
    value = step.good / step.judged
    judgement = Judgement(
        polarity="good" if value >= least else "bad",
        probability=value,
        detail=f"{step.good} of {step.judged} draws end well",
    )
    return Branch(id=step.id, text=step.text, finish="stop", times=step.judged, judgement=judgement)
