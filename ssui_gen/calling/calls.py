"""One journaled call: answered from the journal if it was made before, else by a served model.

Covers the order journal, gate, client, journal; and what was spent. Not what is asked (`agent`) or how
HTTP fails (`client`). The picture enters a request by its hash and becomes bytes only when it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.gate import Gate
from ssui_gen.calling.journal import Journal
from ssui_gen.calling.meter import FREE, count
from ssui_gen.calling.verbatim import begun
from ssui_gen.completions import Completion, Features
from ssui_gen.config_spending import Prices
from ssui_gen.dialect import PLAIN, Dialect
from ssui_gen.records import digest

PICTURE = "sha256:"
"""Scheme of the URL that stands for a picture in a request until it is sent."""


class Sending(NamedTuple):
    """How requests travel to a server that can do these things; what is journaled stays the same."""

    by_file: bool = False
    """Pictures by `file://` where they can go as they stand."""
    by_uuid: bool = False
    """Pictures bear their identity, so that the server need not hash them."""
    by_depth: bool = False
    """Deeper calls get the better priority."""
    dialect: Dialect = PLAIN
    """What a person wants sent otherwise: part of what is asked."""
    terms: Dialect = PLAIN
    """What the server was found to take otherwise: no part of it."""
    verbatim: bool = False
    """Answers that are begun go out as text: then part of what is asked."""

    @classmethod
    def to(cls, found: Features, dialect: Dialect) -> Sending:
        """To a server that was found to be so."""
        return cls(
            bool(found.file_urls) and not found.verbatim,
            found.uuid,
            found.priority,
            dialect,
            found.terms,
            found.verbatim,
        )

    def key(self, request: Request) -> str:
        """By what the journal knows the call."""
        said = self.dialect.model_dump(exclude_defaults=True)
        said |= {"verbatim": True} if self.verbatim and begun(request.body) else {}
        return digest([request.id, said]) if said else request.id


PLAINLY = Sending()


@dataclass(frozen=True)
class Request:
    """What is asked, in the form that is hashed and journaled."""

    agent: str
    body: dict[str, Any]
    """Fields of chat.completions; the picture's URL is `sha256:<hash>@<longest side>`."""
    pictures: Sequence[Callable[[Sending], dict[str, Any]]]
    """Each makes the part of a message that shows a picture, in the order in which they stand there; called
    only when the journal does not know the answer."""
    affinity: str
    """The first picture's hash: calls about one picture go to one replica, whose caches know it."""
    depth: int
    """How far along its item this call is; deeper calls go first."""
    weights: str = ""
    """Hash of what is served under the model's name, where others may be served under it later (an adapter
    that is trained anew): then part of the key."""
    again: int = 0
    """How often the very same has been asked before, by whoever wants to know whether the answer stays: then
    part of the key."""

    @cached_property
    def id(self) -> str:
        """Depends on model, messages, picture, sampling and draw, and on nothing else."""
        more = {"weights": self.weights, "again": self.again}
        return digest(self.body | {key: value for key, value in more.items() if value})

    def wire(self, sending: Sending) -> dict[str, Any]:
        """The body as it is sent, with the pictures in it. vLLM serves the lowest priority first."""
        body = self.body | ({"priority": -self.depth} if sending.by_depth else {})
        if self.pictures:
            shown = iter([picture(sending) for picture in self.pictures])
            body = {**body, "messages": [_with_pictures(message, shown) for message in body["messages"]]}
        return sending.terms(sending.dialect(body))


def _with_pictures(message: dict[str, Any], shown: Iterator[dict[str, Any]]) -> dict[str, Any]:
    if isinstance(message["content"], str):
        return message
    parts = (next(shown) if part["type"] == "image_url" else part for part in message["content"])
    return {**message, "content": list(parts)}


@dataclass
class Tally:
    """What the calls of this process cost."""

    calls: int = 0
    replayed: int = 0
    """Calls that the journal answered."""
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    usd: float = 0.0
    uncounted: str = ""
    """A model that made an answer without telling what it read for it."""

    @property
    def answers(self) -> int:
        """Calls made or answered from the journal."""
        return self.calls + self.replayed

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def add(self, completion: Completion, prices: Prices = FREE) -> None:
        self.calls += 1
        self.usd += prices.of(completion.usage)
        if not completion.usage.prompt_tokens:
            self.uncounted = completion.model
        self.retries += completion.attempts - 1
        self.prompt_tokens += completion.usage.prompt_tokens
        self.completion_tokens += completion.usage.completion_tokens
        self.cached_tokens += completion.usage.cached_tokens or 0


@dataclass
class _Shared:
    """A call under way and how many items wait for it."""

    call: asyncio.Task[Completion]
    waiting: int = 0

    def give_up(self) -> None:
        """Nobody waits any more. The error of a call that has failed meanwhile is no news: the run stops."""
        if not self.call.cancel() and not self.call.cancelled():
            self.call.exception()


class Calling(Protocol):
    """Whatever makes calls: `Caller`, or another tool's client in its place."""

    async def call(self, request: Request) -> tuple[str, Completion]:
        """The call's id and its completion; raises ModelError or ImageError."""
        ...


@dataclass
class Caller:
    """Makes calls, each at most once."""

    client: ChatClient
    journal: Journal
    gate: Gate
    tally: Tally = field(default_factory=Tally)
    sending: Sending = PLAINLY
    prices: Prices = FREE
    _under_way: dict[str, _Shared] = field(default_factory=dict)

    async def call(self, request: Request) -> tuple[str, Completion]:
        """The call's id and its completion; raises ModelError or ImageError."""
        key = self.sending.key(request)
        known = self.journal.get(key)
        if known is not None:
            self.tally.replayed += 1
            count(key, known, self.prices, made=False)
            return key, known
        return key, await self._once(key, request)

    async def _once(self, key: str, request: Request) -> Completion:
        """Items that ask the same thing at the same time share one call, which ends with the last of them."""
        shared = self._under_way.get(key)
        if shared is None:
            shared = self._under_way[key] = _Shared(asyncio.create_task(self._send(key, request)))
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.call)
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                del self._under_way[key]
                shared.give_up()

    async def _send(self, key: str, request: Request) -> Completion:
        async with self.gate.place(request.depth):
            body, verbatim = request.wire(self.sending), self.sending.verbatim
            completion = await self.client.chat(body, affinity=request.affinity, verbatim=verbatim)
        self.tally.add(completion, self.prices)
        count(key, completion, self.prices, made=True)
        self.journal.put(key, request.agent, self.sending.dialect(request.body), completion)
        return completion
