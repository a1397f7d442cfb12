"""One response before the judge: each question's verdict, or why there is none.

The order of the calls follows the prompt: the first question of all is answered before the others are asked,
then the first of each fork before its others, so that a server finds what they share in its prefix cache. A
failure is a reason and never a number; what failed by circumstances is asked again by the next run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

from ssui_gen.benching.asked import FORKS, material_of, options_of, questions_of
from ssui_gen.benching.placing import locate
from ssui_gen.benching.records import BenchJudgement, Item, Response, Unscored
from ssui_gen.config import Bench, BenchQuestion
from ssui_gen.errors import OF_ITEM, ImageError, RequestRefused
from ssui_gen.judging.choosing import Chosen, JudgeModel, choose, distrust
from ssui_gen.judging.questions import QUESTIONS, Material

SHOWN = 80
"""Characters of a reply that is none of the options."""


class Judge(NamedTuple):
    """Who is asked, and when it is believed."""

    asked: JudgeModel
    settings: Bench

    @property
    def rubric(self) -> str:
        assert self.asked.prompt is not None
        return self.asked.prompt.id


class Verdict(NamedTuple):
    """One of the options, or why there is none."""

    option: str | None
    unscored: Unscored | None = None
    detail: str = ""


async def judge(
    by: Judge, item: Item, response: Response, questions: Collection[BenchQuestion]
) -> list[BenchJudgement]:
    """A row for each of `questions`, in the order of the settings; raises where nobody can be asked at all
    (ServerGone, AccessDenied).
    """
    wanted = [name for name in questions_of(response) if name in questions]
    case = _Case(by, response, material_of(item, response))
    forks = [kept for fork in FORKS if (kept := [name for name in fork if name in wanted])]
    found = {row.question: row for row in await _in_turn(case, forks)}
    return [found.get(name) or case.row(name, unscored="not_asked") for name in questions]


async def _in_turn(case: _Case, forks: Sequence[Sequence[BenchQuestion]]) -> list[BenchJudgement]:
    """The first question of the first fork before all else."""
    if not forks:
        return []
    (lead, *more), *others = forks
    first = await case.ask(lead)
    rest = [asyncio.gather(*map(case.ask, more)), *(_fork(case, fork) for fork in others)]
    return [first, *(row for rows in await asyncio.gather(*rest) for row in rows)]


async def _fork(case: _Case, fork: Sequence[BenchQuestion]) -> list[BenchJudgement]:
    lead, *more = fork
    first = await case.ask(lead)
    return [first, *await asyncio.gather(*map(case.ask, more))]


class _Case(NamedTuple):
    """A response, and who judges it."""

    by: Judge
    response: Response
    material: Material

    async def ask(self, name: BenchQuestion) -> BenchJudgement:
        question = QUESTIONS[name]
        shown = self.material.seen_by(question)
        pick = partial(_pick, self.by, name, shown)
        try:
            chosen = await locate(pick, options_of(name, self.response))
        except (ImageError, *OF_ITEM) as error:
            refused = isinstance(error, RequestRefused)
            why: Unscored = "request_refused" if refused else "call_failed"
            return self.row(name, unscored=why, detail=str(error), shown=shown.sha)
        said, raw = verdict(chosen, self.by.settings), chosen.raw
        more = {"unscored": said.unscored, "detail": said.detail, "shown": shown.sha, "made_by": chosen.calls}
        return self.row(name, verdict=said.option, **more, **raw)

    def row(self, name: BenchQuestion, verdict: str | None = None, **fields: Any) -> BenchJudgement:
        response, judge = self.response, self.by.asked.model
        return BenchJudgement(
            id=BenchJudgement.id_of(response.id, name, judge),
            response_id=response.id,
            item_id=response.item_id,
            question=name,
            rubric=self.by.rubric,
            judge=judge,
            verdict=verdict,
            **fields,
        )


async def _pick(by: Judge, name: BenchQuestion, shown: Material, options: Sequence[str]) -> Chosen:
    return await choose(by.asked, QUESTIONS[name], shown, options, by.settings)


def verdict(chosen: Chosen, settings: Bench) -> Verdict:
    """The most probable option, if it can be trusted: the options hold enough of the probability, both orders
    agree, and the next is not as probable.
    """
    if chosen.shares is None:
        return _by_word(chosen)
    if found := distrust(chosen, settings):
        return Verdict(None, found.code, found.detail)
    best, *others = sorted(chosen.shares, key=chosen.shares.__getitem__, reverse=True)
    margin = chosen.shares[best] - max((chosen.shares[other] for other in others), default=0.0)
    if margin < 2 * settings.doubt:
        return Verdict(None, "undecided", f"{best} by {margin:.2f}")
    return Verdict(best)


def _by_word(chosen: Chosen) -> Verdict:
    """Without log-probabilities: what both orders name."""
    if not chosen.heard:
        return Verdict(
            None, "reply_invalid", f"said {', '.join(repr(said[:SHOWN]) for said in chosen.picked)}"
        )
    if len({*chosen.picked}) == 1:
        return Verdict(chosen.picked[0], detail="no log-probabilities")
    return Verdict(None, "no_logprobs", f"the orders say {', '.join(chosen.picked)}")
