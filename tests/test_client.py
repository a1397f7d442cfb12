"""The client against a real server on this computer that fails in every way we know."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, TypeVar

import pytest
from fake_server import Fake, serve, serve_apart

from ssui_gen.calling import client as client_module
from ssui_gen.calling.client import ChatClient
from ssui_gen.completions import Completion
from ssui_gen.errors import (
    AccessDenied,
    CallFailed,
    ConfigError,
    ContextOverflow,
    ModelError,
    RequestRefused,
    ServerGone,
)
from ssui_gen.replies import SafetyReply

KEY = "sk-very-secret-4711"
Result = TypeVar("Result")


def body(agent: str = "check_text", **fields: Any) -> dict[str, Any]:
    messages = [
        {"role": "system", "content": f"# Agent: {agent}"},
        {"role": "user", "content": "Is this safe?"},
    ]
    return {"model": "fake-vlm", "messages": messages, **fields}


@asynccontextmanager
async def connected(*urls: str, tries: int = 3, timeout: float = 20.0) -> AsyncIterator[ChatClient]:
    client = ChatClient(urls, api_key=KEY, timeout_seconds=timeout, tries=tries, pause_seconds=0.01)
    try:
        yield client
    finally:
        await client.aclose()


def using(*urls: str, do: Callable[[ChatClient], Awaitable[Result]], **options: Any) -> Result:
    async def run() -> Result:
        async with connected(*urls, **options) as client:
            return await do(client)

    return asyncio.run(run())


def chat(*urls: str, ask: dict[str, Any] | None = None, **options: Any) -> Completion:
    return using(*urls, do=lambda client: client.chat(ask or body(), affinity=""), **options)


async def attempts_of_30(client: ChatClient) -> list[int]:
    """Attempts of one call about each of 30 pictures."""
    return [(await client.chat(body(), affinity=str(i))).attempts for i in range(30)]


def test_all_choices_their_logprobs_and_the_tokens_counted_are_kept(fake: Fake) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "r", "schema": SafetyReply.model_json_schema()}}
    made = chat(fake.url, ask=body(n=4, response_format=schema, logprobs=True, top_logprobs=2))
    assert len({choice.text for choice in made.choices}) == 4
    for choice in made.choices:
        assert SafetyReply.model_validate_json(choice.text).label == "safe"
        assert choice.logprobs and "".join(t.token for t in choice.logprobs) == choice.text
        assert all(len(token.top) == 2 for token in choice.logprobs)
    assert made.usage.completion_tokens == sum(len(c.logprobs or ()) for c in made.choices)
    assert made.usage.cached_tokens > 0 and made.seconds > 0 and made.attempts == 1


def test_a_reply_cut_off_at_max_tokens_is_no_error(fake: Fake) -> None:
    assert chat(fake.url, ask=body(max_tokens=2)).choices[0].finish_reason == "length"


def test_fields_that_only_vllm_knows_reach_the_server(fake: Fake) -> None:
    chat(fake.url, ask=body(continue_final_message=True, add_generation_prompt=False))
    assert fake.requests[-1]["continue_final_message"] is True
    assert fake.requests[-1]["add_generation_prompt"] is False


@pytest.mark.parametrize(
    "fault", ["408", "409", "429", "500", "502", "503", "drop", "garbage", "half", "empty", "null"]
)
def test_a_passing_fault_is_tried_again(fake: Fake, fault: str) -> None:
    fake.faults = (fault,)
    assert chat(fake.url).attempts == fake.calls == 2


def test_a_server_that_never_answers_is_left_after_the_timeout(fake: Fake) -> None:
    fake.faults = ("hang",)
    assert chat(fake.url, timeout=1.0).attempts == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("400", RequestRefused),
        ("413", RequestRefused),
        ("422", RequestRefused),
        ("overflow", ContextOverflow),
        ("401", AccessDenied),
        ("403", AccessDenied),
        ("404", AccessDenied),
        ("402", AccessDenied),
    ],
)
def test_a_refusal_is_raised_at_once_by_what_can_be_done(
    fake: Fake, fault: str, error: type[ModelError]
) -> None:
    fake.always = fault
    with pytest.raises(ModelError, match=f"HTTP {fault if fault.isdigit() else 400}") as caught:
        chat(fake.url)
    assert type(caught.value) is error
    assert fake.calls == 1


def test_an_unknown_model_stops_the_run_and_is_named(fake: Fake) -> None:
    with pytest.raises(AccessDenied, match=r"`llama` does not exist.*Check the model's name"):
        chat(fake.url, ask={**body(), "model": "llama"})


@pytest.mark.parametrize("fault", ["500", "drop", "garbage"])
def test_a_call_that_always_fails_fails_alone_while_the_server_is_there(fake: Fake, fault: str) -> None:
    fake.always = fault
    with pytest.raises(CallFailed, match="4 tries failed"):
        chat(fake.url, tries=4)
    assert fake.calls == 4


def test_no_server_is_another_error_than_a_failed_call() -> None:
    with serve() as fake:
        url = fake.url
    with pytest.raises(ServerGone, match=f"Nothing answers at {url}"):
        chat(url)


def test_a_server_that_dies_midway_is_gone() -> None:
    async def two_calls(client: ChatClient) -> None:
        await client.chat(body(), affinity="")
        with pytest.raises(ServerGone):
            await client.chat(body(), affinity="")

    with serve_apart("--die-after", "1") as url:
        using(url, do=two_calls)


@pytest.mark.parametrize("header", [lambda: "1", lambda: formatdate(time.time() + 2, usegmt=True)])
def test_retry_after_is_waited_for_as_seconds_or_as_a_date(fake: Fake, header: Callable[[], str]) -> None:
    fake.faults, fake.retry_after = ("429",), header()
    started = time.monotonic()
    assert chat(fake.url).attempts == 2
    assert 0.95 < time.monotonic() - started < 30


@pytest.mark.parametrize(("header", "seconds"), [("3600", 60.0), ("-5", 0.0), ("soon", 0.0), ("nan", 0.0)])
def test_an_odd_retry_after_is_bounded(header: str, seconds: float) -> None:
    assert client_module._seconds(header) == seconds


def test_the_pauses_double(fake: Fake) -> None:
    fake.always = "500"
    started = time.monotonic()
    with pytest.raises(CallFailed):
        chat(fake.url, tries=6)
    assert time.monotonic() - started > 0.01 * (1 + 2 + 4 + 8 + 16)


def test_the_key_is_in_no_error_and_no_traceback(fake: Fake) -> None:
    fake.api_key = "another"
    with pytest.raises(AccessDenied, match="Incorrect API key provided: <key>") as caught:
        chat(fake.url)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_a_page_that_repeats_the_key_is_shown_without_it(fake: Fake) -> None:
    fake.always = "garbage"
    with pytest.raises(CallFailed, match="tired of Bearer <key>") as caught:
        chat(fake.url)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_every_call_succeeds_when_a_fifth_of_the_attempts_fail() -> None:
    async def many(client: ChatClient) -> list[Completion]:
        return await asyncio.gather(*(client.chat(body(seed=i), affinity="") for i in range(150)))

    with serve(fail_share=0.2) as fake:
        made = using(fake.url, do=many, tries=10)
    assert sum(completion.attempts for completion in made) == fake.calls
    assert 160 < fake.calls < 220


def test_calls_about_one_picture_go_to_one_replica_and_pictures_spread() -> None:
    async def often(client: ChatClient) -> None:
        for _ in range(12):
            await client.chat(body(), affinity="picture 1")

    with serve() as one, serve() as two:
        using(one.url, two.url, do=attempts_of_30)
        spread = one.calls
        using(one.url, two.url, do=often)
    assert 0 < spread < 30
    assert one.calls - spread in (0, 12)


def test_a_dead_replica_is_passed_over_after_one_try() -> None:
    with serve() as gone:
        dead = gone.url
    with serve() as fake:
        attempts = using(dead, fake.url, do=attempts_of_30)
    assert sorted(attempts) == [1] * 29 + [2]


def test_a_replica_that_fails_hands_its_calls_to_the_other() -> None:
    with serve(always="503") as ill, serve() as well:
        assert set(using(ill.url, well.url, do=attempts_of_30)) == {1, 2}
        assert well.calls == 30


def test_a_cancelled_call_stops_and_leaves_the_client_usable(fake: Fake) -> None:
    async def cancel_one(client: ChatClient) -> Completion:
        call = asyncio.ensure_future(client.chat(body(), affinity=""))
        while not fake.calls:
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        return await client.chat(body(), affinity="")

    fake.faults = ("hang",)
    assert using(fake.url, do=cancel_one).attempts == 1


def test_a_proxy_is_not_asked_for_a_server_on_this_computer(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert chat(fake.url).attempts == 1


def test_another_key_of_the_environment_is_never_sent(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        client = ChatClient([fake.url], api_key="", timeout_seconds=5, tries=1)
        with pytest.raises(AccessDenied, match="provided: no-key-given"):
            await client.model_names()
        await client.aclose()

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    fake.api_key = "another"
    asyncio.run(run())


def test_model_names_come_from_the_first_replica_that_answers(fake: Fake) -> None:
    fake.models = ("a", "b")
    with serve() as gone:
        dead = gone.url
    assert using(dead, fake.url, do=ChatClient.model_names) == ["a", "b"]
    with pytest.raises(ServerGone, match="no model server answers"):
        using(dead, do=ChatClient.model_names)


def test_an_address_without_v1_is_explained(fake: Fake) -> None:
    with pytest.raises(AccessDenied, match="ends in /v1"):
        using(fake.url.removesuffix("/v1"), do=ChatClient.model_names)


@pytest.mark.parametrize("status", [405, 501])
def test_a_server_of_files_is_no_model_server(status: int) -> None:
    class Files(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_error(status)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Files) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(AccessDenied, match=f"HTTP {status}.*Nothing takes questions there"):
            chat(f"http://127.0.0.1:{server.server_port}/v1")
        server.shutdown()


def test_a_server_that_refuses_us_is_healthy_and_a_closed_port_is_not(fake: Fake) -> None:
    fake.api_key = "another"
    assert using(fake.url, do=ChatClient.healthy) is True
    with serve() as gone:
        dead = gone.url
    assert using(dead, do=ChatClient.healthy) is False


@pytest.mark.parametrize("url", ["127.0.0.1:8000/v1", "ftp://host/v1", "http://ana:hunter2@host/v1"])
def test_a_wrong_address_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(ConfigError, match="base_urls") as caught:
        ChatClient([url], api_key=KEY, timeout_seconds=1, tries=1)
    assert "hunter2" not in str(caught.value)


def test_a_key_that_no_header_can_carry_is_refused_unseen() -> None:
    with pytest.raises(ConfigError, match="API key") as caught:
        ChatClient(["http://127.0.0.1:1/v1"], api_key="sk\nsecret", timeout_seconds=1, tries=1)
    assert "secret" not in str(caught.value)
