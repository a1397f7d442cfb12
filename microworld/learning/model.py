"""The micro VLM: a LLaVA of about 2.6 M parameters, its processor and its chat template.

CLIP's vision tower reads 128 x 128 pixels as 64 patches; Llama writes. Nothing here trains (pretrain).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    CLIPVisionConfig,
    GenerationConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from microworld.corpus.tokenizer import END, PAD, PICTURE, START

SIDE = 128
PATCH = 16
GRID = SIDE // PATCH
"""Picture tokens along one side; there are GRID * GRID of them."""
VISION_HIDDEN = 128
TEXT_HIDDEN = 160
HEAD_DIM = 32
MAX_TOKENS = 4096

CHAT_TEMPLATE = """
{%- set world = namespace(agent='user') -%}
{%- for m in messages if m.role == 'system' -%}
  {%- if m.content is string -%}{%- set text = m.content -%}
  {%- else -%}{%- set text = m.content | map(attribute='text') | join -%}{%- endif -%}
  {%- set first = text.strip().split('\\n')[0] -%}
  {%- if first.startswith('# Agent: ') -%}{%- set world.agent = first[9:].strip() -%}{%- endif -%}
{%- endfor -%}
{%- for m in messages if m.role != 'system' -%}
  {{- '<|start|>' + (world.agent if m.role == 'user' else m.role) + '\\n' -}}
  {%- if m.content is string -%}{{- m.content -}}
  {%- else -%}
    {%- for part in m.content -%}
      {%- if part.type in ('image', 'image_url') -%}{{- '<image>\\n' -}}
      {%- elif part.type == 'text' -%}
        {%- set asked = part.text.split('\\n# Asked: ') -%}
        {{- asked[0] -}}
        {%- if asked | length == 2 -%}
          {{- '\\n# Asked: ' + asked[1].split('\\n')[0] + '\\n' + asked[1].split('\\nOptions:\\n')[-1] -}}
        {%- endif -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
  {{- '<|end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|start|>assistant\\n' -}}{%- endif -%}
""".strip()
"""Of a system message only the agent's name counts, and of a judge's rubric only what is asked and the
options, so prompts can be reworded without retraining. Marks that stand in somebody's text are made words
before (`serving/engine.py`, `ssui_gen/marks.py`).
"""


def build_processor(tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    """CLIP's PIL image processor and our tokenizer; needs no torchvision."""
    tokenizer.chat_template = CHAT_TEMPLATE
    square = {"height": SIDE, "width": SIDE}
    return LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size=square, crop_size=square),
        tokenizer=tokenizer,
        patch_size=PATCH,
        num_additional_image_tokens=1,
        vision_feature_select_strategy="default",
        image_token=PICTURE,
        chat_template=CHAT_TEMPLATE,
    )


def build_config(tokenizer: PreTrainedTokenizerFast) -> LlavaConfig:
    """The shapes. `head_dim` is one that vLLM's CPU attention knows."""
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in (END, PAD, PICTURE, START)}
    vision = CLIPVisionConfig(
        hidden_size=VISION_HIDDEN,
        intermediate_size=4 * VISION_HIDDEN,
        num_hidden_layers=4,
        num_attention_heads=VISION_HIDDEN // HEAD_DIM,
        image_size=SIDE,
        patch_size=PATCH,
        projection_dim=64,
    )
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_HIDDEN,
        intermediate_size=448,
        num_hidden_layers=4,
        num_attention_heads=TEXT_HIDDEN // HEAD_DIM,
        num_key_value_heads=TEXT_HIDDEN // HEAD_DIM,
        head_dim=HEAD_DIM,
        max_position_embeddings=MAX_TOKENS,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=ids[END],
        pad_token_id=ids[PAD],
    )
    return LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=ids[PICTURE],
        image_seq_length=GRID**2,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=True,
    )


def build_model(tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> LlavaForConditionalGeneration:
    """The model with fresh weights."""
    torch.manual_seed(seed)
    config = build_config(tokenizer)
    model = LlavaForConditionalGeneration(config)
    end, pad = config.text_config.eos_token_id, config.text_config.pad_token_id
    model.generation_config = GenerationConfig(eos_token_id=[end, pad], pad_token_id=pad)
    return model


def save(model: LlavaForConditionalGeneration, processor: LlavaProcessor, folder: Path) -> None:
    """float16 weights under a float32 config; the tower's weights bear the names that vLLM knows too."""
    new, old = "vision_tower.vision_model.", "vision_tower."
    state = {
        name if new in name else name.replace(old, new): weight.detach().half()
        for name, weight in model.state_dict().items()
        if not name.startswith("lm_head")
    }
    model.save_pretrained(folder, state_dict=state)
    processor.save_pretrained(folder)


def load(folder: Path) -> tuple[Any, Any]:
    """Model (float32, evaluation mode) and processor of a checkpoint."""
    model = AutoModelForImageTextToText.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True
    ).eval()
    return model, AutoProcessor.from_pretrained(folder)


def shift(model: Any, before: Path, after: Path) -> None:
    """Add to a model's weights by how much those of another checkpoint changed while it learned."""
    old, new = (load(folder)[0].state_dict() for folder in (before, after))
    model.load_state_dict(
        {name: weight + new[name] - old[name] for name, weight in model.state_dict().items()}
    )
