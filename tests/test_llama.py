"""A real llama-server with the micro VLM: what the probe says of it is true, agents and a policy work."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from jobs import Job, here, rows
from published import published
from real_llama import SLOTS, llama
from test_probe import asked

from ssui_gen.calling.asking import part
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.probe import Sample
from ssui_gen.completions import Completion
from ssui_gen.dialect import presets
from ssui_gen.errors import ContextOverflow, RequestRefused
from ssui_gen.images import plain_url

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("llama")
    with llama(folder, "--mmproj", str(folder / "eyes.gguf")) as address:
        yield address


@pytest.fixture(scope="module")
def made(url: str, drawn_seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Records by its agents; their code and words are looked at where they are made."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "run.yaml").write_text(json.dumps({"verify": {"by": ["label"]}}))
    todo = Job(folder, folder / "run", url)
    places = ["--seeds", str(drawn_seeds), "--limit", "6"]
    done = here([*todo.command(), *places])
    assert done.code == 0, done.err
    return todo


def test_what_the_probe_says_is_true(url: str) -> None:
    found = asked(url, "model.gguf", Sample(plain_url("red"), "file:///nothing.png"))
    can = {
        "sees_pictures",
        "json_schema",
        "n",
        "prefix",
        "echoes",
        "logprobs",
        "uuid",
        "priority",
        "cached_tokens",
    }
    cannot = {"regex", "token_ids", "file_urls", "logprob_token_ids"}
    assert {name for name in can | cannot if getattr(found, name) is True} == can
    assert found.most_n == max(n for n in (64, 8, 3) if n <= SLOTS)


def test_agents_make_records(made: Job) -> None:
    assert made.paths and all(path["steps"] for path in made.paths)


def test_branches_go_on_from_each_prefix_and_hold_none_of_it(made: Job, drawn_seeds: Path) -> None:
    places = ["--run", str(made.run), "--seeds", str(drawn_seeds), "--config", str(made.folder / "run.yaml")]
    done = here(["pairs", *places, "--base-url", made.url, "--uncurated", "--limit", "1"])
    assert done.code == 0, done.err
    assert "renders each prefix as it stands (compared by text)" in done.out
    cuts = rows(made.run / "branches.jsonl")
    assert {cut["cut"] for cut in cuts} == set(range(6))
    later = [(cut["prefix"], branch["text"]) for cut in cuts for branch in cut["branches"] if cut["cut"]]
    assert later and not any(text.startswith(prefix) for prefix, text in later)


# --- templates that know thoughts -------------------------------------------------------------------------


def _template(folder: Path, text: str) -> list[str]:
    (folder / "template.jinja").write_text(text)
    return ["--chat-template-file", str(folder / "template.jinja")]


@pytest.fixture(scope="module")
def thoughtful(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """With a template as LFM2.5's is, whose models do not think: it shows earlier answers without thoughts.
    From that the server learns the marks, and writes an empty pair of them before every answer that is begun.
    """
    folder = tmp_path_factory.mktemp("thoughtful")
    with urlopen(f"{url.removesuffix('/v1')}/props", timeout=10) as answer:
        own = json.load(answer)["chat_template"]
    other = own.replace("+ m.content +", "+ m.content.split('</think>')[-1] +")
    assert other != own
    with llama(folder, "--mmproj", str(folder / "eyes.gguf"), *_template(folder, other)) as address:
        yield address


def _prompt(url: str, begun: str) -> str:
    """Of a question in chat, with an answer that is begun."""
    turn = [{"role": "assistant", "content": begun}] if begun else []
    messages = [{"role": "user", "content": "Why?"}, *turn]
    made = asyncio.run(_answered(url, messages=messages, verbose=True))
    return made.prompt_text or ""


async def _answered(url: str, verbatim: bool = False, **fields: Any) -> Completion:
    client = ChatClient([url], api_key="", timeout_seconds=60, tries=1)
    try:
        body = {"model": "model.gguf", "max_tokens": 1, **fields}
        return await client.chat(body, affinity="", verbatim=verbatim)
    finally:
        await client.aclose()


def test_in_chat_it_writes_thoughts_before_an_answer_that_is_begun(thoughtful: str) -> None:
    """Why there is another way at all: should this fail one day, docs/servers.md is out of date."""
    root, begun = _prompt(thoughtful, ""), "1. So.\n"
    assert "<think>" not in root
    assert _prompt(thoughtful, begun) == f"{root}<think></think>{begun}"


def test_as_text_it_goes_on_and_the_probe_finds_that(thoughtful: str) -> None:
    found = asked(thoughtful, "model.gguf", Sample(plain_url("red")))
    assert (found.prefix, found.verbatim, found.echoes, found.thinks) == (True, True, False, False)


def test_several_pictures_make_the_same_prompt_both_ways(thoughtful: str) -> None:
    counted = []
    for colours in (["red"], ["red", "blue"]):
        seen = [part(plain_url(colour)) for colour in colours]
        question = {"role": "user", "content": [*seen, {"type": "text", "text": "Why?"}]}
        chat = asyncio.run(_answered(thoughtful, messages=[question], verbose=True))
        turns = [question, {"role": "assistant", "content": ""}]
        text = asyncio.run(_answered(thoughtful, True, messages=turns))
        assert text.prompt_text == chat.prompt_text
        assert text.usage.prompt_tokens == chat.usage.prompt_tokens
        counted.append(text.usage.prompt_tokens)
    assert counted[1] > counted[0]


def test_branches_of_such_a_model_go_on_from_each_prefix(
    thoughtful: str, made: Job, drawn_seeds: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(made.run, run, ignore=shutil.ignore_patterns("branches*", "pairs*"))
    places = ["--run", str(run), "--seeds", str(drawn_seeds), "--config", str(made.folder / "run.yaml")]
    done = here(["pairs", *places, "--base-url", thoughtful, "--uncurated", "--limit", "1"])
    assert done.code == 0, done.err
    assert "as it stands (compared by text)" in done.out and "completion endpoint" in done.out
    cuts = rows(run / "branches.jsonl")
    assert {cut["cut"] for cut in cuts} == set(range(6))
    later = [(cut["prefix"], branch["text"]) for cut in cuts for branch in cut["branches"] if cut["cut"]]
    assert later and not any(text.startswith(prefix) or "<think>" in text for prefix, text in later)


AS_TEXT = {"gemma4": True, "glm4v": True, "qwen3_5_nothink": False, "gemma3": False, "qwen3_vl": False}
"""As docs/servers.md has it: thoughts before what is begun, or a line break; or nothing, though some trim."""


@pytest.mark.parametrize("family", AS_TEXT)
def test_the_probe_finds_how_published_templates_go_on(family: str, tmp_path: Path) -> None:
    """With thoughts switched off, where there is a switch."""
    template = _template(tmp_path, published(family))
    with llama(tmp_path, "--mmproj", str(tmp_path / "eyes.gguf"), *template) as url:
        found = asked(url, "model.gguf", Sample(plain_url("red")), presets()["no_thinking"])
    assert (found.prefix, found.verbatim) == (True, AS_TEXT[family])


async def _refused(url: str, **fields: object) -> RequestRefused:
    client = ChatClient([url], api_key="", timeout_seconds=60, tries=1)
    try:
        with pytest.raises(RequestRefused) as found:
            await client.chat({"model": "model.gguf", "messages": [], **fields}, affinity="")
        return found.value
    finally:
        await client.aclose()


def test_its_refusals_are_read_as_what_they_are(url: str) -> None:
    """The words that the imitation of it says are its own."""
    long = [{"role": "user", "content": "a b c " * 9000}]
    assert isinstance(asyncio.run(_refused(url, messages=long, max_tokens=2)), ContextOverflow)
    many = asyncio.run(_refused(url, messages=[{"role": "user", "content": "?"}], n=SLOTS + 4))
    assert "Field 'n': Value must be between 1 <= value <= 4, but got 8" in str(many)


def test_one_without_eyes_says_so_in_its_words(drawn_seeds: Path, tmp_path: Path) -> None:
    with llama(tmp_path) as address:
        command = Job(tmp_path, tmp_path / "run", address).command()
        (tmp_path / "run.yaml").write_text("{}")
        done = here([*command, "--seeds", str(drawn_seeds), "--limit", "1"])
    assert done.code == 1 and "image input is not supported" in done.err
