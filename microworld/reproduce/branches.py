"""Branches of a policy from a data set's cuts, judged by the truth, in the product's own rows.

F is the truth here, so that what is measured is the training alone; `turned` makes F err. A branch that
cannot be read is unverified, as in the product.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from microworld.reproduce.decoding import Completion
from microworld.reproduce.laboratory import Laboratory
from microworld.reproduce.paths import Told, with_evidence
from microworld.reproduce.settings import Drawn
from microworld.reproduce.weights import Weights
from microworld.truth.steps import ANSWER, Truth, first_bad_of, response_fits
from ssui_gen.branches import Branch, Cut, Judgement, Origin, Polarity
from ssui_gen.branching import prefix_at
from ssui_gen.config_pairs import Recovery
from ssui_gen.exploring.locating import teller
from ssui_gen.exploring.recovery import leads_of
from ssui_gen.reading import read
from ssui_gen.records import row_id

WAY = "first_bad_step"
"""Under which name of a way of F it stands where a branch goes wrong."""
OTHER: dict[Polarity, Polarity] = {"good": "bad", "bad": "good", "unverified": "unverified"}


def explored(lab: Laboratory, policy: Weights, paths: Sequence[Told], drawn: Drawn, seed: int) -> list[Cut]:
    """A row for each cut of each path, with the distinct branches of the policy's draws."""
    wanted = [(one, cut) for one in paths for cut in drawn.cuts]
    temperatures = [drawn.temperature] * drawn.k
    question = with_evidence if drawn.told else lambda pair: pair
    asked = [(question(one.pair), prefix_at(one.path.steps, cut), temperatures) for one, cut in wanted]
    found = lab.go_on(policy, asked, seed)
    return [_row(one, cut, said) for (one, cut), said in zip(wanted, found, strict=True)]


def recovered(
    lab: Laboratory, paths: Sequence[Told], cuts: Sequence[Cut], settings: Recovery, seed: int
) -> list[Cut]:
    """A row for each place behind a wrong step of a path's branches, where the product would draw on too."""
    rows: dict[str, list[Cut]] = defaultdict(list)
    for cut in cuts:
        rows[cut.path_id].append(cut)
    tell = teller(None, None)
    wanted = [
        (one, lead)
        for one in paths
        for lead in asyncio.run(leads_of(one.path, rows[one.path.id], tell, settings))
    ]
    temperatures = [settings.temperature] * settings.draws
    found = lab.go_on(lab.bare, [(one.pair, lead.prefix, temperatures) for one, lead in wanted], seed)
    return [
        _row(one, lead.cut, said, lead.prefix, lead.origin)
        for (one, lead), said in zip(wanted, found, strict=True)
    ]


def _row(
    told: Told,
    cut: int,
    said: Iterable[tuple[str, Completion]],
    prefix: str | None = None,
    origin: Origin | None = None,
) -> Cut:
    """`prefix` where it is not the path's own."""
    path = told.path
    prefix = prefix_at(path.steps, cut) if prefix is None else prefix
    branches: dict[str, Branch] = {}
    for text, one in said:
        known = branches.get(text)
        branches[text] = (
            known.model_copy(update={"times": known.times + 1})
            if known
            else _branch(told, cut, prefix, text, one)
        )
    draws = sum(branch.times for branch in branches.values())
    return Cut.of_path(path, cut, prefix, branches.values(), draws=draws, origin=origin)


def _branch(told: Told, cut: int, prefix: str, text: str, said: Completion) -> Branch:
    found = read(prefix + text)
    off = [] if prefix == prefix_at(told.path.steps, cut) else [prefix]
    return Branch(
        id=row_id(told.path.id, str(cut), *off, text),
        text=text,
        finish="stop" if said.ended else "length",
        tokens=len(said.ids),
        token_ids=tuple(said.ids),
        form=found.form,
        judgement=judged(told, cut, prefix + text),
    )


def judged(told: Told, cut: int, response: str) -> Judgement:
    """F, where F is the truth: good is a response that ends right. Where behind the cut it first goes wrong
    is told too.
    """
    pair, found = told.pair, read(response)
    place = first_bad_of(found, Truth(pair.request, pair.scene.things, pair.rule), cut)
    if place is None:
        return Judgement(polarity="unverified", detail=f"no path: {found.form}")
    good = response_fits(found, pair.rule)
    named = {0: "none", ANSWER: "answer"}.get(place, f"step {place}")
    finding = {"polarity": "bad" if place else "good", "picked": [named]}
    return Judgement(polarity="good" if good else "bad", by={WAY: finding})


def by_steps(cuts: Iterable[Cut]) -> list[Cut]:
    """The same by an F that calls a branch good only where nothing behind the cut is wrong."""
    return [
        cut.model_copy(update={"branches": tuple(_by_steps(branch) for branch in cut.branches)})
        for cut in cuts
    ]


def _by_steps(branch: Branch) -> Branch:
    finding = branch.judgement.by.get(WAY, {"polarity": branch.judgement.polarity})
    judgement = branch.judgement.model_copy(update={"polarity": finding["polarity"]})
    return branch.model_copy(update={"judgement": judgement})


def turned(cuts: Iterable[Cut], share: float) -> list[Cut]:
    """The same with this share of F's verdicts turned round; which ones follows from their branches' ids."""
    return [
        cut.model_copy(update={"branches": tuple(_turned(branch, share) for branch in cut.branches)})
        for cut in cuts
    ]


def _turned(branch: Branch, share: float) -> Branch:
    lot = int(hashlib.sha256(f"F errs/{branch.id}".encode()).hexdigest()[:12], 16) / 16**12
    if lot >= share:
        return branch
    judgement = branch.judgement.model_copy(update={"polarity": OTHER[branch.judgement.polarity]})
    return branch.model_copy(update={"judgement": judgement})


def joined(first: Sequence[Cut], second: Sequence[Cut]) -> list[Cut]:
    """Draws of the same cuts put together; rows stand in the same order."""
    return [_both(one, other) for one, other in zip(first, second, strict=True)]


def _both(one: Cut, other: Cut) -> Cut:
    assert one.id == other.id, f"{one.id} and {other.id} are rows of different cuts"
    branches = {branch.text: branch for branch in one.branches}
    for branch in other.branches:
        known = branches.get(branch.text)
        times = branch.times + (known.times if known else 0)
        branches[branch.text] = (known or branch).model_copy(update={"times": times})
    return one.model_copy(update={"branches": tuple(branches.values()), "draws": one.draws + other.draws})
