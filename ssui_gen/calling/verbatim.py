"""An answer that is begun, sent as text: the prompt that the server makes of the question, and the beginning.

For a server that in chat puts something between the two. llama-server does so for every model whose chat
template knows thoughts: it writes empty ones before an answer that is begun, also where its prompt of the
question alone has none. It renders that prompt by itself (/apply-template); the beginning follows to the
letter, pictures travel beside both (/completion), and what comes back is read as an answer of chat. That the
two endpoints make the same of a question, `effects` asks. Covers no other server: docs/servers.md says why.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

Body = dict[str, Any]
Post = Callable[[str, Body], Awaitable[str]]
"""Sends a body to a page of one server, beside its /v1; the text of the answer."""

SEAM = frozenset({"add_generation_prompt", "continue_final_message"})
"""What tells chat to go on: nothing is begun where the prompt is made."""
OF_CHAT = SEAM | {"messages", "logprobs", "top_logprobs"}
"""Fields that a completion endpoint has no or another sense for."""


def begun(body: Body) -> bool:
    """Whether a request's last turn is an answer to go on with."""
    return bool(body["messages"] and body["messages"][-1]["role"] == "assistant")


async def go_on(post: Post, body: Body) -> str:
    """The answer to a request whose last turn is begun, as the body of a chat.completion. What is no answer
    of this kind is returned as it came. Raises what `post` raises.
    """
    *question, answer = body["messages"]
    asked = {name: value for name, value in body.items() if name not in SEAM}
    said = await post("/apply-template", {**asked, "messages": question})
    if (prompt := _prompt(said)) is None:
        return said
    return _as_chat(await post("/completion", _completing(body, prompt + answer["content"])))


def _prompt(said: str) -> str | None:
    try:
        prompt = json.loads(said)["prompt"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return prompt if isinstance(prompt, str) else None


def _completing(body: Body, prompt: str) -> Body:
    """The request for a text that goes on; fields that the server shares with chat stay as they are."""
    shared = {name: value for name, value in body.items() if name not in OF_CHAT}
    seen = {"n_probs": body.get("top_logprobs") or 1} if body.get("logprobs") else {}
    return {**shared, **seen, "prompt": {"prompt_string": prompt, "multimodal_data": _pictures(body)}}


def _pictures(body: Body) -> list[str]:
    """Their bytes in base64, in the order in which the prompt has marks for them."""
    contents = (turn["content"] for turn in body["messages"] if not isinstance(turn["content"], str))
    parts = (part for content in contents for part in content if part["type"] == "image_url")
    return [part["image_url"]["url"].partition(",")[2] for part in parts]


def _as_chat(said: str) -> str:
    try:
        made = json.loads(said)
        made = made if isinstance(made, list) else [made]
        first = made[0]
        chat = {
            "model": first.get("model"),
            "choices": [_choice(one) for one in made],
            "usage": _usage(first, sum(one["tokens_predicted"] for one in made)),
            "prompt_text": first["prompt"],
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return said
    return json.dumps(chat)


def _choice(one: Body) -> Body:
    probabilities = one.get("completion_probabilities")
    return {
        "message": {"role": "assistant", "content": one["content"]},
        "finish_reason": "length" if one["stop_type"] == "limit" else "stop",
        "logprobs": {"content": probabilities} if probabilities else None,
    }


def _usage(first: Body, made: int) -> Body:
    cached = (first.get("timings") or {}).get("cache_n")
    return {
        "prompt_tokens": first["tokens_evaluated"],
        "completion_tokens": made,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
