"""What `train.py` trains on: a random Qwen2.5-VL, and one question with its path and its pairs for it."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from bench import ROOT

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import torch  # noqa: E402
from PIL import Image  # noqa: E402
from tiny_families import tiny  # noqa: E402

from ssui_train.config import SrpoConfig  # noqa: E402
from ssui_train.model import lora  # noqa: E402

STEPS, STEP, BRANCH, QUESTION = 6, 60, 150, 60
SIZES = {"hidden": 1024, "mlp": 5, "layers": 2, "heads": 8, "vision_hidden": 320, "vision_layers": 6}
SIDE = 28
"""Pixels of a merged patch, which is one token."""
CONFIG = SrpoConfig(model="random")
"""RPO's LoRA, and the product's usual settings."""


class Pair(NamedTuple):
    """Two continuations from one cut."""

    cut: int
    chosen: str
    rejected: str


def small(pixels: int) -> tuple[Any, Any]:
    """A model for one thread of a CPU, and its processor for pictures of so many pixels."""
    torch.set_num_threads(1)
    return tiny("qwen2_5_vl", **SIZES, pixels=pixels)


class Question:
    """One question: a picture, a reference path, branches from every cut; words are single tokens."""

    def __init__(
        self, rows: int, columns: int, each: int, made: Callable[[int], tuple[Any, Any]] = small
    ) -> None:
        """A picture of so many merged patches; of each cut so many good branches, and as many bad ones."""
        self.image = rows * columns
        self.model, self.processor = made(SIDE * SIDE * self.image)
        self.dice = random.Random(0)
        self.words = self._single_tokens()
        self.picture = Image.effect_noise((SIDE * columns, SIDE * rows), 60).convert("RGB")
        self.text = self.said(QUESTION)
        self.steps = [self.said(STEP) for _ in range(STEPS)]
        self.cuts = [[(self.said(BRANCH), self.said(BRANCH)) for _ in range(each)] for _ in range(STEPS)]

    def _single_tokens(self) -> list[str]:
        tokens = self.processor.tokenizer
        found = (tokens.decode([i]) for i in range(len(tokens)))
        words = [word for word in found if word.startswith(" ") and word.strip().isalpha()]
        return [word for word in words if len(tokens.encode(word, add_special_tokens=False)) == 1]

    def said(self, count: int) -> str:
        return "".join(self.dice.choice(self.words) for _ in range(count))

    def pairs(self) -> list[Pair]:
        """Every good continuation with every bad one."""
        return [
            Pair(cut, good, bad)
            for cut, branches in enumerate(self.cuts)
            for good, _ in branches
            for _, bad in branches
        ]

    def prefix(self, cut: int) -> str:
        return "".join(self.steps[:cut])

    def lora(self) -> Any:
        return lora(self.model, CONFIG)


def enlivened(adapted: Any) -> Any:
    """The same adapter weights in every process, none of them zero, so that the policy is not its base."""
    torch.manual_seed(0)
    for name, weight in sorted(adapted.named_parameters()):
        if ".lora_" in name:
            torch.nn.init.normal_(weight, std=0.05)
    return adapted.train()
