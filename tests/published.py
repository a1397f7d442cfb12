"""Chat templates as families publish them, or of their shape, for tests and for the family table.

`trl` carries some to the letter; others are described here in our own words, each with where its shape was
read: what they write around texts and pictures is theirs, how it is written is ours.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

MARK = "<|begin_of_image|><|image|><|end_of_image|>"
LLAVA = (
    "{% for m in messages %}{% if m.role != 'system' %}{{ m.role.upper() + ': ' }}{% endif %}"
    "{% for p in m['content'] %}{% if p.type == 'image' %}{{ '<image>\n' }}{% endif %}{% endfor %}"
    "{% for p in m['content'] %}{% if p.type == 'text' %}{{ p.text + ' ' }}{% endif %}{% endfor %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
"""LLaVA-1.5 and NeXT-Vicuna: transformers' conversion of llava-1.5, axolotl's llava.jinja."""
INTERNVL = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for p in m['content'] %}"
    "{% if p.type == 'image' %}{{ '<IMG_CONTEXT>\n' }}{% else %}{{ p.text }}{% endif %}{% endfor %}"
    "{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""InternVL3 -hf: transformers' convert_internvl_weights_to_hf.py."""
ONEVISION = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + ' ' }}"
    "{% for p in m['content'] %}{% if p.type == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}"
    "{% for p in m['content'] %}{% if p.type == 'text' %}{{ '\n' + p.text }}{% endif %}{% endfor %}"
    "{{ '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""LLaVA-OneVision: transformers' tests of its processor."""
LLAMA4 = (
    "{{ bos_token }}{% for m in messages %}{{ '<|header_start|>' + m.role + '<|header_end|>\n\n' }}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for p in m['content'] %}"
    "{% if p.type == 'image' %}{{ '<|image|>' }}{% else %}{{ p.text }}{% endif %}{% endfor %}{% endif %}"
    "{{ '<|eot|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|header_start|>assistant<|header_end|>\n\n' }}{% endif %}"
)
"""Llama 4: axolotl's llama4.jinja."""
LLAMA32 = (
    "{{ bos_token }}{% set held = namespace(image=false) %}{% for m in messages %}{% for p in m['content'] %}"
    "{% if p.type == 'image' %}{% set held.image = true %}{% endif %}{% endfor %}{% endfor %}"
    "{% if held.image and messages[0].role == 'system' %}"
    "{{ raise_exception('Prompting with images is incompatible with system messages.') }}{% endif %}"
    "{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' }}"
    "{% for p in m['content'] %}{{ '<|image|>' if p.type == 'image' else p.text | trim }}{% endfor %}"
    "{{ '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
"""Llama 3.2 Vision: axolotl's llama3_2_vision.jinja; vLLM serves it no more since 0.11."""
PIXTRAL = (
    "{% set found = namespace(system=none) %}{{ bos_token }}"
    "{% for m in messages %}{% if m.role == 'system' %}"
    "{% set found.system = m['content'] if m['content'] is string else m['content'][0].text %}"
    "{% elif m.role == 'user' %}"
    "{{ '[INST]' + (found.system + '\n\n' if loop.last and found.system else '') }}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for p in m['content'] %}{{ '[IMG]' if p.type == 'image' else p.text }}{% endfor %}{% endif %}"
    "{{ '[/INST]' }}{% else %}{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for p in m['content'] %}{{ p.text }}{% endfor %}{% endif %}{{ eos_token }}{% endif %}{% endfor %}"
)
"""Pixtral-12B -hf: axolotl's pixtral.jinja."""
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ '[SYSTEM_PROMPT]' }}"
    "{% elif m.role == 'user' %}{{ '[INST]' }}{% endif %}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for p in m['content'] %}{{ '[IMG]' if p.type == 'image' else p.text }}{% endfor %}{% endif %}"
    "{{ '[/SYSTEM_PROMPT]' if m.role == 'system' else '[/INST]' if m.role == 'user' else eos_token }}"
    "{% endfor %}"
)
"""Mistral-Small 3.1 and 3.2: llama.cpp's models/templates."""
BLIP2 = (
    "{%- for m in messages -%}{%- if m['role'] == 'user' -%}{{- 'Question: ' + m['content'] + ' ' -}}"
    "{%- elif m['role'] == 'assistant' -%}{{- 'Answer: ' + m['content'] + ' ' -}}{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- 'Answer:' -}}{% endif %}"
)
"""What vLLM takes for BLIP-2 (template_blip2.jinja): no system text."""
_SHAPES = {
    "llava": LLAVA,
    "internvl": INTERNVL,
    "llava_onevision": ONEVISION,
    "llama4": LLAMA4,
    "llama3_2_vision": LLAMA32,
    "pixtral": PIXTRAL,
    "mistral3": MISTRAL,
    "blip2": BLIP2,
}
_OF_TRL = (
    *("qwen2_5_vl", "qwen3_vl", "llava_next", "gemma3", "gemma4", "gemma4_v2", "gemma4_v3", "gemma4_v4"),
    *("gemma4_v5", "qwen3_5_think", "qwen3_5_nothink", "qwen3_6", "qwen3_8", "glm4moe"),
)


def published(name: str) -> str:
    """A template's text."""
    return (
        _SHAPES.get(name) or {"glm4v": _glm4v, "gemma4_31b": _gemma4_31b}.get(name, lambda: _of_trl(name))()
    )


def _of_trl(name: str) -> str:
    found = find_spec("trl")
    assert found and found.origin and name in _OF_TRL, name
    return (Path(found.origin).parent / "chat_templates" / f"{name}.jinja").read_text("utf-8")


def _glm4v() -> str:
    """GLM-4.5V's is that of GLM-4.5 with its processor's marks for a picture."""
    text, next_one = _of_trl("glm4moe"), "{%- elif item is string -%}"
    assert next_one in text
    image = "{%- elif item is mapping and item.type == 'image' -%}"
    return text.replace(next_one, f"{image}{MARK}{next_one}", 1)


def _gemma4_31b() -> str:
    """The larger ones' also opens and closes thoughts in the generation prompt (llama.cpp's gemma4.jinja)."""
    shut = "{{- '<|channel>thought\n<channel|>' -}}"
    return (
        f"{_of_trl('gemma4_v5')}{{%- if add_generation_prompt and not enable_thinking | default(false) -%}}"
        f"{shut}{{%- endif -%}}"
    )


def render(template: str, messages: list[dict[str, Any]], **told: Any) -> str:
    """As transformers renders it, and vLLM with its renderer; an answer that ends `messages` is begun.

    Raises jinja2.TemplateError, as the template does.
    """
    from transformers.utils.chat_template_utils import render_jinja_template

    begun = messages[-1]["role"] == "assistant"
    rendered, _ = render_jinja_template(
        [messages], chat_template=template, add_generation_prompt=not begun, continue_final_message=begun,
        bos_token="<s>", eos_token="</s>", **told,
    )  # fmt: skip
    return str(rendered[0])
