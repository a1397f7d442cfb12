"""Which flags vLLM is started with: chosen by model and memory, each one overridable. Pure.

The choices and their sources: vLLM's playbook for our work is many short structured answers about few
pictures, so prefix caching, priorities and a bounded queue matter more than long contexts. What a family
wants beyond that stands in `vllm_families`, what the installed vLLM knows in `vllm_known`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ssui_gen.serving.vllm_families import of_family
from ssui_gen.serving.vllm_machine import Machine
from ssui_gen.serving.vllm_model import Adapter, Model
from ssui_gen.settings import PIXELS

Flags = dict[str, Any]
"""vLLM's flags without dashes. True and False stand for `--x` and `--no-x`, None for not given."""

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What `--max-lora-rank` accepts."""
SIZED = ((70, 512, 8192), (38, 256, 8192), (22, 128, 4096), (0, 64, 4096))
"""From so many gigabytes of a GPU: sequences at once, tokens in a batch."""


def choose(
    model: Model,
    machine: Machine,
    media: str,
    adapters: Sequence[Adapter] = (),
    pixels: int = PIXELS,
    *,
    each: int = 1,
    thinking: bool = False,
    images: int = 1,
) -> Flags:
    """Flags for one replica on `each` GPUs that may read pictures below `media`, `images` a request, scales
    larger ones to `pixels` where its processor can be told, and lets a model think first if it must, or on
    `thinking`.
    """
    flags: Flags = {
        "allowed-local-media-path": media,
        "enable-prefix-caching": True,
        "enable-prompt-tokens-details": True,
        "generation-config": "vllm",
        "scheduling-policy": "priority",
        "max-num-queued-reqs": 2048,
        "structured-outputs-config": {"backend": "guidance", "disable_any_whitespace": True},
    }
    flags |= _sizes(machine) | of_family(model, pixels, thinking, images)
    if each > 1:
        flags["tensor-parallel-size"] = each
    return flags | _lora(adapters)


def _sizes(machine: Machine) -> Flags:
    if not machine.gpus:  # in chunks, a request with a seed ends vLLM 0.32's CPU engine
        return {
            "dtype": "float32",
            "enforce-eager": True,
            "enable-chunked-prefill": False,
            "block-size": 32,
            "max-num-seqs": 64,
        }
    seqs, tokens = next((seqs, tokens) for least, seqs, tokens in SIZED if machine.gigabytes >= least)
    return {"max-num-seqs": seqs, "max-num-batched-tokens": tokens}


def _lora(adapters: Sequence[Adapter]) -> Flags:
    if not adapters:
        return {}
    rank = max(adapter.rank for adapter in adapters)
    return {
        "enable-lora": True,
        "lora-modules": [f"{adapter.name}={adapter.folder}" for adapter in adapters],
        "max-loras": len(adapters),
        "max-lora-rank": next((size for size in RANKS if size >= rank), RANKS[-1]),
    }


def environment(model: Model, machine: Machine) -> dict[str, str]:
    """Variables that vLLM is started with, unless they are set already."""
    found = {"VLLM_NO_USAGE_STATS": "1"}
    if model.local:
        found["HF_HUB_OFFLINE"] = "1"
    if not machine.gpus:
        found |= {"TORCH_COMPILE_DISABLE": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}
    return found


def read_flags(words: Sequence[str]) -> Flags:
    """Flags as typed: `--max-num-seqs 64 --no-enable-prefix-caching`; `_` is read as `-`, as vLLM does.

    Raises ValueError for anything else.
    """
    flags: Flags = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            off = name.startswith(("no-", "no_")) and not equals
            name = dashed(name)[3:] if off else dashed(name)
            flags[name] = value if equals else not off
        elif not name:
            raise ValueError(f"expected vLLM's flags, each beginning with --; got {word!r}")
        else:
            flags[name] = word if flags[name] is True else [*_listed(flags[name]), word]
    return flags


def dashed(name: str) -> str:
    return name.replace("_", "-")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def arguments(flags: Mapping[str, Any]) -> list[str]:
    """Flags as words of a command line."""
    words: list[str] = []
    for name, value in flags.items():
        if value is True or value is False:
            words.append(f"--{name}" if value else f"--no-{name}")
        elif value is not None:
            values = (json.dumps(v) if isinstance(v, dict) else str(v) for v in _listed(value))
            words += [f"--{name}", *values]
    return words
