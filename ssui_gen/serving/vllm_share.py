"""How many GPUs one replica gets, and whether it fits them at all. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ssui_gen.errors import ConfigError
from ssui_gen.serving.vllm_machine import Machine
from ssui_gen.serving.vllm_model import Model

USED_SHARE = 0.92
"""Of a GPU's memory that vLLM takes by default."""
WEIGHTS_SHARE = 0.7
"""Of that, the most that weights may take; the rest is for the KV cache."""
PARTS = ("tensor-parallel-size", "pipeline-parallel-size")
"""Flags whose product is the GPUs of a replica."""
SMALLER = ("cpu-offload-gb", "quantization", "load-format", "hf-overrides", "gpu-memory-utilization")
"""Flags that change how much memory weights take, or may take."""


def gpus_each(model: Model, machine: Machine, typed: Mapping[str, Any], notice: Callable[[str], None]) -> int:
    """How many GPUs one replica gets: as many as its weights need, or as the user says; 0 on a CPU.

    Raises ConfigError when the weights cannot fit all that it may use, or more GPUs are typed than there are.
    """
    if not machine.gpus:
        return 0
    if any(typed.get(part) is not None for part in PARTS):
        return _typed(machine, typed)
    weights = model.weights
    if weights is None:
        notice(
            f"{model.name}: how large its weights are is not known (no files here, no size in its name), so "
            "each replica gets one GPU: if memory ends, say how many it needs: -- --tensor-parallel-size 4"
        )
        return 1
    each = needed(weights, model.heads, machine)
    if weights > each * machine.gigabytes * USED_SHARE and not set(SMALLER) & typed.keys():
        raise ConfigError(_too_large(model, weights, each, machine))
    return each


def needed(weights: float, heads: int | None, machine: Machine) -> int:
    """A power of two by which attention heads can be divided; the most there is where none is enough."""
    powers = [1 << power for power in range(machine.gpus.bit_length())]
    may = [count for count in powers if count <= machine.gpus and not (heads or count) % count]
    enough = math.ceil(weights / (machine.gigabytes * USED_SHARE * WEIGHTS_SHARE))
    return next((count for count in may if count >= enough), may[-1])


def _typed(machine: Machine, typed: Mapping[str, Any]) -> int:
    said = {part: str(typed[part]) for part in PARTS if typed.get(part) is not None}
    words = " ".join(f"--{part} {count}" for part, count in said.items())
    if not all(count.isdecimal() and int(count) > 0 for count in said.values()):
        raise ConfigError(f"serve: {words}: expected whole numbers from 1 on")
    each = math.prod(map(int, said.values()))
    if each > machine.gpus:
        raise ConfigError(f"serve: {words}: expected at most {machine.gpus} GPUs, as many as vLLM may use")
    return each


def _too_large(model: Model, weights: float, each: int, machine: Machine) -> str:
    gpus = "1 GPU" if each == 1 else f"{each} GPUs"
    odd = f" ({model.heads} attention heads divide by no more)" if each * 2 <= machine.gpus else ""
    return (
        f"{model.name}: about {weights:.0f} GB of weights, and vLLM may take "
        f"{each * machine.gigabytes * USED_SHARE:.0f} GB of {gpus} of {machine.gigabytes:.0f} GB{odd}: take "
        "more or larger GPUs, a smaller or quantized model, or say how: -- --pipeline-parallel-size 2, "
        "--cpu-offload-gb 40, --quantization fp8"
    )
