"""Other servers than vLLM, as their sources and documentation describe them: what the probe says of each is
true, agents run on those that can play them, and no branch is drawn from a prompt that is not the prefix.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from exploring import cuts, explored, judge, pairs, policy
from fake_server import PROBE
from foreign_servers import Host, always, hosted
from hosts import HOSTS, NOT_ALLOWED, openai_error
from jobs import job, plain
from test_probe import asked

from ssui_gen.calling.probe import Sample
from ssui_gen.completions import Features
from ssui_gen.images import plain_url

pytestmark = pytest.mark.slow

FILE = Sample(plain_url("red"), "file:///pictures/0.png")
YES: dict[str, bool] = dict.fromkeys(("sees_pictures", "json_schema", "n", "logprobs"), True)
NO: dict[str, bool] = dict.fromkeys(("regex", "prefix", "token_ids", "file_urls", "logprob_token_ids"), False)
TRUE: dict[str, dict[str, Any]] = {
    "sglang": YES | NO | {"prefix": True, "token_ids": True, "file_urls": True},
    "llama": YES | NO | {"prefix": True, "most_n": 3, "echoes": True},
    "llama_thoughts": YES | NO | {"prefix": True, "most_n": 3, "echoes": False, "verbatim": True},
    "ollama": YES | NO | {"prefix": True, "n": False, "cached_tokens": False},
    "ollama_bare": YES | NO | {"n": False},
    "tgi": YES | NO | {"n": False},
    "openai_reasoning": YES | NO | {"logprobs": False},
    "openai": YES | NO,
    "azure": YES | NO,
    "groq": YES | NO | {"logprobs": False, "n": False},
    "openrouter": YES | NO | {"n": False},
}
TERMS: dict[str, dict[str, Any]] = {
    "tgi": {"top_logprobs": 5},
    "openai_reasoning": {
        "rename": {"max_tokens": "max_completion_tokens"},
        "omit": {"temperature", "top_p", "logprobs", "top_logprobs"},
        "strict": True,
    },
    "openai": {"strict": True},
    "azure": {"strict": True, "top_logprobs": 5},
    "groq": {"omit": {"logprobs", "top_logprobs"}},
}
"""What is sent otherwise."""


@pytest.mark.parametrize("name", HOSTS)
def test_what_the_probe_says_of_a_server_is_true(name: str) -> None:
    with hosted(HOSTS[name]) as server:
        found = asked(server.url, "fake-vlm", FILE)
    wrong = {
        key: (value, getattr(found, key)) for key, value in TRUE[name].items() if value != getattr(found, key)
    }
    assert not wrong, "feature: (true, found)"
    assert _sent_otherwise(found) == TERMS.get(name, {})


def _sent_otherwise(found: Features) -> dict[str, Any]:
    terms = found.terms.model_dump(exclude_defaults=True)
    return terms | {"omit": set(terms["omit"])} if "omit" in terms else terms


@pytest.mark.parametrize("name", HOSTS)
def test_what_a_server_refuses_is_told_in_its_words(name: str, tmp_path: Path) -> None:
    """One line for each thing that is sent otherwise, before the first seed."""
    with hosted(HOSTS[name]) as server:
        done = job(tmp_path, server.url, plain(1), twins=False).here()
        found = asked(server.url, "fake-vlm")
    assert done.code == 0, done.err
    for name_of, words in found.refused.items():
        assert name_of in done.out and words[:30] in done.out.replace("\n", " ")


@pytest.mark.parametrize("name", HOSTS)
def test_agents_make_records_on_each(name: str, tmp_path: Path) -> None:
    with hosted(HOSTS[name]) as server:
        done = (todo := job(tmp_path, server.url, plain(2))).here()
    assert done.code == 0, done.err
    assert len(todo.paths) == 4 and not todo.rejects


# --- the policy ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTS)
def test_no_branch_is_drawn_from_a_prompt_that_is_not_the_prefix(name: str, tmp_path: Path) -> None:
    """A server that cannot go on with an answer is refused before any draw; the others make branches."""
    with hosted(HOSTS[name], answers={"none": policy, "judge: right": judge}) as server:
        todo = explored(tmp_path, server.url)
        done = pairs(todo, "--limit", "2")
        assert server.wrong == 0
    if TRUE[name]["prefix"]:
        assert done.code == 0, done.err
        assert {cut["cut"] for cut in cuts(todo)} == set(range(6))
        later = [
            (cut["prefix"], branch["text"]) for cut in cuts(todo) for branch in cut["branches"] if cut["cut"]
        ]
        assert not any(text.startswith(prefix) for prefix, text in later), "a branch is what was written"
    else:
        assert done.code == 1 and "models.policy" in done.err and "Traceback" not in done.err
        assert not cuts(todo)


def test_a_server_that_ignores_n_is_asked_once_for_each_draw(tmp_path: Path) -> None:
    """As many branches as from one that takes it, no two calls with the same seed."""
    made, calls = {}, {}
    for name in ("llama", "ollama"):
        with hosted(HOSTS[name], answers={"none": policy, "judge: right": judge}) as server:
            server.requests = type(server.requests)(maxlen=None)
            todo = explored(tmp_path / name, server.url)
            assert pairs(todo, "--limit", "1").code == 0
            made[name] = {cut["cut"]: cut["draws"] for cut in cuts(todo)}
            calls[name] = [body for body in server.requests if body.get("n") and body.get("user") is None]
    assert {body["n"] for body in calls["ollama"]} == {1}
    seeds = [(body["seed"], len(body["messages"])) for body in calls["ollama"]]
    assert len(seeds) == len(set(seeds))
    assert made["ollama"].keys() == made["llama"].keys() and min(made["ollama"].values()) > 1


@pytest.mark.parametrize("mute", [False, True])
def test_one_that_begins_anew_is_found_out_with_and_without_log_probabilities(
    tmp_path: Path, mute: bool
) -> None:
    answers = {"none": policy, "judge: right": judge}
    with hosted(HOSTS["ollama_bare"], answers=answers, mute=mute) as server:
        todo = explored(tmp_path, server.url)
        done = pairs(todo, "--limit", "1")
        assert server.wrong == 0
    assert done.code == 1 and "models.policy" in done.err and not cuts(todo)


@pytest.mark.parametrize("mute", [False, True])
def test_one_that_goes_on_is_taken_with_and_without_log_probabilities(tmp_path: Path, mute: bool) -> None:
    answers = {"none": policy, "judge: right": judge}
    with hosted(Host(goes_on=always), answers=answers, mute=mute) as server:
        todo = explored(tmp_path, server.url)
        done = pairs(todo, "--limit", "1")
        assert server.wrong == 0
    assert done.code == 0, done.err
    assert cuts(todo)


def test_sampled_tokens_are_read_where_sglang_puts_them(tmp_path: Path) -> None:
    with hosted(HOSTS["sglang"], answers={"none": policy, "judge: right": judge}) as server:
        todo = explored(tmp_path, server.url)
        done = pairs(todo, "--limit", "1")
    assert "compared by tokens" in done.out
    assert all(branch["token_ids"] for cut in cuts(todo) for branch in cut["branches"])


def test_the_prompt_is_read_where_llama_server_puts_it(tmp_path: Path) -> None:
    with hosted(HOSTS["llama"], answers={"none": policy, "judge: right": judge}) as server:
        done = pairs(explored(tmp_path, server.url), "--limit", "1")
    assert "compared by text" in done.out


# --- errors that wear another coat ------------------------------------------------------------------------


def test_a_field_refused_by_403_is_left_out_and_no_lack_of_access() -> None:
    with hosted(Host(refuses=lambda body: NOT_ALLOWED if body.get("logprobs") else None)) as server:
        found = asked(server.url, "fake-vlm")
    assert found.logprobs is False and found.sees_pictures is True
    assert "logprobs" in found.refused


def test_a_picture_that_a_provider_filters_costs_its_item_alone(tmp_path: Path) -> None:
    """Azure's HTTP 400 with `code: content_filter`: a reject that says so, and the others go on."""
    filtered = openai_error(
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "prompt",
        "content_filter",
    )
    with hosted(Host(refuses=lambda body: filtered if "s1 is here" in json.dumps(body) else None)) as server:
        seeds = [{**seed, "text": f"{seed['id']} is here"} for seed in plain(3)]
        done = (todo := job(tmp_path, server.url, seeds, twins=False)).here()
    assert done.code == 0, done.err
    assert {reject["seed_id"] for reject in todo.rejects} == {"s1"}
    (reject,) = todo.rejects
    assert reject["reason"] == "refused" and "filtered" in reject["detail"]


