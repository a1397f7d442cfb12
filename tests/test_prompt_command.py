"""`ssui prompt` shows what is sent: compared with what a server received, to the letter."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from exploring import explored, judge, pairs, policy
from fake_answers import agent_of
from fake_server import Fake
from jobs import Ended, here, job, plain

from ssui_gen.jobs.plan import AGENTS
from ssui_gen.picture_tokens import tokens_of

REVISING = {
    "redundancy": "Twice.", "completeness": "none", "faithfulness": "none",
    "decision": "revise_path", "advice": "Once.",
}  # fmt: skip


def prompt(todo: Any, who: str, *more: str) -> Ended:
    run, seeds, config = str(todo.run), str(todo.seeds), str(todo.folder / "run.yaml")
    return here(["prompt", who, "--run", run, "--seeds", seeds, "--config", config, *more])


def body(todo: Any, who: str, *more: str) -> dict[str, Any]:
    done = prompt(todo, who, "--json", *more)
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def without_pictures(request: dict[str, Any]) -> str:
    """To the letter, but for the address of a picture, which is its hash or its bytes."""

    def bare(content: Any) -> Any:
        if isinstance(content, str):
            return content
        return [{"type": "image_url"} if "image_url" in part else part for part in content]

    messages = [message | {"content": bare(message["content"])} for message in request["messages"]]
    return json.dumps(
        {key: value for key, value in request.items() if key != "priority"} | {"messages": messages}
    )


def without_number(request: dict[str, Any]) -> str:
    """Beyond the root fewer draws may be asked for than k."""
    return without_pictures({key: value for key, value in request.items() if key != "n"})


@pytest.fixture
def todo(fake: Fake, tmp_path: Path) -> Any:
    return job(tmp_path, fake.url, plain(2))


@pytest.mark.parametrize("kind", ["risky", "benign"])
def test_what_is_shown_is_what_the_server_received(fake: Fake, todo: Any, kind: str) -> None:
    left = [REVISING]
    fake.answers = {"reflection": lambda request: left.pop() if left else REVISING | {"decision": "accept"}}
    assert todo.here().code == 0
    received, calls = {without_pictures(request) for request in fake.requests}, fake.calls
    seed = todo.paths[0]["seed_id"]
    for agent in AGENTS:
        shown = body(todo, agent, "--seed", seed, "--kind", kind, "--base-url", fake.url)
        assert without_pictures(shown) in received, agent
        assert agent_of(shown) == agent
    assert fake.calls == calls, "nobody is asked"


def test_earlier_replies_come_from_journal_record_or_example_and_it_is_said_which(todo: Any) -> None:
    before = prompt(todo, "check_joint")
    assert before.code == 0 and "query's reply: from the example '" in before.out, before.err
    assert todo.here().code == 0
    assert "reflection's reply: from the run's journal" in prompt(todo, "check_joint").out
    for file in todo.run.glob("calls.sqlite*"):
        file.unlink()
    record = next(path for path in todo.paths if path["kind"] == "benign")
    after = prompt(todo, "summary", "--seed", record["seed_id"], "--kind", "benign")
    assert "reasoning's reply: from the run's record" in after.out
    assert record["query"]["text"] in after.out and record["steps"][5]["text"] in after.out


def test_people_read_texts_picture_sampling_and_schema(todo: Any) -> None:
    done = prompt(todo, "query", "--seed", "s1", "--kind", "benign", "--model", "Qwen/Qwen2.5-VL-7B-Instruct")
    assert done.code == 0, done.err
    assert done.out.startswith(
        "query for the seed 's1', benign; model: Qwen/Qwen2.5-VL-7B-Instruct (role vlm)\n"
    )
    assert "sent as " in done.out and " tokens, as Qwen2-VL and Qwen2.5-VL count" in done.out
    for part in (
        "--- system\n# Agent: query\n",
        "[sha256:",
        "Kind: benign\nText: none",
        '"temperature": 0.7',
    ):
        assert part in done.out
    assert '"properties": {"image_evidence"' in done.out
    assert "picture: none is shown" in prompt(todo, "check_text").out


def test_an_item_that_ends_before_the_agent_is_asked_says_so(fake: Fake, todo: Any) -> None:
    fake.answers = {"check_text": {"evidence": "It names the harm.", "label": "unsafe"}}
    todo.here()
    done = prompt(todo, "reasoning", "--base-url", fake.url)
    assert done.code == 1
    assert "(risky) ends before reasoning is asked: check_text: text_not_safe: It names the harm." in done.err


@pytest.mark.parametrize(
    ("who", "more", "says"),
    [
        ("query", ["--seed", "nobody"], "no seed 'nobody' that can be used; the first ones are s0, s1"),
        ("policy", ["--path", "nobody"], "no path 'nobody'"),
        ("critic", [], "critic: no such agent; expected one of query, check_text, "),
    ],
)
def test_what_is_not_there_is_named(todo: Any, who: str, more: list[str], says: str) -> None:
    done = prompt(todo, who, *more)
    assert done.code == 1 and says in done.err


@pytest.mark.slow
def test_policy_and_judge_are_shown_as_they_are_asked_in_exploration(fake: Fake, tmp_path: Path) -> None:
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge": judge}
    assert pairs(todo, "--limit", "1").code == 0
    received = {without_pictures(request) for request in fake.requests}
    path = todo.paths[0]
    for cut in range(3):
        shown = body(todo, "policy", "--path", path["id"], "--cut", str(cut), "--base-url", fake.url)
        assert shown["n"] == 10 and without_number(shown) in set(map(without_number, fake.requests)), cut
        assert cut or without_pictures(shown) in received
    assert shown["messages"][2]["content"].endswith(f"2. Textual request: {path['steps'][1]['text']}\n")
    assert prompt(todo, "policy", "--cut", "6").code == 1
    about = ("--path", path["id"], "--cut", "0", "--base-url", fake.url)
    assert without_pictures(body(todo, "judge", *about)) in received
    assert "policy's reply: from the run's branch '" in prompt(todo, "judge", *about).out
    later = prompt(todo, "judge", "--path", todo.paths[-1]["id"], "--base-url", fake.url)
    assert "policy's reply: from the path itself, as nothing is drawn there" in later.out


@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [
        ("Qwen/Qwen2.5-VL-7B-Instruct", (1280, 960), 1230),
        ("Qwen/Qwen2-VL-2B", (1280, 1280), 1225),
        ("Qwen/Qwen3-VL-8B-Instruct", (1280, 960), 1200),
        ("llava-hf/llava-1.5-7b-hf", (640, 480), 576),
        ("google/gemma-3-4b-it", (640, 480), 256),
        ("micro-agents", (320, 240), 64),
    ],
)
def test_tokens_are_those_of_the_family(model: str, size: tuple[int, int], tokens: int) -> None:
    """The first two as the processor itself cuts them."""
    found = tokens_of(model, *size, 1_003_520)
    assert found and found.tokens == tokens


def test_an_unknown_family_is_not_guessed() -> None:
    assert tokens_of("meta-llama/Llama-4-Scout-17B", 640, 480, 1_003_520) is None


def test_a_copy_of_the_run_without_its_seeds_asks_for_them(todo: Any, tmp_path: Path) -> None:
    done = here(["prompt", "query", "--run", str(tmp_path / "new")])
    assert done.code == 1 and "name the seeds" in done.err
    shutil.rmtree(tmp_path / "new", ignore_errors=True)
