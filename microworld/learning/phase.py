"""One phase of a training, by the clock: its optimiser and rate, its log, and when it is saved."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

SAVE_EVERY = 120.0
LOG_EVERY = 20
CLIP = 1.0


@dataclass(frozen=True)
class Phase:
    """How long, how fast, and how strongly held back."""

    name: str
    minutes: float
    rate: float
    half: bool = True
    """bfloat16 products under float32 weights: 1.4 times as fast where the processor knows them."""
    decay: float = 0.02


class Trainer:
    """One phase: AdamW on a cosine over wall-clock time, saved every two minutes."""

    def __init__(self, phase: Phase, parameters: list[torch.nn.Parameter], folder: Path) -> None:
        self.phase, self.folder, self.parameters = phase, folder, parameters
        self.device = parameters[0].device
        self.optimizer = torch.optim.AdamW(parameters, phase.rate, (0.9, 0.98), weight_decay=phase.decay)
        self.seconds, self.steps = 0.0, 0

    @property
    def share(self) -> float:
        """How much of the phase's time is used."""
        return min(1.0, self.seconds / (60 * self.phase.minutes))

    def rate(self) -> float:
        """A short rise, then a cosine down to a fiftieth."""
        rise = min(1.0, (self.steps + 1) / 100)
        return self.phase.rate * rise * (0.02 + 0.98 * (1 + math.cos(math.pi * self.share)) / 2)

    def step(self, loss: torch.Tensor) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def run(
        self, loss: Callable[[float], tuple[torch.Tensor, dict[str, float]]], keep: Callable[[], None]
    ) -> None:
        """Until the time is used up; `loss` is given the share of time used."""
        saved = self.seconds
        while self.share < 1:
            start = time.monotonic()
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.phase.half):
                value, facts = loss(self.share)
            self.step(value)
            self.steps += 1
            self.seconds += time.monotonic() - start
            if self.steps % LOG_EVERY == 0:
                self.log({"loss": round(value.item(), 4), **facts})
            if self.seconds - saved > SAVE_EVERY:
                keep()
                saved = self.seconds
        keep()

    def log(self, facts: dict[str, Any]) -> None:
        row = {"phase": self.phase.name, "step": self.steps, "seconds": round(self.seconds), **facts}
        with (self.folder / "curve.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
