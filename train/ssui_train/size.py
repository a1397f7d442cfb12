"""How much memory a model's weights will take, read from its files before any of them is loaded.

An index names the shards, and a safetensors file begins with a list of its tensors (eight bytes that say how
long it is, then JSON), so nothing else is read. What is given is a floor: the adapter, the activations and
the kernels come on top. So what is refused here would not have fit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from huggingface_hub import try_to_load_from_cache

from ssui_gen.errors import ConfigError

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
SPARED = ("visual", "vision_tower", "multi_modal_projector", "lm_head")
"""Parts that `quantize: 4bit` leaves as they are: the tower loses its sight in 4 bits."""
NF4 = 0.5 + 4 / 64
"""Bytes of a weight: 4 bits, and a scale in fp32 for each 64 (QLoRA, arXiv 2305.14314)."""
GB = 1e9


class Weights(NamedTuple):
    """How many numbers a model has: those that 4 bits would hold, and the rest."""

    linear: int
    rest: int

    def held(self, precision: torch.dtype, quantize: str) -> float:
        """Bytes, at least."""
        each = NF4 if quantize == "4bit" else precision.itemsize
        return self.linear * each + self.rest * precision.itemsize


def weights(name: str) -> Weights | None:
    """Of a folder, or of a hub's model that is in the cache; None where its files tell nothing."""
    if index := _file(name, INDEX):
        found = json.loads(index.read_text("utf-8"))
        shards = [_file(name, shard) for shard in sorted(set(found["weight_map"].values()))]
        if all(shards):
            return _counted([shard for shard in shards if shard])
        total = found.get("metadata", {}).get("total_size", 0)
        return Weights(int(total) // _stored(name), 0) if total else None
    single = _file(name, SINGLE)
    return _counted([single]) if single else None


def _stored(name: str) -> int:
    """Bytes of a weight on disk, where an index tells nothing but their sum."""
    config = _file(name, "config.json")
    told = json.loads(config.read_text("utf-8")) if config else {}
    return 4 if "float32" in (told.get("dtype"), told.get("torch_dtype")) else 2


def _file(name: str, file: str) -> Path | None:
    """Where a file of the model lies, if it is here."""
    if Path(name).is_dir():
        return Path(name) / file if (Path(name) / file).exists() else None
    found = try_to_load_from_cache(name, file)
    return Path(found) if isinstance(found, str) else None


def _counted(files: list[Path]) -> Weights:
    tensors = [tensor for file in files for tensor in _header(file)]
    linear = sum(math.prod(shape) for name, shape in tensors if _is_linear(name, shape))
    return Weights(linear, sum(math.prod(shape) for _, shape in tensors) - linear)


def _header(file: Path) -> Iterator[tuple[str, list[int]]]:
    """Name and shape of every tensor of a safetensors file."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        found = json.loads(opened.read(length))
    yield from ((name, told["shape"]) for name, told in found.items() if name != "__metadata__")


def _is_linear(name: str, shape: list[int]) -> bool:
    """Whether bitsandbytes would hold it in 4 bits: a matrix, none of an embedding or of what is spared."""
    return len(shape) == 2 and "embed" not in name and not any(part in name for part in SPARED)


def refuse_too_large(
    name: str, quantize: str, precision: torch.dtype, room: int, processes: int = 1, shard: bool = False
) -> None:
    """Raises ConfigError if the weights alone, or this process's part of them where they are shared out,
    exceed `room`, the bytes free on its GPU.
    """
    found = weights(name)
    if found is None or found.held(precision, quantize) <= room * (processes if shard else 1):
        return
    part = found.held(precision, "none") / processes
    kind = "4 bits" if quantize == "4bit" else str(precision).removeprefix("torch.")
    raise ConfigError(
        f"model: {name}: its weights take about {found.held(precision, quantize) / GB:.1f} GB in {kind}, and "
        f"{room / GB:.1f} GB of the GPU are free: "
        f"{_instead(found, quantize, room)}{_shared(part, processes, shard)}"
    )


def _instead(found: Weights, quantize: str, room: int) -> str:
    """What would fit."""
    small = found.held(torch.bfloat16, "4bit")
    if quantize != "4bit" and small <= room:
        return f"set quantize: 4bit (about {small / GB:.1f} GB)"
    also = "" if quantize == "4bit" else f" (quantize: 4bit would take about {small / GB:.1f} GB)"
    return f"take a smaller model or a larger GPU{also}"


def _shared(part: float, processes: int, shard: bool) -> str:
    """What several processes are to it; `part` in bytes."""
    if shard:
        return f"; shard: true has each of the {processes} processes hold {part / GB:.1f} GB: start more"
    if processes == 1:
        return ", or start several processes, each with a GPU, and set shard: true"
    return (
        f"; each of the {processes} processes holds all of them: without quantize, shard: true would have "
        f"each hold {part / GB:.1f} GB, and the layers at work"
    )
