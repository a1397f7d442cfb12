"""The kinds of server that tests run: what each takes, refuses and answers, in its own words.

Each is as its documentation, its source or its users' reports have it; docs/servers.md names the places.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import llama_pages
from fake_answers import number, prompt_text, tokens
from foreign_servers import Body, Foreign, Host, Refusal, always, by_field, never, pictures, trimmed

Pages = dict[str, Callable[[Foreign, Body], Any]]

# --- words and shapes of refusals ----------------------------------------------------------------------


def openai_error(
    message: str, param: str | None = None, code: str | None = None, status: int = 400
) -> Refusal:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Refusal(status, {"error": error})


OPENAI = frozenset(
    [
        "model",
        "messages",
        "user",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "seed",
        "n",
        "logprobs",
        "top_logprobs",
        "response_format",
        "stop",
        "reasoning_effort",
    ]
)
"""Of the fields that are ever sent those that OpenAI knows."""


def unknown(body: Body) -> Refusal | None:
    """OpenAI's for any field that it does not know."""
    if other := sorted(body.keys() - OPENAI):
        return openai_error(f"Unrecognized request argument supplied: {other[0]}")
    if '"uuid"' not in json.dumps(body["messages"]):
        return None
    what = "messages[0].content[0].uuid"
    return openai_error(f"Unknown parameter: '{what}'.", what, "unknown_parameter")


def bounded(body: Body) -> Refusal | None:
    """For a strict schema that bounds a string."""
    form = body.get("response_format") or {}
    if not (form.get("json_schema") or {}).get("strict") or '"maxLength"' not in json.dumps(form):
        return None
    name = form["json_schema"]["name"]
    said = f"Invalid schema for response_format '{name}': In context=(), 'maxLength' is not permitted."
    return openai_error(said, "response_format")


def files(words: str, status: int = 400) -> Callable[[Body], Refusal | None]:
    """For a picture that is no data URL."""

    def refuses(body: Body) -> Refusal | None:
        other = [url for url in pictures(body) if not url.startswith("data:image/")]
        return openai_error(words, status=status) if other else None

    return refuses


def first(*rules: Callable[[Body], Refusal | None]) -> Callable[[Body], Refusal | None]:
    """The first refusal of several."""
    return lambda body: next((found for rule in rules if (found := rule(body))), None)


def most(field: str, limit: int, said: Refusal) -> Callable[[Body], Refusal | None]:
    """For a number above a limit."""
    return lambda body: said if (body.get(field) or 0) > limit else None


def without(field: str, said: Refusal) -> Callable[[Body], Refusal | None]:
    """For a field at all."""
    return lambda body: said if body.get(field) else None


# --- the kinds -----------------------------------------------------------------------------------------

VLLM_ONLY = frozenset({"structured_outputs", "logprob_token_ids", "return_prompt_text", "verbose"})
PASSED = VLLM_ONLY | {
    "return_token_ids",
    "continue_final_message",
    "add_generation_prompt",
    "chat_template_kwargs",
}


def _by_tokens(body: Body, completion: Body) -> Body:
    """SGLang's: the tokens of prompt and answer stand in each choice. The prompt's are the template's, and
    then those of the beginning, made apart from it.
    """
    if not body.get("return_token_ids"):
        return completion
    root = [prompt_text(body, "system"), prompt_text(body, "user"), *pictures(body)]
    ids = [_id(piece) for text in root for piece in tokens(text)] + [1, 2]
    ids += [_id(piece) for line in by_field(body).splitlines(keepends=True) for piece in tokens(line)]
    made = [
        [_id(piece) for piece in tokens(choice["message"]["content"])] for choice in completion["choices"]
    ]
    choices = [
        {**choice, "prompt_token_ids": ids, "response_token_ids": answer}
        for choice, answer in zip(completion["choices"], made, strict=True)
    ]
    return {**completion, "choices": choices}


def _id(piece: str) -> int:
    return number(piece) % 50_000 + 10


def _verbosely(body: Body, completion: Body) -> Body:
    """llama-server's: what was begun is repeated, and with `verbose` the prompt stands beside the answer."""
    return _llama(body, completion, always(body))


def _with_thoughts(body: Body, completion: Body) -> Body:
    """The same of a model whose template knows thoughts: closed ones stand before what was begun."""
    return _llama(body, completion, shut(body))


def _llama(body: Body, completion: Body, begun: str) -> Body:
    choices = [_whole(choice, always(body)) for choice in completion["choices"]]
    completion = {**completion, "choices": choices, "usage": _counted(body, completion["usage"])}
    if not body.get("verbose"):
        return completion
    question = [turn for turn in body["messages"] if turn["role"] != "assistant"]
    prompt = llama_pages.shown(llama_pages.rendered(question) + begun)
    return {**completion, "__verbose": {"prompt": prompt}}


def _counted(body: Body, usage: Body) -> Body:
    """Pictures too."""
    return {**usage, "prompt_tokens": usage["prompt_tokens"] + llama_pages.PICTURE * len(pictures(body))}


def shut(body: Body) -> str:
    """Goes on behind thoughts that it closes itself."""
    return f"<think>\n\n</think>\n\n{begun}" if (begun := always(body)) else ""


