"""What is known of a model and of its adapters before anything is loaded: by its folder, by the hub's cache
on this machine, or by its name alone. Asks no network.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.errors import ConfigError
from ssui_gen.serving import vllm_sizes

INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
SINGLE = ("model*.safetensors", "consolidated*.safetensors", "*.safetensors", "pytorch_model*.bin")
"""Where there is no index; the first that is there. Some folders hold the same weights in two layouts."""
ADAPTERS = "adapter_"
"""How the names of an adapter's files begin."""
SEES = re.compile(r"vis(ion|ual)|img|image|siglip|vit_")
"""In the config's keys of a model that sees."""
UNSCALED = ("default", "mrope", "llama3", "longrope", "su", "yarn", "deepseek_yarn", "proportional")
"""Kinds of RoPE whose `max_position_embeddings` is the whole context, as vLLM reads it."""
COMMIT = re.compile(r"[0-9a-f]{6,64}")
"""How the hub's cache names the folder of a revision."""
POINTER = b"version https://git-lfs"


class Model(NamedTuple):
    """What is known of a model before it is loaded."""

    name: str
    """A hub name or a folder, as the user gave it; it is served under that name."""
    gigabytes: float | None = None
    """Of weights: on disk, or by the config's shapes; None leaves it to the name."""
    context: int | None = None
    """Tokens; None when the config is not at hand."""
    kind: str = ""
    """`model_type` of its config."""
    local: bool = False
    heads: int | None = None
    """Attention heads of its language model, which the GPUs of a replica divide among them."""
    code: bool = False
    """Whether its config names code of its own."""
    folder: Path | None = None
    """Where its files are, its own or the hub's cache; None where they are not at hand."""

    @property
    def weights(self) -> float | None:
        """Gigabytes; None if nothing tells."""
        return self.gigabytes if self.gigabytes is not None else vllm_sizes.by_name(self.called)

    @property
    def called(self) -> str:
        """Its name without the folders that it lies in, whose names say nothing about it."""
        if not self.local:
            return self.name
        parts = [part for part in Path(self.name).parts if not COMMIT.fullmatch(part) and part != "snapshots"]
        return parts[-1] if parts else self.name


class Adapter(NamedTuple):
    """A LoRA adapter to serve beside its base."""

    name: str
    folder: str
    rank: int
    base: str = ""
    """The model that it says it was trained on."""


def about(model: str, revision: str = "main") -> Model:
    """Raises ConfigError for a folder that holds no vision-language model, or not all of it."""
    folder = Path(model).expanduser()
    local = folder.exists() or model.startswith(("/", ".", "~"))
    if not local:
        cached = _snapshot(model, revision)
        if not cached or not (cached / "config.json").exists():
            return Model(model)
        folder = cached
    config = _config(folder, "config.json", "a model's folder, or its name on a hub")
    if local and not any(SEES.search(key) for key in config):
        kinds = ", ".join(map(str, config.get("architectures") or ["unknown architecture"]))
        raise ConfigError(f"{folder}: not a vision-language model ({kinds}): its config has no vision_config")
    size = _on_disk(folder, whole=local)
    heads = vllm_sizes.text_of(config).get("num_attention_heads")
    return Model(
        model,
        size if size is not None else vllm_sizes.by_config(config),
        _context(vllm_sizes.text_of(config)),
        str(config.get("model_type", "")),
        local,
        heads if isinstance(heads, int) and heads > 0 else None,
        "AutoConfig" in (config.get("auto_map") or {}),
        folder,
    )


def _snapshot(name: str, revision: str) -> Path | None:
    """Where the hub's cache keeps this revision of a model; None if it was never downloaded."""
    kept = _cache() / f"models--{name.replace('/', '--')}"
    try:
        commit = (kept / "refs" / revision).read_text("utf-8").strip()
    except (OSError, ValueError):
        commit = revision
    found = kept / "snapshots" / commit
    return found if COMMIT.fullmatch(commit) and found.is_dir() else None


def _cache() -> Path:
    """As huggingface_hub looks for it."""
    set_ = os.environ
    home = set_.get("HF_HOME") or str(Path(set_.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    cache = set_.get("HF_HUB_CACHE") or set_.get("HUGGINGFACE_HUB_CACHE") or str(Path(home) / "hub")
    return Path(cache).expanduser()


def _on_disk(folder: Path, *, whole: bool) -> float | None:
    """Gigabytes by the index, else of the files that are there; None if there are none.

    Raises ConfigError when the folder must be `whole` and a file of the index is missing or a pointer.
    """
    for name in INDEXES:
        if (folder / name).exists():
            return _indexed(folder, name, whole=whole)
    layouts = (sorted(folder.glob(pattern)) for pattern in SINGLE)
    found = [[file for file in files if not file.name.startswith(ADAPTERS)] for files in layouts]
    files = next((files for files in found if files), [])
    if whole:
        for file in files:
            _refuse_pointer(file)
    return sum(file.stat().st_size for file in files) / 1e9 if files else None


def _indexed(folder: Path, name: str, *, whole: bool) -> float | None:
    index = _config(folder, name, "a list of the model's files, as transformers saves it")
    shards = {str(file) for file in _mapping(index.get("weight_map")).values()}
    missing = sorted(shard for shard in shards if not (folder / shard).exists())
    if whole and missing:
        raise ConfigError(
            f"{folder / missing[0]}: no such file, and {name} names it: expected the whole model "
            f"({len(missing)} of {len(shards)} files are missing)"
        )
    if shards and not missing:
        for shard in shards if whole else ():
            _refuse_pointer(folder / shard)
        return sum((folder / shard).stat().st_size for shard in shards) / 1e9
    total = _mapping(index.get("metadata")).get("total_size")
    return total / 1e9 if isinstance(total, int | float) and total > 0 else None


def _refuse_pointer(file: Path) -> None:
    with file.open("rb") as opened:
        if opened.read(len(POINTER)) == POINTER:
            raise ConfigError(f"{file}: a Git LFS pointer, not the weights: run `git lfs pull` in its folder")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _context(text: Mapping[str, Any]) -> int | None:
    """Tokens, as vLLM derives them; a context that is stretched by RoPE counts as stretched."""
    most = text.get("max_position_embeddings")
    if not isinstance(most, int) or most < 1:
        return None
    rope = _mapping(text.get("rope_parameters")) or _mapping(text.get("rope_scaling"))
    factor = rope.get("factor")
    stretched = (rope.get("rope_type") or rope.get("type") or "default") not in UNSCALED
    return int(most * factor) if stretched and isinstance(factor, int | float) and factor > 1 else most


def about_adapter(folder: str) -> Adapter:
    """Raises ConfigError for a folder that holds no LoRA adapter."""
    path = Path(folder).expanduser()
    config = _config(path, "adapter_config.json", "a LoRA adapter's folder, as PEFT saves it")
    rank = config.get("r", 16)
    if not isinstance(rank, int) or rank < 1:
        raise ConfigError(
            f"{path / 'adapter_config.json'}: r: expected a whole number from 1 on; got {rank!r}"
        )
    base = str(config.get("base_model_name_or_path") or "")
    return Adapter(path.resolve().name, str(path.resolve()), rank, base)


def _config(folder: Path, name: str, expected: str) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / name).read_text("utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        why = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise ConfigError(f"{folder / name}: {why}: expected {expected}") from None
