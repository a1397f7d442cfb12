"""LoRA adapters of checkpoints in folders: which checkpoint is meant, and both as one model.

torch comes with `load`, not before. What a training writes into an adapter's folder stands in
`ssui_train.folder`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import read_object

CONFIG = "adapter_config.json"


def base_of(adapter: Path) -> Path:
    """The checkpoint that an adapter was trained on; raises SsuiError where it is no folder here."""
    found = read_object(adapter / CONFIG)
    if found is None:
        raise ConfigError(f"{adapter / CONFIG}: no such file; expected the folder of a LoRA adapter")
    base = found.get("base_model_name_or_path")
    if not isinstance(base, str) or not (Path(base) / "config.json").is_file():
        raise ConfigError(f"{adapter}: its base {base!r} is no checkpoint's folder here")
    return Path(base)


def load(folder: Path) -> tuple[Any, Any]:
    """Model (float32, evaluation mode) and processor of a checkpoint, or of an adapter of one.

    Raises SsuiError for an adapter whose base is not here, or is another.
    """
    from microworld.learning import model

    if not (folder / CONFIG).is_file():
        return model.load(folder)
    return adapted(base_of(folder), folder)


def adapted(base: Path, adapter: Path) -> tuple[Any, Any]:
    """As `load`, with the base that is named."""
    from microworld.learning import model
    from ssui_train.model import merged

    bare, processor = model.load(base)
    return merged(bare, adapter), processor
