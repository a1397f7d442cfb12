"""The language model's weights as plain matrices, an adapter's added to them. Trains nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

ADAPTER = "default"
"""PEFT's name of the only adapter there is."""


@dataclass(frozen=True)
class Layer:
    """Of one layer of Llama; h hidden, i intermediate."""

    before: Tensor
    """(h): the norm before attention."""
    qkv: Tensor
    """(3h, h)"""
    out: Tensor
    """(h, h)"""
    between: Tensor
    """(h): the norm before the rest."""
    gate_up: Tensor
    """(2i, h)"""
    down: Tensor
    """(h, i)"""


@dataclass(frozen=True)
class Weights:
    """All that `decoding` needs of a Llama whose heads all have keys of their own and whose head is its
    embedding, as the micro VLM's.
    """

    words: Tensor
    """(v, h): embedding, and by turns the head."""
    layers: tuple[Layer, ...]
    last: Tensor
    """(h): the last norm."""
    epsilon: float
    turns: Tensor
    """(d / 2): how fast each part of a head of width d turns with its position."""
    heads: int

    @property
    def width(self) -> int:
        """Of a head."""
        return 2 * len(self.turns)


@torch.no_grad()
def weights_of(model: Any) -> Weights:
    """Of a micro VLM, or of one under PEFT, which stays as it is."""
    bare = model.get_base_model() if hasattr(model, "peft_config") else model
    text = bare.model.language_model
    return Weights(
        words=_weight(text.embed_tokens),
        layers=tuple(map(_layer, text.layers)),
        last=_weight(text.norm),
        epsilon=text.norm.variance_epsilon,
        turns=text.rotary_emb.inv_freq.clone(),
        heads=text.config.num_attention_heads,
    )


def _layer(layer: Any) -> Layer:
    sees, thinks = layer.self_attn, layer.mlp
    return Layer(
        before=_weight(layer.input_layernorm),
        qkv=torch.cat([_weight(sees.q_proj), _weight(sees.k_proj), _weight(sees.v_proj)]),
        out=_weight(sees.o_proj),
        between=_weight(layer.post_attention_layernorm),
        gate_up=torch.cat([_weight(thinks.gate_proj), _weight(thinks.up_proj)]),
        down=_weight(thinks.down_proj),
    )


def _weight(module: Any) -> Tensor:
    """The module's own, and what LoRA adds to it."""
    if hasattr(module, "lora_A"):
        return torch.as_tensor(module.base_layer.weight + module.get_delta_weight(ADAPTER)).detach()
    return torch.as_tensor(module.weight).detach()
