"""Servers as others run them, for tests: real HTTP, each with the doors, limits and words of its kind.

A `Host` says how a request is read, refused, continued and answered (`hosts` has the kinds). What a model
says is its own matter: what a test scripts, a reply that obeys the schema, or words that go on from wherever
the answer has begun, the same ones for the same question and picture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from aiohttp import web
from fake_answers import WORDS, agent_of, number, prompt_text, schema_of, tokens
from fake_server import PROBE, Fake, Whole, running

from ssui_gen.jobs.plan import AGENTS
from ssui_gen.replies import REPLIES

Body = dict[str, Any]
REPLY = {
    name: {"type": "json_schema", "json_schema": {"schema": REPLIES[reply].model_json_schema()}}
    for name, reply in AGENTS.items()
}
"""What an agent's prompt asks for in words, which a model follows without a schema too."""
SHORT = 20
"""Words of an answer that nothing asks for in a form."""


class Refusal(NamedTuple):
    status: int
    body: Body


def nothing(body: Body) -> Refusal | None:
    """Refuses nothing."""


def never(body: Body) -> str:
    """Answers anew, whatever stands last."""
    return ""


def always(body: Body) -> str:
    """Goes on with an assistant turn that stands last."""
    last = body["messages"][-1]
    return str(last["content"]) if last["role"] == "assistant" else ""


def by_field(body: Body) -> str:
    """Goes on with it where it is told to."""
    return always(body) if body.get("continue_final_message") else ""


def trimmed(body: Body) -> str:
    """Goes on with it, without the white space at its end."""
    return always(body).rstrip()


def as_it_is(body: Body, completion: Body) -> Body:
    return completion


@dataclass(frozen=True)
class Host:
    """A kind of server."""

    refuses: Callable[[Body], Refusal | None] = nothing
    reads_past: frozenset[str] = frozenset()
    """Fields that it takes and that change nothing."""
    goes_on: Callable[[Body], str] = never
    """What stands before the first token that it writes, of its own words."""
    answers: Callable[[Body, Body], Body] = as_it_is
    """The completion in its form, by the request."""
    strict_only: bool = False
    """Keeps to a schema only with `strict: true`."""
    pages: Mapping[str, Callable[[Foreign, Body], Any]] = field(default_factory=dict)
    """What it answers beside /v1, by path."""


@dataclass
class Foreign(Fake):
    """A server of a kind; what it saw can be asked for as of any `Fake`."""

    host: Host = field(default_factory=Host)
    wrong: int = 0
    """Calls, but those of the probe, that were to go on from a beginning and were answered from another."""

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        page = self.host.pages.get(request.path)
        if page is None:
            return await super().__call__(request)
        answer = page(self, await request.json())
        return _json(answer.body, answer.status) if isinstance(answer, Refusal) else _json(answer)

    def by_text(self, body: Body, begun: str) -> Body:
        """The answer to a request that came as text, in chat's form, gone on with from what is `begun`."""
        key = hashlib.blake2b(json.dumps(body).encode(), digest_size=8).digest()
        if body.get("user") != PROBE:
            self._note(key, body)
            self.wrong += begun != always(body)
        turn = [{"role": "assistant", "content": begun}] if begun else []
        asked = [one for one in body["messages"] if one["role"] != "assistant"]
        plain = replace(self.host, goes_on=always)
        return replace(self, host=plain)._completion({**body, "messages": [*asked, *turn]}, key)

    def _answered(self, body: Body, key: bytes) -> web.Response:
        refusal = self.host.refuses(body)
        if refusal:
            return _json(refusal.body, refusal.status)
        begun = always(body)
        if (
            begun
            and body.get("user") != PROBE
            and self.host.goes_on(body) != begun
            and agent_of(body) == "none"
        ):
            self.wrong += 1
        return _json(self.host.answers(body, self._completion(body, key)))

    def _completion(self, body: Body, key: bytes) -> Body:
        read = {name: value for name, value in body.items() if name not in self.host.reads_past}
        begun, said = always(body), self.host.goes_on(body)
        if begun:
            turn = [{"role": "assistant", "content": said}] if said else []
            read["messages"] = [*body["messages"][:-1], *turn]
        made = super()._completion(read, key)
        if begun and not said:
            made["usage"]["prompt_tokens"] += len(tokens(begun)) + 1
        return made

    def _scripted(self, body: Body, draw: int) -> str | Whole:
        """What goes on with a step that does not end begins with its end."""
        said = self.host.goes_on(body)
        text = self._text(body, draw, said)
        ends = not said.startswith("1. ") or said.endswith("\n")
        return text if ends or not isinstance(text, str) else "\n" + text

    def _text(self, body: Body, draw: int, said: str) -> str | Whole:
        if (
            self.host.strict_only
            and schema_of(body)
            and not body["response_format"]["json_schema"].get("strict")
        ):
            return "Certainly! That I can tell you."
        if agent_of(body) in REPLY and not schema_of(body):
            body = {**body, "response_format": REPLY[agent_of(body)]}
        if self.answers or schema_of(body) or agent_of(body) != "none":
            return super()._scripted(body, draw)
        dice = draw if body.get("temperature") else 0
        asked = (prompt_text(body, "system"), prompt_text(body, "user"), pictures(body), dice)
        whole = " ".join(WORDS[number(asked, i) % len(WORDS)] for i in range(SHORT))
        if said and not whole.startswith(said):
            return whole[number(said) % 40 :]
        return whole.removeprefix(said)


@contextmanager
def hosted(host: Host, **options: Any) -> Iterator[Foreign]:
    """Run a server of a kind; `options` are the fields of `Fake`."""
    with running(Foreign(host=host, **options)) as server:
        yield server


def pictures(body: Body) -> list[str]:
    """The addresses of all pictures."""
    contents = [message["content"] for message in body["messages"] if not isinstance(message["content"], str)]
    return [
        part["image_url"]["url"] for content in contents for part in content if part["type"] == "image_url"
    ]


def _json(value: Body, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(value).encode(), status=status, content_type="application/json")
