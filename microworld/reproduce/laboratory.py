"""The bare policy in this process: loaded once, each picture looked at once, whatever is trained or asked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import ssui_train
from microworld.draw.pool import picture as drawn
from microworld.reproduce.decoding import Completion, Marks, Request, decode
from microworld.reproduce.weights import Weights, weights_of
from microworld.world.pairs import Pair
from ssui_gen.shipped import shipped
from ssui_train.config import SrpoConfig, load
from ssui_train.encode import Encoder
from ssui_train.example import Example, Prompt
from ssui_train.families import features
from ssui_train.forward import Eyes
from ssui_train.model import load_base

SETTINGS = shipped(Path(ssui_train.__file__).parent, "micro.yaml")
"""How a micro VLM is trained; what a cell says goes before it."""
HERE = {"precision": "fp32", "held_out": 0, "watch": 1}
"""Nothing is held out or watched: a cell is measured on scenes of its own."""
CACHE_GB = 1.0


class Laboratory:
    """One for a process."""

    def __init__(self, model: Path) -> None:
        self.config = load(SETTINGS, model=str(model))
        self.base, processor = load_base(self.config.model_copy(update={"precision": "fp32"}))
        self.base.eval()
        self.encoder = Encoder(processor, self.base)
        self.marks = Marks(
            self.encoder.end, self.encoder.tokenizer.pad_token_id, self.base.config.image_token_id
        )
        self.eyes = Eyes(self._look, CACHE_GB)
        self._shown: dict[str, dict[str, Tensor]] = {}
        self._prompts: dict[tuple[str, str], Prompt] = {}

    @cached_property
    def bare(self) -> Weights:
        """Of the policy before any training."""
        return weights_of(self.base)

    def settings(self, told: dict[str, Any]) -> SrpoConfig:
        """Of a training: what is told, else what micro.yaml says. Raises ConfigError."""
        return load(SETTINGS, usual=HERE | told, model=self.config.model)

    def prompt(self, pair: Pair) -> Prompt:
        """What stands before every answer to a pair."""
        self._see(pair)
        return self._prompts[pair.scene.id, pair.text]

    def go_on(
        self,
        weights: Weights,
        wanted: Sequence[tuple[Pair, str, Sequence[float]]],
        seed: int = 0,
    ) -> list[list[tuple[str, Completion]]]:
        """What follows on each pair's prefix, an answer for each temperature: text and ids."""
        asked = [self._asked(*one) for one in wanted]
        found = decode(weights, asked, self.marks, seed)
        return [
            [(self._after(prefix, said), said) for said in several]
            for (_, prefix, _), several in zip(wanted, found, strict=True)
        ]

    def _after(self, prefix: str, said: Completion) -> str:
        """What was written after the prefix, as text."""
        return self.encoder.text([*self.encoder.ids(prefix), *said.ids])[len(prefix) :]

    def _asked(self, pair: Pair, prefix: str, temperatures: Sequence[float]) -> Request:
        prompt = self.prompt(pair)
        ids = [*prompt.ids, *self.encoder.ids(prefix)]
        return Request(ids, self._features(pair.scene.id), temperatures)

    def _features(self, scene: str) -> Tensor:
        (seen,) = self.eyes.kept[(scene,)].pooled
        return seen

    def _see(self, pair: Pair) -> None:
        """Draw the picture and look at it, once; once for each text more, ask."""
        scene = pair.scene.id
        if (scene, pair.text) in self._prompts:
            return
        asked = self.encoder.asked("", pair.text, [drawn(pair.scene)])
        self._prompts[scene, pair.text] = self.encoder.prompt(asked)
        self._shown[scene] = self.encoder.shown(asked)
        if (scene,) not in self.eyes.kept:
            with torch.no_grad():
                self.eyes.kept[(scene,)] = features(self.base, self._shown[scene])

    def _look(self, example: Example) -> dict[str, Tensor]:
        return self._shown[example.images[0].sha256]
