"""Tiny random models of every family a tree is packed for, in memory: no hub, no torchvision.

    model, processor = tiny("qwen2_5_vl")

They say nothing sensible; their weights are spread so wide that a wrong mask or position shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import transformers
from tiny_llava import TEMPLATE, tiny_processor, tiny_tokenizer
from tiny_towers import MARKS as MARKS_OF
from tiny_towers import TOWERS
from transformers import (
    AutoModelForImageTextToText,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaNextConfig,
    LlavaNextProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.processing_utils import ProcessorMixin

from ssui_gen.branching import title
from ssui_gen.prompts import home, load_prompt
from ssui_gen.records import STEP_NAMES

SPREAD = 0.12
PATH = (
    " ".join(f"{i}. {title(name)}:" for i, name in enumerate(STEP_NAMES, 1))
    + " Answer: Careful, move it. Sure, go on."
)
"""What paths say again and again: learnt by the tokenizer, so that they are short."""
MARKS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
QWEN_TEMPLATE = (
    "{%- for m in messages -%}{{ '<|im_start|>' + m.role + '\n' }}"
    "{%- if m.content is string -%}{{ m.content }}{%- else -%}"
    "{%- for p in m.content -%}{{ '<|vision_start|><|image_pad|><|vision_end|>' if p.type == 'image' "
    "else p.text }}{%- endfor -%}{%- endif -%}"
    "{{ '<|im_end|>\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
Sizes = dict[str, int]
SMALL: Sizes = {"hidden": 64, "mlp": 2, "layers": 2, "heads": 2, "vision_hidden": 32, "vision_layers": 2}


def tiny(family: str, attention: str = "sdpa", seed: int = 0, **sizes: int) -> tuple[Any, Any]:
    """Model (float32, evaluation mode) and processor."""
    torch.manual_seed(seed)
    maker: dict[str, Callable[..., tuple[Any, Any]]] = {"llava": _llava, "llava_next": _llava_next}
    maker |= dict.fromkeys(TOWERS, _tower) | dict.fromkeys(QWEN, _qwen)
    config, processor = maker[family](family, SMALL | sizes)
    model = AutoModelForImageTextToText.from_config(config, attn_implementation=attention).eval()
    model.generation_config.update(
        eos_token_id=processor.tokenizer.eos_token_id, pad_token_id=processor.tokenizer.pad_token_id
    )
    return model, processor


QWEN = {"qwen2_vl": "Qwen2VL", "qwen2_5_vl": "Qwen2_5_VL", "qwen3_vl": "Qwen3VL"}
FAMILIES = (*QWEN, "llava", "llava_next", *TOWERS)


def _tokenizer(marks: tuple[str, ...] = ()) -> PreTrainedTokenizerFast:
    return tiny_tokenizer(marks, (PATH, load_prompt(home() / "prompts" / "policy.md").body), size=900)


def _text(tokenizer: PreTrainedTokenizerFast, size: Sizes) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": size["hidden"],
        "intermediate_size": size["mlp"] * size["hidden"],
        "num_hidden_layers": size["layers"],
        "num_attention_heads": size["heads"],
        "num_key_value_heads": size["heads"] // 2 or 1,
        "initializer_range": SPREAD,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _llava(_: str, size: Sizes) -> tuple[Any, Any]:
    tokenizer = _tokenizer()
    config = LlavaConfig(
        vision_config=_clip(size, 64),
        text_config=LlamaConfig(**_text(tokenizer, size)),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
        vision_feature_layer=-1,
        initializer_range=SPREAD,
    )
    return config, tiny_processor(tokenizer, side=64)


def _llava_next(_: str, size: Sizes) -> tuple[Any, Any]:
    tokenizer = _tokenizer()
    pinpoints = [[64, 32], [32, 64], [64, 64]]
    config = LlavaNextConfig(
        vision_config=_clip(size, 32),
        text_config=LlamaConfig(**_text(tokenizer, size)),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=4,
        image_grid_pinpoints=pinpoints,
        vision_feature_layer=-1,
        initializer_range=SPREAD,
    )
    square = {"height": 32, "width": 32}
    pictures = LlavaNextImageProcessorPil(
        size={"shortest_edge": 32}, crop_size=square, image_grid_pinpoints=pinpoints
    )
    processor = LlavaNextProcessor(
        image_processor=pictures, tokenizer=tokenizer, patch_size=16, num_additional_image_tokens=1,
        vision_feature_select_strategy="default", image_token="<image>",
        chat_template=TEMPLATE,
    )  # fmt: skip
    return config, processor


def _tower(family: str, size: Sizes) -> tuple[Any, Any]:
    tokenizer = _tokenizer(MARKS_OF[family])
    vision = {
        "hidden_size": size["vision_hidden"],
        "intermediate_size": 2 * size["vision_hidden"],
        "num_hidden_layers": size["vision_layers"],
        "num_attention_heads": 2,
        "initializer_range": SPREAD,
    }
    config, processor = TOWERS[family](_text(tokenizer, size), vision, tokenizer)
    config.initializer_range = SPREAD
    return config, processor


def _clip(size: Sizes, side: int) -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=size["vision_hidden"],
        intermediate_size=2 * size["vision_hidden"],
        num_hidden_layers=size["vision_layers"],
        num_attention_heads=2,
        image_size=side,
        patch_size=16,
        projection_dim=32,
        initializer_range=SPREAD,
    )


def _qwen(family: str, size: Sizes) -> tuple[Any, Any]:
    tokenizer = _tokenizer(MARKS)
    ids = {mark: tokenizer.convert_tokens_to_ids(mark) for mark in MARKS}
    sections = _sections(size["hidden"] // size["heads"])
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": sections}
    text = _text(tokenizer, size) | {"rope_parameters": rope}
    depth, wide = size["vision_layers"], size["vision_hidden"]
    vision: dict[str, Any] = {"depth": depth, "num_heads": 2, "initializer_range": SPREAD}
    if family == "qwen2_vl":
        vision |= {"embed_dim": wide, "hidden_size": size["hidden"], "mlp_ratio": 2}
    else:
        vision |= {"hidden_size": wide, "intermediate_size": 2 * wide, "out_hidden_size": size["hidden"]}
    if family == "qwen2_5_vl":
        vision |= {"window_size": 112, "fullatt_block_indexes": [depth - 1]}
    if family == "qwen3_vl":
        rope["mrope_interleaved"] = True
        text |= {"head_dim": size["hidden"] // size["heads"]}
        vision |= {"num_position_embeddings": 64, "deepstack_visual_indexes": [0], "patch_size": 14}
    config = getattr(transformers, f"{QWEN[family]}Config")(
        text_config=text, vision_config=vision, initializer_range=SPREAD,
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
    )  # fmt: skip
    return config, image_only_processor(family, tokenizer, longest=size.get("pixels", 28 * 28 * 16))


def _sections(head: int) -> list[int]:
    """How the axes of M-RoPE share half a head: a quarter for time, the rest for height and width."""
    half = head // 2
    time = half // 4
    height = (half - time) // 2
    return [time, height, half - time - height]


def image_only_processor(family: str, tokenizer: PreTrainedTokenizerFast, longest: int) -> Any:
    """Qwen's processor without its video half, which alone would need torchvision."""
    base: type[Any] = getattr(transformers, f"{QWEN[family]}Processor")

    def init(self: Any, image_processor: Any, tokenizer: Any, chat_template: str | None = None) -> None:
        self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
        self.image_token_id, self.video_token_id = tokenizer.convert_tokens_to_ids(
            [self.image_token, self.video_token]
        )
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    kind: Any = type(f"ImageOnly{base.__name__}", (base,), {"__init__": init})
    pictures = Qwen2VLImageProcessorPil(
        patch_size=14, size={"shortest_edge": 28 * 28 * 4, "longest_edge": longest}
    )
    return kind(pictures, tokenizer, chat_template=QWEN_TEMPLATE)
