"""What a server is found to do, by its effect: the embedded one, and fakes that refuse or pretend."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fake_answers import prompt_text
from fake_server import Fake
from jobs import Job, job, plain

from ssui_gen.calling.asking import Sample
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.probe import lacking, probe, require
from ssui_gen.completions import Features
from ssui_gen.dialect import PLAIN, Dialect
from ssui_gen.errors import ConfigError
from ssui_gen.serving.embedded import EmbeddedServer

BLIND = "It is a colour."


def asked(url: str, model: str, sample: Sample | None = None, dialect: Dialect = PLAIN) -> Features:
    async def run() -> Features:
        client = ChatClient([url], api_key="", timeout_seconds=60, tries=1)
        try:
            return await probe(client, model, sample, dialect)
        finally:
            await client.aclose()

    return asyncio.run(run())


def picture_of(body: dict[str, Any]) -> str:
    parts = [part for part in body["messages"][-1]["content"] if isinstance(part, dict)]
    return next((part["image_url"]["url"] for part in parts if part["type"] == "image_url"), "")


@pytest.mark.slow
def test_the_embedded_server_continues_token_for_token_and_refuses_what_it_does_not_know(
    tmp_path: Path,
) -> None:
    with EmbeddedServer(log=tmp_path / "log") as server:
        found = asked(server.url, "micro-policy")
    can = {"sees_pictures", "json_schema", "n", "prefix", "logprobs", "logprob_token_ids"}
    can |= {"token_ids", "cached_tokens", "room", "temperature", "samples"}
    assert {name for name, value in found if value is True} == can
    assert found.file_urls is None, "no file was tried"
    assert found.uuid is found.priority is False
    assert found.prefix_hits is not None and found.prefix_hits > 0


@pytest.mark.parametrize("field", ["n", "uuid", "priority", "logprob_token_ids", "return_token_ids"])
def test_a_refused_field_is_a_feature_less_and_nothing_else(fake: Fake, field: str) -> None:
    whole = asked(fake.url, "fake-vlm")
    fake.refuses = frozenset({field})
    less = asked(fake.url, "fake-vlm")
    name = {"return_token_ids": "token_ids"}.get(field, field)
    changed = {key for key, value in less if value != getattr(whole, key)}
    assert changed <= {name, *(["most_n"] if field == "n" else [])}
    assert getattr(less, name) is False


@pytest.mark.parametrize(("said", "obeys"), [("zqx", True), ("one two", False), ("", False)])
def test_only_what_a_regular_expression_asks_for_shows_that_it_is_obeyed(
    fake: Fake, said: str, obeys: bool
) -> None:
    fake.answers = {"none": lambda body: said if "structured_outputs" in body else _counts(body)}
    assert asked(fake.url, "fake-vlm").regex is obeys


def test_a_server_that_starts_the_answer_anew_does_not_continue_it(fake: Fake) -> None:
    fake.answers = {"none": "one two three four five six seven"}
    assert asked(fake.url, "fake-vlm").prefix is False


def test_a_server_that_goes_on_in_text_and_in_count_continues(fake: Fake) -> None:
    fake.answers = {"none": _counts}
    assert asked(fake.url, "fake-vlm").prefix is True


@pytest.mark.parametrize(("seam", "goes_on"), [("", True), (" ", True), ("<think></think>", False)])
def test_white_space_where_prompt_and_answer_meet_is_no_fault_and_thoughts_are(
    fake: Fake, seam: str, goes_on: bool
) -> None:
    """LLaVA's templates write the blank behind `ASSISTANT:` themselves."""

    def rendered(body: dict[str, Any]) -> str:
        said = prompt_text(body, "assistant")
        return f"USER: {prompt_text(body, 'user')} ASSISTANT:{seam + said if said else ''}"

    fake.answers = {"none": _counts}
    fake.template = fake.letters = rendered
    fake.answer_ids = True
    assert asked(fake.url, "fake-vlm").prefix is goes_on


def _counts(body: dict[str, Any]) -> str:
    whole = "one two three four five six seven"
    said = body["messages"][-1]["content"] if body["messages"][-1]["role"] == "assistant" else ""
    return whole.removeprefix(said)


def test_lacking_is_one_line_and_a_cold_cache_is_said() -> None:
    line = lacking(Features(prefix_hits=0.02), ("json_schema", "logprobs"))
    assert "replies may miss their form" in line and "no probability" in line and "only 2%" in line
    assert "\n" not in line
    assert not lacking(Features(json_schema=True, prefix_hits=0.8), ("json_schema",))


def test_what_a_stage_needs_is_required_by_role() -> None:
    require(Features(sees_pictures=None), ("sees_pictures",), "vlm")
    with pytest.raises(ConfigError, match=r"models.vlm: the picture changes nothing.*vision"):
        require(Features(sees_pictures=False), ("sees_pictures",), "vlm")


# --- in a run ----------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path, fake: Fake) -> Job:
    return job(tmp_path, fake.url, plain(2), twins=False)


def test_a_run_keeps_what_was_found_and_says_in_one_line_what_lacks(small: Job, fake: Fake) -> None:
    fake.refuses = frozenset({"priority"})
    done = small.here()
    assert done.code == 0, done.err
    lines = [line for line in done.out.splitlines() if line.startswith("vlm: ")]
    assert len(lines) == 1 and "calls are served as they come" in lines[0] and "their form" not in lines[0]
    found = json.loads((small.run / "run.json").read_text())["features"]["vlm"]
    assert found["json_schema"] is True and found["priority"] is False


def test_a_blind_model_stops_before_the_first_seed(small: Job, fake: Fake) -> None:
    fake.answers = {"none": BLIND}
    done = small.here()
    assert done.code == 1
    assert "the picture changes nothing" in done.err
    assert fake.calls == 0 and not small.paths and not small.rejects


@pytest.mark.parametrize("refused", ["nothing", "uuid", "priority"])
def test_pictures_travel_by_file_with_their_identity_where_the_server_takes_it(
    small: Job, fake: Fake, refused: str
) -> None:
    fake.refuses = frozenset({refused})
    assert small.here().code == 0
    bodies = [body for body in fake.requests if picture_of(body)]
    pictures = [part for body in bodies for part in body["messages"][1]["content"] if "image_url" in part]
    assert pictures and all(p["image_url"]["url"].startswith("file:///") for p in pictures)
    assert all(("uuid" in picture) == (refused != "uuid") for picture in pictures)
    assert all(("priority" in body) == (refused != "priority") for body in bodies)
    if refused != "priority":
        depth = {body["priority"] for body in fake.requests}
        assert min(depth) < max(depth) <= 0, "deeper calls go first: lower is better"
