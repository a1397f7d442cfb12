"""Which flags vLLM is started with: chosen by model and memory, each one overridable. Pure.

The choices and their sources: vLLM's playbook for our work is many short structured answers about few
pictures, so prefix caching, priorities and a bounded queue matter more than long contexts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ssui_gen.settings import PIXELS

Flags = dict[str, Any]
"""vLLM's flags without dashes. True and False stand for `--x` and `--no-x`, None for not given."""

CONTEXT = 16384
"""Tokens; six steps about one picture of 1,280 px need a quarter."""
USED_SHARE = 0.92
"""Of a GPU's memory that vLLM takes by default."""
WEIGHTS_SHARE = 0.7
"""Of that, the most that weights may take; the rest is for the KV cache."""
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What `--max-lora-rank` accepts."""
BYTES = {"awq": 0.6, "gptq": 0.6, "int4": 0.6, "4bit": 0.6, "fp8": 1.1, "int8": 1.1}
"""Per parameter, by a word in the model's name; half precision without one."""
SIZED = ((70, 512, 8192), (38, 256, 8192), (22, 128, 4096), (0, 64, 4096))
"""From so many gigabytes of a GPU: sequences at once, tokens in a batch."""


class Machine(NamedTuple):
    """What vLLM may use."""

    gpus: int
    """0 means the CPU build."""
    gigabytes: float
    """Of one GPU."""


class Model(NamedTuple):
    """What is known of a model before it is loaded."""

    name: str
    """A hub name or a folder, as the user gave it; it is served under that name."""
    gigabytes: float | None = None
    """Of weights on disk; None leaves it to the name."""
    context: int | None = None
    """Tokens; None when the config is not at hand."""
    kind: str = ""
    """`model_type` of its config."""
    local: bool = False


class Adapter(NamedTuple):
    """A LoRA adapter to serve beside its base."""

    name: str
    folder: str
    rank: int
    base: str = ""
    """The model that it says it was trained on."""


def weights(model: Model) -> float:
    """Gigabytes of weights; by "7B" in the name where the files are not at hand, 0 if nothing tells."""
    if model.gigabytes is not None:
        return model.gigabytes
    name = model.name.lower()
    sizes = re.findall(r"(?<![a-z\d.])(\d+(?:\.\d+)?)b(?![a-z])", name)
    per = next((size for word, size in BYTES.items() if word in name), 2.1)
    return max(map(float, sizes), default=0.0) * per


def gpus_each(model: Model, machine: Machine) -> int:
    """How many GPUs one replica needs: a power of two, as attention heads must divide by it."""
    if not machine.gpus:
        return 0
    room = machine.gigabytes * USED_SHARE * WEIGHTS_SHARE
    needed = max(1, math.ceil(weights(model) / room))
    return min(1 << math.ceil(math.log2(needed)), machine.gpus)


def choose(
    model: Model, machine: Machine, media: str, adapters: Sequence[Adapter] = (), pixels: int = PIXELS
) -> Flags:
    """Flags for one replica that may read pictures below `media`, and scales larger ones to `pixels` where
    its processor can be told.
    """
    flags: Flags = {
        "limit-mm-per-prompt": {"image": 1},
        "allowed-local-media-path": media,
        "enable-prefix-caching": True,
        "enable-prompt-tokens-details": True,
        "scheduling-policy": "priority",
        "max-num-queued-reqs": 2048,
        "structured-outputs-config": {"backend": "guidance", "disable_any_whitespace": True},
    }
    flags |= _sizes(machine) | _of_kind(model, pixels)
    flags["max-model-len"] = min(CONTEXT, model.context) if model.context else _context_by_name(model.name)
    if (each := gpus_each(model, machine)) > 1:
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


def _of_kind(model: Model, pixels: int) -> Flags:
    """Qwen's models also take films, whose room would be kept free, and pictures of any size."""
    name = f"{model.kind} {model.name}".lower()
    if not re.search(r"qwen[\d._]*-?_?vl", name):
        return {}
    flags: Flags = {"limit-mm-per-prompt": {"image": 1, "video": 0}}
    return flags | ({"mm-processor-kwargs": {"max_pixels": pixels}} if re.search(r"qwen2", name) else {})


def _context_by_name(name: str) -> int | None:
    """LLaVA's older language models have short contexts; None lets vLLM read it from the config."""
    if re.search(r"vicuna|llava-1\.5", name, re.IGNORECASE):
        return 4096
    return CONTEXT if re.search(r"qwen|mistral", name, re.IGNORECASE) else None


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
    """Flags as typed: `--max-num-seqs 64 --no-enable-prefix-caching`. Raises ValueError for anything else."""
    flags: Flags = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            off = name.startswith("no-") and not equals
            name = name.removeprefix("no-") if off else name
            flags[name] = value if equals else not off
        elif not name:
            raise ValueError(f"expected vLLM's flags, each beginning with --; got {word!r}")
        else:
            flags[name] = word if flags[name] is True else [*_listed(flags[name]), word]
    return flags


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
