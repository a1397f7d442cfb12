"""An adapter and its base → one model that needs neither: `python -m ssui_train.merge ADAPTER --output DIR`.

(`ssui merge` and `make merge` run this.) Adapters that load without touching a layer, and merged models that
are their base, are failures that others met in silence. So the base must be the one that the adapter was
trained on, and the merged model is asked one question: if it answers as the base does, nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging

from ssui_gen.commands import command
from ssui_gen.errors import ConfigError, SsuiError, TrainError
from ssui_gen.terminal import Terminal, forgive
from ssui_train.encode import Encoder
from ssui_train.model import CONFIG, adapter_config, merged

QUESTION = "What is here, and what should I know before I touch it?"
SIDE = 224
"""Pixels of the picture that is asked about."""


def merge(adapter: Path, output: Path, base: str | None = None) -> float:
    """Write the merged model; returns how far its logits are from the base's. Raises SsuiError."""
    if output.exists() and any(output.iterdir()):
        raise ConfigError(f"{output}: is there already: choose another output, or remove it")
    name = base or base_of(adapter)
    try:
        model = AutoModelForImageTextToText.from_pretrained(name, dtype="auto").eval()
        processor = AutoProcessor.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name}: the base cannot be loaded: {error}: name it with --base") from None
    before = logits(model, processor)
    both = merged(model, adapter)
    far = float((logits(both, processor) - before).abs().max())
    if far == 0:
        raise TrainError(f"{adapter}: merged, and the model answers as {name} does: nothing was written")
    both.save_pretrained(output)
    processor.save_pretrained(output)
    return far


def base_of(adapter: Path) -> str:
    """The name of the model that an adapter says it belongs to."""
    name = adapter_config(adapter).get("base_model_name_or_path")
    if not isinstance(name, str) or not name:
        raise ConfigError(
            f"{adapter / CONFIG}: base_model_name_or_path: expected a name; got {name!r}: say it with --base"
        )
    return name


@torch.no_grad()
def logits(model: Any, processor: Any) -> torch.Tensor:
    """(v): of the first token that is said about a grey picture, in float32."""
    encoder = Encoder(processor, model)
    asked = encoder.asked("", QUESTION, [Image.new("RGB", (SIDE, SIDE), "grey")])
    told = {name: v.to(model.dtype) if v.is_floating_point() else v for name, v in asked.items()}
    found: torch.Tensor = model(**told, use_cache=False).logits[0, -1]
    return found.float()


def main(argv: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="ssui_train.merge", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("adapter", type=Path)
    parser.add_argument("--output", type=Path, help="default: `merged` beside the adapter")
    parser.add_argument("--base", help="hub name or folder; default: as the adapter says")
    forgive()
    args = parser.parse_args(argv)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    output = args.output or args.adapter.parent / "merged"
    try:
        far = merge(args.adapter, output, args.base)
    except SsuiError as error:
        Terminal(stderr=True).print(f"merge: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    said = f"{output}: merged; its logits differ from the base's by up to {far:.2g}."
    say = partial(Terminal().print, markup=False, highlight=False, soft_wrap=True)
    say(f"{said}\nNext: {command('serve', MODEL=output)}")


if __name__ == "__main__":
    main()
