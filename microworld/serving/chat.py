"""From a chat request to rows, and from finished rows to a chat completion."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from random import Random, SystemRandom
from typing import Any

from microworld.serving.engine import Engine
from microworld.serving.pictures import pictures
from microworld.serving.protocol import ChatRequest, ImagePart, Message, Refusal, TextPart
from microworld.serving.rows import Prompt, Reply, Row, Sampling, Scored

MOST_REPORTED = 500_000
"""Log-probabilities in an answer."""


def rows(engine: Engine, request: ChatRequest) -> list[Row]:
    """One row for each choice; raises Refusal for what this model cannot answer."""
    _check_length(engine, request)
    prompt = _prompt(engine, request)
    how = _sampling(request, _room(engine, request, len(prompt.ids)), len(engine.spelling))
    seed = SystemRandom().getrandbits(63) if request.seed is None else request.seed
    schema = request.schema_asked
    return [
        Row(prompt, how, Random(seed + i), None if schema is None else engine.grammars.start(schema))
        for i in range(request.n)
    ]


def completion(
    engine: Engine, request: ChatRequest, prompt: Prompt, replies: Sequence[Reply]
) -> dict[str, Any]:
    """The body of the answer."""
    written = sum(len(reply.tokens) for reply in replies)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request.model,
        "choices": [_choice(engine, request, i, reply) for i, reply in enumerate(replies)],
        "usage": {
            "prompt_tokens": len(prompt.ids),
            "completion_tokens": written,
            "total_tokens": len(prompt.ids) + written,
            "prompt_tokens_details": {"cached_tokens": prompt.cached},
        },
        **({"prompt_token_ids": prompt.ids} if request.return_token_ids else {}),
        **({"prompt_text": prompt.text} if request.return_prompt_text else {}),
    }


def _prompt(engine: Engine, request: ChatRequest) -> Prompt:
    parts = [
        part for message in request.messages if isinstance(message.content, list) for part in message.content
    ]
    urls = [part.image_url.url for part in parts if isinstance(part, ImagePart)]
    return engine.encode(
        [_message(message, engine.words) for message in request.messages],
        pictures(urls, engine.sight.take),
        add_generation_prompt=request.add_generation_prompt,
        continue_final_message=request.continue_final_message,
    )


def _check_length(engine: Engine, request: ChatRequest) -> None:
    """Refuse words that cannot fit, as no token holds so many characters, before they become tokens."""
    said = sum(map(len, _texts(request)))
    if said > engine.context * engine.longest_token:
        raise _does_not_fit(engine, request.reply_limit or 1, f"at least {said // engine.longest_token}")


def _texts(request: ChatRequest) -> Iterator[str]:
    for message in request.messages:
        if isinstance(message.content, str):
            yield message.content
        else:
            yield from (part.text for part in message.content if isinstance(part, TextPart))


def _message(message: Message, words: Callable[[str], str]) -> dict[str, Any]:
    """In the words of chat templates, where a picture is a place and not an address, and a mark that stands
    in somebody's text is none.
    """
    if isinstance(message.content, str):
        return {"role": message.role, "content": words(message.content)}
    content = [
        {"type": "image"} if isinstance(part, ImagePart) else {"type": "text", "text": words(part.text)}
        for part in message.content
    ]
    return {"role": message.role, "content": content}


def _room(engine: Engine, request: ChatRequest, used: int) -> int:
    """How many tokens the reply may have; raises Refusal, in vLLM's words, when it would not fit."""
    left = engine.context - used
    asked = request.reply_limit or left
    if asked > left or left < 1:
        raise _does_not_fit(engine, max(asked, 1), str(used))
    return asked


def _does_not_fit(engine: Engine, asked: int, used: str) -> Refusal:
    return Refusal(
        f"This model's maximum context length is {engine.context} tokens. However, you requested "
        f"{asked} output tokens and your prompt contains {used} input tokens. Please reduce "
        f"the length of the input prompt or the number of requested output tokens.",
        code="context_length_exceeded",
    )


def _sampling(request: ChatRequest, max_tokens: int, vocabulary: int) -> Sampling:
    watched = tuple(request.logprob_token_ids or ())
    if strange := [token for token in watched if not 0 <= token < vocabulary]:
        raise Refusal(f"logprob_token_ids: expected 0 to {vocabulary - 1}; got {strange}")
    _check_reported(request, max_tokens)
    return Sampling(
        temperature=request.temperature,
        top_p=request.top_p,
        max_tokens=max_tokens,
        stops=request.stops,
        top=request.top_logprobs if request.logprobs else None,
        watched=watched,
    )


def _check_reported(request: ChatRequest, max_tokens: int) -> None:
    each = 1 + (len(request.logprob_token_ids or ()) or request.top_logprobs)
    if request.logprobs and (reported := request.n * max_tokens * each) > MOST_REPORTED:
        raise Refusal(
            f"logprobs: expected at most {MOST_REPORTED:,} in an answer; got {reported:,}, which is n x "
            f"max_tokens x {each}: ask for fewer choices, tokens or alternatives"
        )


def _choice(engine: Engine, request: ChatRequest, index: int, reply: Reply) -> dict[str, Any]:
    scores = [_scored(engine, token) for token in reply.scored]
    return {
        "index": index,
        "message": {"role": "assistant", "content": reply.text},
        "finish_reason": reply.finish,
        "logprobs": {"content": scores} if request.logprobs else None,
        **({"token_ids": reply.tokens} if request.return_token_ids else {}),
    }


def _scored(engine: Engine, scored: Scored) -> dict[str, Any]:
    others = [_token(engine, token, logprob) for token, logprob in scored.others]
    return {**_token(engine, scored.token, scored.logprob), "top_logprobs": others}


def _token(engine: Engine, token: int, logprob: float) -> dict[str, Any]:
    text, raw = engine.spelling[token]
    return {"token": text, "logprob": logprob, "bytes": raw}
