"""From words and pictures to token ids, by a model's own processor and chat template. Reads no file.

A prompt is rendered once; what follows is appended to its ids and never tokenised again together with it, so
that a branch is trained as the tokens that were sampled. Where a prefix ends and a branch begins, the ids of
both must be those that the tokenizer makes of the whole: otherwise the model would be trained in a context
that never comes up when it writes by itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from PIL.Image import Image
from torch import Tensor

from ssui_train.example import Prompt, shared
from ssui_train.families import PIXELS, limit_pixels, may_pack, prompt_positions
from ssui_train.source import Unfit, Why
from ssui_train.turn import end_of_turn, marks_of, placeholders

SHOWN = 4
"""Tokens that a message shows."""
LETTERS = 20
"""Characters that a message shows on both sides of a difference."""


class Encoder:
    """One processor, for one model; with `pixels` its pictures are as large as those of the server."""

    def __init__(self, processor: Any, model: Any, pixels: int | None = None) -> None:
        self.processor, self.model = processor, model
        self.tokenizer = getattr(processor, "tokenizer", processor)
        if pixels:
            limit_pixels(model, processor, pixels)
        self.special = marks_of(self.tokenizer, model)
        """Ids of marks: what a template writes and no text says."""

    @cached_property
    def end(self) -> int:
        """What ends a response, unless another mark was sampled there."""
        return end_of_turn(self.processor, self.tokenizer, self.model)

    def asked(self, system: str, question: str, pictures: Sequence[Image]) -> dict[str, Tensor]:
        """A prompt as the model takes it: ids (1, n), pixels and what goes with them. Raises ValueError for
        what the processor refuses, a picture 200 times as long as wide for instance.

        The template says all there is: like a server of chats, and unlike a processor by itself, this puts
        no mark of a text's beginning (`<s>`) before it.
        """
        shown = [{"type": "image", "image": picture} for picture in pictures]
        told = [{"role": "system", "content": [{"type": "text", "text": system}]}] if system else []
        user = {"role": "user", "content": [*shown, {"type": "text", "text": question}]}
        found = self.processor.apply_chat_template(
            [*told, user], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
            processor_kwargs={"add_special_tokens": False},
        )  # fmt: skip
        return dict(found)

    def prompt(self, asked: dict[str, Tensor]) -> Prompt:
        """What stands before every continuation, without the pixels."""
        ids = asked["input_ids"][0]
        extra = {name: v for name, v in asked.items() if name not in ("input_ids", "attention_mask", PIXELS)}
        places = prompt_positions(self.model, ids, extra) if may_pack(self.model) else None
        return Prompt(ids.tolist(), places, extra)

    def shown(self, asked: dict[str, Tensor]) -> dict[str, Tensor]:
        """What the processor says of the pictures, pixels among it."""
        return {name: value for name, value in asked.items() if name not in ("input_ids", "attention_mask")}

    def ids(self, text: str) -> list[int]:
        """The ids of a text that stands alone; a mark in it is words, as only a template writes marks."""
        return list(self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def text(self, ids: Sequence[int], marks: bool = False) -> str:
        """What ids say; marks like the end of a turn are left out unless asked for."""
        return str(
            self.tokenizer.decode(ids, skip_special_tokens=not marks, clean_up_tokenization_spaces=False)
        )

    def marks(self, text: str) -> list[str]:
        """Marks that stand in `text` as words and would be read as what the template or the processor writes:
        the end of a turn, the place of a picture.
        """
        unknown = self.tokenizer.unk_token_id
        read = {self._names[i] for i in self.ids(text) if i in self.special and i != unknown}
        names = {*self._names.values(), *placeholders(self.processor)}
        return sorted(read | {name for name in names if name in text})

    @cached_property
    def _names(self) -> dict[int, str]:
        """Of marks, as they are written."""
        return {id: str(self.tokenizer.convert_ids_to_tokens(id)) for id in self.special}

    def after(self, before: list[int], text: str, reported: Sequence[int] | None = None) -> list[int]:
        """The ids of `text` as it goes on after `before`: those that the server reported, if they say this
        very text here; else what the whole has more than `before`.

        Raises Unfit where the tokenizer makes other tokens of the whole than `before` and something more, and
        where its tokens say another text.
        """
        head = self.text(before)
        whole = self.ids(head + text)
        if whole[: len(before)] != before:
            raise Unfit(Why.INSIDE_A_TOKEN, self._seam(before, whole))
        for ids in (self.without_end(reported or ()), whole[len(before) :]):
            if ids and self.text([*before, *ids]) == head + text:
                return ids
        raise Unfit(Why.TEXT_CHANGED, _changed(text, self.text(whole)[len(head) :]))

    def _seam(self, before: list[int], whole: list[int]) -> str:
        place = shared(before, whole)
        there, here = ([self.text([i]) for i in ids[place:][:SHOWN]] for ids in (before, whole))
        return f"where the prefix ends the tokens are {there}; followed by this branch they are {here}"

    def end_of(self, reported: Sequence[int]) -> int:
        """The first of the marks that sampled ids end with; where there is none the template's."""
        stop = len(self.without_end(reported))
        return reported[stop] if stop < len(reported) else self.end

    def without_end(self, reported: Sequence[int]) -> list[int]:
        """Sampled ids without the marks that they end with."""
        stop = len(reported)
        while stop and reported[stop - 1] in self.special:
            stop -= 1
        return list(reported[:stop])

    def covering(self, before: list[int], ids: list[int], text: str) -> int:
        """How many of `ids`, which go on after `before`, say `text` and at most the rest of a token more."""
        head = len(self.text(before))

        def said(count: int) -> str:
            return self.text([*before, *ids[:count]])[head:]

        count = bisect_left(range(len(ids)), len(text), key=lambda n: len(said(n)))
        while count < len(ids) and not said(count).startswith(text):  # half of a letter may look like two
            count += 1
        return count


def _changed(text: str, told: str) -> str:
    at = shared(text, told)
    start = max(0, at - LETTERS)
    stop = at + LETTERS
    return f"as tokens it says {told[start:stop]!a} where it says {text[start:stop]!a}"
