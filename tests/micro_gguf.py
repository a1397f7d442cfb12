"""The micro VLM as llama.cpp reads it: two GGUF files, its language model and its eyes. Run by a Python with
the package `gguf`: `python tests/micro_gguf.py MODEL FOLDER` writes `model.gguf` and `eyes.gguf` there.

llama.cpp has no splitter of words like ours and takes GPT-2's: some words fall into other tokens, and the
model plays its agents less well. The eyes are CLIP's, all layers and no norm after the last, as in the micro
VLM.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np

TEMPLATE = """\
{%- set world = namespace(agent='user') -%}
{%- for m in messages -%}
  {%- if m.role == 'system' -%}
    {%- set first = m.content.split('\\n')[0] -%}
    {%- if first.startswith('# Agent: ') -%}{%- set world.agent = first[9:] -%}{%- endif -%}
  {%- else -%}
    {{- '<|start|>' + (world.agent if m.role == 'user' else m.role) + '\\n' + m.content + '<|end|>\\n' -}}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|start|>assistant\\n' -}}{%- endif -%}
"""
"""Ours, for contents that are one text, with a mark where the picture stands."""
TEXT = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
EYES = {
    "embeddings.class_embedding": "v.class_embd",
    "embeddings.patch_embedding.weight": "v.patch_embd.weight",
    "embeddings.position_embedding.weight": "v.position_embd.weight",
    "pre_layrnorm": "v.pre_ln",
    "layer_norm1": "ln1",
    "layer_norm2": "ln2",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.out_proj": "attn_out",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
    "linear_1": "mm.0",
    "linear_2": "mm.2",
}


def tensors(file: Path) -> dict[str, Any]:
    """All tensors of a safetensors file of half floats, as floats."""
    data = file.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    found = json.loads(data[8 : 8 + size])
    found.pop("__metadata__", None)
    made = {}
    for name, one in found.items():
        start, end = (8 + size + place for place in one["data_offsets"])
        made[name] = np.frombuffer(data[start:end], np.float16).astype(np.float32).reshape(one["shape"])
    return made


def renamed(name: str, names: dict[str, str], block: str) -> str:
    """In GGUF's words; of a layer `block` and its number stand before them."""
    _, _, rest = name.partition("layers.")
    number, _, part = rest.partition(".") if rest else ("", "", name)
    ours = next(one for one in sorted(names, key=len, reverse=True) if one in part)
    ending = "" if ours.endswith(("weight", "class_embedding")) else f".{part.rpartition('.')[2]}"
    return f"{block}.{number}.{names[ours]}{ending}" if number else f"{names[ours]}{ending}"


def for_rope(weight: Any, heads: int) -> Any:
    """Rows of a query or key in the order in which llama.cpp turns them."""
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def write_text(config: dict[str, Any], weights: dict[str, Any], words: dict[str, Any], file: Path) -> None:
    writer, text = gguf.GGUFWriter(file, "llama"), config["text_config"]
    writer.add_name("micro")
    writer.add_context_length(text["max_position_embeddings"])
    writer.add_embedding_length(text["hidden_size"])
    writer.add_block_count(text["num_hidden_layers"])
    writer.add_feed_forward_length(text["intermediate_size"])
    writer.add_head_count(text["num_attention_heads"])
    writer.add_head_count_kv(text["num_key_value_heads"])
    writer.add_rope_dimension_count(text["head_dim"])
    writer.add_layer_norm_rms_eps(text["rms_norm_eps"])
    _add_words(writer, words, text["eos_token_id"], text["pad_token_id"])
    for name, weight in weights.items():
        if name.startswith("language_model."):
            turned = "q_proj" in name or "k_proj" in name
            made = for_rope(weight, text["num_attention_heads"]) if turned else weight
            writer.add_tensor(
                renamed(name.removeprefix("language_model."), TEXT, "blk"), np.ascontiguousarray(made)
            )
    _finish(writer)


def _add_words(writer: gguf.GGUFWriter, words: dict[str, Any], end: int, pad: int) -> None:
    special = {one["content"]: one["id"] for one in words["added_tokens"]}
    every = sorted((words["model"]["vocab"] | special).items(), key=lambda pair: pair[1])
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in words["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([word for word, _ in every])
    kinds = (gguf.TokenType.CONTROL if word in special else gguf.TokenType.NORMAL for word, _ in every)
    writer.add_token_types(list(kinds))
    writer.add_token_merges(merges)
    writer.add_eos_token_id(end)
    writer.add_pad_token_id(pad)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def write_eyes(config: dict[str, Any], weights: dict[str, Any], shown: dict[str, Any], file: Path) -> None:
    writer, eyes = gguf.GGUFWriter(file, "clip"), config["vision_config"]
    writer.add_type("mmproj")
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type("mlp")
    writer.add_vision_projection_dim(config["text_config"]["hidden_size"])
    writer.add_vision_image_size(eyes["image_size"])
    writer.add_vision_patch_size(eyes["patch_size"])
    writer.add_vision_embedding_length(eyes["hidden_size"])
    writer.add_vision_feed_forward_length(eyes["intermediate_size"])
    writer.add_vision_block_count(eyes["num_hidden_layers"])
    writer.add_vision_head_count(eyes["num_attention_heads"])
    writer.add_vision_attention_layernorm_eps(eyes["layer_norm_eps"])
    writer.add_vision_image_mean(shown["image_mean"])
    writer.add_vision_image_std(shown["image_std"])
    writer.add_array("clip.vision.feature_layer", [eyes["num_hidden_layers"]])
    for name, weight in weights.items():
        if not name.startswith("language_model.") and "post_layernorm" not in name:
            writer.add_tensor(renamed(name, EYES, "v.blk"), weight)
    _finish(writer)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(model: Path, folder: Path) -> None:
    """Write both files."""
    config, words, shown = (
        json.loads((model / name).read_text("utf-8"))
        for name in ("config.json", "tokenizer.json", "processor_config.json")
    )
    weights = tensors(model / "model.safetensors")
    write_text(config, weights, words, folder / "model.gguf")
    write_eyes(config, weights, shown["image_processor"], folder / "eyes.gguf")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
