"""Asks a model to pick one of some options about a response, and tells whether what it says can be trusted.

Probabilities are read off the option letters' log-probabilities. Which order of the options comes first is
drawn by what is shown; unless that is sure, both are asked and averaged: a model that prefers a letter
cancels itself. Little mass on the letters or orders that disagree are no verdict. What is asked, and of what,
is for `questions`; what becomes of a verdict for F (`verifying`) and RSBench (`benching`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

from ssui_gen.calling.calls import Calling, Request
from ssui_gen.calling.pictures import NO_PICTURE, Picture, Shown
from ssui_gen.config import Judging
from ssui_gen.dialect import TOP_LOGPROBS
from ssui_gen.judging.questions import LETTERS, Material, Question
from ssui_gen.labels import first_shares
from ssui_gen.prompts import Prompt
from ssui_gen.reading import spoken
from ssui_gen.records import ImageRef, row_id

RECORDED = 10
"""One response in so many is asked about in both orders in any case."""
DEPTH = 9
"""Deeper than any draw: what is drawn is judged before more is drawn."""


class JudgeModel(NamedTuple):
    """The model that is asked: how it is called, its served name, and how it is shown a response."""

    caller: Calling
    model: str
    prompt: Prompt | None
    """None where the conversation itself is the question (`guard`)."""
    picture_of: Callable[[ImageRef], Picture]
    sees: bool = True
    """Whether it takes pictures at all."""

    def shown(self, refs: Iterable[ImageRef]) -> Shown:
        """What it is shown of these pictures."""
        return Shown(tuple(map(self.picture_of, refs))) if self.sees else NO_PICTURE


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


class Distrust(NamedTuple):
    """Why what a model chose cannot be trusted."""

    code: Literal["low_mass", "orders_differ"]
    detail: str


class _Answer(NamedTuple):
    """What one order gave."""

    shares: dict[str, float] | None
    mass: float
    picked: str
    call: str


async def choose(
    asked: JudgeModel, question: Question, shown: Material, options: Sequence[str], settings: Judging
) -> Chosen:
    """Ask in both orders, or in one where that is sure; raises what a call raises. One after the other: the
    second differs in its last words alone, and finds the rest in the server's prefix cache.
    """
    lot = int(row_id(question.name, shown.sha), 16)
    order = options[:: 1 if lot % 2 else -1]
    if settings.orders == "both" or lot // 2 % RECORDED == 0:
        one = await _ask(asked, question, shown, order)
        return _put_together(options, one, await _ask(asked, question, shown, order[::-1]))
    first = await _ask(asked, question, shown, order)
    if first.shares and first.mass >= settings.least_mass and max(first.shares.values()) >= settings.sure:
        return Chosen(first.shares, first.mass, None, (first.picked,), (first.call,))
    return _put_together(options, first, await _ask(asked, question, shown, order[::-1]))


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


async def _ask(asked: JudgeModel, question: Question, shown: Material, order: Sequence[str]) -> _Answer:
    call, completion = await asked.caller.call(request(asked, question, shown, order))
    choice, letters = completion.choices[0], LETTERS[: len(order)]
    said = spoken(choice.text)
    letter = said.strip()[:1]
    picked = order[letters.index(letter)] if letter and letter in letters else said
    found = first_shares(choice, letters)
    if found is None:
        return _Answer(None, 0.0, picked, call)
    return _Answer(dict(zip(order, found[0].values(), strict=True)), found[1], picked, call)


def request(asked: JudgeModel, question: Question, shown: Material, order: Sequence[str]) -> Request:
    """System, pictures, the material, then the question and its options: what questions about one response
    have in common stands first, so that a server reads it once.
    """
    assert asked.prompt is not None
    pictures = asked.shown(shown.pictures)
    options = dict(zip(LETTERS, order, strict=False))
    system, user = asked.prompt.render(question=question.name, options=options, **shown.words)
    content: Any = [*pictures.placeholders, {"type": "text", "text": user}]
    messages = [{"role": "system", "content": system}, {"role": "user", "content": content}]
    body = {"model": asked.model, "messages": messages, **greedy(1)}
    return Request(asked.prompt.name, body, pictures.parts, pictures.affinity, DEPTH)


def greedy(max_tokens: int) -> dict[str, Any]:
    """The most probable answer, and the log-probabilities of what else could stand there."""
    how = {"temperature": 0.0, "max_tokens": max_tokens}
    return how | {"logprobs": True, "top_logprobs": TOP_LOGPROBS}


def distrust(chosen: Chosen, settings: Judging) -> Distrust | None:
    """Why probabilities tell nothing, whatever they are; None when they do."""
    if chosen.mass < settings.least_mass or not chosen.mass:
        return Distrust("low_mass", f"label mass {chosen.mass:.2f}")
    if chosen.gap is not None and chosen.gap > settings.most_gap:
        return Distrust("orders_differ", f"orders differ by {chosen.gap:.2f}")
    return None
