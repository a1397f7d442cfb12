"""On which terms a server answers what a run asks: which fields it takes, and what is sent where it does not.

The question is put as the run will put it, every field in it. While that is refused, one thing after the
other is given up, first what the server's words name, until it answers; what was given up, and at which
words, is kept. What a model does with the fields that it takes is for `probe`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from functools import reduce
from typing import Any, NamedTuple

from ssui_gen.calling.asking import COLOUR, Ask, Refused, content
from ssui_gen.completions import Completion
from ssui_gen.dialect import PLAIN, TOP_LOGPROBS, Dialect
from ssui_gen.errors import ConfigError

SYSTEM = "You answer questions about pictures."
SAMPLED: dict[str, Any] = {"temperature": 0.5, "top_p": 0.95, "seed": 1}
SHOWING: dict[str, Any] = {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
"""How a run asks for probabilities."""
FEWER = (8, 5, 1)
"""Alternatives a token where a server gives fewer: xAI's most, Azure's and Fireworks', Together's."""
LONGER = "max_completion_tokens"
"""What OpenAI's newer models call `max_tokens`."""
NAMED = {
    "user": "user",
    "seed": "seed",
    "top_p": "top_p",
    "top_logprobs": "top_logprobs",
    "logprobs": "log_?probs?",
    "temperature": "temperature",
    "max_tokens": "max_tokens|max_completion_tokens",
    "strict": "schema|strict|additionalProperties",
    "response_format": "response_format|schema|structured|guided|grammar",
    "system": "system|role",
    "picture": "image|picture|vision|multi-?modal|content",
}
"""What can be given up, the cheapest first, and how servers' words name it."""
GIVEN_UP = {
    "user": "left out",
    "seed": "left out: draws are not repeatable",
    "top_p": "left out",
    "top_logprobs": "fewer are asked for",
    "logprobs": "left out: verdicts carry no probability",
    "temperature": "left out: it samples as it likes",
    "max_tokens": f"{LONGER} is sent in its place",
    "strict": "sent with `strict: true`",
    "response_format": "left out: replies may miss their form",
    "system": "the system text goes into the person's turn",
    "picture": "it takes none",
}
"""What is done instead."""


NUMBER = re.compile(r"[0-9a-f-]*\d[0-9a-f-]*")
"""Or an id."""


class Given(NamedTuple):
    """One thing that is given up."""

    name: str
    said: str
    """The server's words."""
    terms: Dialect = PLAIN
    """What is sent otherwise for it."""


class Way(NamedTuple):
    """A way of asking."""

    ask: Ask
    up: tuple[Given, ...] = ()
    """What was given up for it."""

    @property
    def picture(self) -> bool:
        return all(one.name != "picture" for one in self.up)

    @property
    def asking(self) -> Ask:
        """How a question is put in this way."""
        return self.ask._replace(terms=reduce(lambda terms, one: one.terms.over(terms), self.up, PLAIN))

    def giving(self, *up: Given) -> Way:
        return self._replace(up=(*self.up, *up))


Question = Callable[[Way], Awaitable[Completion | Refused]]


async def settle(way: Way, question: Question, names: Sequence[str]) -> tuple[Way, Completion]:
    """The first way that is answered, nothing given up in vain. Raises ConfigError, with the server's words,
    if none is, or CallFailed where it failed at all of them; AccessDenied or ServerGone.
    """
    began, answer = way, await question(way)
    while isinstance(answer, Refused):
        give = _least if answer.garbled else _less
        way, answer = await give(way, question, tuple(names), answer)
    new = way.up[len(began.up) :]
    for one in new if len(new) > 1 else ():
        for cheaper in _cheaper(way, one):
            if isinstance(again := await question(cheaper), Completion):
                way, answer = cheaper, again
                break
    return way, answer


async def plainly(way: Way, **more: Any) -> Completion | Refused:
    """A question as most agents put it: system text, picture, words, sampling, probabilities; and `more`."""
    shown = content(COLOUR, way.ask.picture if way.picture else None)
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": shown},
    ]
    return await way.asking.put(messages, **SAMPLED, **SHOWING, **more)


def in_forms(formats: Sequence[dict[str, Any]]) -> Question:
    """The same words under each of the formats that replies will be held to, one or more; one token is enough
    of an answer.
    """

    async def question(way: Way) -> Completion | Refused:
        for asked in formats:
            messages = [{"role": "user", "content": content(COLOUR, None)}]
            answer = await way.asking.put(messages, response_format=asked, max_tokens=1, **SHOWING)
            if isinstance(answer, Refused):
                break
        return answer

    return question


async def _less(
    way: Way, question: Question, names: tuple[str, ...], words: Refused
) -> tuple[Way, Completion | Refused]:
    """Give up one thing more: the first that helps, or at least brings other words."""
    named = [name for name in names if _is_named(name, words)]
    moved: tuple[Way, Refused] | None = None
    for name in (*named, *(name for name in names if name not in named)):
        for given in _givable(name, way, words.said):
            less = way.giving(given)
            answer = await question(less)
            if isinstance(answer, Completion):
                return less, answer
            moved = moved or (None if _alike(answer, words) else (less, answer))
        if moved and named == [name]:
            break
    return moved or await _least(way, question, names, words)


async def _least(
    way: Way, question: Question, names: tuple[str, ...], words: Refused
) -> tuple[Way, Completion]:
    """Give up all that can be: several things are refused in the same words."""
    rest = [next(iter(_givable(name, way, words.said)), None) for name in names]
    least = way.giving(*filter(None, rest))
    answer = await question(least)
    if isinstance(answer, Refused):
        if answer.fault:
            raise answer.fault
        raise ConfigError(
            f"{way.ask.model}: the server refuses what a run asks, whatever of {', '.join(names)} is left "
            f"out; its words: {words.said!r}"
        )
    return least, answer


def _cheaper(way: Way, one: Given) -> Iterator[Way]:
    """Ways that give up less: not this one, or only part of it."""
    rest = way._replace(up=tuple(given for given in way.up if given != one))
    yield rest
    if one.name == "logprobs":
        yield from (rest.giving(less) for less in _givable("top_logprobs", rest, one.said))


def _is_named(name: str, words: Refused) -> bool:
    return re.search(rf"\b(?:{NAMED[name]})", words.field or words.said, re.IGNORECASE) is not None


def _alike(one: Refused, other: Refused) -> bool:
    """The same words but for numbers, such as a request's id."""
    return (NUMBER.sub("", one.said), one.field) == (NUMBER.sub("", other.said), other.field)


def _givable(name: str, way: Way, said: str) -> Iterator[Given]:
    """How one thing may be given up, the cheapest first; nothing where it was before."""
    terms, before = way.asking.terms, {one.name for one in way.up}
    if name == "top_logprobs":
        for most in (most for most in FEWER if most < terms.top_logprobs):
            yield Given(name, said, Dialect(top_logprobs=most))
    elif name not in before or (name == "max_tokens" and name not in terms.omit):
        yield Given(name, said, _instead(name, before))


def _instead(name: str, before: Collection[str]) -> Dialect:
    match name:
        case "picture":
            return PLAIN
        case "system":
            return Dialect(system="in_user")
        case "strict":
            return Dialect(strict=True)
        case "logprobs":
            return Dialect(omit=(name, "top_logprobs"))
        case "max_tokens" if name not in before:
            return Dialect(rename={name: LONGER})
    return Dialect(omit=(name,))
