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
    try:
        count = _text(text, bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings", False))))
        count += _tower(config.get("vision_config") or {})
        return count * _bits(config.get("quantization_config") or {}) / 8e9
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError):
        return None


def text_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a config that describes the language model."""
    parts = (config.get(name) for name in ("text_config", "llm_config", "language_config"))
    return next((part for part in parts if isinstance(part, dict)), config)


def _text(text: Mapping[str, Any], tied: bool) -> float:
    wide, layers, heads = text["hidden_size"], text["num_hidden_layers"], text["num_attention_heads"]
    head = text.get("head_dim") or wide // heads
    attention = wide * head * 2 * (heads + (text.get("num_key_value_heads") or heads))
    sparse = _sparse_layers(text, layers)
    plain = 3 * wide * (text.get("intermediate_size_mlp") or text["intermediate_size"])
    words = text["vocab_size"] * wide * (1 if tied else 2)
    return float(words + layers * attention + (layers - sparse) * plain + sparse * _experts(text, wide))


def _sparse_layers(text: Mapping[str, Any], layers: int) -> int:
    """How many layers have experts."""
    if not _first(text, "num_experts", "n_routed_experts", "num_local_experts"):
        return 0
    step = _first(text, "interleave_moe_layer_step", "decoder_sparse_step") or 1
    dense = _first(text, "first_k_dense_replace") + len(text.get("mlp_only_layers") or ())
    return max(0, layers - dense) // step


def _experts(text: Mapping[str, Any], wide: int) -> float:
    """Parameters of one layer's experts, shared ones included; Llama 4 has one, and does not say so."""
    each = text.get("moe_intermediate_size") or text["intermediate_size"]
    routed = _first(text, "num_experts", "n_routed_experts", "num_local_experts")
    shared = _first(text, "shared_expert_intermediate_size") or each * (
        _first(text, "n_shared_experts") or ("interleave_moe_layer_step" in text)
    )
    return float(3 * wide * (routed * each + shared))


def _first(text: Mapping[str, Any], *names: str) -> int:
    return int(next((text[name] for name in names if text.get(name)), 0))


def _tower(vision: Mapping[str, Any]) -> float:
    wide = vision.get("hidden_size") or vision.get("embed_dim") or 0
    layers = vision.get("num_hidden_layers") or vision.get("depth") or 0
    return float(layers * wide * (4 * wide + 3 * (vision.get("intermediate_size") or 4 * wide)))


def _bits(quantized: Mapping[str, Any]) -> float:
    """Of a parameter, by what a config says of its quantization."""
    if bits := quantized.get("bits") or quantized.get("w_bit"):
        return float(bits) * 1.1
    if quantized.get("load_in_4bit") or "fp4" in str(quantized.get("quant_method")):
        return 4.5
    groups = quantized.get("config_groups") or {}
    found = [group["weights"]["num_bits"] for group in groups.values() if group.get("weights")]
    if found:
        return float(max(found)) * 1.1
    return 8.0 if "fp8" in str(quantized.get("quant_method")) or quantized.get("load_in_8bit") else 8 * HALF
