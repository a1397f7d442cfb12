"""Marks of chat templates in somebody's words are words; quoted material cannot pose as ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.marks import MARK, as_words, quoted

MARKS = [
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|image_pad|>", "<image>", "</s>", "<s>",
    "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "<image_soft_token>", "[INST]", "[/INST]", "[IMG]",
    "[SYSTEM_PROMPT]", "<<SYS>>", "<</SYS>>", "<turn|>", "<|turn>", "<｜end▁of▁sentence｜>", "<think>",
    "</think>", "◁think▷", "<|vision_start|>", "<|end|>", "<|start|>", "<\\s>",
]  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
def test_no_mark_is_left(mark: str) -> None:
    assert mark not in as_words(f"a{mark}b{mark}") and "a" in as_words(f"a{mark}b")


@given(
    st.lists(st.sampled_from([*MARKS, "<", ">", "|", "word", " ", "\n", "im_end"]), max_size=20).map("".join)
)
def test_nothing_that_is_left_has_the_shape_of_a_mark(text: str) -> None:
    plain = as_words(text)
    assert (
        not MARK.search(plain) and as_words(plain) == plain and len(plain) >= len(text) - text.count("<<SYS")
    )


@pytest.mark.parametrize("text", ["I <3 you", "a < b > c", "x <- y", "[sic] [1] [A]", "2 > 1", "a|b"])
def test_words_stay_as_they_are(text: str) -> None:
    assert as_words(text) == text


@given(st.text())
def test_every_line_of_a_quotation_is_one(text: str) -> None:
    assert all(line.startswith(">") for line in quoted(text).splitlines())
