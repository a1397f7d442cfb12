"""Tiny random models of the LLaVA-like families with other towers: Pixtral's, SigLIP, InternViT.

Each maker gives a configuration and a processor, as `tiny_families` wants them. The processors are those of
transformers with their PIL halves; Pixtral's own imports torchvision, so its rule for the picture's tokens is
written again here.
"""

from __future__ import annotations

import re
from typing import Any

from tiny_llava import TEMPLATE
from transformers import (
    AyaVisionConfig,
    AyaVisionProcessor,
    Cohere2Config,
    InternVLConfig,
    InternVLVisionConfig,
    LlavaConfig,
    LlavaOnevisionConfig,
    LlavaOnevisionProcessor,
    Mistral3Config,
    MistralConfig,
    PixtralVisionConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    SiglipVisionConfig,
)
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.internvl.processing_internvl import InternVLProcessor
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import (
    LlavaOnevisionImageProcessorPil,
)
from transformers.models.pixtral.image_processing_pil_pixtral import PixtralImageProcessorPil
from transformers.processing_utils import ProcessorMixin

PATCH = 16
TILE = 64
"""Pixels of a tile's side; four tokens a tile after InternVL's and Aya's pixel shuffle."""
PIXTRAL_MARKS = ("[IMG]", "[IMG_BREAK]", "[IMG_END]")
INTERNVL_MARKS = ("<img>", "</img>", "<IMG_CONTEXT>", "<video>")
AYA_MARKS = ("<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "TILE", "TILE_GLOBAL")
MARKS = {
    "llava_pixtral": PIXTRAL_MARKS,
    "mistral3": PIXTRAL_MARKS,
    "llava_onevision": ("<video>",),
    "internvl": INTERNVL_MARKS,
    "aya_vision": AYA_MARKS,
}
Made = tuple[Any, Any]
Settings = dict[str, Any]


def template(mark: str) -> str:
    """The tests' chat template with another mark for a picture."""
    return TEMPLATE.replace("<image>\n", f"{mark}\n")


class PixtralProcessor(ProcessorMixin):  # type: ignore[misc]
    """What transformers' own does with pictures: a token a patch, a break a line, an end at the end."""

    def __init__(
        self, image_processor: Any, tokenizer: Any, merge: int = 1, chat_template: str | None = None
    ) -> None:
        self.side = PATCH * merge
        self.image_token, self.image_token_id = "[IMG]", tokenizer.convert_tokens_to_ids("[IMG]")
        super().__init__(image_processor, tokenizer, chat_template=chat_template)

    def _process_images(self, images: Any, **told: Any) -> Any:
        return super()._process_images(images, **{**told, "patch_size": self.side})

    def replace_image_token(self, image_inputs: Settings, image_idx: int, **_: Any) -> str:
        height, width = image_inputs["image_sizes"][image_idx]
        line = "[IMG]" * (int(width) // self.side)
        return "[IMG_BREAK]".join([line] * (int(height) // self.side)) + "[IMG_END]"


def llava_pixtral(text: Settings, vision: Settings, tokenizer: PreTrainedTokenizerFast) -> Made:
    """Model type `llava` with Pixtral's tower, as Pixtral-12B's conversion has it."""
    config = LlavaConfig(
        vision_config=_pixtral(vision),
        text_config=MistralConfig(**text, sliding_window=None),
        image_token_index=tokenizer.convert_tokens_to_ids("[IMG]"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
    )
    return config, PixtralProcessor(_pixtral_pictures(), tokenizer, chat_template=template("[IMG]"))


def mistral3(text: Settings, vision: Settings, tokenizer: PreTrainedTokenizerFast) -> Made:
    config = Mistral3Config(
        vision_config=_pixtral(vision),
        text_config=MistralConfig(**text, sliding_window=None),
        image_token_index=tokenizer.convert_tokens_to_ids("[IMG]"),
        spatial_merge_size=2,
        tie_word_embeddings=False,
    )
    return config, PixtralProcessor(_pixtral_pictures(), tokenizer, 2, chat_template=template("[IMG]"))


def _pixtral(vision: Settings) -> PixtralVisionConfig:
    return PixtralVisionConfig(**vision, image_size=2 * TILE, patch_size=PATCH)


def _pixtral_pictures() -> PixtralImageProcessorPil:
    return PixtralImageProcessorPil(
        size={"longest_edge": 2 * TILE}, patch_size={"height": PATCH, "width": PATCH}
    )


def llava_onevision(text: Settings, vision: Settings, tokenizer: PreTrainedTokenizerFast) -> Made:
    pinpoints = [[TILE, TILE // 2], [TILE // 2, TILE], [TILE, TILE]]
    config = LlavaOnevisionConfig(
        vision_config=_siglip(vision, TILE // 2),
        text_config=Qwen2Config(**text),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=pinpoints,
    )
    pictures = LlavaOnevisionImageProcessorPil(
        size={"height": TILE // 2, "width": TILE // 2}, image_grid_pinpoints=pinpoints
    )
    processor = without_video(LlavaOnevisionProcessor)(pictures, tokenizer, template("<image>"))
    processor.num_image_tokens, processor.vision_feature_select_strategy = (TILE // 2 // PATCH) ** 2, "full"
    processor.image_token, processor.image_token_id = "<image>", config.image_token_index
    processor.vision_aspect_ratio = "anyres_max_9"
    return config, processor


def internvl(text: Settings, vision: Settings, tokenizer: PreTrainedTokenizerFast) -> Made:
    config = InternVLConfig(
        vision_config=InternVLVisionConfig(**vision, image_size=(TILE, TILE), patch_size=(PATCH, PATCH)),
        text_config=Qwen2Config(**text),
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        tie_word_embeddings=False,
    )
    processor = without_video(InternVLProcessor)(_tiles(), tokenizer, template("<IMG_CONTEXT>"))
    processor.start_image_token, processor.end_image_token, processor.image_token, processor.video_token = (
        INTERNVL_MARKS
    )
    processor.image_token_id, processor.image_seq_length = config.image_token_id, (TILE // PATCH) ** 2 // 4
    processor.multimodal_pattern = re.compile("(?P<image><IMG_CONTEXT>)|(?P<video><video>)")
    return config, processor


def aya_vision(text: Settings, vision: Settings, tokenizer: PreTrainedTokenizerFast) -> Made:
    """With Cohere 2's layers of both kinds, the sliding window wider than any continuation."""
    text = {key: value for key, value in text.items() if key not in ("tie_word_embeddings",)}
    kinds = ["sliding_attention", "full_attention"] * (text["num_hidden_layers"] // 2)
    config = AyaVisionConfig(
        vision_config=_siglip(vision, TILE),
        text_config=Cohere2Config(**text, layer_types=kinds, sliding_window=4096, logit_scale=1.0),
        image_token_index=tokenizer.convert_tokens_to_ids("<|IMG_PATCH|>"),
    )
    processor = AyaVisionProcessor(
        _tiles(), tokenizer, patch_size=PATCH, img_size=TILE, downsample_factor=2,
        chat_template=template("<image>"),
    )  # fmt: skip
    return config, processor


def _siglip(vision: Settings, side: int) -> SiglipVisionConfig:
    return SiglipVisionConfig(**vision, image_size=side, patch_size=PATCH, vision_use_head=False)


def _tiles() -> GotOcr2ImageProcessorPil:
    return GotOcr2ImageProcessorPil(
        size={"height": TILE, "width": TILE}, crop_to_patches=True, min_patches=1, max_patches=3
    )


def without_video(base: type[Any]) -> Any:
    """A processor without its video half, which alone would need torchvision."""

    def init(self: Any, image_processor: Any, tokenizer: Any, chat_template: str | None = None) -> None:
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    return type(f"ImageOnly{base.__name__}", (base,), {"__init__": init})


TOWERS = {made.__name__: made for made in (llava_pixtral, llava_onevision, internvl, mistral3, aya_vision)}
