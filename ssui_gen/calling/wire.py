"""What a model server sent, in our words: a 200 becomes a Completion, a refusal the error it deserves.

Pure: no network and no clock. Sending and trying again are `client`'s.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ssui_gen.completions import Choice, Completion, TokenLogprob, Usage
from ssui_gen.errors import AccessDenied, ContextOverflow, ModelError, RequestRefused

SHOWN = 300
"""Characters of a server's words that a message shows."""
ROUNDING = 0.01
"""Nats above 0 that rounding explains; above that a log-probability is none."""
MOST_TOKENS = 1_000_000_000
FILTERED = "content_filter"
"""How a choice ends that the provider will not show."""

TRANSIENT = {408, 409, 429}
REFUSED = {400, 413, 415, 422}
OVERFLOW = re.compile(
    "maximum context length|context_length_exceeded|maximum model length|max_model_len", re.IGNORECASE
)
ADVICE = {
    401: "Check the key in the variable named by `api_key_env`",
    403: "This key may not use this model: ask for access or use another key",
    404: "Check the model's name and that the address ends in /v1",
}
OTHER_ADVICE = "Check the address, the key and the account"


def refusal(
    where: str, status: int, code: str | None, said: str, field: str | None = None
) -> ModelError | None:
    """The error for an HTTP status that is not 200; None when the same request may succeed later.

    `where` and `said` are shown as they are; `code` is OpenAI's word for the error, and `field` what it is
    about, where there are such.
    """
    what = f"{where}: HTTP {status}: {said!r}"
    if status in REFUSED:
        if code == "context_length_exceeded" or OVERFLOW.search(said):
            return ContextOverflow(f"{what}. Lower max_tokens, shorten the prompt or shrink the picture")
        return RequestRefused(f"{what}. The same request would be refused again", said, field or "")
    if status >= 500 or (status in TRANSIENT and code != "insufficient_quota"):
        return None
    return AccessDenied(f"{what}. {ADVICE.get(status, OTHER_ADVICE)}", status)


def message_of(body: object) -> str:
    """The sentence in an error's body; servers differ in where they put it."""
    message = body.get("message", body) if isinstance(body, dict) else body
    return message if isinstance(message, str) else json.dumps(message)


def clean(text: str, secret: str) -> str:
    """Someone else's words, fit for a message: no secret, no control characters, not long."""
    safe = (text.replace(secret, "<key>") if secret else text)[: 4 * SHOWN]
    return " ".join("".join(c if c.isprintable() else " " for c in safe).split())[:SHOWN]


def completion(text: str, model: str, seconds: float, attempts: int) -> Completion:
    """Read the body of a 200; raises ValueError when it is not a completion with some content.

    `model` is for servers that do not name theirs.
    """
    try:
        data = _without_lone_surrogates(text, json.loads(text))
        return Completion(
            model=data.get("model") or model,
            choices=tuple(map(_choice, data["choices"])),
            usage=_usage(data.get("usage") or {}),
            seconds=seconds,
            attempts=attempts,
            prompt_token_ids=data.get("prompt_token_ids"),
            prompt_text=data.get("prompt_text"),
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a completion: {error!r}") from None


def model_names(text: str) -> list[str]:
    """Read the body of GET /models, a list or OpenAI's object that holds one; raises ValueError."""
    try:
        said = json.loads(text)
        return [str(model["id"]) for model in (said if isinstance(said, list) else said["data"])]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a list of models: {error!r}") from None


def words(text: str) -> str:
    """Read the body of POST /detokenize, vLLM's or SGLang's; raises ValueError."""
    try:
        told = json.loads(text)
        return str(told["prompt"] if "prompt" in told else told["text"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the words of tokens: {error!r}") from None


def _without_lone_surrogates(text: str, data: Any) -> Any:
    """Half of an escaped emoji is a string that no file can hold."""
    if r"\ud" not in text and r"\uD" not in text:
        return data
    return json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))


def _choice(data: dict[str, Any]) -> Choice:
    """No content is an empty text when the server stopped early, or thought; else Choice refuses it."""
    message, finish = data["message"], data.get("finish_reason")
    text, refusal, thoughts = message.get("content"), message.get("refusal"), _thoughts(message)
    if text is None:
        early = finish in ("length", FILTERED)
        text = refusal or ("" if early or thoughts["reasoning"] else None)
    entries = (data.get("logprobs") or {}).get("content")
    logprobs = None if entries is None or not all(map(_possible, entries)) else tuple(map(_token, entries))
    return Choice(
        text=text,
        finish_reason=finish,
        logprobs=logprobs,
        token_ids=data.get("token_ids"),
        refused=bool(refusal) or finish == FILTERED,
        **thoughts,
    )


def _thoughts(message: dict[str, Any]) -> dict[str, Any]:
    """What came beside the content: DeepSeek's and vLLM's `reasoning_content`, which newer servers call
    `reasoning`; of several `reasoning_details` (OpenRouter) a summary is told apart.
    """
    said = message.get("reasoning_content") or message.get("reasoning")
    details = message.get("reasoning_details")
    kinds = [one.get("type") for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    return {"reasoning": said if isinstance(said, str) else "", "summarised": "reasoning.summary" in kinds}


def _token(entry: dict[str, Any]) -> TokenLogprob:
    top = tuple((other["token"], float(other["logprob"])) for other in entry.get("top_logprobs") or ())
    return TokenLogprob(token=entry["token"], logprob=float(entry["logprob"]), top=top)


def _possible(entry: dict[str, Any]) -> bool:
    """Whether these can be log-probabilities; where one cannot, none of the choice is believed."""
    return all(not float(one["logprob"]) > ROUNDING for one in (entry, *(entry.get("top_logprobs") or ())))


def _usage(data: dict[str, Any]) -> Usage:
    details, made = (data.get(f"{side}_tokens_details") or {} for side in ("prompt", "completion"))
    return Usage(
        prompt_tokens=_count(data.get("prompt_tokens")) or 0,
        completion_tokens=_count(data.get("completion_tokens")) or 0,
        cached_tokens=_count(details.get("cached_tokens")),
        reasoning_tokens=_count(made.get("reasoning_tokens")),
    )


def _count(tokens: Any) -> int | None:
    """A number of tokens, or None for what can be none."""
    return tokens if isinstance(tokens, int) and 0 <= tokens <= MOST_TOKENS else None
