"""The one engine that runs every agent: a card, a prompt and a caller make a typed reply.

Covers rendering, asking and asking again; what a reply is says `replying`, and what is special to one agent
stands in its node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from ssui_gen.calling.calls import Calling, Request
from ssui_gen.calling.pictures import Shown
from ssui_gen.completions import Choice
from ssui_gen.config import Card
from ssui_gen.dialect import TOP_LOGPROBS
from ssui_gen.errors import ReplyError, ReplyRefused
from ssui_gen.examples import Situation, drawn
from ssui_gen.marks import as_words
from ssui_gen.prompts import Prompt
from ssui_gen.reading import spoken
from ssui_gen.records import Record, row_id
from ssui_gen.replying import read
from ssui_gen.schemas import response_format

ReplyT = TypeVar("ReplyT", bound=Record)
SHOWN = 600
"""Characters of a reply that was cut off which are shown to the model again."""
NOTHING = "(nothing)"
"""Stands for an empty reply: some templates take no empty turn."""


class Origin(NamedTuple):
    """Where in a run a question arises; gives each draw its own number."""

    item: str
    round: int
    depth: int


@dataclass(frozen=True)
class AgentReply(Generic[ReplyT]):
    """A reply that parsed, the choice it came from, and the calls it took."""

    reply: ReplyT
    choice: Choice
    calls: tuple[str, ...]


@dataclass(frozen=True)
class Several(Generic[ReplyT]):
    """Replies to one question, at least one, and the calls that all of them took."""

    replies: Sequence[ReplyT]
    calls: tuple[str, ...]


@dataclass(frozen=True)
class Agent(Generic[ReplyT]):
    """One agent. `model` is the name under which the server knows the model of the card's role."""

    name: str
    card: Card
    prompt: Prompt
    model: str
    reply: type[ReplyT]
    caller: Calling
    language: str
    pool: Sequence[Situation]
    """From which its examples are drawn."""
    of_several: Prompt | None = None
    """What it is told besides where it is shown more than one picture."""

    async def ask(
        self, asked: Origin, pictures: Shown, *, also: str = "", draw: int = 0, **values: Any
    ) -> AgentReply[ReplyT]:
        """Ask until the reply parses; raises ReplyError after the last attempt, ReplyRefused at once, or what
        the call raises. `also` stands behind the system text; each `draw` of a question is one of its own.
        """
        messages = self._messages(pictures, values, also)
        calls: list[str] = []
        fault = ""
        for attempt in range(self.card.attempts):
            request = self._request(messages, pictures, self._draw(asked, attempt, draw), asked.depth)
            call_id, completion = await self.caller.call(request)
            calls.append(call_id)
            choice = completion.choices[0]
            try:
                return AgentReply(
                    read(self.reply, choice, self.card.sampling.max_tokens), choice, tuple(calls)
                )
            except ReplyRefused as error:
                raise ReplyRefused(str(error), tuple(calls)) from None
            except ReplyError as error:
                fault = str(error)
            messages = [*messages, *_try_again(choice, fault)]
        what = f"no valid {self.reply.__name__} in {self.card.attempts} attempts: {fault}"
        raise ReplyError(what, tuple(calls))

    async def several(
        self, count: int, asked: Origin, pictures: Shown, *, at_once: bool, also: str, **values: Any
    ) -> Several[ReplyT]:
        """`count` replies to one question, those left out that do not parse: by one request where the server
        can (`at_once`), else by as many. Raises as `ask` where none is left.
        """
        if count > 1 and at_once and self.card.sampling.temperature:
            messages = self._messages(pictures, values, also)
            request = self._request(messages, pictures, self._draw(asked, 0, 0) | {"n": count}, asked.depth)
            call, completion = await self.caller.call(request)
            if made := [*self._readable(completion.choices)]:
                return Several(made, (call,))
            said = await self.ask(asked, pictures, also=also, **values)
            return Several([said.reply], (call, *said.calls))
        tries = (self.ask(asked, pictures, also=also, draw=draw, **values) for draw in range(count))
        return _gathered(await asyncio.gather(*tries, return_exceptions=True))

    def _readable(self, choices: Sequence[Choice]) -> Iterator[ReplyT]:
        for choice in choices:
            with suppress(ReplyError):
                yield read(self.reply, choice, self.card.sampling.max_tokens)

    def _messages(self, pictures: Shown, values: dict[str, Any], also: str) -> list[dict[str, Any]]:
        """System, then pictures, then text: calls about one picture share the longest prefix."""
        examples = self.shown(pictures, str(values.get("text") or ""))
        system, user = self.prompt.render(**values, language=self.language, examples=examples)
        system = "\n\n".join(filter(None, (system, self._said_of(pictures), also)))
        seen = pictures.placeholders
        content: Any = [*seen, {"type": "text", "text": user}] if seen else user
        return [{"role": "system", "content": system}, {"role": "user", "content": content}]

    def _said_of(self, pictures: Shown) -> str:
        count = len(pictures.pictures)
        return self.of_several.render(count=count)[0] if self.of_several and count > 1 else ""

    def shown(self, pictures: Shown, text: str) -> tuple[Situation, ...]:
        """Its examples, drawn by what is judged, the pictures or else the text: twins and later tries are
        shown the same, so that they share the prefix, and a question that several items ask is one question.
        """
        key = (self.name, pictures.look or text)
        return drawn(self.pool, self.card.examples, key, text)

    def _request(
        self, messages: list[dict[str, Any]], pictures: Shown, draw: dict[str, int], depth: int
    ) -> Request:
        body = {
            "model": self.model,
            "messages": messages,
            **self.card.sampling.model_dump(exclude_none=True),
            **draw,
            "response_format": response_format(self.reply),
            **({"logprobs": True, "top_logprobs": TOP_LOGPROBS} if self.card.label_logprobs else {}),
        }
        return Request(self.name, body, pictures.parts, pictures.affinity, depth)

    def _draw(self, asked: Origin, attempt: int, draw: int) -> dict[str, int]:
        """The draw number, sent as the sampling seed; a greedy call has but one draw."""
        if self.card.sampling.temperature == 0:
            return {}
        parts = [asked.item, self.name, str(asked.round), str(attempt), str(self.card.sampling.seed)]
        parts += [str(draw)] if draw else []
        return {"seed": int(row_id(*parts), 16) % 2**31}


def _gathered(made: Sequence[AgentReply[ReplyT] | BaseException]) -> Several[ReplyT]:
    """What became of one question's draws; raises what is graver than a reply that does not parse, or the
    first error where none does.
    """
    failed = [one for one in made if isinstance(one, BaseException)]
    said = [one for one in made if not isinstance(one, BaseException)]
    if grave := next((one for one in failed if not isinstance(one, ReplyError) or not said), None):
        raise grave
    calls = (call for one in made if isinstance(one, AgentReply | ReplyError) for call in one.calls)
    return Several([one.reply for one in said], tuple(dict.fromkeys(calls)))


def _try_again(choice: Choice, fault: str) -> list[dict[str, Any]]:
    """Of a reply that came to no end its beginning is shown: who sees itself repeat goes on repeating."""
    ask = (
        f"That is not the JSON object asked for. {fault}. Answer again with the JSON object and nothing else."
    )
    said = spoken(choice.text)[: SHOWN if choice.finish_reason == "length" else None]
    return [{"role": "assistant", "content": as_words(said) or NOTHING}, {"role": "user", "content": ask}]
