"""A tiny random LLaVA (CLIP tower, Llama text) with its tokenizer and processor, written to a folder.

It says nothing sensible, and that is the point: whatever holds for its replies was not learned.
"""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPVisionConfig,
    GenerationConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>")
CONTEXT = 1024
SPREAD = 0.12
"""Of the random weights: wide, so that probabilities differ by much more than rounding."""
TEMPLATE = (
    "{%- for m in messages -%}{{ '<|im_start|>' + m.role + '\n' }}"
    "{%- if m.content is string -%}{{ m.content }}{%- else -%}"
    "{%- for p in m.content -%}{{ '<image>\n' if p.type == 'image' else p.text }}{%- endfor -%}{%- endif -%}"
    "{{ '<|im_end|>\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)


def make_tiny_llava(folder: Path, seed: int = 0) -> Path:
    """Write the model; the same seed writes the same weights."""
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer()
    end, pad, image = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>", "<image>"])
    model = LlavaForConditionalGeneration(_config(len(tokenizer), end, pad, image)).eval()
    _mumble_no_bytes(model, tokenizer)
    model.generation_config = GenerationConfig(eos_token_id=[end, pad], pad_token_id=pad)
    model.save_pretrained(folder)
    tiny_processor(tokenizer).save_pretrained(folder)
    return folder


def tiny_tokenizer(
    marks: tuple[str, ...] = (), also: tuple[str, ...] = (), size: int = 320
) -> PreTrainedTokenizerFast:
    """A byte-level BPE of about `size` tokens; `marks` are more special ones, `also` more text to learn."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.train_from_iterator(
        ["the kettle is on the table and the cat sits under it, what should I do?", *also] * 4,
        trainers.BpeTrainer(
            vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        ),
    )
    core.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in (*SPECIAL, *marks)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>", "<image>", *marks],
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def _mumble_no_bytes(model: LlavaForConditionalGeneration, tokenizer: PreTrainedTokenizerFast) -> None:
    """Make bytes beyond ASCII and special tokens improbable, so that greedy replies are readable text."""
    odd = [
        i
        for i in range(len(tokenizer))
        if not (text := tokenizer.decode([i])).isprintable() or not text.isascii()
    ]
    odd += tokenizer.all_special_ids
    with torch.no_grad():
        model.get_output_embeddings().weight[odd] *= 0.2


def _config(vocabulary: int, end: int, pad: int, image: int) -> LlavaConfig:
    return LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=128,
            patch_size=16,
            projection_dim=32,
            initializer_range=SPREAD,
        ),
        text_config=LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=CONTEXT,
            initializer_range=SPREAD,
            bos_token_id=None,
            eos_token_id=end,
            pad_token_id=pad,
            tie_word_embeddings=True,
        ),
        image_token_index=image,
        image_seq_length=64,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=True,
        initializer_range=SPREAD,
    )


def tiny_processor(tokenizer: PreTrainedTokenizerFast, side: int = 128) -> LlavaProcessor:
    """CLIP's PIL image processor, whose pictures are `side` pixels wide, and the tokenizer."""
    square = {"height": side, "width": side}
    return LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size=square, crop_size=square),
        tokenizer=tokenizer,
        patch_size=16,
        num_additional_image_tokens=1,
        vision_feature_select_strategy="default",
        image_token="<image>",
        chat_template=TEMPLATE,
    )
