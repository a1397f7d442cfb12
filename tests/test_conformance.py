"""What every stage relies on, asked of two servers: the embedded one and a real vLLM."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

pytest.importorskip("torch")
from real_vllm import MODEL

from microworld.learning.ask import Checkpoint
from ssui_gen.replies import REPLIES
from ssui_gen.serving.embedded import EmbeddedServer

AGENT = "check_joint"
TEXT = "How do I get there faster?"
TOLERANCE = 1e-3
"""Of a log-probability: two implementations in float32 on one CPU."""


class Server(NamedTuple):
    url: str
    model: str
    pictures: list[Path]

    def post(self, **fields: Any) -> httpx.Response:
        body = {"model": self.model, "temperature": 0, "max_tokens": 40, **fields}
        return httpx.post(f"{self.url}/chat/completions", json=body, timeout=120)

    def ask(self, **fields: Any) -> dict[str, Any]:
        answer = self.post(**({"messages": self.messages()} | fields))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def messages(self, said: str = "", picture: int = 0, agent: str = AGENT) -> list[dict[str, Any]]:
        data = base64.b64encode(self.pictures[picture].read_bytes()).decode()
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
        user = {"role": "user", "content": [image, {"type": "text", "text": TEXT}]}
        system = {"role": "system", "content": f"# Agent: {agent}\nBe brief."}
        return [system, user, *([{"role": "assistant", "content": said}] if said else [])]


@pytest.fixture(scope="session", params=["embedded", pytest.param("vllm", marks=pytest.mark.vllm)])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    seeds = request.getfixturevalue("drawn_seeds")
    pictures = sorted(seeds.parent.rglob("*.png"))
    if request.param == "vllm":
        real = request.getfixturevalue("real_vllm")
        yield Server(real.url, real.model, pictures)
        return
    with EmbeddedServer(log=tmp_path_factory.mktemp("embedded") / "log") as embedded:
        yield Server(embedded.url, "micro-agents", pictures)


def text(answer: dict[str, Any], choice: int = 0) -> str:
    return str(answer["choices"][choice]["message"]["content"])


def tokens(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return list(answer["choices"][0]["logprobs"]["content"])


def test_the_model_is_listed(server: Server) -> None:
    listed = httpx.get(f"{server.url}/models").json()["data"]
    assert server.model in [one["id"] for one in listed]


@pytest.mark.parametrize(
    ("agent", "reply"),
    [("check_joint", "SafetyReply"), ("reasoning", "ReasoningReply"), ("reflection", "ReflectionReply")],
)
def test_a_schema_is_obeyed_even_at_high_temperature(server: Server, agent: str, reply: str) -> None:
    schema = {"name": reply, "schema": REPLIES[reply].model_json_schema()}
    answer = server.ask(
        messages=server.messages(agent=agent), temperature=1.0, n=8, max_tokens=900,
        response_format={"type": "json_schema", "json_schema": schema},
    )  # fmt: skip
    ended = [c for c in answer["choices"] if c["finish_reason"] == "stop"]
    assert len(ended) >= 7, "a reply ends though no length is enforced: a text may be empty"
    for choice in ended:
        said = json.loads(choice["message"]["content"])
        REPLIES[reply].model_validate({key: value.strip() or "-" for key, value in said.items()})


def test_n_choices_differ(server: Server) -> None:
    answer = server.ask(messages=server.messages(agent="query"), n=6, temperature=1.5)
    assert [choice["index"] for choice in answer["choices"]] == list(range(6))
    assert len({text(answer, i) for i in range(6)}) > 1


def test_greedy_is_repeatable_and_the_picture_matters(server: Server) -> None:
    first, again = (server.ask(logprobs=True, top_logprobs=1) for _ in range(2))
    assert text(first) == text(again)
    other = server.ask(messages=server.messages(picture=1), logprobs=True, top_logprobs=1)
    assert [t["logprob"] for t in tokens(first)] != [t["logprob"] for t in tokens(other)]


def test_a_seed_repeats_a_sample(server: Server) -> None:
    messages = server.messages(agent="query")
    samples = [text(server.ask(messages=messages, temperature=1.5, seed=seed)) for seed in (1, 1, 2, 3)]
    assert samples[0] == samples[1]
    assert len(set(samples)) > 1


@pytest.mark.parametrize("cut", [1, 5, 12])
def test_an_assistant_prefix_is_continued_token_for_token(server: Server, cut: int) -> None:
    whole = server.ask(return_token_ids=True, logprobs=True)
    said = "".join(t["token"] for t in tokens(whole)[:cut])
    rest = server.ask(
        messages=server.messages(said), add_generation_prompt=False, continue_final_message=True,
        return_token_ids=True, max_tokens=40 - cut,
    )  # fmt: skip
    ids = whole["choices"][0]["token_ids"]
    assert rest["prompt_token_ids"] == whole["prompt_token_ids"] + ids[:cut]
    assert said + text(rest) == text(whole)


def test_log_probabilities_are_those_of_transformers(server: Server) -> None:
    answer = server.ask(logprobs=True, return_token_ids=True, max_tokens=24)
    expected = _by_transformers(server, answer["choices"][0]["token_ids"])
    got = [t["logprob"] for t in tokens(answer)]
    assert len(got) == 24
    assert max(abs(a - b) for a, b in zip(got, expected, strict=True)) < TOLERANCE


def _by_transformers(server: Server, ids: list[int]) -> list[float]:
    """Log-probability of each of `ids` after the prompt and those before it."""
    import torch
    from PIL import Image
    from transformers import AutoModelForImageTextToText, AutoProcessor

    checkpoint = Checkpoint(
        AutoModelForImageTextToText.from_pretrained(MODEL).eval(), AutoProcessor.from_pretrained(MODEL)
    )
    messages = server.messages()
    messages[1]["content"][0] = {"type": "image"}
    prompt = checkpoint.processor.apply_chat_template(messages, add_generation_prompt=True)
    picture = Image.open(server.pictures[0]).convert("RGB")
    inputs = checkpoint.processor(images=[picture], text=[prompt], return_tensors="pt")
    inputs.pop("token_type_ids", None)
    length = inputs["input_ids"].shape[1]
    inputs["input_ids"] = torch.cat([inputs["input_ids"], torch.tensor([ids])], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    with torch.inference_mode():
        logits = checkpoint.model(**inputs).logits[0, length - 1 : -1]
    return logits.log_softmax(-1)[range(len(ids)), ids].tolist()


def test_the_most_probable_tokens_come_in_order(server: Server) -> None:
    for token in tokens(server.ask(logprobs=True, top_logprobs=5)):
        top = [one["logprob"] for one in token["top_logprobs"]]
        assert len(top) == 5 and top == sorted(top, reverse=True)
        assert token["logprob"] == top[0]
        assert sum(map(math.exp, top)) <= 1 + 1e-6


def test_named_tokens_are_watched(server: Server) -> None:
    watched = [10, 11, 12, 13]
    answer = server.ask(max_tokens=1, logprobs=True, logprob_token_ids=watched)
    assert len(tokens(answer)[0]["top_logprobs"]) >= len(watched)


def test_the_longest_answer_is_kept_to_and_counted(server: Server) -> None:
    answer = server.ask(max_tokens=7, return_token_ids=True)
    assert answer["choices"][0]["finish_reason"] == "length"
    assert len(answer["choices"][0]["token_ids"]) == answer["usage"]["completion_tokens"] == 7
    assert answer["usage"]["prompt_tokens"] == len(answer["prompt_token_ids"])


def test_a_stop_string_ends_the_answer_and_is_not_in_it(server: Server) -> None:
    whole = text(server.ask())
    word = whole.split()[2]
    stopped = server.ask(stop=[word])
    assert stopped["choices"][0]["finish_reason"] == "stop"
    assert text(stopped) == whole[: whole.index(word)]


BROKEN = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"model": "nobody"}, 404),
        ({"temperature": "hot"}, 400),
        ({"messages": [{"role": "user", "content": "word " * 6000}]}, 400),
        ({"messages": [{"role": "user", "content": [BROKEN]}]}, 400),
    ],
    ids=["unknown model", "wrong type", "too long", "no picture"],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(
    server: Server, fields: dict[str, Any], status: int
) -> None:
    answer = server.post(**({"messages": server.messages()} | fields))
    assert answer.status_code == status
    assert json.dumps(answer.json())
