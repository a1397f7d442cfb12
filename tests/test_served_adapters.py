"""Adapters on the embedded server: beside their base, named by a role of a run, refused where they misfit."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("torch")
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from PIL import Image
from real_vllm import make_adapter
from test_prefixes import SCORED, cached, tops
from test_server import body, chat, png, texts, together, user
from tiny_llava import make_tiny_llava
from transformers import AutoModelForImageTextToText, AutoProcessor

from microworld import server
from ssui_gen.config import Config
from ssui_gen.errors import ConfigError
from ssui_gen.jobs.served import Served, served
from ssui_gen.serving.embedded import EmbeddedServer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_llava(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def adapter(folder: Path) -> Path:
    """Of the tiny model, and strong enough to change what is said."""
    return make_tiny_adapter(folder, folder.parent / "louder")


def make_tiny_adapter(base: Path, folder: Path) -> Path:
    torch.manual_seed(1)
    model = AutoModelForImageTextToText.from_pretrained(base)
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=r".*language_model.*\.(q_proj|v_proj)"))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)
    adapted.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def http(folder: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    other = tmp_path_factory.mktemp("other") / "other"
    other.mkdir()
    for file in adapter.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    facts = {"base": {"model": "a/model", "fingerprint": "0123"}}
    (other / "training.json").write_text(json.dumps(facts))
    with (
        EmbeddedServer(
            log=tmp_path_factory.mktemp("log") / "log",
            models={"tiny": folder},
            adapters={"louder": adapter, "other": other},
        ) as running,
        httpx.Client(base_url=running.url, timeout=60) as client,
    ):
        yield client


def test_an_adapter_answers_as_its_base_under_it_and_the_base_as_before(
    http: httpx.Client, folder: Path, adapter: Path
) -> None:
    said = user("what is this?", png("teal"))
    bodies = [body(said, model=model, **SCORED, return_prompt_text=True) for model in ("tiny", "louder")]
    chat(http, said)
    base, louder = together(http, bodies)
    assert texts(base) != texts(louder) and cached(base) > cached(louder) == 0
    model = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(folder), adapter).eval()
    tokens = louder["choices"][0]["token_ids"]
    picture = Image.open(io.BytesIO(png("teal")))
    inputs = AutoProcessor.from_pretrained(folder)(
        text=louder["prompt_text"], images=[picture], return_tensors="pt"
    )
    ids = torch.cat([inputs["input_ids"], torch.tensor([tokens])], -1)
    with torch.no_grad():
        logits = model(input_ids=ids, pixel_values=inputs["pixel_values"]).logits[0]
    expected = logits[-len(tokens) - 1 : -1].log_softmax(-1)
    torch.testing.assert_close(tops(louder), expected.topk(3).values, atol=1e-4, rtol=0)
    assert [m["id"] for m in http.get("/models").json()["data"]] == ["tiny", "louder", "other"]


def test_an_adapter_of_other_weights_is_refused_in_one_line(http: httpx.Client) -> None:
    answer = http.post("/chat/completions", json=body(model="other"))
    said = answer.json()["error"]["message"]
    assert answer.status_code == 404 and "this adapter was trained on a/model" in said and "\n" not in said


def test_what_is_no_adapter_is_said_before_the_server_is_up(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "some/model"}')
    for words, why in {
        ("--adapter", f"{tmp_path}"): "its base 'some/model' is no checkpoint's folder here",
        ("--adapter", f"{folder}"): "adapter_config.json: no such file",
        ("--model", f"{folder}=x", "--adapter", f"{tmp_path}=x"): "a --model is served so",
    }.items():
        with pytest.raises(SystemExit):
            server.main(list(words))
        assert why in capsys.readouterr().err.splitlines()[-1]


# --- a run's models ----------------------------------------------------------------------------------------


def opened(folder: Path, **models: dict[str, str]) -> tuple[Served, list[str]]:
    """The models of a run that names no server, and what the policy says of itself."""

    async def ask() -> tuple[Served, list[str]]:
        config = Config.model_validate({"models": models})
        async with served(config, folder, models, folder, print) as found:
            said = [
                (await found.clients[role].chat({"model": name, **body_of(role)}, affinity=""))
                .choices[0]
                .text
                for role, name in found.names.items()
            ]
            return found, said

    return asyncio.run(ask())


def body_of(role: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Where to?"}], "max_tokens": 30, "temperature": 0}


@pytest.mark.slow
def test_a_role_with_an_adapter_alone_is_played_by_the_embedded_server(tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "louder")
    base = {"name": "micro-agents"}
    found, said = opened(tmp_path, policy={"adapter": str(adapter)}, bare=base)
    assert found.names == {"policy": "louder", "bare": "micro-agents"}
    assert said[0] != said[1]


@pytest.mark.parametrize(
    ("base", "name", "why"),
    [
        (
            "some/model",
            "mine",
            r"models\.policy\.adapter: .*mine: its base 'some/model' is no checkpoint's folder",
        ),
        (None, "micro-judge", "another model is served as 'micro-judge': rename the folder"),
    ],
)
def test_an_adapter_that_the_embedded_server_cannot_serve_is_refused_before_it_starts(
    tmp_path: Path, base: str | None, name: str, why: str
) -> None:
    adapter = make_adapter(tmp_path / name)
    if base:
        (adapter / "adapter_config.json").write_text(json.dumps({"r": 4, "base_model_name_or_path": base}))
    with pytest.raises(ConfigError, match=why):
        opened(tmp_path, policy={"adapter": str(adapter)})
    assert not (tmp_path / "server.log").exists()


def test_two_adapters_of_one_name_are_refused(tmp_path: Path) -> None:
    folders = [tmp_path / "1", tmp_path / "2"]
    for one in folders:
        one.mkdir()
        make_adapter(one / "adapter")
    roles = {f"role{i}": {"adapter": str(one / "adapter")} for i, one in enumerate(folders)}
    with pytest.raises(ConfigError, match=r"models\.role1\.adapter: .*another model is served as 'adapter'"):
        opened(tmp_path, **roles)