def _fails_in_200(body: dict[str, Any], completion: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": 502, "message": "Provider returned error", "metadata": {"provider_name": "A"}}}


def test_an_error_in_a_200_is_told_in_its_words_and_is_no_blindness(tmp_path: Path) -> None:
    with hosted(Host(answers=_fails_in_200)) as server:
        done = job(tmp_path, server.url, plain(1), twins=False).here()
    assert done.code == 1 and "Provider returned error" in done.err
    assert "changes nothing" not in done.err and "vision" not in done.err


def test_an_error_in_a_200_that_passes_costs_nothing(tmp_path: Path) -> None:
    seen: list[str] = []

    def now_and_then(body: dict[str, Any], completion: dict[str, Any]) -> dict[str, Any]:
        if body.get("user") == PROBE:
            return completion
        seen.append(completion["id"])
        return _fails_in_200(body, completion) if seen.count(completion["id"]) == 1 else completion

    with hosted(Host(answers=now_and_then)) as server:
        done = (todo := job(tmp_path, server.url, plain(1), twins=False)).here()
    assert done.code == 0, done.err
    assert len(todo.paths) == 1


def test_a_text_model_is_told_as_one_and_its_words_shown(tmp_path: Path) -> None:
    """llama-server without a projector answers a picture with HTTP 500."""
    said = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"

    def refuses(body: dict[str, Any]) -> Any:
        found = openai_error(said, status=500)
        return found if "image_url" in json.dumps(body) else None

    with hosted(Host(refuses=refuses)) as server:
        done = job(tmp_path, server.url, plain(1), twins=False).here()
    assert done.code == 1 and "image input is not supported" in done.err
