"""An answer that is begun, sent as text where chat spoils it: found by the probe, proved, and drawn from."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exploring import cuts, explored, judge, pairs, policy
from foreign_servers import Body, Foreign, Host, Refusal, hosted
from hosts import HOSTS, Pages, completing, openai_error
from hypothesis import given
from hypothesis import strategies as st
from jobs import Job, job
from llama_pages import MEDIA, OPENS
from test_probe import asked
from test_prompt_command import prompt

from ssui_gen.calling.asking import Sample
from ssui_gen.calling.calls import Request, Sending
from ssui_gen.calling.probe import require
from ssui_gen.calling.verbatim import go_on
from ssui_gen.calling.wire import completion
from ssui_gen.completions import Features
from ssui_gen.errors import ConfigError
from ssui_gen.images import plain_url

THOUGHTFUL = HOSTS["llama_thoughts"]
PLAYS: dict[str, Any] = {"none": policy, "judge: right": judge}


def _with(pages: Pages) -> Host:
    return replace(THOUGHTFUL, pages=pages)


def _found(host: Host, **options: Any) -> Features:
    with hosted(host, **options) as server:
        return asked(server.url, "fake-vlm")


# --- what the probe takes for proved ----------------------------------------------------------------------


def test_what_chat_spoils_is_found_to_go_on_as_text() -> None:
    found = _found(THOUGHTFUL)
    assert (found.prefix, found.verbatim, found.echoes) == (True, True, False)


def test_what_chat_refuses_is_found_to_go_on_as_text() -> None:
    """As builds of spring 2026 did for every model whose template knows thoughts."""
    said = "Assistant response prefill is incompatible with enable_thinking."

    def refuses(body: Body) -> Refusal | None:
        begun = body["messages"][-1]["role"] == "assistant"
        return openai_error(said) if begun else THOUGHTFUL.refuses(body)

    found = _found(replace(THOUGHTFUL, refuses=refuses))
    assert (found.prefix, found.verbatim) == (True, True)


def test_where_chat_goes_on_nothing_is_sent_as_text() -> None:
    found = _found(HOSTS["llama"])
    assert (found.prefix, found.verbatim) == (True, False)


def _doubled(server: Foreign, body: Body) -> Any:
    """A prompt that is not chat's: its first turn stands there twice."""
    pages = completing()
    made: str = pages["/apply-template"](server, body)["prompt"]
    return {"prompt": f"{OPENS}system\nBe brief.<|im_end|>\n{made}"}


def _refused(server: Foreign, body: Body) -> Refusal:
    return Refusal(501, {"error": {"code": 501, "message": "This server does not support multimodal"}})


def _no_object(server: Foreign, body: Body) -> Any:
    return ["prompt"]


LACKS: dict[str, Pages] = {
    "no such pages": {},
    "one of them": {"/apply-template": completing()["/apply-template"]},
    "another prompt": completing() | {"/apply-template": _doubled},
    "a prompt that is none": completing() | {"/apply-template": _no_object},
    "no pictures": completing(sees=False),
    "a refusal": completing() | {"/completion": _refused},
    "a trimmed end": completing(spoils=str.rstrip),
    "thoughts here too": completing(spoils=lambda begun: f"<think></think>{begun}" if begun else ""),
}


@pytest.mark.parametrize("pages", LACKS.values(), ids=LACKS)
def test_what_is_not_proved_is_not_taken(pages: Pages) -> None:
    found = _found(_with(pages))
    assert (found.prefix, found.verbatim) == (False, False)
    with pytest.raises(ConfigError, match="step prefix"):
        require(found, ("prefix",), "policy")


def _keeps_one(body: Body) -> Body:
    """Of several pictures only the first is looked at."""
    prompt = body["prompt"]
    return {**body, "prompt": {**prompt, "multimodal_data": prompt["multimodal_data"][:1]}}


