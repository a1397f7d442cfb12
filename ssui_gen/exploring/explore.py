"""Draws branches from every cut of a path and has F judge them, spending draws where both kinds lack.

Adaptive: draw in rounds, stop a cut when there is enough of both kinds, and give what it spared to cuts of
the path that have only one kind, up to a cap and as long as there is hope: a policy that always agrees is
soon left alone. Otherwise k draws at every cut, as RPO does (arXiv 2410.10858).
Covers one path; not which paths (`stages/pairs`), and not pairs (`pairs`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ssui_gen.branches import Branch, Cut, Judgement
from ssui_gen.branching import prefix_at
from ssui_gen.calling.calls import Request
from ssui_gen.calling.pictures import Picture
from ssui_gen.completions import Choice
from ssui_gen.config import Explore
from ssui_gen.exploring.continuing import Draw, Policy, continuation
from ssui_gen.exploring.explored import cut_id
from ssui_gen.records import ImageRef, ReasoningPath, row_id
from ssui_gen.verifying.verify import Case, Verifier

ResultT = TypeVar("ResultT")
PRIOR = 2.0
"""Draws of a cut that what the whole path has shown is worth."""
UNJUDGED = Judgement(polarity="unverified", detail="not judged yet")


@dataclass
class _Drawing:
    """What has been drawn from one cut so far."""

    path: ReasoningPath
    cut: int
    draws: int = 0
    branches: dict[str, Branch] = field(default_factory=dict)
    """By text."""
    calls: list[str] = field(default_factory=list)

    @property
    def kinds(self) -> Counter[str]:
        """Draws by polarity."""
        counts: Counter[str] = Counter()
        for branch in self.branches.values():
            counts[branch.judgement.polarity] += branch.times
        return counts

    def lacks(self, enough: int) -> dict[str, int]:
        """How many distinct branches of each kind are still wanted."""
        found = Counter(branch.judgement.polarity for branch in self.branches.values())
        return {kind: enough - found[kind] for kind in ("good", "bad") if found[kind] < enough}

    def expected(self, kind: str, wanted: int, seen: Counter[str]) -> float:
        """Draws that `wanted` more of `kind` will take: its share here, with the path's share (`seen`, by the
        rule of succession) counting as PRIOR draws.
        """
        prior = (seen[kind] + 1) / (seen.total() + 2)
        return wanted * (PRIOR + self.draws) / (PRIOR * prior + self.kinds[kind])

    @property
    def row(self) -> Cut:
        path = self.path
        return Cut(
            id=cut_id(path, self.cut),
            path_id=path.id,
            kind=path.kind,
            cut=self.cut,
            prefix=prefix_at(path.steps, self.cut),
            image=path.image,
            query=path.query.text,
            branches=tuple(self.branches.values()),
            draws=self.draws,
            made_by=tuple(self.calls),
        )


@dataclass(frozen=True)
class Explorer:
    """One for a run."""

    policy: Policy
    settings: Explore
    verify: Verifier
    picture_of: Callable[[ImageRef], Picture]

    async def explore(self, path: ReasoningPath) -> list[Cut]:
        """Every cut of `path`, in order; raises what a call raises."""
        drawings = [_Drawing(path, cut) for cut in range(len(path.steps))]
        if self.settings.adaptive:
            await self._in_rounds(drawings)
        else:
            await _all(self._draw(drawing, self.settings.k) for drawing in drawings)
        return [drawing.row for drawing in drawings]

    async def _in_rounds(self, drawings: Sequence[_Drawing]) -> None:
        """A round at every cut that is worth it, those that drew least first, until k a cut are spent."""
        settings, left = self.settings, self.settings.k * len(drawings)
        while left > 0 and (worthy := sorted(self._worthy(drawings), key=lambda d: d.draws)):
            sizes = []
            for drawing in worthy:
                sizes.append(min(settings.round, left, settings.most_per_cut - drawing.draws))
                left -= sizes[-1]
            await _all(self._draw(d, n) for d, n in zip(worthy, sizes, strict=True) if n)

    def _worthy(self, drawings: Sequence[_Drawing]) -> Iterable[_Drawing]:
        seen = sum((drawing.kinds for drawing in drawings), Counter[str]())
        for drawing in drawings:
            lacks = drawing.lacks(self.settings.enough)
            if lacks and drawing.draws < self.settings.most_per_cut:
                expected = max(drawing.expected(kind, n, seen) for kind, n in lacks.items())
                if expected <= self.settings.patience or not drawing.draws:
                    yield drawing

    async def _draw(self, drawing: _Drawing, n: int) -> None:
        """Draw `n` more, merge those that are the same word for word, and have F judge the new."""
        start = int(row_id(drawing.path.id, str(drawing.cut), str(drawing.draws)), 16) % 2**31
        most = self.settings.most_n if self.policy.by_n else 1
        sizes = [min(most, n - done) for done in range(0, n, most)]
        requests = [self._request(drawing, size, start + i * most) for i, size in enumerate(sizes)]
        answers = await _all(self.policy.caller.call(request) for request in requests)
        drawing.draws += n
        drawing.calls += [call for call, _ in answers]
        choices = [choice for _, completion in answers for choice in completion.choices]
        fresh = _merge(drawing, choices)
        cases = [_case(drawing, choice) for choice in fresh]
        judged = await _all(self.verify(case) for case in cases)
        for case, judgement in zip(cases, judged, strict=True):
            seen = drawing.branches[case.text]
            drawing.branches[case.text] = seen.model_copy(update={"judgement": judgement, "form": case.form})

    def _request(self, drawing: _Drawing, n: int, seed: int) -> Request:
        draw = Draw(drawing.path, drawing.cut, n, seed)
        return continuation(self.policy, self.settings, draw, self.picture_of(drawing.path.image))


def _merge(drawing: _Drawing, choices: list[Choice]) -> list[Choice]:
    """Count what was drawn before; the rest is put in its place and returned."""
    fresh: dict[str, Choice] = {}
    for choice in choices:
        if seen := drawing.branches.get(choice.text):
            drawing.branches[choice.text] = seen.model_copy(update={"times": seen.times + 1})
        else:
            fresh[choice.text] = choice
            drawing.branches[choice.text] = _branch(drawing, choice)
    return list(fresh.values())


def _branch(drawing: _Drawing, choice: Choice) -> Branch:
    ids = choice.token_ids
    return Branch(
        id=row_id(drawing.path.id, str(drawing.cut), choice.text),
        text=choice.text,
        finish=choice.finish_reason or "unknown",
        tokens=len(ids) if ids is not None else None,
        token_ids=ids,
        judgement=UNJUDGED,
    )


def _case(drawing: _Drawing, choice: Choice) -> Case:
    return Case(drawing.path, drawing.cut, choice.text, choice.finish_reason or "unknown")


async def _all(things: Iterable[Coroutine[Any, Any, ResultT]]) -> list[ResultT]:
    """Every result, in order. The first error ends the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(thing) for thing in things]
    except ExceptionGroup as many:
        raise many.exceptions[0] from None
    return [task.result() for task in tasks]
