"""From words and pictures to token ids, by a model's own processor and chat template. Reads no file.

A prompt is rendered once; what follows is appended to its ids and never tokenised again together with it, so
that a branch is trained as the tokens that were sampled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from PIL.Image import Image
from torch import Tensor

from train.example import Prompt
from train.families import PIXELS, may_pack, prompt_positions


class Encoder:
    """One processor, for one model."""

    def __init__(self, processor: Any, model: Any) -> None:
        self.processor, self.model = processor, model
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self.end: int = self.tokenizer.eos_token_id
        """What ends a response."""

    def asked(self, system: str, question: str, pictures: Sequence[Image]) -> dict[str, Tensor]:
        """A prompt as the model takes it: ids (1, n), pixels and what goes with them."""
        shown = [{"type": "image", "image": picture} for picture in pictures]
        told = [{"role": "system", "content": [{"type": "text", "text": system}]}] if system else []
        user = {"role": "user", "content": [*shown, {"type": "text", "text": question}]}
        found = self.processor.apply_chat_template(
            [*told, user], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        )
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
        """The ids of a text that stands alone."""
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def text(self, ids: Sequence[int]) -> str:
        """What ids say, marks like the end of a turn left out."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def after(self, before: list[int], text: str, reported: Sequence[int] | None = None) -> list[int]:
        """The ids of `text` as it goes on after `before`.

        Those that the server reported, if they say this very text here; else the text's own. Where a
        tokenizer puts a mark before any text that stands alone (SentencePiece), what the whole has more than
        `before`.
        """
        head = self.text(before)
        own = self.ids(text)
        for ids in (self._without_end(reported or ()), own):
            if ids and self.text([*before, *ids]) == head + text:
                return ids
        whole = self.ids(head + text)
        return whole[len(before) :] if whole[: len(before)] == before else own

    def _without_end(self, ids: Sequence[int]) -> list[int]:
        special = set(self.tokenizer.all_special_ids)
        stop = len(ids)
        while stop and ids[stop - 1] in special:
            stop -= 1
        return list(ids[:stop])

    def first_step(self, before: list[int], ids: list[int]) -> int:
        """How many of `ids` the first line takes, its line break included; all where there is but one."""
        head = len(self.text(before))
        text = self.text([*before, *ids])[head:]
        start = len(text) - len(text.lstrip("\n"))
        line = start + len(text[start:].partition("\n")[0])
        if line == len(text):
            return len(ids)
        return 1 + bisect_right(
            range(1, len(ids)), line, key=lambda n: len(self.text([*before, *ids[:n]])) - head
        )
