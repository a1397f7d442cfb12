"""Where rejected branches first go wrong: F knows it, labels tell it, or the judge is asked about it.

A training that counts a pair up to the error (`span: error`) needs the place, and F at its default says only
that the end is wrong. Asking about the rejected sides of pairs alone costs one question a pair. Answers are
kept in the call journal, so that pairs are made anew at no cost. Who is not sure says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ssui_gen.branches import Branch, BranchLabel, Cut, Pair, Place
from ssui_gen.calling.pictures import Picture
from ssui_gen.commands import command
from ssui_gen.config import Verify
from ssui_gen.errors import OF_ITEM, ConfigError, ImageError
from ssui_gen.jobs.job import Job
from ssui_gen.jobs.progress import Funnel
from ssui_gen.jsonl import read, validate
from ssui_gen.prompts import Prompt
from ssui_gen.records import ImageRef, ReasoningPath
from ssui_gen.run_files import LABELS, LABELS_PEOPLE
from ssui_gen.verifying.first_bad_step import NAME, PLACES, place_in
from ssui_gen.verifying.steady import settled
from ssui_gen.verifying.verify import Case, Verifier, together
from ssui_gen.verifying.ways import ways

FILES = (LABELS, LABELS_PEOPLE)
"""What comes later wins."""
Teller = Callable[[Case, Branch], Coroutine[Any, Any, Place | None]]
"""Says where a branch first goes wrong; raises what a call raises."""
Work = tuple[ReasoningPath, Sequence[Cut], Sequence[Pair]]
"""A path, its cuts, and the pairs whose rejected sides are looked at."""


def labelled(run: Path) -> dict[str, Place]:
    """The place of each branch whose label names one. Raises ConfigError where there are no labels."""
    files = [run / name for name in FILES if (run / name).exists()]
    if not files:
        raise ConfigError(
            f"pairs.first_bad: labels: expected {' or '.join(FILES)} in {run}: people make the one "
            f"(`{command('calibrate', run)}` says how), `python -m microworld.label_branches {run}` the other"
        )
    rows = (validate(BranchLabel, line) for file in files for line in read(file))
    told = ((row.branch_id, PLACES.get(row.first_bad or "")) for row in rows)
    return {branch: place for branch, place in told if place}


async def asking(
    job: Job,
    verify: Verify,
    prompts: Mapping[str, Prompt],
    picture_of: Callable[[ImageRef], Picture],
    paths: Sequence[ReasoningPath],
    say: Callable[[str], None],
) -> Verifier:
    """The judge, ready to be asked where a branch first goes wrong; raises what a call raises."""
    alone = verify.model_copy(update={"by": (NAME,), "level": "outcome"})
    settings = await settled(job, alone, prompts, picture_of, paths, say)
    return together(ways((NAME,), job, settings, prompts, picture_of), "all", verify.form)


def teller(labels: Mapping[str, Place] | None, ask: Verifier | None) -> Teller:
    """By the labels alone where there are any, else as F says, else as the judge does if it may be asked."""

    async def tell(case: Case, branch: Branch) -> Place | None:
        if labels is not None:
            return labels.get(branch.id)
        known = place_in(branch.judgement)
        return known or (place_in(await ask(case)) if ask else None)

    return tell


class Locating:
    """Places by branch; one path at a time."""

    def __init__(self, ask: Verifier) -> None:
        self.ask, self.funnel = ask, Funnel()
        self.places: dict[str, Place] = {}

    async def on(self, work: Work) -> None:
        """Ask about the rejected branches of a path's pairs whose place is not known."""
        path, cuts, pairs = work
        self.funnel.in_flight += 1
        try:
            for cut, branch in _unplaced(cuts, pairs):
                await self._place(Case.of(path, cut, branch), branch)
        finally:
            self.funnel.in_flight -= 1
            self.funnel.fresh += 1

    async def _place(self, case: Case, branch: Branch) -> None:
        """What cannot be asked has no place: the pair counts to its end."""
        try:
            found = place_in(await self.ask(case))
        except (ImageError, *OF_ITEM):
            found = None
        self.funnel.kept["located" if found else "not located"] += 1
        if found:
            self.places[branch.id] = found


def _unplaced(cuts: Sequence[Cut], pairs: Sequence[Pair]) -> Iterator[tuple[Cut, Branch]]:
    wanted = {pair.rejected_id for pair in pairs if pair.first_bad is None}
    return ((cut, branch) for cut in cuts for branch in cut.branches if branch.id in wanted)


def placed(pair: Pair, places: Mapping[str, Place], alone: bool) -> Pair:
    """The pair with the place of its rejected branch; where `places` count `alone`, with no other. What a
    person edited says itself where it was wrong.
    """
    if pair.source == "edit":
        return pair
    known = None if alone else pair.first_bad
    return pair.model_copy(update={"first_bad": places.get(pair.rejected_id, known)})
