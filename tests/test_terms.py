"""On which terms a server answers: whatever it refuses, in whatever words, a run goes on or says why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_server import Denial, Fake, Whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jobs import Job, job, plain

from ssui_gen.calling.asking import Ask, Sample
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.probe import PLAIN_FIELDS, probe
from ssui_gen.calling.terms import Way, plainly, settle
from ssui_gen.completions import Features
from ssui_gen.dialect import Dialect
from ssui_gen.errors import CallFailed, ConfigError
from ssui_gen.images import plain_url

Body = dict[str, Any]
HAS: dict[str, Callable[[Body], bool]] = {
    "user": lambda body: "user" in body,
    "seed": lambda body: "seed" in body,
    "top_p": lambda body: "top_p" in body,
    "top_logprobs": lambda body: body.get("top_logprobs", 0) > 5,
    "logprobs": lambda body: "logprobs" in body,
    "temperature": lambda body: body.get("temperature", 1) != 1,
    "max_tokens": lambda body: "max_tokens" in body,
    "response_format": lambda body: "response_format" in body,
    "strict": lambda body: (
        "response_format" in body and not body["response_format"]["json_schema"].get("strict")
    ),
    "system": lambda body: body["messages"][0]["role"] == "system",
}
"""Whether a request holds what a server refuses."""
FORMS = {"response_format", "strict"}
RED = Sample(plain_url("red"))
WORDS: dict[str, Callable[[str, Body], Denial]] = {
    "by param": lambda name, body: Denial("Unsupported parameter.", param=name),
    "in words": lambda name, body: Denial(f"Extra inputs are not permitted: {name}"),
    "in no word": lambda name, body: Denial("Bad request (trace 5f3a9c01)."),
    "all of it": lambda name, body: Denial(f"invalid: {name}; input: {sorted(body)}"),
}


OFTEN_AND_SELDOM = [pytest.param(how, marks=() if how == "in words" else pytest.mark.slow) for how in WORDS]


def refusing(names: frozenset[str], wording: str) -> Callable[[Body], Denial | None]:
    """A server that names the first that it refuses of a request."""

    def denies(body: Body) -> Denial | None:
        first = next((name for name in HAS if name in names and HAS[name](body)), None)
        return WORDS[wording](first, body) if first else None

    return denies


def asked(url: str, dialect: Dialect | None = None, tries: int = 1) -> Features:
    async def run() -> Features:
        client = ChatClient([url], api_key="", timeout_seconds=60, tries=tries, pause_seconds=0.01)
        try:
            return await probe(client, "fake-vlm", RED, dialect or Dialect())
        finally:
            await client.aclose()

    return asyncio.run(run())


@pytest.fixture
def small(tmp_path: Path, fake: Fake) -> Job:
    return job(tmp_path, fake.url, plain(1), twins=False)


@pytest.mark.parametrize("wording", OFTEN_AND_SELDOM)
@pytest.mark.parametrize("name", HAS)
def test_a_run_goes_on_without_any_one_thing_that_is_refused(
    small: Job, fake: Fake, name: str, wording: str
) -> None:
    fake.denies = refusing(frozenset({name}), wording)
    done = small.here()
    assert fake.requests and not any(HAS[name](body) for body in fake.requests)
    formless = name == "response_format"  # then it rests with the model, and this one has no idea
    assert (done.code, len(small.paths)) == ((1, 0) if formless else (0, 1)), done.err
    found = json.loads((small.run / "run.json").read_text())["features"]["vlm"]
    assert set(found["refused"]) == {name}
    said = WORDS[wording](name, {}).message.partition(";")[0]
    assert (f"vlm: refuses {name} (" in done.out and said in done.out) == (name != "user")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.frozensets(st.sampled_from(sorted(HAS.keys() - FORMS))), st.sampled_from(sorted(WORDS)))
def test_nothing_is_given_up_that_is_not_refused(fake: Fake, names: frozenset[str], wording: str) -> None:
    fake.denies = refusing(names, wording)
    up = {one.name for one in asyncio.run(settled(fake.url)).up}
    assert up == names - ({"top_logprobs"} if "logprobs" in names else set())


async def settled(url: str) -> Way:
    client = ChatClient([url], api_key="", timeout_seconds=60, tries=1)
    try:
        return (await settle(Way(Ask(client, "fake-vlm", RED)), plainly, PLAIN_FIELDS))[0]
    finally:
        await client.aclose()


def test_a_server_that_refuses_everything_is_told_in_its_words(small: Job, fake: Fake) -> None:
    fake.denies = lambda body: Denial("This model is being retired.")
    done = small.here()
    assert done.code == 1 and "This model is being retired." in done.err
    assert "max_tokens" in done.err and "vision-language" not in done.err


def test_a_model_that_takes_no_pictures_is_told_in_the_servers_words(small: Job, fake: Fake) -> None:
    fake.denies = lambda body: Denial("image input is not supported") if "image_url" in str(body) else None
    done = small.here()
    assert done.code == 1
    assert "it refuses picture: 'image input is not supported'; serve a vision-language model" in done.err


def test_a_policy_must_be_sampled_as_it_is_told(fake: Fake) -> None:
    fake.denies = refusing(frozenset({"temperature"}), "in words")
    assert asked(fake.url).temperature is False
    fake.denies = lambda body: None
    assert asked(fake.url).temperature is True
    assert asked(fake.url, Dialect(omit=("temperature",))).temperature is False


@pytest.mark.parametrize(
    ("sentences", "found"),
    [
        (["A fish rows.", "Tea sings.", "A fish rows.", "Rain knits."], True),
        (["A lamp of wool sat on the seventh hill and hummed to the tired moon all night"] * 4, False),
        (["Yes"] * 4, None),
    ],
)
def test_draws_that_are_alike_although_they_need_not_be_are_found_out(
    fake: Fake, sentences: list[str], found: bool | None
) -> None:
    """As of a model whose own file says `top_k: 1`, which vLLM keeps to at any temperature."""
    fake.answers = {
        "none": lambda body: (
            sentences[body["seed"]] if body.get("temperature") == 1 and "n" not in body else "one"
        )
    }
    fake.shares = {"wool": 0.01}
    assert asked(fake.url).samples is found


def thinking(body: Body) -> str | Whole:
    """A model that thinks for thirty tokens, unless its template is told not to."""
    if body.get("chat_template_kwargs", {}).get("enable_thinking") is False:
        return json.dumps({"colour": "red" if plain_url("red") in str(body) else "blue"})
    if body["max_tokens"] <= 30:
        return Whole({"role": "assistant", "content": None, "reasoning": "Okay, let me look at"}, "length")
    return Whole({"role": "assistant", "content": '{"colour": "red"}', "reasoning": "Okay. It is red."})


def test_a_model_that_thinks_first_is_told_as_such_with_what_helps(small: Job, fake: Fake) -> None:
    fake.answers = {"none": thinking}
    done = small.here()
    assert done.code == 1 and not fake.calls
    assert "it thinks before it answers, and its replies would be cut off" in done.err
    assert "{preset: no_thinking}}" in done.err and "{thoughts: 8192}}" in done.err


@pytest.mark.parametrize(
    ("says", "more"), [("preset: no_thinking", 0), ("thoughts: 64", 64), ("preset: thinking", 8192)]
)
def test_one_that_is_told_not_to_or_left_room_works(tmp_path: Path, fake: Fake, says: str, more: int) -> None:
    fake.answers = {"none": thinking}
    models = {"vlm": dict([says.split(": ")])}
    small = job(tmp_path, fake.url, plain(1), twins=False, models=models)
    done = small.here()
    assert done.code == 0, done.err
    lengths = {body["max_tokens"] for body in fake.requests}
    assert min(lengths) == 300 + more
    told = {str(body.get("chat_template_kwargs")) for body in fake.requests}
    assert told == ({"{'enable_thinking': False}"} if says.startswith("preset: no") else {"None"})


def test_a_gateway_without_a_list_of_models_is_asked_for_the_one_that_is_named(
    small: Job, fake: Fake
) -> None:
    fake.lists = False
    assert small.here("--model", "fake-vlm").code == 0
    done = small.here("--run", str(small.run) + "2")
    assert done.code == 1 and "HTTP 404" in done.err


def test_what_is_said_for_a_role_is_part_of_what_is_asked(tmp_path: Path, fake: Fake) -> None:
    """So a run that is told otherwise asks anew, and one that is told the same does not."""
    first = job(tmp_path, fake.url, plain(1), twins=False)
    assert first.here().code == 0
    made = fake.calls
    models = {"vlm": {"extra": {"repetition_penalty": 1.1}}}
    other = job(tmp_path, fake.url, plain(1), twins=False, models=models)
    (other.run / "reasoning_paths.jsonl").unlink()
    assert other.here("--mix").code == 0
    assert fake.calls == 2 * made
    assert all(body["repetition_penalty"] == 1.1 for body in list(fake.requests)[made:])


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_refuses_nothing(fake: Fake, status: int) -> None:
    """Who answers at the third time takes every field; who never does says so as it is."""
    turned_away = iter(range(3))
    busy = Denial("slow down", status=status)
    fake.denies = lambda body: None if next(turned_away, None) is None else busy
    assert not asked(fake.url, tries=4).refused
    fake.denies = lambda body: busy
    with pytest.raises(CallFailed, match=f"HTTP {status}: 'slow down'"):
        asked(fake.url, tries=2)


def test_a_page_instead_of_every_answer_is_no_refusal(fake: Fake) -> None:
    """As a login before the server, or another program at its address: asked in two ways, each twice."""
    pages = []
    fake.denies = lambda body: pages.append(body) or "<html>log in, please</html>"
    with pytest.raises(CallFailed, match=r"without a completion: '<html>log in, please</html>'"):
        asked(fake.url)
    assert len(pages) == 4


def test_a_field_that_garbles_the_answer_is_given_up_alone(fake: Fake) -> None:
    fake.denies = lambda body: "data: [DONE]" if "top_p" in body else None
    found = asked(fake.url)
    assert found.terms == Dialect(omit=("top_p",))


def test_no_way_to_ask_is_one_line(fake: Fake) -> None:
    fake.denies = lambda body: Denial("no")
    with pytest.raises(ConfigError) as caught:
        asked(fake.url)
    assert "\n" not in str(caught.value)
