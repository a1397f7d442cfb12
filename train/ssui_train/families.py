"""What differs between architectures: whether a tree may be packed, where tokens stand, what a tower sees.

A tree needs an architecture that attends causally, pictures included, that takes a mask and positions from
outside, and that was tested to give the log-probabilities of single sequences (tests/test_tree.py): those of
`TREE`. Any other is trained a row a continuation. Gemma 3 and PaliGemma, for instance, let the tokens of a
picture see each other, which a causal mask of ours would forbid, and Qwen 3.5's recurrent layers carry a
state along the row, which no mask divides.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Any

import torch
import transformers
from torch import Tensor

from ssui_gen.errors import ConfigError

TREE = (
    "qwen2_vl",
    "qwen2_5_vl",
    "qwen3_vl",
    "llava",
    "llava_next",
    "llava_onevision",
    "internvl",
    "mistral3",
    "aya_vision",
)
"""Model types that were tested; `llava` with CLIP's tower and with Pixtral's."""
FEATURES = "mm_encoder_outputs"
"""How a model takes what its tower has made of the pictures."""
SINCE = "5.18"
"""The first transformers whose models do."""
PIXELS = "pixel_values"


SCALED = ("qwen2_vl", "qwen2_5_vl")
"""Model types whose pictures `ssui serve` has scaled to `serve.max_pixels`."""


def limit_pixels(model: Any, processor: Any, most: int) -> None:
    """Have the processor scale larger pictures to `most` pixels, as the server did, where it was told to."""
    if model.config.model_type in SCALED:
        pictures = processor.image_processor
        least = dict(pictures.size)["shortest_edge"]
        pictures.size = {"shortest_edge": least, "longest_edge": most}


def picture_id(model: Any) -> int | None:
    """The token whose repetition stands for a picture."""
    names = ("image_token_id", "image_token_index")
    found = (getattr(model.config, name, None) for name in names)
    return next((int(id) for id in found if id is not None), None)


def may_pack(model: Any) -> bool:
    """Whether trees of this model's sequences give what the sequences give."""
    return model.config.model_type in TREE


def unpackable(model: Any, max_tokens: int) -> str | None:
    """Why trees of this model's sequences, of at most so many tokens, give something else; None if not."""
    kind, text = model.config.model_type, model.config.get_text_config()
    layers = set(getattr(text, "layer_types", None) or ["full_attention"])
    if odd := layers - {"full_attention", "sliding_attention"}:
        return f"{kind} has layers of {', '.join(sorted(odd))}, which no mask divides into branches"
    if not may_pack(model):
        return f"{kind} is not among the architectures that a tree was tested with ({', '.join(TREE)})"
    window = getattr(text, "sliding_window", None)
    slides = "sliding_attention" in layers or not hasattr(text, "layer_types")
    if window and slides and window < max_tokens:
        return f"{kind} looks back {window:,} tokens only, fewer than max_tokens {max_tokens:,}"
    return None


def refuse_blind_tree(model: Any) -> None:
    """Raises ConfigError if the model would swallow the pictures' features that a tree gives it."""
    if FEATURES not in inspect.signature(model.forward).parameters:
        raise ConfigError(
            f"packing: tree: {type(model).__name__} of transformers {transformers.__version__} does not take "
            f"{FEATURES}, so it would train blind: install transformers>={SINCE}, or take packing: none"
        )


def prompt_positions(model: Any, ids: Tensor, extra: dict[str, Tensor]) -> Tensor:
    """(axes, n): three axes where the model has M-RoPE (ids (n,)), else one."""
    if not hasattr(model.model, "get_rope_index"):
        return torch.arange(len(ids))[None]
    kinds = (ids == model.config.image_token_id).int()[None]
    found, _ = model.model.get_rope_index(ids[None], kinds, image_grid_thw=extra.get("image_grid_thw"))
    return torch.as_tensor(found[:, 0])


@dataclass(frozen=True)
class Features:
    """What the tower and the projector make of the pictures of one prompt."""

    kind: type[Any]
    """What the model's `get_image_features` returns."""
    pooled: tuple[Tensor, ...]
    """For each picture, or each tile of one, (tokens, hidden)."""
    stacked: bool
    """Whether the model takes them as one tensor (InternVL, Aya: all tiles are of one size)."""
    deep: tuple[tuple[Tensor, ...], ...]
    """Of Qwen3-VL: for each early layer, for each picture (tokens, hidden)."""

    def to(self, device: torch.device | str) -> Features:
        deep = tuple(tuple(one.to(device) for one in layer) for layer in self.deep)
        return replace(self, pooled=tuple(one.to(device) for one in self.pooled), deep=deep)

    @property
    def bytes(self) -> int:
        return sum(one.nbytes for layer in (self.pooled, *self.deep) for one in layer)


@torch.no_grad()
def features(model: Any, shown: dict[str, Tensor]) -> Features:
    """The frozen tower's work on one prompt's pictures; `shown` is what the processor says of them."""
    takes = inspect.signature(model.model.get_image_features).parameters
    told = {name: value.to(model.device) for name, value in shown.items() if name in takes}
    told[PIXELS] = told[PIXELS].to(model.dtype)
    found = model.model.get_image_features(**told, return_dict=True)
    deep = getattr(found, "deepstack_features", None) or ()
    pooled = found.pooler_output
    stacked = isinstance(pooled, Tensor)
    return Features(type(found), tuple(pooled), stacked, tuple(tuple(layer) for layer in deep))


def joined(parts: list[Features]) -> Any:
    """The features of several prompts as a model takes them, `mm_encoder_outputs={"image": ...}`."""
    first = parts[0]
    more = {}
    if first.deep:
        layers = zip(*(part.deep for part in parts), strict=True)
        more["deepstack_features"] = [[one for part in layer for one in part] for layer in layers]
    pooled = [one for part in parts for one in part.pooled]
    return first.kind(pooler_output=torch.stack(pooled) if first.stacked else pooled, **more)
