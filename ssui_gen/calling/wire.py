"""What a model server sent, in our words: a 200 becomes a Completion, a refusal the error it deserves.

Pure: no network and no clock. Sending and trying again are `client`'s.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ssui_gen.calling import content
from ssui_gen.completions import LEAST_LOGPROB, Choice, Completion, TokenLogprob, Usage
from ssui_gen.errors import AccessDenied, ContentRefused, ContextOverflow, ModelError, RequestRefused

SHOWN = 300
"""Characters of a server's words that a message shows."""
ROUNDING = 0.01
"""Nats above 0 that rounding explains; above that a log-probability is none."""
MOST_TOKENS = 1_000_000_000
FILTERED = "content_filter"
"""How a choice ends that the provider will not show."""
FINISH = {"max_tokens": "length", "model_length": "length"}
"""Servers' words for how a choice ended, where OpenAI has another."""

TRANSIENT = {408, 409, 429}
LOAD = TRANSIENT | {503}
"""Statuses that say more of the moment than of the request."""
REFUSED = {400, 413, 415, 422, 501}
"""501: llama-server's word for what it was not started for, and a file server's for any question."""
PAGE = re.compile(r"<(?:!doctype|html)\b", re.IGNORECASE)
"""How a page begins, which no model server answers a question with."""
FIELD = re.compile(r"\b(logprobs|top_logprobs|response_format|temperature|top_p|max_tokens|seed)\b")
"""Named in a 403 it is about the field and not the key: OpenAI's models that think refuse `logprobs` so."""
OVERFLOW = re.compile(
    "maximum context length|context_length_exceeded|maximum model length|max_model_len"
    "|available context size|the model's context length|tokens` \\+ `max_new_tokens`",
    re.IGNORECASE,
)
FILTERS = frozenset(
    ("content_filter", "content_policy_violation", "data_inspection_failed", "moderation_blocked")
)
"""Codes of providers' content filters: Azure, OpenAI, DashScope."""
FLAGGED = re.compile(
    r"content management policy|(?:violates?|against|violating) (?:our|the|openai's) (?:content|usage) polic"
    r"|(?:input|prompt|content|request) (?:was|is|has been) (?:flagged|blocked by (?:our|the) safety)"
    r"|rejected (?:by|as a result of) our safety system|may contain inappropriate content",
    re.IGNORECASE,
)
CODES = (
    (429, re.compile(r"rate.?limit|too.?many.?requests|slow.?down", re.I)),
    (402, re.compile(r"quota|credits?\b|billing|payment|balance", re.I)),
    (401, re.compile(r"api.?key|authenticat|unauthori[sz]ed", re.I)),
    (403, re.compile(r"permission|forbidden|access.?denied", re.I)),
    (404, re.compile(r"model.?not.?found|not_?found_?error|no such model", re.I)),
    (
        400,
        re.compile(r"content.?(?:filter|policy)|context_length|invalid.?request|bad.?request|invalid_", re.I),
    ),
)
"""The status that an error without one deserves, by the words of its code, type or message."""
ADVICE = {
    401: "Check the key in the variable named by `api_key_env`",
    402: "The account has no credit left: add some, or name another server",
    403: "This key may not use this model: ask for access or use another key",
    404: "Check the model's name and that the address ends in /v1",
    405: "Nothing takes questions there: check that the address is a model server's and ends in /v1",
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
    if status in REFUSED | {403} and (code in FILTERS or FLAGGED.search(said)):
        return ContentRefused(f"{what}. A content filter refuses it: the same words would be refused again")
    if status in REFUSED and PAGE.match(said):
        return AccessDenied(f"{what}. {ADVICE[405]}", status)
    if status in REFUSED or (status == 403 and FIELD.search(said)):
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


class ErrorInside(ValueError):
    """A 200 whose body is an error after all."""

    def __init__(self, status: int, code: str | None, said: str) -> None:
        """`status` is the one that it deserves; `said` the server's words as they came."""
        super().__init__(said)
        self.status, self.code, self.said = status, code, said


def completion(text: str, model: str, seconds: float, attempts: int) -> Completion:
    """Read the body of a 200; raises ErrorInside, or ValueError when it is no completion with some content.

    `model` is for servers that do not name theirs.
    """
    try:
        data = _without_lone_surrogates(text, json.loads(text))
        _refuse_error(data)
        return Completion(
            model=data.get("model") or model,
            choices=tuple(map(_choice, data["choices"])),
            usage=_usage(data.get("usage")),
            seconds=seconds,
            attempts=attempts,
            **_prompt(data),
        )
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a completion: {error!r}") from None


def _prompt(data: dict[str, Any]) -> dict[str, Any]:
    """What a server says of the prompt it made: vLLM beside the choices, SGLang in each of them, llama-server
    in what `verbose` shows.
    """
    ids = data.get("prompt_token_ids") or data["choices"][0].get("prompt_token_ids")
    text = data.get("prompt_text") or (data.get("__verbose") or {}).get("prompt")
    return {"prompt_token_ids": ids, "prompt_text": text}


def _refuse_error(data: Any) -> None:
    """Raises ErrorInside for an error in place of the choices, or of one of them (OpenRouter)."""
    if data.get("object") == "error":
        raise _inside(data)
    error = data.get("error") or next(
        (choice["error"] for choice in data["choices"] if choice.get("error")), None
    )
    if error:
        raise _inside(error)


def _inside(error: Any) -> ErrorInside:
    """The status is the error's own number, or what its words deserve; else the server's fault."""
    told = error if isinstance(error, dict) else {}
    said = message_of(error)
    numbers = (_status(told.get(name)) for name in ("status", "status_code", "code"))
    words = [str(told[name]) for name in ("code", "type") if isinstance(told.get(name), str)]
    code = words[0] if words else None
    return ErrorInside(next(filter(None, numbers), 0) or _deserved([*words, said]), code, said)


def _status(value: Any) -> int:
    """An HTTP status of an error, or 0."""
    try:
        status = int(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return status if 400 <= status < 600 else 0


def _deserved(words: list[str]) -> int:
    """By the first of the words that tells."""
    found = (status for word in words for status, form in CODES if form.search(word))
    return next(found, 500)


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
    """No content is an empty text when the server stopped early, or thought; else it is a ValueError."""
    finish, said = data.get("finish_reason"), content.read(data["message"])
    finish = FINISH.get(finish, finish) if isinstance(finish, str) else None
    text = said.text or said.refusal or said.text
    if text is None and (finish in ("length", FILTERED) or said.reasoning):
        text = ""
    return Choice(
        text=text,
        finish_reason=finish,
        logprobs=_logprobs(data.get("logprobs")),
        token_ids=data.get("token_ids", data.get("response_token_ids")),
        reasoning=said.reasoning,
        summarised=said.summarised,
        refused=bool(said.refusal) or finish == FILTERED,
    )


def _logprobs(data: Any) -> tuple[TokenLogprob, ...] | None:
    """None where there are none, or one that can be none: then none of the choice is believed."""
    try:
        entries = data["content"] if data else None
        return None if entries is None else tuple(map(_token, entries))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _token(entry: dict[str, Any]) -> TokenLogprob:
    """An alternative without a number is left out; of a token without one nothing is known at its place."""
    token, nats = entry["token"], entry["logprob"]
    if nats is None:
        return TokenLogprob(token=token, logprob=LEAST_LOGPROB)
    others = entry.get("top_logprobs") or ()
    top = tuple((one["token"], _nats(one["logprob"])) for one in others if one["logprob"] is not None)
    return TokenLogprob(token=token, logprob=_nats(nats), top=top)


def _nats(value: Any) -> float:
    """Raises ValueError for what can be no log-probability."""
    if (nats := float(value)) > ROUNDING:
        raise ValueError(f"{nats} is no log-probability")
    return nats


def _usage(data: Any) -> Usage:
    """What is not counted in the way of OpenAI is not counted."""
    data = data if isinstance(data, dict) else {}
    details, made = (_table(data.get(f"{side}_tokens_details")) for side in ("prompt", "completion"))
    return Usage(
        prompt_tokens=_count(data.get("prompt_tokens")) or 0,
        completion_tokens=_count(data.get("completion_tokens")) or 0,
        cached_tokens=_count(details.get("cached_tokens")),
        reasoning_tokens=_count(made.get("reasoning_tokens")),
    )


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(tokens: Any) -> int | None:
    """A number of tokens, or None for what can be none; some write 7 as 7.0."""
    told = isinstance(tokens, int | float) and 0 <= tokens <= MOST_TOKENS and tokens == int(tokens)
    return int(tokens) if told else None
