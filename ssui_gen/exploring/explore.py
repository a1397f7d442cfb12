"""Draws branches from every cut of a path and has F judge them, spending draws where both kinds lack.

Adaptive: the root is drawn k times in one request; what F finds there tells how many draws the other cuts are
expected to take, and each request asks for so many, as each costs its prompt. A cut ends when it has enough
of both kinds or little hope. A path without any pair is not given up before k draws a cut: errors of two in a
hundred, which over-refusals on benign twins are, show in two of three paths only then. Otherwise k draws at
every cut in one request, all judged, as RPO does (arXiv 2410.10858).

All that is decided depends on the path alone, so a run that was killed asks the same and goes on alike. Cuts
may be opened again: what waits is judged before more is drawn.
Covers one path; not which paths (`exploration`), and not pairs (`pairs`).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ssui_gen.branches import Cut
from ssui_gen.calling.pictures import Shown
from ssui_gen.config import Explore
from ssui_gen.exploring.continuing import Draw, Policy, continuation, seed_after
from ssui_gen.exploring.drawing import Drawing, Lead, seen
from ssui_gen.records import ImageRef, ReasoningPath
from ssui_gen.verifying.verify import Verifier

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Explorer:
    """One for a run."""

    policy: Policy
    settings: Explore
    verify: Verifier
    shown: Callable[[Iterable[ImageRef]], Shown]
    """Pictures as a question shows them."""

    async def explore(self, path: ReasoningPath, rows: Sequence[Cut] = ()) -> list[Cut]:
        """Every cut of `path`, in order, going on from `rows` if there are any; raises what a call raises."""
        drawings = _opened(path, rows)
        if self.settings.adaptive:
            await self._judge(drawings, drawings)
            await self._in_rounds(drawings)
        else:
            await _all(self._draw(d, self.settings.k - d.draws) for d in drawings if not d.draws)
            await _all(self._judge_all(drawing) for drawing in drawings)
        return self._closed(drawings)

    async def search(self, path: ReasoningPath, rows: Sequence[Cut]) -> list[Cut]:
        """Every cut again, each drawn up to the most that a cut may draw: for a path without a pair."""
        return await self._to_the_end(_opened(path, rows))

    async def recover(self, path: ReasoningPath, leads: Sequence[Lead]) -> list[Cut]:
        """A cut behind each of the `leads`, drawn up to the most that a cut may draw."""
        return await self._to_the_end([Drawing(path, lead.cut, lead) for lead in leads])

    async def _to_the_end(self, drawings: Sequence[Drawing]) -> list[Cut]:
        await _all(self._draw(d, n) for d in drawings if (n := self.settings.most_per_cut - d.draws) > 0)
        await self._judge(drawings, drawings)
        return self._closed(drawings)

    def _closed(self, drawings: Sequence[Drawing]) -> list[Cut]:
        for drawing in drawings:
            drawing.leave(self.settings.alike, drawings)
        return [drawing.row(self.settings.enough) for drawing in drawings]

    async def _in_rounds(self, drawings: Sequence[Drawing]) -> None:
        """Rounds at every cut that is worth it, the first at the root alone, until k a cut are spent."""
        left = self.settings.k * len(drawings) - sum(drawing.draws for drawing in drawings)
        while left > 0 and (worthy := self._worthy(drawings)):
            sizes = []
            for drawing in worthy:
                sizes.append(min(self._size(drawing, drawings), left))
                left -= sizes[-1]
            await _all(self._draw(d, n) for d, n in zip(worthy, sizes, strict=True) if n)
            await self._judge(drawings, worthy)

    def _worthy(self, drawings: Sequence[Drawing]) -> list[Drawing]:
        """Those that drew least first; a path begins at its root."""
        if not any(drawing.draws for drawing in drawings):
            return [drawings[0]]
        lack = [d for d in drawings if d.lacks(self.settings.enough) and d.draws < self.settings.most_per_cut]
        return sorted((d for d in lack if self._hopeful(d, drawings)), key=lambda drawing: drawing.draws)

    def _hopeful(self, drawing: Drawing, drawings: Sequence[Drawing]) -> bool:
        """Whether more draws may pay: always as long as nothing was drawn here, or no cut has a pair."""
        if not drawing.draws or not _paired(drawings):
            return True
        return drawing.takes(self.settings.enough, seen(drawings)) <= self.settings.patience

    def _size(self, drawing: Drawing, drawings: Sequence[Drawing]) -> int:
        """Draws of one request: as many as what lacks is expected to take, not beyond k while the cut has
        fewer; all k at once where the path has no pair yet.
        """
        settings, short = self.settings, max(self.settings.k - drawing.draws, 0)
        wanted = math.ceil(drawing.takes(settings.enough, seen(drawings))) if _paired(drawings) else short
        most = min(short or wanted, settings.most_per_cut - drawing.draws)
        return min(max(wanted, settings.round), max(most, 1))

    async def _judge(self, drawings: Sequence[Drawing], worthy: Sequence[Drawing]) -> None:
        """One branch of each cut at a time, as what one says may spare the next."""
        enough, likeness = self.settings.enough, self.settings.alike
        while cases := [
            (d, case) for d in worthy if (case := d.next_to_judge(enough, likeness, drawings)) is not None
        ]:
            found = await _all(self.verify(case) for _, case in cases)
            for (drawing, case), judgement in zip(cases, found, strict=True):
                drawing.judged(case, judgement)

    async def _judge_all(self, drawing: Drawing) -> None:
        cases = list(drawing.waiting.values())
        for case, judgement in zip(cases, await _all(map(self.verify, cases)), strict=True):
            drawing.judged(case, judgement)

    async def _draw(self, drawing: Drawing, n: int) -> None:
        await draw(self.policy, self.settings, self.shown(drawing.path.images), drawing, n)


async def draw(policy: Policy, settings: Explore, pictures: Shown, drawing: Drawing, n: int) -> None:
    """Draw `n` more; what was drawn before word for word is merged. Raises what a call raises."""
    start = seed_after(drawing.path, drawing.cut, drawing.draws)
    most = min(settings.most_n, policy.most_n)
    sizes = [min(most, n - done) for done in range(0, n, most)]
    lead = drawing.lead and drawing.lead.prefix
    draws = [Draw(drawing.path, drawing.cut, size, start + i * most, lead) for i, size in enumerate(sizes)]
    requests = [continuation(policy, settings, one, pictures) for one in draws]
    answers = await _all(policy.caller.call(request) for request in requests)
    drawing.calls += [call for call, _ in answers]
    choices = (choice for _, completion in answers for choice in completion.choices)
    drawing.add(policy.written(choice, draws[0]) for choice in choices)


def _opened(path: ReasoningPath, rows: Iterable[Cut]) -> list[Drawing]:
    known = {row.cut: row for row in rows}
    return [Drawing.of(path, cut, known.get(cut)) for cut in range(len(path.steps))]


def _paired(drawings: Iterable[Drawing]) -> bool:
    """Whether any cut of a path has a good and a bad branch."""
    return any(not drawing.lacks(1) for drawing in drawings)


async def _all(things: Iterable[Coroutine[Any, Any, ResultT]]) -> list[ResultT]:
    """Every result, in order. The first error ends the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(thing) for thing in things]
    except ExceptionGroup as many:
        raise many.exceptions[0] from None
    return [task.result() for task in tasks]
