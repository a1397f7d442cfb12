"""The marks of a chat template: which token ends a turn, and which words are no words. Reads no file.

`tokenizer.eos_token` is not what ends a turn in every family: Gemma 3 closes it with `<end_of_turn>`, and
GLM's template with nothing, as the mark of the next role is what the model writes there. So the template is
asked: what does it put behind an answer?
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ssui_gen.errors import ConfigError

ANSWER, QUESTION = "An answer.", "A question?"
PLACEHOLDERS = (
    "image_token",
    "video_token",
    "audio_token",
    "boi_token",
    "eoi_token",
    "image_break_token",
    "image_end_token",
)
"""Attributes of processors that hold what they replace or put around pictures."""


def marks_of(tokenizer: Any, model: Any) -> frozenset[int]:
    """Ids of special tokens. A tokenizer lists only those that have a part (`eos_token`); others, Gemma 3's
    end of a turn among them, are told by how they were added.
    """
    added = {id for id, token in tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset({*tokenizer.all_special_ids, *added, *stops(model)})


def stops(model: Any) -> set[int]:
    """Ids at which the model's own settings for generation stop."""
    said = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    return set(said) if isinstance(said, list | tuple) else set() if said is None else {int(said)}


def placeholders(processor: Any) -> set[str]:
    """What a processor replaces by pictures wherever it stands."""
    found = (getattr(processor, name, None) for name in PLACEHOLDERS)
    return {name for name in found if isinstance(name, str) and name}


def end_of_turn(processor: Any, tokenizer: Any, model: Any) -> int:
    """The mark that follows an answer in the template; else that of the next role, where the model is said to
    stop at it; else the tokenizer's end of text. Raises ConfigError where there is none.
    """
    special, known = marks_of(tokenizer, model), stops(model)
    closing, next_role = (_first_mark(tokenizer, special, tail) for tail in _tails(processor))
    if closing is not None and closing != tokenizer.bos_token_id:
        return closing
    if next_role is not None and (next_role in known or not known):
        return next_role
    if tokenizer.eos_token_id is None:
        raise ConfigError(
            "model: neither its chat template nor its tokenizer says what ends an answer: expected a "
            "template that closes a turn with a special token, or an `eos_token` in tokenizer_config.json"
        )
    return int(tokenizer.eos_token_id)


def _tails(processor: Any) -> Iterator[str]:
    """What the template writes behind an answer: at the end of a conversation, and before a next question."""
    turns = [_turn("user", QUESTION), _turn("assistant", ANSWER), _turn("user", QUESTION)]
    for count in (2, 3):
        rendered = processor.apply_chat_template(turns[:count], tokenize=False)
        yield rendered[rendered.rfind(ANSWER) + len(ANSWER) :]


def _turn(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _first_mark(tokenizer: Any, special: frozenset[int], tail: str) -> int | None:
    """The first token of `tail`, white space apart, if it is a mark."""
    ids = tokenizer.encode(tail.lstrip(), add_special_tokens=False)
    return ids[0] if ids and ids[0] in special else None
