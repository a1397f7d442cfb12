"""A row: one reply on its way. A request with n choices is n rows, and a batch is rows of any requests."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from random import Random
from typing import Literal, NamedTuple

from microworld.serving.grammar import Grammar
from microworld.serving.sight import Picture

Finish = Literal["stop", "length"]


@dataclass(eq=False)
class Prompt:
    """What the model reads."""

    text: str
    ids: list[int]
    pictures: list[Picture]
    names: list[bytes]
    """Of its blocks (`prefixes`)."""
    cached: int = 0
    """How many of its tokens had been read before, for another prompt; known once it is read."""


@dataclass(frozen=True)
class Sampling:
    """How a row is drawn."""

    temperature: float
    top_p: float
    max_tokens: int
    stops: tuple[str, ...]
    top: int | None
    """How many of the most probable tokens are reported; None reports no log-probabilities at all."""
    watched: tuple[int, ...]
    """Report these tokens instead of the most probable ones."""


class Scored(NamedTuple):
    """A token's log-probability under the model itself: no temperature, no mask."""

    token: int
    logprob: float
    others: list[tuple[int, float]]


@dataclass(frozen=True)
class Reply:
    """A finished row. `tokens` and `scored` include the end token, `text` neither it nor a stop string."""

    text: str
    tokens: list[int]
    scored: list[Scored]
    finish: Finish


@dataclass(eq=False)
class Row:
    """One reply being written; `reply` is set as soon as it is finished, before its batch is.

    Whoever asked may cancel `reply` at any moment; the row then leaves its batch.
    """

    prompt: Prompt
    how: Sampling
    rng: Random
    grammar: Grammar | None
    reply: Future[Reply] = field(default_factory=Future)
    tokens: list[int] = field(default_factory=list)
    scored: list[Scored] = field(default_factory=list)

    def finish(self, reply: Reply) -> None:
        """Nobody hears it if who asked has left."""
        if self.reply.set_running_or_notify_cancel():
            self.reply.set_result(reply)

    def fail(self, fault: BaseException) -> None:
        """As `finish`."""
        if self.reply.set_running_or_notify_cancel():
            self.reply.set_exception(fault)