def test_the_proof_counts_every_picture_that_a_question_shows() -> None:
    pages = completing()
    loses = pages | {"/completion": lambda server, body: pages["/completion"](server, _keeps_one(body))}
    for most, held in ((1, True), (3, False)):
        with hosted(_with(loses)) as server:
            found = asked(server.url, "fake-vlm", Sample(plain_url("red"), most=most))
        assert (found.prefix, found.verbatim) == (held, held), most
    with hosted(THOUGHTFUL) as server:
        assert asked(server.url, "fake-vlm", Sample(plain_url("red"), most=3)).verbatim


def test_of_a_model_that_thinks_first_no_text_goes_on_without_thoughts() -> None:
    def thinks(body: Body, made: Body) -> Body:
        chat = THOUGHTFUL.answers(body, made)
        said = [{**one, "message": {**one["message"], "reasoning_content": "Hm."}} for one in chat["choices"]]
        return {**chat, "choices": said}

    found = _found(replace(THOUGHTFUL, answers=thinks))
    assert found.thinks and not found.verbatim and not found.prefix


# --- a run ------------------------------------------------------------------------------------------------


def test_branches_are_drawn_from_every_cut(tmp_path: Path) -> None:
    with hosted(THOUGHTFUL, answers=PLAYS) as server:
        todo = explored(tmp_path, server.url)
        done = pairs(todo, "--limit", "1")
        assert done.code == 0, done.err
        assert server.wrong == 0
        as_text = [body for body in server.requests if "prompt" in body]
    assert "as it stands (compared by text)" in done.out and "completion endpoint" in done.out
    assert {cut["cut"] for cut in cuts(todo)} == set(range(6))
    later = [(cut["prefix"], branch) for cut in cuts(todo) for branch in cut["branches"] if cut["cut"]]
    assert later and not any(branch["text"].startswith(prefix) for prefix, branch in later)
    assert {branch["finish"] for _, branch in later} == {"stop"}
    ends = {body["prompt"]["prompt_string"].partition("<|im_start|>assistant\n")[2] for body in as_text}
    assert ends >= {prefix for prefix, _ in later}
    sent = as_text[0]
    assert MEDIA in sent["prompt"]["prompt_string"] and len(sent["prompt"]["multimodal_data"]) == 1
    assert {"temperature", "top_p", "seed", "max_tokens", "n"} <= sent.keys()
    told = {cut: ", as text:" in prompt(todo, "policy", "--cut", cut).out for cut in ("0", "2")}
    assert told == {"0": False, "2": True}


def test_every_picture_of_a_path_goes_along_in_its_order(tmp_path: Path) -> None:
    seeds: list[dict[str, Any]] = [
        {"id": "three", "images": ["4.png", "3.png", "2.png"], "kind": "risky"},
        {"id": "one", "image": "5.png", "kind": "risky"},
    ]
    with hosted(HOSTS["llama"]) as server:
        todo = job(tmp_path, server.url, seeds, twins=False)
        assert todo.here().code == 0
    with hosted(THOUGHTFUL, answers=PLAYS) as server:
        todo = Job(tmp_path, todo.run, server.url)
        done = pairs(todo)
        assert done.code == 0 and server.wrong == 0, done.err
        sent = [body["prompt"] for body in server.requests if "prompt" in body]
    names = {
        row["id"]: [row["image"]["path"], *(one["path"] for one in row.get("more_images", ()))]
        for row in todo.paths
    }
    found = {(one["prompt_string"].count(MEDIA), *one["multimodal_data"]) for one in sent}
    assert sorted(count for count, *_ in found) == [1, 3] and len(names) == 2
    data = {
        name: base64.b64encode((tmp_path / name).read_bytes()).decode()
        for name in ("2.png", "3.png", "4.png", "5.png")
    }
    shown = {tuple(data[name] for name in some) for some in names.values()}
    assert {tuple(pictures) for _, *pictures in found} == shown


def test_they_are_asked_once_and_by_a_key_of_their_own(tmp_path: Path) -> None:
    with hosted(THOUGHTFUL, answers=PLAYS) as server:
        todo = explored(tmp_path, server.url)
        assert pairs(todo, "--limit", "1").code == 0
        made = server.calls
        (todo.run / "branches.jsonl").unlink()
        (todo.run / "pairs.json").unlink()
        assert pairs(todo, "--limit", "1").code == 0
        assert server.calls == made
    rows = sqlite3.connect(todo.run / "calls.sqlite").execute("SELECT id, request FROM calls").fetchall()
    bodies = [(key, json.loads(body)) for key, body in rows if "continue_final_message" in body]
    assert bodies
    for key, body in bodies:
        plain = Request("policy", body, (), "", 0)
        assert key == Sending(verbatim=True).key(plain) != Sending().key(plain)


