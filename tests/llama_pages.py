"""llama-server's pages beside /v1, in imitation: a question rendered, and a text that is gone on with.

As llama.cpp 0.5.0-dev has them (`tools/server/server-context.cpp`), with one chat template, ChatML's; what it
does to an answer that is begun in chat, a host says (`hosts`). The real one is asked by `test_llama`.
"""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]
MEDIA = "<__media_of_this_process__>"
"""Stands for a picture in what is rendered; what the server shows of a prompt has no mark of it."""
PICTURE = 16
"""Tokens."""
OPENS, ENDS = "<|im_start|>", "<|im_end|>\n"
ASKS = f"{OPENS}assistant\n"


def rendered(question: list[Body]) -> str:
    """A conversation that ends with a question."""
    turns = (f"{OPENS}{turn['role']}\n{_told(turn['content'])}{ENDS}" for turn in question)
    return "".join(turns) + ASKS


def _told(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part.get("text", MEDIA) for part in content)


def shown(prompt: str) -> str:
    """What is said of a prompt: its words."""
    return prompt.replace(MEDIA, "")


def read(prompt: str, pictures: list[str]) -> list[Body]:
    """The conversation that was rendered, and an answer's beginning where there is one."""
    turns = [turn.partition("\n") for turn in prompt.split(OPENS)[1:]]
    asked = [{"role": role, "content": _parts(said, list(pictures))} for role, _, said in turns[:-1]]
    begun = turns[-1][2]
    return [*asked, *([{"role": "assistant", "content": begun}] if begun else [])]


def _parts(said: str, pictures: list[str]) -> Any:
    first, *rest = said.removesuffix(ENDS).split(f"{MEDIA}\n")
    if not rest:
        return first
    seen = [{"type": "image_url", "image_url": {"url": pictures.pop(0)}} for _ in rest if pictures]
    return [*seen, {"type": "text", "text": rest[-1]}]


def in_chat(asked: Body) -> Body:
    """A request for a text that goes on, as one of chat would have it."""
    probable = {"logprobs": True, "top_logprobs": asked["n_probs"]} if asked.get("n_probs") else {}
    prompt = asked["prompt"]
    data = [f"data:image/png;base64,{one}" for one in prompt["multimodal_data"]]
    return {**asked, **probable, "messages": read(prompt["prompt_string"], data)}


def completed(chat: Body, prompt: str) -> Any:
    """An answer of chat as this page gives it: an object, or a list where several were asked for."""
    made = [_one(choice, chat, prompt) for choice in chat["choices"]]
    return made if len(made) > 1 else made[0]


def _one(choice: Body, chat: Body, prompt: str) -> Body:
    seen = choice.get("logprobs")
    return {
        "index": choice["index"],
        "content": choice["message"]["content"],
        "model": chat["model"],
        "tokens_predicted": chat["usage"]["completion_tokens"],
        "tokens_evaluated": chat["usage"]["prompt_tokens"],
        "prompt": shown(prompt),
        "truncated": False,
        "stop_type": "limit" if choice["finish_reason"] == "length" else "eos",
        "timings": {"cache_n": chat["usage"]["prompt_tokens_details"]["cached_tokens"]},
        **({"completion_probabilities": seen["content"]} if seen else {}),
    }
