"""Asks a model to pick one of some options about a branch, and weighs what it says.

Probabilities are read off the option letters' log-probabilities. Which order of the options comes first is
drawn by the branch; unless that is sure, both are asked and averaged: a model that prefers a letter cancels
itself. Little mass on the letters, orders that disagree, or a coin flip is
`unverified`. Which options there are and which are good is each way's business (`judge`, `first_bad_step`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from ssui_gen.agent import TOP_LOGPROBS
from ssui_gen.branches import Judgement, Polarity
from ssui_gen.branching import one_line
from ssui_gen.calling.calls import Caller, Request
from ssui_gen.calling.pictures import Picture
from ssui_gen.config import Verify
from ssui_gen.labels import first_shares
from ssui_gen.marks import quoted
from ssui_gen.prompts import Prompt
from ssui_gen.records import ImageRef, row_id
from ssui_gen.verifying.verify import Case

LETTERS = "ABCDEFGH"
RECORDED = 10
"""One branch in so many is asked about in both orders in any case."""
DEPTH = 9
"""Deeper than any draw: what is drawn is judged before more is drawn."""


class Asked(NamedTuple):
    """The model that is asked: how it is called, its served name, and how it is shown a branch."""

    caller: Caller
    model: str
    prompt: Prompt | None
    """None where the conversation itself is the question (`guard`)."""
    picture_of: Callable[[ImageRef], Picture]
    sees: bool = True
    """Whether it takes pictures at all."""


class Chosen(NamedTuple):
    """What a model says of the options."""

    shares: dict[str, float] | None
    """P(option | one of them), averaged over both orders; None without log-probabilities."""
    mass: float
    """What the options hold together, in the worse order."""
    gap: float | None
    """Total variation distance between the orders: 0 when they agree, 1 when they contradict each other; None
    where one was asked."""
    picked: tuple[str, ...]
    """The option that each order's letter stands for; the words themselves where they are none."""
    calls: tuple[str, ...]
    heard: bool = True
    """Whether every order named an option at all; told from the words, for want of log-probabilities."""

    @property
    def raw(self) -> dict[str, Any]:
        """What is kept beside the verdict."""
        shares = self.shares and {option: round(share, 6) for option, share in self.shares.items()}
        gap = None if self.gap is None else round(self.gap, 6)
        return {"shares": shares, "mass": round(self.mass, 6), "gap": gap, "picked": self.picked}


class _Answer(NamedTuple):
    """What one order gave."""

    shares: dict[str, float] | None
    mass: float
    picked: str
    call: str


async def choose(asked: Asked, case: Case, options: Sequence[str], settings: Verify) -> Chosen:
    """Ask in both orders, or in one where that is sure; raises what a call raises."""
    lot = int(row_id(case.path.id, str(case.cut), case.text), 16)
    order = options[:: 1 if lot % 2 else -1]
    if settings.orders == "both" or lot // 2 % RECORDED == 0:
        one, other = await asyncio.gather(*(_ask(asked, case, way) for way in (order, order[::-1])))
        return _put_together(options, one, other)
    first = await _ask(asked, case, order)
    if first.shares and first.mass >= settings.least_mass and max(first.shares.values()) >= settings.sure:
        return Chosen(first.shares, first.mass, None, (first.picked,), (first.call,))
    return _put_together(options, first, await _ask(asked, case, order[::-1]))


def _put_together(options: Sequence[str], one: _Answer, other: _Answer) -> Chosen:
    shares, gap = None, 0.0
    if one.shares is not None and other.shares is not None:
        shares = {option: (one.shares[option] + other.shares[option]) / 2 for option in options}
        gap = sum(abs(one.shares[option] - other.shares[option]) for option in options) / 2
    return Chosen(
        shares=shares,
        mass=min(one.mass, other.mass),
        gap=gap,
        picked=(one.picked, other.picked),
        calls=(one.call, other.call),
        heard=one.picked in options and other.picked in options,
    )


async def _ask(asked: Asked, case: Case, order: Sequence[str]) -> _Answer:
    call, completion = await asked.caller.call(_request(asked, case, order))
    choice, letters = completion.choices[0], LETTERS[: len(order)]
    letter = choice.text.strip()[:1]
    picked = order[letters.index(letter)] if letter and letter in letters else choice.text
    found = first_shares(choice, letters)
    if found is None:
        return _Answer(None, 0.0, picked, call)
    return _Answer(dict(zip(order, found[0].values(), strict=True)), found[1], picked, call)


def _request(asked: Asked, case: Case, order: Sequence[str]) -> Request:
    """System, picture, then the question with its options. The whole response is shown, quoted line by line,
    and everybody else's words on a line of their own, so that nothing in them can pose as the question.
    """
    path, picture = case.path, asked.picture_of(case.path.image)
    assert asked.prompt is not None
    system, user = asked.prompt.render(
        text=one_line(path.query.text),
        scenario=one_line(path.query.scenario) if path.kind == "risky" else "",
        reference=one_line(path.answer),
        response=quoted(case.response),
        options=dict(zip(LETTERS, order, strict=False)),
    )
    content: Any = [picture.placeholder, {"type": "text", "text": user}]
    messages = [{"role": "system", "content": system}, {"role": "user", "content": content}]
    body = {"model": asked.model, "messages": messages, **greedy(1)}
    return Request(asked.prompt.name, body, picture.part, picture.ref.sha256, DEPTH)


def greedy(max_tokens: int) -> dict[str, Any]:
    """The most probable answer, and the log-probabilities of what else could stand there."""
    how = {"temperature": 0.0, "max_tokens": max_tokens}
    return how | {"logprobs": True, "top_logprobs": TOP_LOGPROBS}


def weighed(chosen: Chosen, good: Collection[str], settings: Verify) -> Judgement:
    """The verdict: good if the `good` options together are probable enough, and the answer can be trusted."""
    rest: dict[str, Any] = {"by": chosen.raw, "made_by": chosen.calls}
    if chosen.shares is None:
        polarity, detail = _by_word(chosen, good)
        return Judgement(polarity=polarity, detail=detail, **rest)
    probability = min(1.0, sum(chosen.shares[option] for option in good))
    if doubt := _doubt(chosen, probability, settings):
        return Judgement(polarity="unverified", probability=probability, detail=doubt, **rest)
    sure = probability >= settings.threshold
    return Judgement(polarity="good" if sure else "bad", probability=probability, **rest)


def _doubt(chosen: Chosen, probability: float, settings: Verify) -> str:
    """Why the answer cannot be trusted; empty when it can."""
    if chosen.mass < settings.least_mass:
        return f"label mass {chosen.mass:.2f}"
    if chosen.gap is not None and chosen.gap > settings.most_gap:
        return f"orders differ by {chosen.gap:.2f}"
    return "undecided" if abs(probability - settings.threshold) < settings.doubt else ""


def _by_word(chosen: Chosen, good: Collection[str]) -> tuple[Polarity, str]:
    """Without log-probabilities: what both orders say."""
    picked = chosen.picked
    if chosen.heard and len({*picked}) == 1:
        return ("good" if picked[0] in good else "bad"), "no log-probabilities"
    return "unverified", f"no log-probabilities, and the orders say {', '.join(map(repr, picked))}"
