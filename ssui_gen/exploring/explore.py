"""Draws branches from every cut of a path and has F judge them, spending draws where both kinds lack.

Adaptive: draw in rounds, stop a cut when there is enough of both kinds, and give what it spared to cuts of
the path that have only one kind, up to a cap and as long as there is hope. A path without any pair is not
given up before `least` draws: errors of two in a hundred, which over-refusals on benign twins are, show in
two of three paths only after fifty. Otherwise k draws at every cut in one request, all judged, as RPO does
(arXiv 2410.10858). All that is decided depends on the path alone, so a run that was killed goes on alike.
Covers one path; not which paths (`stages/pairs`), and not pairs (`pairs`).
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ssui_gen.branches import Cut
from ssui_gen.calling.calls import Request
from ssui_gen.calling.pictures import Picture
from ssui_gen.config import Explore
from ssui_gen.exploring.continuing import Draw, Policy, continuation
from ssui_gen.exploring.drawing import Drawing
from ssui_gen.records import ImageRef, ReasoningPath, row_id
from ssui_gen.verifying.verify import Verifier

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Explorer:
    """One for a run."""

    policy: Policy
    settings: Explore
    verify: Verifier
    picture_of: Callable[[ImageRef], Picture]

    async def explore(self, path: ReasoningPath) -> list[Cut]:
        """Every cut of `path`, in order; raises what a call raises."""
        drawings = [Drawing(path, cut) for cut in range(len(path.steps))]
        if self.settings.adaptive:
            await self._in_rounds(drawings)
        else:
            await _all(self._draw(drawing, self.settings.k) for drawing in drawings)
            await _all(self._judge_all(drawing) for drawing in drawings)
        for drawing in drawings:
            drawing.leave(self.settings.alike, drawings)
        return [drawing.row for drawing in drawings]

    async def _in_rounds(self, drawings: Sequence[Drawing]) -> None:
        """A round at every cut that is worth it, those that drew least first, until k a cut are spent."""
        left = self.settings.k * len(drawings)
        while left > 0 and (worthy := sorted(self._worthy(drawings), key=lambda d: d.draws)):
            most = self._round(drawings, worthy)
            sizes = []
            for drawing in worthy:
                sizes.append(min(most, left, self.settings.most_per_cut - drawing.draws))
                left -= sizes[-1]
            await _all(self._draw(d, n) for d, n in zip(worthy, sizes, strict=True) if n)
            await self._judge(drawings, worthy)

    def _worthy(self, drawings: Sequence[Drawing]) -> Iterable[Drawing]:
        seen = sum((drawing.kinds for drawing in drawings), Counter[str]())
        searching = self._searching(drawings)
        for drawing in drawings:
            lacks = drawing.lacks(self.settings.enough)
            if lacks and drawing.draws < self.settings.most_per_cut:
                expected = max(drawing.expected(kind, n, seen) for kind, n in lacks.items())
                if searching or expected <= self.settings.patience or not drawing.draws:
                    yield drawing

    def _searching(self, drawings: Sequence[Drawing]) -> bool:
        """Whether the path has no pair yet, and has not drawn enough to be given up."""
        paired = any(not drawing.lacks(1) for drawing in drawings)
        return not paired and sum(drawing.draws for drawing in drawings) < self.settings.least

    def _round(self, drawings: Sequence[Drawing], worthy: Sequence[Drawing]) -> int:
        """Draws of each cut in this round: few while both kinds are found fast; what is left of `least` at
        once where the first looks found one kind alone, as each request costs its prompt.
        """
        drawn = sum(drawing.draws for drawing in drawings)
        if not drawn or not self._searching(drawings):
            return self.settings.round
        return max(self.settings.round, math.ceil((self.settings.least - drawn) / len(worthy)))

    async def _judge(self, drawings: Sequence[Drawing], worthy: Sequence[Drawing]) -> None:
        """One branch of each cut at a time, as what one says may spare the next."""
        enough, likeness = self.settings.enough, self.settings.alike
        searching = not any(not drawing.lacks(1) for drawing in drawings)
        while cases := [
            (d, case) for d in worthy if (case := d.next_to_judge(enough, likeness, drawings)) is not None
        ]:
            found = await _all(self.verify(case) for _, case in cases)
            for (drawing, case), judgement in zip(cases, found, strict=True):
                drawing.judged(case, judgement)
            if searching and self._rare(drawings):
                break

    def _rare(self, drawings: Sequence[Drawing]) -> bool:
        """Whether a first pair was found after a long search: more of its kind are not worth judging."""
        drawn = sum(drawing.draws for drawing in drawings)
        return drawn >= self.settings.least and any(not drawing.lacks(1) for drawing in drawings)

    async def _judge_all(self, drawing: Drawing) -> None:
        cases = list(drawing.waiting.values())
        for case, judgement in zip(cases, await _all(map(self.verify, cases)), strict=True):
            drawing.judged(case, judgement)

    async def _draw(self, drawing: Drawing, n: int) -> None:
        """Draw `n` more; what was drawn before word for word is merged."""
        start = int(row_id(drawing.path.id, str(drawing.cut), str(drawing.draws)), 16) % 2**31
        most = self.settings.most_n if self.policy.by_n else 1
        sizes = [min(most, n - done) for done in range(0, n, most)]
        requests = [self._request(drawing, size, start + i * most) for i, size in enumerate(sizes)]
        answers = await _all(self.policy.caller.call(request) for request in requests)
        drawing.calls += [call for call, _ in answers]
        drawing.add(choice for _, completion in answers for choice in completion.choices)

    def _request(self, drawing: Drawing, n: int, seed: int) -> Request:
        draw = Draw(drawing.path, drawing.cut, n, seed)
        return continuation(self.policy, self.settings, draw, self.picture_of(drawing.path.image))


async def _all(things: Iterable[Coroutine[Any, Any, ResultT]]) -> list[ResultT]:
    """Every result, in order. The first error ends the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(thing) for thing in things]
    except ExceptionGroup as many:
        raise many.exceptions[0] from None
    return [task.result() for task in tasks]
