"""A model of inspect_ai in the place of our client: our requests go out through it, its outputs come back as
completions.

So what is asked, and what is made of it, is the same code as in a run of ours. Trying again, limits and the
record of every call are inspect_ai's. Pictures go as data, never as paths: a log is given away.
"""

from __future__ import annotations

import json
from typing import Any

from inspect_ai.model import ChatCompletionChoice as TheirChoice
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    Model,
    ModelOutput,
)

from ssui_gen.calling import wire
from ssui_gen.calling.calls import PLAINLY, Request
from ssui_gen.completions import Choice, Completion, TokenLogprob, Usage
from ssui_gen.errors import CallFailed, ModelError

ROLES: dict[str, Any] = {
    "system": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
}


class InspectCaller:
    """Makes calls through a model of inspect_ai."""

    def __init__(self, model: Model) -> None:
        self.model = model

    async def call(self, request: Request) -> tuple[str, Completion]:
        """As `Caller.call`: the same id for the same request. Raises ModelError where the server refuses it,
        ImageError, and what inspect_ai raises when it gives up.
        """
        body = request.wire(PLAINLY)
        try:
            output = await self.model.generate(messages(body), config=config(body))
        except RuntimeError as error:
            raise _refusal(error) from None
        return request.id, completion(output)


def served_name(model: Model) -> str:
    """What its server calls it: without inspect_ai's words for provider and service."""
    named = getattr(model.api, "service_model_name", None)
    return str(named()) if named else model.name


def messages(body: dict[str, Any]) -> list[ChatMessage]:
    """The conversation of a request in their words."""
    return [ROLES[one["role"]](content=_content(one["content"])) for one in body["messages"]]


def _content(content: str | list[dict[str, Any]]) -> str | list[Content]:
    return content if isinstance(content, str) else [_part(part) for part in content]


def _part(part: dict[str, Any]) -> Content:
    if part["type"] == "image_url":
        return ContentImage(image=part["image_url"]["url"])
    return ContentText(text=part["text"])


def config(body: dict[str, Any]) -> GenerateConfig:
    """How it is sampled: fields that both call the same."""
    return GenerateConfig(**{name: body[name] for name in body.keys() - {"model", "messages"}})


def completion(output: ModelOutput) -> Completion:
    """What came, as our client would give it. Raises CallFailed where nothing did."""
    if output.empty:
        raise CallFailed(f"{output.model}: an output without a choice: {output.error or 'no reason given'}")
    choices = tuple(_choice(one) for one in output.choices)
    return Completion(model=output.model, choices=choices, usage=_usage(output), seconds=output.time or 0.0)


def _choice(theirs: TheirChoice) -> Choice:
    content = theirs.message.content
    parts = [ContentText(text=content)] if isinstance(content, str) else content
    texts = [part for part in parts if isinstance(part, ContentText)]
    thoughts = [part for part in parts if isinstance(part, ContentReasoning)]
    filtered = theirs.stop_reason == wire.FILTERED
    return Choice(
        text="".join(part.text for part in texts),
        finish_reason=wire.FINISH.get(theirs.stop_reason, theirs.stop_reason),
        logprobs=_logprobs(theirs),
        reasoning="".join(part.reasoning or part.summary or "" for part in thoughts),
        summarised=any(not part.reasoning and bool(part.summary) for part in thoughts),
        refused=filtered or any(bool(part.refusal) for part in texts),
    )


def _logprobs(theirs: TheirChoice) -> tuple[TokenLogprob, ...] | None:
    if theirs.logprobs is None:
        return None
    return tuple(
        TokenLogprob(
            token=one.token,
            logprob=one.logprob,
            top=tuple((other.token, other.logprob) for other in one.top_logprobs or ()),
        )
        for one in theirs.logprobs.content
    )


def _usage(output: ModelOutput) -> Usage:
    used = output.usage
    if used is None:
        return Usage()
    cached = used.input_tokens_cache_read
    return Usage(
        prompt_tokens=used.input_tokens + (cached or 0) + (used.input_tokens_cache_write or 0),
        completion_tokens=used.output_tokens,
        cached_tokens=cached,
        reasoning_tokens=used.reasoning_tokens,
    )


def _refusal(error: RuntimeError) -> ModelError | RuntimeError:
    """What a refusal is to us; the error itself where it is none of a server's."""
    status = getattr(error, "status_code", None)
    if status is None:
        return error
    said = wire.clean(str(getattr(error, "provider_message", "") or error), "")
    where = "inspect_ai's model"
    return wire.refusal(where, status, None, said) or CallFailed(f"{where}: HTTP {status}: {said!r}")


def asked_with(message: ChatMessage) -> str:
    """What a message says, pictures left out: by this a call of a log is found again."""
    content = message.content
    parts = [content] if isinstance(content, str) else [part.text for part in content if part.type == "text"]
    return json.dumps([message.role, *parts])
