"""Before a training: does it see? A red and a blue picture must not be the same to the model.

A model that swallows an argument it does not know (transformers below 5.18 do), a processor or a tower that
is not what it should be: nothing fails, the loss falls, and the pictures have taught nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import transformers
from PIL import Image
from torch import Tensor

from ssui_gen.errors import ConfigError
from ssui_gen.records import ImageRef
from ssui_train.encode import Encoder
from ssui_train.example import Example
from ssui_train.forward import Eyes
from ssui_train.loss import USUAL
from ssui_train.rows import Row, RowMaker

COLOURS = ("red", "blue")
SIDE = 224
"""Pixels; no processor scales it up to many tokens or finds it too small."""
SAID = "1. Visual context: a plain colour fills the picture."
SAME = 1e-6
"""Nats; a model that sees differs by far more, one that does not by nothing."""

Says = Callable[[Row, Eyes], Tensor]
"""What a training's own path makes of a row, seen with these eyes: (s), a figure of each scored token."""


def refuse_blind(says: Says, maker: RowMaker, encoder: Encoder, name: str) -> None:
    """Raises ConfigError if all that is said of two pictures is the same."""
    red, blue = (says(*_shown(maker, encoder, colour)) for colour in COLOURS)
    if not torch.allclose(red, blue, rtol=0, atol=SAME):
        return
    raise ConfigError(
        f"model: {name}: a plain red and a plain blue picture give the same probabilities, so this trains "
        f"blind: with packing: {maker.packing} under transformers {transformers.__version__} no picture "
        "reaches the text. Look at its weights and processor, take another version, or the other packing"
    )


def _shown(maker: RowMaker, encoder: Encoder, colour: str) -> tuple[Row, Eyes]:
    """The same words about a picture of this colour, packed as the training packs."""
    asked = encoder.asked("", "What is this?", [Image.new("RGB", (SIDE, SIDE), colour)])
    example = Example(
        id=colour,
        seed_id=colour,
        kind="benign",
        images=(ImageRef(path="", sha256=colour, width=SIDE, height=SIDE),),
        text="",
        prompt=encoder.prompt(asked),
        reference=encoder.ids(SAID),
        branches=(),
        pairs=(),
    )
    row = RowMaker(USUAL["sft"], maker.packing, by_paths=maker.by_paths, pad=maker.pad)([example])
    return row, Eyes(lambda _: encoder.shown(asked), cache_gb=0)
