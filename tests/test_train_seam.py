"""A cut is a place where tokens end, in tokenizers as they are in the world."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_tokens import qwen, qwen_file, sentencepiece

from ssui_gen.branching import prefix_at, render_path, render_steps
from ssui_gen.records import STEP_NAMES, Step
from ssui_train.encode import Encoder
from ssui_train.source import Unfit, Why

TEXTS = (
    "A red kettle stands on the stove, near a cloth.",
    "They want to know how to dry the cloth quickly (today).",
    "The cloth would lie on the hot stove!",
    "They mean well; the risk is a fire: dangerous_behavior.",
    'The cloth may burn, and "someone" gets hurt…',
    "Say so, and name a safer way?",
)
ANSWER = "Careful: hang it over a chair, away from the stove."
ENDS = st.sampled_from(
    [".", "!", "?", "…", ".)", '."', "”", ";", ":", "-", "—", "**", "`", "]", "。", "！", "।", "°C", "5", "a",
     "é", "🙂", ">", "..."]
)  # fmt: skip
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
LINES = st.builds(lambda words, end: " ".join(words) + end, st.lists(WORDS, min_size=1, max_size=6), ENDS)


def steps(texts: tuple[str, ...]) -> tuple[Step, ...]:
    return tuple(Step(name=name, text=text) for name, text in zip(STEP_NAMES, texts, strict=True))


def encoder_of(tokenizer: object) -> Encoder:
    return Encoder(tokenizer, SimpleNamespace(generation_config=None))


@pytest.fixture(scope="module")
def of_qwen() -> Encoder:
    file = qwen_file()
    if file is None:
        pytest.skip(
            "needs the package dashscope, which carries Qwen's merges: pip install --no-deps dashscope"
        )
    return encoder_of(qwen(file))


@pytest.fixture(scope="module")
def of_sentencepiece() -> Encoder:
    return encoder_of(sentencepiece([render_path(steps(TEXTS), ANSWER)] * 4))


def check_every_cut(encoder: Encoder, texts: tuple[str, ...], answer: str) -> None:
    path = steps(texts)
    whole = render_path(path, answer)
    ids = encoder.ids(whole)
    for cut in range(len(path)):
        prefix = prefix_at(path, cut)
        before = encoder.ids(prefix)
        branch = encoder.text(ids)[len(encoder.text(before)) :]  # a normal form of letters may be another
        assert before + encoder.after(before, branch) == ids
        assert encoder.text(before).endswith("\n" if cut else "")


@settings(max_examples=150)
@given(texts=st.tuples(*[LINES] * 6), answer=LINES)
def test_prefix_and_branch_are_the_tokens_of_the_whole_in_qwen(
    of_qwen: Encoder, texts: tuple[str, ...], answer: str
) -> None:
    check_every_cut(of_qwen, texts, answer)


@settings(max_examples=100)
@given(texts=st.tuples(*[LINES] * 6), answer=LINES)
def test_prefix_and_branch_are_the_tokens_of_the_whole_in_sentencepiece(
    of_sentencepiece: Encoder, texts: tuple[str, ...], answer: str
) -> None:
    check_every_cut(of_sentencepiece, texts, answer)


def test_qwen_s_branch_alone_is_what_follows_the_prefix(of_qwen: Encoder) -> None:
    path = steps(TEXTS)
    for cut in range(1, 6):
        prefix = prefix_at(path, cut)
        branch = render_path(path, ANSWER)[len(prefix) :]
        assert of_qwen.ids(prefix) + of_qwen.ids(branch) == of_qwen.ids(prefix + branch)


def test_before_the_line_break_a_cut_lies_inside_a_token_of_qwen_s(of_qwen: Encoder) -> None:
    """Why a prefix ends with its line break: Qwen joins a full stop and a line break into one token."""
    assert len(of_qwen.ids(".\n")) == 1
    path = steps(TEXTS)
    for cut in range(1, 6):
        prefix = render_steps(path[:cut])
        branch = render_path(path, ANSWER)[len(prefix) :]
        with pytest.raises(Unfit, match=r"where the prefix ends the tokens are .* followed by this") as error:
            of_qwen.after(of_qwen.ids(prefix), branch)
        assert error.value.reason == Why.INSIDE_A_TOKEN


def test_a_branch_that_begins_with_a_line_break_is_no_continuation_of_the_prefix_in_qwen(
    of_qwen: Encoder,
) -> None:
    before = of_qwen.ids(prefix_at(steps(TEXTS), 1))
    with pytest.raises(Unfit, match=r"tokens are \['\.\\n'\]; followed by this branch they are \['\.\\n\\n'"):
        of_qwen.after(before, "\n2. Textual request: dry it.")


def test_sampled_ids_are_kept_where_they_say_the_text(of_qwen: Encoder) -> None:
    before, text = of_qwen.ids(prefix_at(steps(TEXTS), 5)), "6. Response strategy: say so."
    letters = [of_qwen.ids(letter)[0] for letter in text]
    assert of_qwen.after(before, text, [*letters, of_qwen.tokenizer.eos_token_id]) == letters
    other = [of_qwen.ids(letter)[0] for letter in "6. Something else."]
    assert of_qwen.after(before, text, other) == of_qwen.ids(text)


@pytest.mark.parametrize("text", ["2. cafe\u0301 is near.", "2. \u0958 is a letter."])
def test_a_text_that_its_tokens_change_is_told(of_qwen: Encoder, text: str) -> None:
    """Qwen writes letters in one normal form; sampled tokens say them as they were."""
    before = of_qwen.ids(prefix_at(steps(TEXTS), 1))
    with pytest.raises(Unfit, match="as tokens it says") as error:
        of_qwen.after(before, text)
    assert error.value.reason == Why.TEXT_CHANGED


@given(text=st.text(max_size=60), cut=st.integers(0, 5))
@settings(max_examples=150)
def test_whatever_was_written_is_trained_as_it_stands_or_has_a_reason(
    of_qwen: Encoder, of_sentencepiece: Encoder, text: str, cut: int
) -> None:
    for encoder in (of_qwen, of_sentencepiece):
        before = encoder.ids(prefix_at(steps(TEXTS), cut))
        try:
            ids = encoder.after(before, text)
        except Unfit as unfit:
            assert unfit.reason in (Why.INSIDE_A_TOKEN, Why.TEXT_CHANGED)
        else:
            assert encoder.text([*before, *ids]) == encoder.text(before) + text
            assert [*before, *ids] == encoder.ids(encoder.text(before) + text)


@given(own=LINES, rest=LINES, cut=st.integers(0, 5))
@settings(max_examples=100)
def test_the_tokens_of_a_step_say_the_step(
    of_qwen: Encoder, of_sentencepiece: Encoder, own: str, rest: str, cut: int
) -> None:
    for encoder in (of_qwen, of_sentencepiece):
        before = encoder.ids(prefix_at(steps(TEXTS), cut))
        text = encoder.text(encoder.ids(f"3. x: {own}\n4. y: {rest}"))
        step = text[: text.index("\n") + 1]
        ids = encoder.after(before, text)
        count = encoder.covering(before, ids, step)
        head = len(encoder.text(before))
        assert encoder.text([*before, *ids[:count]])[head:] == step
        assert not encoder.text([*before, *ids[: count - 1]])[head:].startswith(step)
