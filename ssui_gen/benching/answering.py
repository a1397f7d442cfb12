"""Asks the model under test about an item: the request for each protocol, and the responses read from it.

Covers no rows on disk. Every draw of an item gives a response: what could not be asked is one of status
`error`, with its reason; what a provider's filter stopped is a refusal of its, by whichever door it came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from ssui_gen.benching.pieces import NO_PATH, Sent, respond
from ssui_gen.benching.records import Item, Protocol, Response, Status
from ssui_gen.calling.calls import Calling, Request
from ssui_gen.calling.pictures import Picture
from ssui_gen.completions import Completion
from ssui_gen.config import Bench
from ssui_gen.errors import OF_ITEM, ImageError
from ssui_gen.marks import as_words
from ssui_gen.prompts import Prompt, policy_prompt
from ssui_gen.records import ImageRef, Reason

PROMPTS: dict[Protocol, str] = {"six_steps": "policy", "think": "think"}
"""By protocol the prompt; `as_is` has none."""


class Tested(NamedTuple):
    """A model under test, and what its server can do."""

    name: str
    """As its rows name it."""
    served: str
    """As its server names it."""
    caller: Calling
    prompt: Prompt | None
    by_n: bool
    """Several draws a call; otherwise each is a call of its own."""
    picture_of: Callable[[ImageRef], Picture]
    weights: str = ""
    """Hash of an adapter's, whose name may come to mean another."""


class _Came(NamedTuple):
    """One draw: its call's id and the completion that holds it, at this place."""

    call: str
    completion: Completion
    place: int


async def answer(tested: Tested, item: Item, settings: Bench, draws: Collection[int]) -> list[Response]:
    """A response for each of `draws`; raises where no model can be asked (ServerGone, AccessDenied)."""
    wanted = sorted(draws)
    if tested.by_n and settings.draws > 1:
        return await _together(tested, item, settings, wanted)
    return list(await asyncio.gather(*(_alone(tested, item, settings, draw) for draw in wanted)))


async def _together(tested: Tested, item: Item, settings: Bench, draws: Sequence[int]) -> list[Response]:
    asked = request(tested, item, settings, settings.seed, n=settings.draws)
    try:
        call, made = await tested.caller.call(asked)
    except (ImageError, *OF_ITEM) as error:
        return [_failed(tested, item, settings, draw, Reason(error.reason), str(error)) for draw in draws]
    return [_read(tested, item, settings, draw, _Came(call, made, draw)) for draw in draws]


async def _alone(tested: Tested, item: Item, settings: Bench, draw: int) -> Response:
    asked = request(tested, item, settings, settings.seed + draw)
    try:
        call, made = await tested.caller.call(asked)
    except (ImageError, *OF_ITEM) as error:
        return _failed(tested, item, settings, draw, Reason(error.reason), str(error))
    return _read(tested, item, settings, draw, _Came(call, made, 0))


def request(tested: Tested, item: Item, settings: Bench, seed: int, n: int | None = None) -> Request:
    """The conversation of an item under the protocol; its pictures stand in what the person says first."""
    pictures = [tested.picture_of(ref) for ref in item.images]
    messages = [*_system(tested.prompt), *_said(tested.prompt, item)]
    first = next(message for message in messages if message["role"] == "user")
    shown = [picture.placeholder for picture in pictures]
    first["content"] = [*shown, {"type": "text", "text": first["content"]}]
    body: dict[str, Any] = {"model": tested.served, "messages": messages, **sampling(settings), "seed": seed}
    body |= {"n": n} if n else {}
    affinity = pictures[0].ref.sha256 if pictures else ""
    parts = [picture.part for picture in pictures]
    return Request("policy", body, parts, affinity, depth=0, weights=tested.weights)


def sampling(settings: Bench) -> dict[str, Any]:
    """How a response is drawn, but for its seed; the names are OpenAI's."""
    return {name: getattr(settings, name) for name in ("temperature", "top_p", "max_tokens")}


def _system(prompt: Prompt | None) -> list[dict[str, Any]]:
    return [{"role": "system", "content": policy_prompt(prompt, "")[0]}] if prompt else []


def _said(prompt: Prompt | None, item: Item) -> list[dict[str, Any]]:
    """Earlier turns, then the question."""
    turns = [{"role": turn.role, "content": as_words(turn.text)} for turn in item.turns]
    text = policy_prompt(prompt, item.text)[1] if prompt else as_words(item.text)
    return [*turns, {"role": "user", "content": text}]


def _read(tested: Tested, item: Item, settings: Bench, draw: int, came: _Came) -> Response:
    made = came.completion
    if came.place >= len(made.choices):
        why = f"the server made {len(made.choices)} of {settings.draws} draws"
        return _failed(tested, item, settings, draw, Reason.REPLY_INVALID, why)
    sent = Sent.of(made.choices[came.place], made.usage)
    found = respond(sent, settings.protocol)
    said = {"raw": sent.text, "reasoning": sent.reasoning, "finish": sent.finish, "made_by": (came.call,)}
    return Response(
        **_head(tested, item, settings, draw), **said, **found._asdict(), usage=made.usage.model_dump()
    )


def _failed(tested: Tested, item: Item, settings: Bench, draw: int, reason: Reason, detail: str) -> Response:
    came: dict[str, Any] = {"raw": "", "finish": "", "path": NO_PATH, "answer": None}
    head = _head(tested, item, settings, draw)
    status: Status = "provider_refusal" if reason is Reason.REFUSED else "error"
    return Response(**head, **came, status=status, reason=reason, detail=detail)


def _head(tested: Tested, item: Item, settings: Bench, draw: int) -> dict[str, Any]:
    """What is known of a response before anything came."""
    return {
        "id": Response.id_of(item.id, tested.name, settings.protocol, draw),
        "item_id": item.id,
        "draw": draw,
        "seed": settings.seed + draw,
        "protocol": settings.protocol,
        "model": tested.name,
        "prompt_id": tested.prompt.id if tested.prompt else "",
        "sampling": sampling(settings),
    }