def _whole(choice: Body, begun: str) -> Body:
    return {**choice, "message": {"role": "assistant", "content": begun + choice["message"]["content"]}}


def completing(spoils: Callable[[str], str] = str, sees: bool = True) -> Pages:
    """llama-server's pages; so that tests can fail, one may spoil what is begun, or lose pictures."""

    def template(server: Foreign, body: Body) -> Any:
        return {"prompt": llama_pages.rendered(body["messages"])}

    def completion(server: Foreign, body: Body) -> Any:
        asked = llama_pages.in_chat(body)
        if refusal := most("n", SLOTS, MANY)(asked):
            return refusal
        begun, prompt = always(asked), body["prompt"]["prompt_string"]
        took = spoils(begun)
        made = server.by_text(asked, took)
        if sees:
            made["usage"] = _counted(asked, made["usage"])
        return llama_pages.completed(made, prompt.removesuffix(begun) + took)

    return {"/apply-template": template, "/completion": completion}


def _without_cached(body: Body, completion: Body) -> Body:
    usage = {name: value for name, value in completion["usage"].items() if name != "prompt_tokens_details"}
    return {**completion, "usage": usage}


def _llama_says(message: str) -> Refusal:
    return Refusal(400, {"error": {"code": 400, "message": message, "type": "invalid_request_error"}})


SLOTS = 4
MANY = _llama_says(f"Field 'n': Value must be between 1 <= value <= {SLOTS}, but got 64")
"""llama-server makes as many choices at a time as it has slots (`-np`)."""


def _llama_files(body: Body) -> Refusal | None:
    other = any(url.startswith("file:///") for url in pictures(body))
    return _llama_says("file:// URLs are not allowed unless --media-path is specified") if other else None


def _tgi_says(message: str) -> Refusal:
    return Refusal(422, {"error": f"Input validation error: {message}", "error_type": "validation"})


def _tgi_files(body: Body) -> Refusal | None:
    other = next((url for url in pictures(body) if not url.startswith("data:image/")), None)
    return _tgi_says(f"invalid image content: {other}") if other else None


NO_LONGER = openai_error(
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead.",
    "max_tokens",
    "unsupported_parameter",
)
NOT_ALLOWED = openai_error("You are not allowed to request logprobs from this model", status=403)


def _only_the_default(body: Body) -> Refusal | None:
    for name in ("temperature", "top_p"):
        if body.get(name, 1) != 1:
            said = (
                f"Unsupported value: '{name}' does not support {body[name]} with this model. "
                "Only the default (1) value is supported."
            )
            return openai_error(said, name, "unsupported_value")
    return None


SGLANG = Host(reads_past=VLLM_ONLY | {"uuid"}, goes_on=by_field, answers=_by_tokens)
_LLAMA = first(_llama_files, most("n", SLOTS, MANY))
LLAMA = Host(_LLAMA, PASSED, always, _verbosely, pages=completing())
LLAMA_THOUGHTS = Host(_LLAMA, PASSED, shut, _with_thoughts, pages=completing())
_OLLAMA = first(
    files("invalid image input"),
    most("top_logprobs", 20, openai_error("top_logprobs must be between 0 and 20")),
)
OLLAMA = Host(_OLLAMA, PASSED | {"n", "priority"}, always, _without_cached)
OLLAMA_BARE = Host(_OLLAMA, PASSED | {"n", "priority"}, never, _without_cached)
TGI = Host(
    first(most("top_logprobs", 5, _tgi_says("`top_n_tokens` must be >= 0 and <= 5. Given: 20")), _tgi_files),
    PASSED | {"n", "priority"},
    trimmed,
    _without_cached,
)
OPENAI_REASONING = Host(
    first(
        unknown,
        without("max_tokens", NO_LONGER),
        _only_the_default,
        without("logprobs", NOT_ALLOWED),
        files("Invalid image URL."),
    ),
    strict_only=True,
)
OPENAI_OTHER = Host(first(unknown, bounded, files("Invalid image URL.")), strict_only=True)
AZURE = Host(
    first(
        unknown,
        bounded,
        files("Invalid image URL."),
        most(
            "top_logprobs",
            5,
            openai_error("20 is greater than the maximum of 5 - 'top_logprobs'", "top_logprobs"),
        ),
    ),
    strict_only=True,
)
GROQ = Host(
    first(
        unknown,
        without("logprobs", openai_error("`logprobs` is not supported with this model")),
        most("n", 1, openai_error("'n' : number must be at most 1")),
        files("invalid image data"),
    )
)
OPENROUTER = Host(refuses=files("Invalid image URL."), reads_past=PASSED | {"n", "priority"})
HOSTS = {
    "sglang": SGLANG, "llama": LLAMA, "llama_thoughts": LLAMA_THOUGHTS, "ollama": OLLAMA,
    "ollama_bare": OLLAMA_BARE, "tgi": TGI, "openai_reasoning": OPENAI_REASONING, "openai": OPENAI_OTHER,
    "azure": AZURE, "groq": GROQ, "openrouter": OPENROUTER,
}  # fmt: skip
"""By the names that docs/servers.md has."""
