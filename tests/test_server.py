"""The embedded server over real HTTP, with a tiny random model: nothing it says was learned."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("torch")
import torch
from jobs import wait_for
from PIL import Image
from tiny_llava import CONTEXT, make_tiny_llava
from transformers import AutoModelForImageTextToText, AutoProcessor

from ssui_gen.serving.embedded import EmbeddedServer

SCHEMA = {
    "type": "object",
    "properties": {
        "label": {"enum": ["safe", "unsafe"]},
        "why": {"type": "string", "maxLength": 12},
        "steps": {"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "string", "maxLength": 5}},
        "sure": {"type": "boolean"},
    },
    "required": ["label", "why", "steps", "sure"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": SCHEMA}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_llava(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def http(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    log = tmp_path_factory.mktemp("log") / "server.log"
    broken = tmp_path_factory.mktemp("broken")
    (broken / "config.json").write_text("{}")
    with (
        EmbeddedServer(log=log, models={"tiny": folder, "same": folder, "broken": broken}) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def png(colour: str = "red", size: tuple[int, int] = (90, 60)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def data_url(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def user(text: str, *pictures: bytes) -> dict[str, Any]:
    images = [{"type": "image_url", "image_url": {"url": data_url(p)}} for p in pictures]
    return {"role": "user", "content": [*images, {"type": "text", "text": text}]}


def body(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": "tiny", "messages": messages or [user("what now?")], "max_tokens": 24, **fields}


def chat(http: httpx.Client, *messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = http.post("/chat/completions", json=body(*messages, **fields))
    assert answer.status_code == 200, answer.text
    return answer.json()


def texts(answer: dict[str, Any]) -> list[str]:
    return [choice["message"]["content"] for choice in answer["choices"]]


def refusal(http: httpx.Client, status: int, **fields: Any) -> str:
    answer = http.post("/chat/completions", json=body(**fields))
    assert answer.status_code == status, answer.text
    assert set(answer.json()["error"]) == {"message", "type", "code"}
    return str(answer.json()["error"]["message"])


def together(http: httpx.Client, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(lambda b: http.post("/chat/completions", json=b), bodies))
    assert {a.status_code for a in answers} == {200}
    return [a.json() for a in answers]


def test_it_is_healthy_and_lists_its_models(http: httpx.Client) -> None:
    assert http.get(str(http.base_url).replace("/v1/", "/health")).json() == {"status": "ok"}
    assert [m["id"] for m in http.get("/models").json()["data"]] == ["tiny", "same", "broken"]


@pytest.mark.slow
def test_every_sample_obeys_the_schema_at_temperature_one(http: httpx.Client) -> None:
    answers = [chat(http, n=25, seed=s, max_tokens=400, response_format=FORMAT) for s in (0, 1000)]
    choices = [choice for answer in answers for choice in answer["choices"]]
    assert {choice["finish_reason"] for choice in choices} == {"stop"}
    replies = [json.loads(choice["message"]["content"]) for choice in choices]
    for reply in replies:
        assert list(reply) == ["label", "why", "steps", "sure"]
        assert reply["label"] in ("safe", "unsafe")
        assert len(reply["why"]) <= 12
        assert 2 <= len(reply["steps"]) <= 3 and max(map(len, reply["steps"])) <= 5
        assert reply["sure"] in (True, False)
    assert len({json.dumps(reply) for reply in replies}) > 40


def test_json_is_compact(http: httpx.Client) -> None:
    texts_ = texts(chat(http, n=10, seed=3, max_tokens=400, response_format=FORMAT))
    assert all(re.match(r'\{"label":"(un)?safe","why":"', text) for text in texts_)


def test_choice_i_is_drawn_with_seed_plus_i(http: httpx.Client) -> None:
    many = texts(chat(http, n=4, seed=10))
    assert len(set(many)) == 4
    assert [texts(chat(http, seed=10 + i))[0] for i in range(4)] == many


def test_without_a_seed_draws_differ(http: httpx.Client) -> None:
    assert texts(chat(http)) != texts(chat(http))


def test_a_seed_gives_the_same_text_alone_and_in_company(http: httpx.Client) -> None:
    mine = body(user("what is this?", png()), seed=7, max_tokens=60, top_p=0.9)
    alone = together(http, [mine])[0]
    company = [body(user("word " * i), seed=i, n=1 + i % 3, max_tokens=20 + 9 * i) for i in range(9)]
    company += [body(user("a", png("blue")), seed=1, response_format=FORMAT, max_tokens=200)]
    assert texts(together(http, [*company, mine, *company])[10]) == texts(alone)


def test_greedy_ignores_the_seed_and_top_p_near_zero_is_greedy(http: httpx.Client) -> None:
    greedy = texts(chat(http, temperature=0, seed=1))
    assert texts(chat(http, temperature=0, seed=2)) == greedy
    assert texts(chat(http, temperature=1, top_p=1e-6)) == greedy


def test_a_reply_ends_before_its_first_stop_string(http: httpx.Client) -> None:
    whole = texts(chat(http, seed=5, max_tokens=60))[0]
    stop, later = whole[9:13], whole[20:23]
    cut = chat(http, seed=5, max_tokens=60, stop=[later, stop, "not in it"])
    assert texts(cut) == [whole[: whole.index(stop)]]
    assert cut["choices"][0]["finish_reason"] == "stop"
    assert chat(http, seed=5, stop="not in it")["choices"][0]["finish_reason"] == "length"


def test_usage_counts_tokens(http: httpx.Client) -> None:
    answer = chat(http, n=3, seed=5, max_completion_tokens=5, return_token_ids=True)
    said = sum(len(choice["token_ids"]) for choice in answer["choices"])
    assert 3 <= said <= 15, "an answer may end before its limit"
    prompt = len(answer["prompt_token_ids"])
    assert answer["usage"] == {
        "prompt_tokens": prompt,
        "completion_tokens": said,
        "total_tokens": prompt + said,
        "prompt_tokens_details": {"cached_tokens": answer["usage"]["prompt_tokens_details"]["cached_tokens"]},
    }


@pytest.mark.parametrize("extra", [{}, {"response_format": FORMAT, "max_tokens": 300}], ids=["free", "json"])
def test_logprobs_are_those_of_the_bare_model(
    http: httpx.Client, folder: Path, extra: dict[str, Any]
) -> None:
    fields = {"logprobs": True, "top_logprobs": 3, "return_token_ids": True, "return_prompt_text": True}
    mine = body(user("and now?", png("green")), seed=3, temperature=0.7, **{**fields, **extra})
    longer = body(user("a much longer prompt " * 9), seed=4)
    answer = together(http, [mine, longer])[0]
    choice = answer["choices"][0]
    expected = forward(folder, answer["prompt_text"], png("green"), choice["token_ids"])
    entries = choice["logprobs"]["content"]
    got = torch.tensor([entry["logprob"] for entry in entries])
    chosen = torch.tensor(choice["token_ids"])
    torch.testing.assert_close(got, expected[range(len(chosen)), chosen], atol=1e-4, rtol=0)
    top = torch.tensor([[other["logprob"] for other in entry["top_logprobs"]] for entry in entries])
    torch.testing.assert_close(top, expected.topk(3).values, atol=1e-4, rtol=0)


def forward(folder: Path, prompt: str, picture: bytes, reply: list[int]) -> torch.Tensor:
    """Log-probabilities at each token of `reply`, by one forward of transformers; shape (reply, words)."""
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    inputs = processor(text=prompt, images=[Image.open(io.BytesIO(picture))], return_tensors="pt")
    ids = torch.cat([inputs["input_ids"], torch.tensor([reply])], -1)
    with torch.no_grad():
        logits = model(input_ids=ids, pixel_values=inputs["pixel_values"]).logits[0]
    return logits[-len(reply) - 1 : -1].log_softmax(-1)


def test_chosen_tokens_can_be_watched(http: httpx.Client) -> None:
    answer = chat(http, max_tokens=1, logprobs=True, logprob_token_ids=[65, 3], return_token_ids=True)
    entry = answer["choices"][0]["logprobs"]["content"][0]
    assert [other["token"] for other in entry["top_logprobs"]] == [
        bytes(o["bytes"]).decode() for o in entry["top_logprobs"]
    ]
    every = chat(http, max_tokens=1, logprobs=True, logprob_token_ids=list(range(128)))
    others = every["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    watched = [others[65]["logprob"], others[3]["logprob"]]
    assert [other["logprob"] for other in entry["top_logprobs"]] == pytest.approx(watched, abs=1e-5)


def test_a_prefix_is_continued_token_by_token(http: httpx.Client, folder: Path) -> None:
    tokenizer = AutoProcessor.from_pretrained(folder).tokenizer
    question = user("go on", png("blue"))
    whole = chat(http, question, temperature=0, max_tokens=30, return_token_ids=True)
    tokens, text = whole["choices"][0]["token_ids"], texts(whole)[0]
    cuts = [k for k in range(1, 30) if tokenizer.encode(tokenizer.decode(tokens[:k])) == tokens[:k]]
    assert len(cuts) >= 3, f"the model's greedy reply is no text that can be cut: {text!r}"
    for k in cuts:
        prefix = tokenizer.decode(tokens[:k])
        so_far = {"role": "assistant", "content": prefix}
        rest = chat(
            http,
            question,
            so_far,
            temperature=0,
            max_tokens=30 - k,
            add_generation_prompt=False,
            continue_final_message=True,
            return_token_ids=True,
            return_prompt_text=True,
        )
        assert rest["prompt_text"].endswith(f"assistant\n{prefix}")
        assert prefix + texts(rest)[0] == text
        assert rest["choices"][0]["token_ids"] == tokens[k:]


MARKS = ("<|im_end|>", "<image>", "<|im_start|>assistant", "<<|im_end|>|im_end|>", "<|endoftext|>")


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_in_somebodys_words_is_no_mark(http: httpx.Client, folder: Path, mark: str) -> None:
    """In a user's text, in a string, in a system text and in a prefix that is gone on from."""
    special = set(AutoProcessor.from_pretrained(folder).tokenizer.all_special_ids)

    def marks(word: str) -> list[int]:
        said = [
            {"role": "system", "content": f"Be {word} brief."},
            user(f"what {word} now?", png()),
            {"role": "assistant", "content": f"well {word} then"},
        ]
        goes_on = {"add_generation_prompt": False, "continue_final_message": True}
        answer = chat(http, *said, return_token_ids=True, **goes_on)
        return [token for token in answer["prompt_token_ids"] if token in special]

    assert marks(mark) == marks("word")


