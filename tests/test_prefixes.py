"""What prompts have in common is read once by the embedded server, and nothing that is said changes by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("torch")
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_server import body, chat, forward, png, texts, together, user
from tiny_llava import make_tiny_llava

from microworld.serving.prefixes import BLOCK, Prefixes, names_of
from ssui_gen.serving.embedded import EmbeddedServer

LONG = "the kettle is on the table and the cat sits under it " * 4
SCORED = {"temperature": 0, "logprobs": True, "top_logprobs": 3, "return_token_ids": True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_llava(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def http(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    log = tmp_path_factory.mktemp("log") / "log"
    with (
        EmbeddedServer(log=log, models={"tiny": folder, "same": folder}) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def cached(answer: dict[str, Any]) -> int:
    return int(answer["usage"]["prompt_tokens_details"]["cached_tokens"])


def tops(answer: dict[str, Any]) -> torch.Tensor:
    entries = answer["choices"][0]["logprobs"]["content"]
    return torch.tensor([[other["logprob"] for other in entry["top_logprobs"]] for entry in entries])


def test_what_is_said_after_a_known_beginning_is_what_the_bare_model_says(
    http: httpx.Client, folder: Path
) -> None:
    asked = {**SCORED, "return_prompt_text": True}
    first = chat(http, user(f"one {LONG} and now?", png("green")), **asked)
    answers = [
        chat(http, user(f"one {LONG}{end}", png("green")), **asked) for end in (" and now?", "", " no " * 30)
    ]
    assert cached(first) < 64 and texts(answers[0]) == texts(first)
    for answer in answers:
        assert cached(answer) > 100
        tokens = answer["choices"][0]["token_ids"]
        expected = forward(folder, answer["prompt_text"], png("green"), tokens)
        assert expected.argmax(-1).tolist() == tokens
        torch.testing.assert_close(tops(answer), expected.topk(3).values, atol=1e-4, rtol=0)


def test_requests_that_come_together_share_their_beginning_and_are_answered_as_alone(
    http: httpx.Client,
) -> None:
    def asked(name: str, model: str) -> list[dict[str, Any]]:
        said = [user(f"{name} {LONG} {'and ' * n}then?", png("navy")) for n in range(6)]
        said += [user(f"{name} {LONG}", png("navy"), png("white")), user(f"{name}: hello")]
        return [body(one, model=model, **SCORED) for one in said]

    mixed = together(http, asked("three", "tiny"))
    assert sum(map(cached, mixed)) > 3 * 64
    for answer, alone in zip(mixed, asked("three", "same"), strict=True):
        again = http.post("/chat/completions", json=alone).json()
        assert texts(again) == texts(answer)
        torch.testing.assert_close(tops(again), tops(answer), atol=1e-4, rtol=0)


def test_another_picture_or_model_knows_nothing_of_it(http: httpx.Client) -> None:
    said = user(f"four {LONG}", png("purple"))
    chat(http, said)
    assert cached(chat(http, said)) > 64
    assert cached(chat(http, user(f"four {LONG}", png("orange")))) < 64
    chat(http, user("hi"), model="same")
    assert cached(chat(http, said, model="same")) < 64


def test_a_reply_of_one_token_is_the_first_of_a_longer_one(http: httpx.Client) -> None:
    asked = [body(user(f"five {LONG}"), **{**SCORED, "max_tokens": n}) for n in (1, 1, 9)]
    short, again, long = together(http, asked)
    first = [one["choices"][0]["token_ids"][0] for one in (short, again, long)]
    assert len(set(first)) == 1 and len(long["choices"][0]["token_ids"]) == 9
    assert short["choices"][0]["finish_reason"] == "length"


# --- what is kept ------------------------------------------------------------------------------------------

WORDS = st.lists(st.sampled_from([b"\0a", b"\0b", b"\1" + b"picture"]), max_size=5 * BLOCK)


@given(WORDS, WORDS, WORDS)
def test_prompts_share_names_as_far_as_they_share_whole_blocks(
    start: list[bytes], one: list[bytes], other: list[bytes]
) -> None:
    first, second = start + one, start + other
    same = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
    if same is None:
        same = min(len(first), len(second))
    names, others = names_of(first), names_of(second)
    shared = len([1 for a, b in zip(names, others, strict=False) if a == b])
    assert shared == min(same // BLOCK, len(names), len(others))
    assert len(set(names)) == len(names) == max(0, len(first) - 1) // BLOCK


def test_what_was_longest_unused_goes_first_and_ends_before_beginnings() -> None:
    block = torch.zeros(1, 2, 1, BLOCK, 4)
    kept = Prefixes(most_bytes=4 * block.nbytes)
    old, new = [b"a", b"ab", b"abc"], [b"a", b"ax"]
    kept.keep(old, [block] * 3)
    kept.keep(new, [*kept.held(new), block])
    kept.keep([b"z"], [block])
    assert (len(kept), kept.bytes) == (4, 4 * block.nbytes)
    assert [len(kept.held(names)) for names in (old, new, [b"z"])] == [2, 2, 1]
    kept.keep([b"y1", b"y2", b"y3", b"y4", b"y5"], [block] * 5)
    assert [len(kept.held(names)) for names in (old, [b"y1", b"y2", b"y3", b"y4", b"y5"])] == [0, 4]
