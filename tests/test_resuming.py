"""Whether an answer that was begun is gone on with, by text and numbers alone: a model of single words."""

from __future__ import annotations

import asyncio
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.calling.resuming import Resumed, resumes
from ssui_gen.completions import Choice, Completion, TokenLogprob, Usage

MOST = 24
PROMPT = 9
WORDS = st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=4), min_size=8, max_size=30)


def made(shown: str, written: list[str], prompt: int, logprobs: bool) -> Completion:
    """`shown` before what was `written`, a token each. How likely one is depends on what stands before it."""
    tokens = tuple(TokenLogprob(token=token, logprob=-1.0 / (1 + prompt)) for token in written)
    choice = Choice(
        text=shown + "".join(written), finish_reason="stop", logprobs=tokens if logprobs else None
    )
    usage = Usage(prompt_tokens=prompt, completion_tokens=len(written))
    return Completion(model="m", choices=(choice,), usage=usage, seconds=0.1)


def pieces(words: list[str]) -> list[str]:
    return [word if not i else f" {word}" for i, word in enumerate(words)]


def server(kind: str, words: list[str], logprobs: bool) -> Resumed:
    """What is found of a server that treats a beginning in this way."""
    whole = pieces(words)[:MOST]

    async def begun(said: str, **fields: Any) -> Completion:
        trimmed = said.rstrip() if kind == "trims" else said
        known = len(trimmed.split(" "))
        grown = PROMPT + known + trimmed.count("\n")
        left = whole[known:][: fields["max_tokens"]] if trimmed == trimmed.rstrip() else ["\n", "a"]
        if kind == "anew":
            return made("", whole[: fields["max_tokens"]], grown + 3, logprobs)
        return made(said if kind == "echoes" else "", left, grown, logprobs)

    return asyncio.run(resumes(begun, made("", whole, PROMPT, logprobs), MOST))


@given(WORDS)
def test_going_on_is_told_from_every_other_way(words: list[str]) -> None:
    assert server("exactly", words, True) == Resumed(True)
    assert server("echoes", words, True) == Resumed(True, echoes=True)
    assert server("anew", words, True).prefix is False
    assert server("trims", words, True).prefix is False


@pytest.mark.parametrize(("kind", "prefix"), [("exactly", True), ("anew", False), ("trims", False)])
def test_without_log_probabilities_the_text_tells(kind: str, prefix: bool) -> None:
    words = [f"{letter}{i}" for i, letter in enumerate(string.ascii_lowercase[:20])]
    assert server(kind, words, False) == Resumed(prefix)


def test_an_answer_too_short_to_cut_decides_nothing() -> None:
    assert server("exactly", ["yes"], True) == server("exactly", ["yes"], False) == Resumed(None)