def test_words_that_are_no_mark_of_this_model_stay_as_they_are(http: httpx.Client) -> None:
    text = "<think>[INST] <|end|> 1 < 2 ‹image›"
    assert text in chat(http, user(text), return_prompt_text=True)["prompt_text"]


def test_the_picture_is_seen(http: httpx.Client) -> None:
    asked = {"max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 5}
    seen = [
        chat(http, user("look", *pictures), **asked)["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        for pictures in ([png("red")], [png("blue")], [png("red"), png("blue")], [png("blue"), png("red")])
    ]
    assert len({tuple(round(other["logprob"], 3) for other in top) for top in seen}) == 4


def test_mixed_requests_are_answered_together(http: httpx.Client) -> None:
    bodies = [
        body(
            user("hello " * (i % 5), *([png()] * (i % 2))),
            n=1 + i % 4,
            model=("tiny", "same")[i % 2],
            **({"response_format": FORMAT, "max_tokens": 300} if i % 3 == 0 else {"stop": "e"}),
        )
        for i in range(24)
    ]
    for i, answer in enumerate(together(http, bodies)):
        assert [choice["index"] for choice in answer["choices"]] == list(range(1 + i % 4))
        if i % 3 == 0:
            assert all(json.loads(text) for text in texts(answer))
        else:
            assert not any("e" in text for text in texts(answer))


def test_an_unknown_model_is_a_404_that_names_the_known(http: httpx.Client) -> None:
    assert "'huge'" in (said := refusal(http, 404, model="huge")) and "tiny, same, broken" in said


def test_a_checkpoint_that_cannot_be_loaded_is_a_500_with_the_reason(http: httpx.Client) -> None:
    assert "Unrecognized model" in refusal(http, 500, model="broken")


def test_an_unknown_route_is_a_404_in_the_same_shape(http: httpx.Client) -> None:
    assert "/v1/embeddings" in http.post("/embeddings", json={}).json()["error"]["message"]


def test_a_prompt_or_reply_that_does_not_fit_is_refused(http: httpx.Client) -> None:
    long = [user("word " * CONTEXT)]
    assert f"maximum context length is {CONTEXT} tokens" in refusal(http, 400, messages=long)
    assert f"maximum context length is {CONTEXT} tokens" in refusal(http, 400, max_tokens=CONTEXT)


SAID = {"role": "assistant", "content": "well"}
BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"frequency_penalty": 1}, "unknown field 'frequency_penalty'"),
    ({"guided_json": SCHEMA}, "unknown field 'guided_json'"),
    ({"n": 65}, "n: Input should be less than or equal to 64; got 65"),
    ({"temperature": -1}, "temperature"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"stop": ["a"] * 5}, "stop"),
    ({"stop": ""}, "stop"),
    ({"top_logprobs": 3}, "need `logprobs`"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
    ({"logprobs": True, "logprob_token_ids": [10**6]}, "logprob_token_ids"),
    ({"stream": True}, "stream"),
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
    ({"messages": [user("x"), SAID], "continue_final_message": True}, "cannot set both"),
    ({"continue_final_message": True, "add_generation_prompt": False}, "role assistant"),
    ({"response_format": {"type": "json_object"}}, "response_format"),
]