def test_a_run_ends_before_the_first_draw_where_a_text_is_not_taken_as_it_is(tmp_path: Path) -> None:
    """The probe's beginning has two lines; from the third on this server trims."""
    trims: Callable[[str], str] = lambda begun: begun.rstrip() if begun.count("\n") > 2 else begun  # noqa: E731
    with hosted(_with(completing(spoils=trims)), answers=PLAYS) as server:
        todo = explored(tmp_path, server.url)
        done = pairs(todo, "--limit", "1")
        assert server.wrong == 0
    assert done.code == 1 and "models.policy: after 3 steps" in done.err and not cuts(todo)


# --- what is sent, and what comes back --------------------------------------------------------------------

QUESTION: Body = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
                for data in ("QQ==", "Qg==")
            ],
        },
        {"role": "assistant", "content": "1. Red.\n"},
    ],
    "add_generation_prompt": False,
    "continue_final_message": True,
    "chat_template_kwargs": {"enable_thinking": False},
    "logprobs": True,
    "top_logprobs": 3,
    "n": 2,
}
MADE: Body = {
    "content": "2. Round.", "stop_type": "eos", "tokens_predicted": 4, "tokens_evaluated": 20, "prompt": "p",
    "model": "m", "timings": {"cache_n": 12},
    "completion_probabilities": [
        {"token": "2", "logprob": -0.5, "top_logprobs": [{"token": "3", "logprob": -1}]}
    ],
}  # fmt: skip


def _went_on(*answers: str, body: Body = QUESTION) -> tuple[str, list[tuple[str, Body]]]:
    posts: list[tuple[str, Body]] = []

    async def post(page: str, asked: Body) -> str:
        posts.append((page, asked))
        return answers[len(posts) - 1]

    return asyncio.run(go_on(post, body)), posts


def test_a_text_is_the_servers_prompt_and_the_beginning() -> None:
    said, posts = _went_on(
        json.dumps({"prompt": "P<media>:"}), json.dumps([MADE, MADE | {"stop_type": "limit"}])
    )
    (page, rendered), (other, sent) = posts
    assert (page, other) == ("/apply-template", "/completion")
    assert [turn["role"] for turn in rendered["messages"]] == ["system", "user"]
    assert rendered["chat_template_kwargs"] == {"enable_thinking": False}
    assert "continue_final_message" not in rendered and "add_generation_prompt" not in rendered
    assert sent["prompt"] == {"prompt_string": "P<media>:1. Red.\n", "multimodal_data": ["QQ==", "Qg=="]}
    assert sent["n_probs"] == 3 and sent["n"] == 2 and not {"messages", "logprobs"} & sent.keys()
    read = completion(said, "other", 1.0, 1)
    assert [choice.finish_reason for choice in read.choices] == ["stop", "length"]
    assert [choice.text for choice in read.choices] == ["2. Round."] * 2
    token = (read.choices[0].logprobs or ())[0]
    assert (token.token, token.logprob, token.top) == ("2", -0.5, (("3", -1.0),))
    assert (read.usage.prompt_tokens, read.usage.completion_tokens, read.usage.cached_tokens) == (20, 8, 12)
    assert (read.prompt_text, read.model) == ("p", "m")


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*MADE, "prompt"]), inner),
    max_leaves=6,
)


@given(st.one_of(JSONS.map(json.dumps), st.text(max_size=20)), st.booleans())
def test_what_is_no_such_answer_is_left_to_whoever_reads_it(said: str, second: bool) -> None:
    """It comes back as it was, or as a completion that can be read; nothing else is raised."""
    got, _ = _went_on(*([json.dumps({"prompt": "P"})] if second else []), said, said)
    if got != said:
        with_choices = json.loads(got)
        assert with_choices["choices"] and "usage" in with_choices
