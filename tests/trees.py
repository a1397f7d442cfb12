"""Examples for tests of trees and training: a drawn picture, a question, a reference, nested branches."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from PIL import Image
from torch import Tensor

from ssui_gen.records import ImageRef
from ssui_train.encode import Encoder
from ssui_train.example import Branch, Choice, Example
from ssui_train.forward import Eyes, Look

NEW_LINE = "\n"
STEPS = ["1. the kettle is on the table", "2. the cat sits under it", "3. what should I do"]
ANSWER = "Answer: put the kettle away"
BRANCHES: dict[int, list[str]] = {
    0: ["1. the cat is under the table\nAnswer: the cat is fine", "1. the cat is on the kettle\nAnswer: no"],
    1: ["2. the cat sits on it\nAnswer: put it away", "2. the cat sits on it\nAnswer: do sit on it"],
    2: ["3. what is it\nAnswer: put the cat away", "3. what should the cat do\nAnswer: sit"],
}
"""By cut; the second two share all but their answers, and both begin as no reference does."""


def picture(number: int, side: int = 64, wide: int | None = None) -> Image.Image:
    """Stripes that differ from number to number."""
    width = wide or side
    data = bytes(
        (x * (number + 3) + y * 7 * c) % 256 for y in range(side) for x in range(width) for c in (1, 2, 3)
    )
    return Image.frombytes("RGB", (width, side), data)


class Case:
    """An example with the pictures it was made of."""

    def __init__(
        self,
        encoder: Encoder,
        name: str = "one",
        pictures: Sequence[Image.Image] = (),
        question: str = "what should the cat do?",
        branches: dict[int, list[str]] | None = None,
    ) -> None:
        self.pictures = list(pictures) or [picture(0)]
        self.asked = encoder.asked("think", question, self.pictures)
        self.example = _example(encoder, self, name, branches or BRANCHES)


def _example(encoder: Encoder, case: Case, name: str, branches: dict[int, list[str]]) -> Example:
    reference = encoder.ids("\n".join([*STEPS, ANSWER]))
    found: list[Branch] = []
    pairs: list[Choice] = []
    for cut, texts in branches.items():
        before = encoder.ids("".join(f"{step}\n" for step in STEPS[:cut]))
        for text in texts:
            ids = encoder.after(before, text)
            step = len(before) + encoder.covering(before, ids, f"{text.partition(NEW_LINE)[0]}\n")
            found.append(Branch(f"{name}-{len(found)}", [*before, *ids, encoder.end], len(before), step))
        pairs.append(Choice(f"{name}-{cut}", cut, len(found) - 2, len(found) - 1))
    refs = tuple(
        ImageRef(path="", sha256=hashlib.sha256(p.tobytes()).hexdigest(), width=p.width, height=p.height)
        for p in case.pictures
    )
    prompt = encoder.prompt(case.asked)
    whole = [*reference, encoder.end]
    return Example(name, name, "risky", refs, "", prompt, whole, tuple(found), tuple(pairs))


def look(encoder: Encoder, *cases: Case) -> Look:
    known = {case.example.id: case for case in cases}

    def shown(example: Example) -> dict[str, Tensor]:
        return encoder.shown(known[example.id].asked)

    return shown


def eyes(encoder: Encoder, *cases: Case, cache_gb: float = 1.0) -> Eyes:
    return Eyes(look(encoder, *cases), cache_gb)


def with_lora(model: Any, rank: int = 4, scale: float = 0.05) -> Any:
    """The model under a LoRA adapter whose B is not zero, so that every gradient is alive."""
    import torch
    from peft import LoraConfig, get_peft_model

    targets = r".*language_model.*\.(q_proj|v_proj|down_proj)"
    adapted = get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets))
    torch.manual_seed(1)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=scale)
    return adapted.train()
