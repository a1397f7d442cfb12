"""Draws branches from every cut of a path and has F judge them, spending draws where both kinds lack.

Adaptive: draw in rounds, stop a cut when there is enough of both kinds, and give what it spared to cuts of
the path that have only one kind, up to a cap. Otherwise k draws at every cut, as RPO does (arXiv 2410.10858).
Covers one path; not which paths (`stages/pairs`), and not pairs (`pairs`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from ssui_gen.agent import Picture, placeholder
from ssui_gen.branches import Branch, Cut, Judgement
from ssui_gen.branching import render_steps
from ssui_gen.calls import Caller, Request
from ssui_gen.completions import Choice
from ssui_gen.config import Explore
from ssui_gen.prompts import Prompt
from ssui_gen.records import ReasoningPath, row_id
from ssui_gen.verify import Case, Verifier

ResultT = TypeVar("ResultT")
UNJUDGED = Judgement(polarity="unverified", detail="not judged yet")


class Policy(NamedTuple):
    """The model that is to be trained, and what its server can do."""

    caller: Caller
    model: str
    prompt: Prompt
    by_n: bool
    """Several draws a call; otherwise each is a call of its own."""
    token_ids: bool


@dataclass
class _Drawing:
    """What has been drawn from one cut so far."""

    path: ReasoningPath
    cut: int
    draws: int = 0
    rounds: int = 0
    branches: dict[str, Branch] = field(default_factory=dict)
    """By text."""
    calls: list[str] = field(default_factory=list)

    def lacks(self, enough: int) -> bool:
        found = [branch.judgement.polarity for branch in self.branches.values()]
        return min(found.count("good"), found.count("bad")) < enough

    @property
    def row(self) -> Cut:
        path = self.path
        return Cut(
            id=Cut.id_of(path.id, self.cut),
            path_id=path.id,
            kind=path.kind,
            cut=self.cut,
            prefix=render_steps(path.steps[: self.cut]),
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
    picture_of: Callable[[ReasoningPath], Picture]

    async def explore(self, path: ReasoningPath) -> list[Cut]:
        """Every cut of `path`, in order; raises what a call raises."""
        drawings = [_Drawing(path, cut) for cut in range(len(path.steps))]
        await _all(self._spend(drawing) for drawing in drawings)
        if self.settings.adaptive:
            await self._share_out(drawings)
        return [drawing.row for drawing in drawings]

    async def _spend(self, drawing: _Drawing) -> None:
        """Draw the cut's own budget, or until there is enough of both kinds."""
        k = self.settings.k
        while drawing.draws < k and (not self.settings.adaptive or drawing.lacks(self.settings.enough)):
            left = k - drawing.draws
            await self._draw(drawing, min(left, self.settings.round) if self.settings.adaptive else left)

    async def _share_out(self, drawings: list[_Drawing]) -> None:
        """Spared draws, a round at a time, to the cut that has drawn least among those with one kind."""
        spared = sum(self.settings.k - drawing.draws for drawing in drawings)
        while spared > 0:
            wanting = [
                d for d in drawings if d.lacks(self.settings.enough) and d.draws < self.settings.most_per_cut
            ]
            if not wanting:
                return
            drawing = min(wanting, key=lambda d: d.draws)
            n = min(spared, self.settings.round, self.settings.most_per_cut - drawing.draws)
            await self._draw(drawing, n)
            spared -= n

    async def _draw(self, drawing: _Drawing, n: int) -> None:
        """Draw `n` more, merge those that are the same word for word, and have F judge the new."""
        start = int(row_id(drawing.path.id, str(drawing.cut), str(drawing.draws)), 16) % 2**31
        most = self.settings.most_n if self.policy.by_n else 1
        sizes = [min(most, n - done) for done in range(0, n, most)]
        requests = [self._request(drawing, size, start + i * most) for i, size in enumerate(sizes)]
        answers = await _all(self.policy.caller.call(request) for request in requests)
        drawing.draws += n
        drawing.rounds += 1
        drawing.calls += [call for call, _ in answers]
        choices = [choice for _, completion in answers for choice in completion.choices]
        fresh = _merge(drawing, choices)
        judged = await _all(self.verify(_case(drawing, choice)) for choice in fresh)
        for choice, judgement in zip(fresh, judged, strict=True):
            seen = drawing.branches[choice.text]
            drawing.branches[choice.text] = seen.model_copy(update={"judgement": judgement})

    def _request(self, drawing: _Drawing, n: int, seed: int) -> Request:
        """System, picture, question, and the prefix as the assistant's words to be continued."""
        path, settings = drawing.path, self.settings
        picture = self.picture_of(path)
        system, user = self.policy.prompt.render(text=path.query.text)
        content: Any = [placeholder(picture), {"type": "text", "text": user}]
        messages = [{"role": "system", "content": system}, {"role": "user", "content": content}]
        body: dict[str, Any] = {"model": self.policy.model, "messages": messages}
        if drawing.cut:
            messages.append({"role": "assistant", "content": render_steps(path.steps[: drawing.cut])})
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        sampling = {"temperature": settings.temperature, "top_p": settings.top_p, "seed": seed}
        body |= sampling | {"max_tokens": settings.max_tokens, "n": n}
        body |= {"return_token_ids": True} if self.policy.token_ids else {}
        return Request("policy", body, picture.part, picture.ref.sha256, drawing.cut)


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