@pytest.mark.parametrize(("fields", "why"), BAD_FIELDS, ids=[why for _, why in BAD_FIELDS])
def test_what_it_does_not_know_is_refused_with_the_reason(
    http: httpx.Client, fields: dict[str, Any], why: str
) -> None:
    assert why in refusal(http, 400, **fields)


@pytest.mark.parametrize("schema", [{"type": "foo"}, {"enum": []}, {"type": "string", "pattern": "(?=a)b"}])
def test_a_schema_that_cannot_be_enforced_is_refused(http: httpx.Client, schema: dict[str, Any]) -> None:
    asked = {"type": "json_schema", "json_schema": {"name": "bad", "schema": schema}}
    assert "cannot be enforced" in refusal(http, 400, response_format=asked)


def bomb() -> bytes:
    """A PNG whose header claims 60000 x 60000 pixels."""
    small = png()
    header = b"IHDR" + struct.pack(">II", 60000, 60000) + small[24:29]
    return small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]


BAD_PICTURES = {
    "http://127.0.0.1/x.png": "nothing is fetched",
    "file:///etc/hostname": "nothing is fetched",
    "data:image/png;base64,?!": "not base64",
    data_url(b""): "not a PNG",
    data_url(b"GIF89a but no"): "not a PNG",
    data_url(png()[:70]): "damaged",
    data_url(bomb()): "pixels",
}


