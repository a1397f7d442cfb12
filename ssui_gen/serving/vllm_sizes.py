"""How many gigabytes a model's weights take: by its name, or by the shapes in its config. Pure.

Neither is exact; what lies on disk is, and wins (`vllm_model`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HALF = 2.0
"""Bytes of a parameter in half precision, in which vLLM loads what is not quantized, float32 included."""
OVERHEAD = 1.05
"""For what counting by "7B" leaves out: vision tower, embeddings, scales."""
BITS = {
    r"awq|gptq|int4|[\W_]4-?bit|w4a16|nf4|mxfp4|nvfp4|fp4": 4.5,
    r"fp8|int8|w8a8|[\W_]8-?bit": 8.0,
}
"""Of a parameter, by words in a model's name; 4 bits have their scales beside them."""
TOTAL = {
    r"llama-4-scout": 109.0,
    r"llama-4-maverick": 402.0,
    r"glm-4\.[56]v(?!-flash)": 108.0,
    r"glm-4\.6v-flash": 10.0,
    r"kimi-vl-a3b": 16.4,
    r"gemma-?(3n|4)-e2b": 5.5,
    r"gemma-?(3n|4)-e4b": 8.0,
    r"phi-3(\.5)?-vision": 4.2,
    r"phi-4-multimodal": 5.6,
    r"minicpm-(v|o)-(2[._]6|4)": 8.7,
}
"""Billions of parameters where the name says none, or another number: Llama 4's "17B-16E" names what one
token meets. From the models' own cards."""
ROUTED = ("num_experts", "n_routed_experts", "num_local_experts")
MOST = 10_000_000
"""Of any number that may be a size in a config."""
EXPERTS = re.compile(r"\d+b-\d+e\b")
"""So many experts of so many parameters, or of so many that are active: makers differ."""


def by_name(name: str) -> float | None:
    """Gigabytes by "7B" or "256M" in the name; None if nothing there tells."""
    low = name.lower()
    billions = next((total for hint, total in TOTAL.items() if re.search(hint, low)), None)
    if billions is None:
        if EXPERTS.search(low):
            return None
        numbers = re.findall(r"(?<![a-z\d.])(\d+(?:\.\d+)?)([bm])(?![a-z])", low)
        billions = max((float(size) / (1 if unit == "b" else 1000) for size, unit in numbers), default=None)
    return billions and billions * _bytes(low) * OVERHEAD


def _bytes(name: str) -> float:
    return next((bits / 8 for hint, bits in BITS.items() if re.search(hint, name)), HALF)


def by_config(config: Mapping[str, Any]) -> float | None:
    """Gigabytes by the shapes of language model, experts and vision tower; None if they do not tell."""
    text = text_of(config)
    tied = bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings")))
    dense = text.get("mlp_only_layers")
    try:
        count = _text(_numbers(text), tied, len(dense) if isinstance(dense, list) else 0)
    except KeyError:
        return None
    count += _tower(_numbers(config.get("vision_config")))
    return count * _bits(config.get("quantization_config")) / 8e9


def text_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a config that describes the language model."""
    parts = (config.get(name) for name in ("text_config", "llm_config", "language_config"))
    return next((part for part in parts if isinstance(part, dict)), config)


def _numbers(part: Any) -> dict[str, int]:
    """What of a part of a config may be a size or a count."""
    given = part.items() if isinstance(part, dict) else ()
    return {name: one for name, one in given if type(one) is int and 0 < one <= MOST}


def _text(text: Mapping[str, int], tied: bool, dense: int) -> float:
    """Parameters of a language model, `dense` of whose layers are named as having no experts."""
    wide, layers, heads = text["hidden_size"], text["num_hidden_layers"], text["num_attention_heads"]
    head = text.get("head_dim", wide // heads)
    attention = wide * head * 2 * (heads + text.get("num_key_value_heads", heads))
    sparse = _sparse_layers(text, layers - dense)
    plain = 3 * wide * _first(text, "intermediate_size_mlp", "intermediate_size")
    words = text["vocab_size"] * wide * (1 if tied else 2)
    return float(words + layers * attention + (layers - sparse) * plain + sparse * _experts(text, wide))


def _sparse_layers(text: Mapping[str, int], layers: int) -> int:
    """How many layers have experts."""
    if not _first(text, *ROUTED):
        return 0
    step = _first(text, "interleave_moe_layer_step", "decoder_sparse_step") or 1
    return max(0, layers - text.get("first_k_dense_replace", 0)) // step


def _experts(text: Mapping[str, int], wide: int) -> int:
    """Parameters of one layer's experts, shared ones included; Llama 4 has one, and does not say so."""
    each = _first(text, "moe_intermediate_size", "intermediate_size")
    shared = text.get("n_shared_experts", int("interleave_moe_layer_step" in text)) * each
    return 3 * wide * (_first(text, *ROUTED) * each + text.get("shared_expert_intermediate_size", shared))


def _first(numbers: Mapping[str, int], *names: str) -> int:
    return next((numbers[name] for name in names if name in numbers), 0)


def _tower(vision: Mapping[str, int]) -> int:
    wide, layers = _first(vision, "hidden_size", "embed_dim"), _first(vision, "num_hidden_layers", "depth")
    return layers * wide * (4 * wide + 3 * vision.get("intermediate_size", 4 * wide))


def _bits(quantized: Any) -> float:
    """Of a parameter, by what a config says of its quantization; a tenth more for scales."""
    if not isinstance(quantized, dict):
        return 8 * HALF
    told = _numbers(quantized)
    if bits := _first(told, "bits", "w_bit", "num_bits"):
        return bits * 1.1
    method = str(quantized.get("quant_method"))
    if quantized.get("load_in_4bit") or "fp4" in method:
        return 4.5
    if groups := quantized.get("config_groups"):
        found = [_bits(one.get("weights")) for one in groups.values()] if _nested(groups) else []
        return max(found, default=8 * HALF)
    return 8.0 if "fp8" in method or quantized.get("load_in_8bit") else 8 * HALF


def _nested(groups: Any) -> bool:
    return isinstance(groups, dict) and all(isinstance(one, dict) for one in groups.values())
