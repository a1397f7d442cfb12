"""What ends a turn: taken from templates of the shapes that families publish, and from sampled ids."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tiny_llava import tiny_tokenizer

from ssui_gen.errors import ConfigError
from ssui_train.encode import Encoder

TEXT = "{{ m.content if m.content is string else m.content[0].text }}"
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n" + TEXT + "<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
GEMMA = (
    "<bos>{% for m in messages %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n"
    "{{ (m.content if m.content is string else m.content[0].text) | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
GLM = (
    "[gMASK]{% for m in messages %}<|{{ m.role }}|>\n"
    "{% if m.role == 'assistant' %}<think></think>\n{% endif %}" + TEXT + "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
VICUNA = (
    "{% for m in messages %}{{ m.role | upper }}: " + TEXT + " {% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
MISTRAL = (
    "<s>{% for m in messages %}{% if m.role == 'user' %}[INST] " + TEXT + " [/INST]"
    "{% else %} " + TEXT + "</s>{% endif %}{% endfor %}"
)
ONEVISION = CHATML.replace("}}\n", "}} \n")
BETWEEN_TURNS = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n" + TEXT
    + "{% if not loop.last %}<|im_end|>\n{% endif %}{% endfor %}"
)  # fmt: skip


def encoder(template: str, marks: tuple[str, ...], end: str, stops: list[str] | None) -> Encoder:
    tokenizer = tiny_tokenizer(marks)
    tokenizer.eos_token, tokenizer.chat_template = end, template
    tokenizer.bos_token = next((mark for mark in marks if mark in ("<bos>", "<s>")), None)
    ids = tokenizer.convert_tokens_to_ids(stops) if stops else None
    return Encoder(tokenizer, SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=ids)))


ROLES = ("[gMASK]", "<|user|>", "<|assistant|>")
TURNS = ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>")


@pytest.mark.parametrize(
    ("template", "marks", "end", "stops", "wanted"),
    [
        (CHATML, (), "<|im_end|>", ["<|im_end|>", "<|endoftext|>"], "<|im_end|>"),
        (CHATML, (), "<|endoftext|>", None, "<|im_end|>"),
        (ONEVISION, (), "<|im_end|>", None, "<|im_end|>"),
        (GEMMA, TURNS, "<eos>", ["<eos>", "<end_of_turn>"], "<end_of_turn>"),
        (GLM, ROLES, "<|endoftext|>", ["<|endoftext|>", "<|user|>"], "<|user|>"),
        (GLM, ROLES, "<|endoftext|>", ["<|endoftext|>"], "<|endoftext|>"),
        (GLM, ROLES, "<|endoftext|>", None, "<|user|>"),
        (VICUNA, ("<s>", "</s>"), "</s>", ["</s>"], "</s>"),
        (MISTRAL, ("<s>", "</s>"), "</s>", ["</s>"], "</s>"),
        (BETWEEN_TURNS, (), "<|endoftext|>", ["<|im_end|>"], "<|im_end|>"),
    ],
    ids=[
        "qwen", "qwen, another end of text", "onevision, a blank first", "gemma 3", "glm",
        "glm that stops elsewhere", "glm, stops unknown", "vicuna", "mistral",
        "closed by the next turn alone",
    ],
)  # fmt: skip
def test_a_turn_ends_with_what_the_template_ends_it_with(
    template: str, marks: tuple[str, ...], end: str, stops: list[str] | None, wanted: str
) -> None:
    found = encoder(template, marks, end, stops)
    assert found.tokenizer.convert_ids_to_tokens(found.end) == wanted


def test_the_mark_that_was_sampled_is_the_branch_s_end() -> None:
    found = encoder(GEMMA, TURNS, "<eos>", ["<eos>", "<end_of_turn>"])
    eos, turn, pad = (
        found.tokenizer.convert_tokens_to_ids(mark) for mark in ("<eos>", "<end_of_turn>", "<|endoftext|>")
    )
    said = found.ids("the kettle")
    assert found.end_of([*said, eos]) == eos
    assert found.end_of([*said, turn, pad]) == turn
    assert found.end_of(said) == turn
    assert found.end_of(()) == turn
    assert found.without_end([*said, turn, pad]) == said


def test_a_mark_that_the_tokenizer_gives_no_part_is_a_mark_all_the_same() -> None:
    """Gemma 3's end of a turn is added as special, and is neither eos nor listed."""
    tokenizer: Any = tiny_tokenizer()
    tokenizer.add_tokens(["<turn|>"], special_tokens=True)
    end = tokenizer.convert_tokens_to_ids("<turn|>")
    assert end not in tokenizer.all_special_ids
    found = Encoder(tokenizer, SimpleNamespace(generation_config=None))
    assert found.without_end([*found.ids("the kettle"), end]) == found.ids("the kettle")


def test_a_model_that_says_nowhere_what_ends_an_answer_is_refused() -> None:
    found = encoder(VICUNA, (), "<|im_end|>", None)
    found.tokenizer.eos_token = None
    with pytest.raises(ConfigError, match="neither its chat template nor its tokenizer says what ends"):
        _ = found.end


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("say <|im_end|> here", ["<|im_end|>"]),
        ("look at the <image> and </s>", ["<image>"]),
        ("<turn|><|im_start|>", ["<turn|>", "<|im_start|>"]),
        ("<|im end|> < image > a < b > c", []),
        ("Answer: the kettle.", []),
    ],
)
def test_marks_written_as_words_are_found(text: str, marks: list[str]) -> None:
    tokenizer: Any = tiny_tokenizer()
    tokenizer.add_tokens(["<turn|>"], special_tokens=True)
    found = Encoder(tokenizer, SimpleNamespace(generation_config=None))
    assert found.marks(text) == sorted(marks)


def test_what_a_processor_replaces_by_pictures_is_a_mark_though_its_tokenizer_knows_none() -> None:
    processor = SimpleNamespace(tokenizer=tiny_tokenizer(), image_token="<picture>", boi_token=None)
    found = Encoder(processor, SimpleNamespace(generation_config=None))
    assert found.marks("a <picture> of a kettle") == ["<picture>"]
