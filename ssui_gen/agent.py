"""The one engine that runs every agent: a card, a prompt and a caller make a typed reply.

Covers rendering, asking, parsing and asking again; what is special to one agent stands in its node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from ssui_gen.calling.calls import Caller, Request
from ssui_gen.calling.pictures import Picture
from ssui_gen.completions import Choice
from ssui_gen.config import Card
from ssui_gen.dialect import TOP_LOGPROBS
from ssui_gen.errors import ReplyError
from ssui_gen.marks import as_words
from ssui_gen.prompts import Prompt
from ssui_gen.records import Record, row_id
from ssui_gen.schemas import response_format

ReplyT = TypeVar("ReplyT", bound=Record)


class Asked(NamedTuple):
    """Where in a run a question arises; gives each draw its own number."""

    item: str
    round: int
    depth: int


@dataclass(frozen=True)
class Said(Generic[ReplyT]):
    """A reply that parsed, the choice it came from, and the calls it took."""

    reply: ReplyT
    choice: Choice
    calls: tuple[str, ...]


@dataclass(frozen=True)
class Agent(Generic[ReplyT]):
    """One agent. `model` is the name under which the server knows the model of the card's role."""

    name: str
    card: Card
    prompt: Prompt
    model: str
    reply: type[ReplyT]
    caller: Caller

    async def ask(self, asked: Asked, picture: Picture | None, **values: Any) -> Said[ReplyT]:
        """Ask until the reply parses; raises ReplyError after the last attempt, or what the call raises."""
        messages = self._messages(picture, values)
        calls: list[str] = []
        fault = ""
        for attempt in range(self.card.attempts):
            request = self._request(messages, picture, asked, attempt)
            call_id, completion = await self.caller.call(request)
            calls.append(call_id)
            choice = completion.choices[0]
            try:
                return Said(self._parse(choice), choice, tuple(calls))
            except ReplyError as error:
                fault = str(error)
            messages = [*messages, *_try_again(choice.text, fault)]
        what = f"no valid {self.reply.__name__} in {self.card.attempts} attempts: {fault}"
        raise ReplyError(what, tuple(calls))

    def _messages(self, picture: Picture | None, values: dict[str, Any]) -> list[dict[str, Any]]:
        """System, then picture, then text: calls about one picture share the longest prefix."""
        system, user = self.prompt.render(**values)
        text = {"type": "text", "text": user}
        content: Any = user if picture is None else [picture.placeholder, text]
        return [{"role": "system", "content": system}, {"role": "user", "content": content}]

    def _request(
        self, messages: list[dict[str, Any]], picture: Picture | None, asked: Asked, attempt: int
    ) -> Request:
        body = {
            "model": self.model,
            "messages": messages,
            **self.card.sampling.model_dump(exclude_none=True),
            **self._draw(asked, attempt),
            "response_format": response_format(self.reply),
            **({"logprobs": True, "top_logprobs": TOP_LOGPROBS} if self.card.label_logprobs else {}),
        }
        affinity = picture.ref.sha256 if picture else ""
        return Request(self.name, body, (picture.part,) if picture else (), affinity, asked.depth)

    def _draw(self, asked: Asked, attempt: int) -> dict[str, int]:
        """The draw number, sent as the sampling seed; a greedy call has but one draw."""
        if self.card.sampling.temperature == 0:
            return {}
        parts = (asked.item, self.name, str(asked.round), str(attempt), str(self.card.sampling.seed))
        return {"seed": int(row_id(*parts), 16) % 2**31}

    def _parse(self, choice: Choice) -> ReplyT:
        """Raises ReplyError, in words that a model can act on."""
        if choice.finish_reason == "length":
            raise ReplyError(f"the reply was cut off at {self.card.sampling.max_tokens} tokens; be brief")
        try:
            return self.reply.model_validate_json(choice.text)
        except ValidationError as error:
            raise ReplyError("; ".join(_fault(e) for e in error.errors())) from None


def _fault(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: {error['msg']}" if where else str(error["msg"])


def _try_again(reply: str, fault: str) -> list[dict[str, Any]]:
    ask = (
        f"That is not the JSON object asked for. {fault}. Answer again with the JSON object and nothing else."
    )
    return [{"role": "assistant", "content": as_words(reply)}, {"role": "user", "content": ask}]