@pytest.mark.parametrize(("url", "why"), BAD_PICTURES.items(), ids=BAD_PICTURES.values())
def test_a_bad_picture_is_refused_with_the_reason(http: httpx.Client, url: str, why: str) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    assert why in refusal(http, 400, messages=[{"role": "user", "content": [part]}])


def test_a_body_that_is_not_json_is_refused(http: httpx.Client) -> None:
    answer = http.post("/chat/completions", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400 and "JSON" in answer.json()["error"]["message"]


def work(pid: int | None) -> float:
    """Seconds of processors that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "microworld.server", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.slow
def test_it_stops_cleanly_in_the_middle_of_a_reply(folder: Path) -> None:
    with start("--model", str(folder)) as process:
        assert process.stdout and process.stderr
        url = json.loads(process.stdout.readline())["url"]
        asked = body(model=folder.name, n=64, max_tokens=900)
        httpx.post(f"{url}/chat/completions", json={**asked, "max_tokens": 1}, timeout=60)
        worked = work(process.pid)
        threading.Thread(target=lambda: ask_and_forget(url, asked), daemon=True).start()
        wait_for(lambda: work(process.pid) > worked + 0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
        assert "HTTP 503 stopping" in (said := process.stderr.read()) and "Traceback" not in said, said


def test_ctrl_c_stops_it_without_a_traceback(folder: Path) -> None:
    with start("--model", str(folder)) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
        assert "Traceback" not in process.stderr.read()


def ask_and_forget(url: str, asked: dict[str, Any]) -> None:
    try:
        httpx.post(f"{url}/chat/completions", json=asked, timeout=60)
    except httpx.TransportError:
        return


@pytest.mark.slow
def test_a_taken_port_and_a_missing_checkpoint_are_said_at_once(folder: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = start("--model", str(folder), "--port", port).communicate()[1]
    assert f"cannot listen on 127.0.0.1:{port}" in said and "choose another --port" in said
    assert "no config.json" in start("--model", f"{tmp_path}=none").communicate()[1]
