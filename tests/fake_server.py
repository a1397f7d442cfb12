"""A fake OpenAI-compatible server for tests: real HTTP on 127.0.0.1, `fake_answers`, faults on demand.

In a test: `with serve(latency=0.2, fail_share=0.2) as fake: ... fake.url, fake.calls, fake.counts`.
As a process: `python tests/fake_server.py --log calls.txt --die-after 40` prints its URL on stdout.
Each chat call received is one line `<hash of the request> <agent>` in the log, written before anything else
happens, so that the calls of a client which was killed can be counted.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from aiohttp import web
from fake_answers import agent_of, answer, logprobs, number, prompt_text, tokens


class Whole(NamedTuple):
    """A choice to the letter: fields beside the content, and how it ended."""

    message: dict[str, Any]
    finish: str = "stop"


class Denial(NamedTuple):
    """What a server says of a request that it refuses."""

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400


FakeT = TypeVar("FakeT", bound="Fake")
Said = str | dict[str, Any] | Whole
Scripted = Said | Callable[[dict[str, Any]], Said]

MESSAGES = {
    400: "unsupported parameter",
    401: "Incorrect API key provided",
    403: "this key may not use this model",
    404: "The model does not exist.",
    413: "request body too large",
    422: "messages: field required",
    429: "rate limit reached",
}
OVERFLOW = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
FILTERED = "The response was filtered due to the prompt triggering our content management policy."
CREDITS = "insufficient credits on this account"
FOLDER = re.compile(rb"file://[^\"]*/")
"""Where a picture lies decides nothing."""
PROBE = "ssui_gen probe"
RANDOM_FAULTS = ("429", "500", "503", "drop", "garbage", "half", "empty")


@dataclass
class Fake:
    """What the server is to do, and what it has seen. Every option may be changed while it runs.

    A fault is a status ("429"), or one of overflow, filtered (by a provider), drop (closes the connection),
    hang (never answers); or a 200 with garbage (a page that repeats the key), half (a JSON), empty (no
    choice), null (no content), an error (credits, overloaded).
    """

    latency: float = 0.0
    """Seconds before each answer, faults included."""
    faults: tuple[str, ...] = ()
    """Given to the first calls, one each, in this order; "ok" answers."""
    always: str | None = None
    """Given to every call after `faults`."""
    fails: Callable[[dict[str, Any]], str | None] | None = None
    """The fault of a call, by its request; None: as the other options say."""
    fail_share: float = 0.0
    """Share of calls that meet a fault; decided by the request and how often it came, not by the clock."""
    retry_after: str | None = "0"
    """Header of 429 and 503."""
    answers: Mapping[str, Scripted] = field(default_factory=dict)
    """Agent -> what it says, instead of the default; a function sees the request, and in `draw` its dice. A
    judge's are named by what it is asked (`judge: right`), or all by `judge`."""
    models: tuple[str, ...] = ("fake-vlm",)
    lists: bool = True
    """Whether it says what it serves."""
    api_key: str | None = None
    """Any other key meets a 401 which repeats the key, as some servers do."""
    die_after: int | None = None
    """Leave the process, without a farewell, when more calls than these arrive."""
    log: Path | None = None
    batch: int | None = None
    """Then `/metrics` is vLLM's, as if so many sequences were served at a time and the others waited."""
    room: int | None = None
    """More calls than these at a time meet a 503."""
    refuses: frozenset[str] = frozenset()
    """Fields that no question about the server's abilities may hold."""
    denies: Callable[[dict[str, Any]], Denial | str | None] = lambda body: None
    """Why it refuses a request, one about its abilities too; or the page that it sends instead."""
    mute: bool = False
    """No log-probabilities, whoever asks."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Word -> its probability wherever one of them is said; None of them: as `fake_answers` has it."""
    template: Callable[[dict[str, Any]], str] | None = None
    """What `return_prompt_text` is answered with; None ignores it."""
    letters: Callable[[dict[str, Any]], str] | None = None
    """The prompt whose letters are its tokens, for `return_token_ids`; /detokenize tells what they say."""
    answer_ids: bool = False
    """An answer's letters are its tokens, too."""
    accounts: Callable[[dict[str, Any]], Any] = lambda usage: usage
    """What it says of the tokens of a call."""
    mute_words: bool = False
    """No /detokenize."""
    refuses_probed: Callable[[dict[str, Any]], bool] | None = None
    """Which questions about what it can do, or of how it renders, are refused."""

    url: str = ""
    calls: int = 0
    probes: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """Calls by agent."""
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=200))
    """The last bodies received."""
    in_flight: int = 0
    most_in_flight: int = 0
    _seen: Counter[bytes] = field(default_factory=Counter)
    _log_file: int | None = None

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        match request.path:
            case "/v1/chat/completions":
                return await self._chat(request)
            case "/v1/models" if self.lists:
                return self._refusal_of_key(request) or _json({"data": [{"id": m} for m in self.models]})
            case "/health":
                return web.Response()
            case "/detokenize" if self.letters and not self.mute_words:
                asked = await request.json()
                return _json({"prompt": "".join(map(chr, asked["tokens"]))})
            case "/metrics" if self.batch is not None:
                return web.Response(text=self._metrics(self.batch))
        return _error(404, f"no route {request.path}")

    async def _chat(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = await request.content.read()
        body = json.loads(raw)
        key = hashlib.blake2b(FOLDER.sub(b"file:///", raw), digest_size=8).digest()
        if denial := self.denies(body):
            if isinstance(denial, str):
                return web.Response(text=denial, content_type="text/html")
            return _error(retry_after=self.retry_after, **denial._asdict())
        if body.get("user") == PROBE:
            return self._refusal_of_key(request) or self._probed(body, key)
        self._note(key, body)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.latency)
            return self._refusal_of_key(request) or await self._respond(request, body, key)
        finally:
            self.in_flight -= 1

    def _probed(self, body: dict[str, Any], key: bytes) -> web.Response:
        """Questions about what the server can do are not work: they meet no fault and are not counted."""
        self.probes += 1
        if self.refuses_probed and self.refuses_probed(body):
            return _error(400, "no images with system messages")
        unknown = [name for name in self.refuses if f'"{name}"' in json.dumps(body)]
        return _error(400, f"unknown field {unknown}") if unknown else self._answered(body, key)

    def _note(self, key: bytes, body: dict[str, Any]) -> None:
        agent = agent_of(body)
        self.calls += 1
        self.counts[agent] += 1
        self.requests.append(body)
        if self.log and self._log_file is None:
            self._log_file = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        if self._log_file is not None:
            os.write(self._log_file, f"{key.hex()} {agent}\n".encode())
        if self.die_after is not None and self.calls > self.die_after:
            os._exit(1)

    def _refusal_of_key(self, request: web.BaseRequest) -> web.Response | None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.api_key is None or given == self.api_key:
            return None
        return _error(401, f"Incorrect API key provided: {given}")

    def _metrics(self, batch: int) -> str:
        labels = f'{{engine="0",model_name="{self.models[0]}"}}'
        running = min(self.in_flight, batch)
        values = {
            "num_requests_running": running,
            "num_requests_waiting": self.in_flight - running,
            "kv_cache_usage_perc": running / batch / 2,
            "num_preemptions_total": 0,
            "prefix_cache_queries_total": 100 * self.calls,
            "prefix_cache_hits_total": 75 * self.calls,
        }
        return "".join(f"# TYPE vllm:{n} gauge\nvllm:{n}{labels} {float(v)}\n" for n, v in values.items())

    def _next_fault(self, key: bytes) -> str | None:
        if self.room is not None and self.in_flight > self.room:
            return "503"
        if self.faults:
            fault, self.faults = self.faults[0], self.faults[1:]
            return fault if fault != "ok" else None
        if self.always:
            return self.always
        return self._random_fault(key) if self.fail_share else None

    def _random_fault(self, key: bytes) -> str | None:
        self._seen[key] += 1
        chance = number(key, self._seen[key])
        if chance % 10_000 >= self.fail_share * 10_000:
            return None
        return RANDOM_FAULTS[chance // 10_000 % len(RANDOM_FAULTS)]

    async def _respond(
        self, request: web.BaseRequest, body: dict[str, Any], key: bytes
    ) -> web.StreamResponse:
        match (self.fails and self.fails(body)) or self._next_fault(key):
            case None if body["model"] not in self.models:
                return _error(404, f"The model `{body['model']}` does not exist.")
            case None:
                return self._answered(body, key)
            case "drop":
                return _drop(request)
            case "hang":
                await asyncio.sleep(3600)
                return _drop(request)
            case "half":
                return web.Response(body=json.dumps(self._completion(body, key))[:60].encode())
            case "garbage":
                page = f"<html>gateway is tired of {request.headers.get('Authorization')}</html>"
                return web.Response(text=page, content_type="text/html")
            case "empty":
                return _json({**self._completion(body, key), "choices": []})
            case "null":
                return _json(_without_content(self._completion(body, key)))
            case "overflow":
                return _error(400, OVERFLOW)
            case "filtered":
                return _error(400, FILTERED, code="content_filter")
            case "credits" | "overloaded" as name:
                status = {"credits": 402, "overloaded": 503}[name]
                return _json(
                    {"error": {"message": CREDITS if name == "credits" else "overloaded", "code": status}}
                )
            case status:
                assert status is not None
                return _error(int(status), MESSAGES.get(int(status), "internal error"), self.retry_after)

    def _answered(self, body: dict[str, Any], key: bytes) -> web.Response:
        """What a call gets that meets no fault."""
        return _json(self._completion(body, key))

    def _completion(self, body: dict[str, Any], key: bytes) -> dict[str, Any]:
        choices = [self._choice(body, number(key, index), index) for index in range(body.get("n") or 1)]
        user, system = (len(prompt_text(body, role)) // 4 for role in ("user", "system"))
        prompt = user + len(tokens(prompt_text(body, "assistant")))
        made = sum(choice.pop("length") for choice in choices)
        usage = {
            "prompt_tokens": prompt + system,
            "completion_tokens": made,
            "total_tokens": prompt + system + made,
            "prompt_tokens_details": {"cached_tokens": system or user // 2},
        }
        shown = {"prompt_text": self.template(body)} if self.template and "return_prompt_text" in body else {}
        if self.letters and "return_token_ids" in body:
            shown |= {"prompt_token_ids": [*map(ord, self.letters(body))]}
        return {
            "id": key.hex(),
            "model": body["model"],
            "choices": choices,
            "usage": self.accounts(usage),
            **shown,
        }

    def _choice(self, body: dict[str, Any], draw: int, index: int) -> dict[str, Any]:
        text = self._scripted(body, draw)
        if isinstance(text, Whole):
            return {"index": index, "message": text.message, "finish_reason": text.finish, "length": 1}
        pieces = tokens(text)
        limit = body.get("max_tokens") or body.get("max_completion_tokens") or len(pieces)
        wanted = body.get("logprobs") and not self.mute
        seen = self.answer_ids and "return_token_ids" in body
        entries = logprobs(pieces[:limit], body.get("top_logprobs") or 0, self.shares) if wanted else None
        return {
            "index": index,
            "message": {"role": "assistant", "content": "".join(pieces[:limit])},
            "finish_reason": "stop" if len(pieces) <= limit else "length",
            "logprobs": entries and {"content": entries},
            "length": len(pieces[:limit]),
            **({"token_ids": [*map(ord, "".join(pieces[:limit]))]} if seen else {}),
        }

    def _scripted(self, body: dict[str, Any], draw: int) -> str | Whole:
        agent = agent_of(body)
        script = self.answers.get(agent) or self.answers.get(agent.partition(":")[0])
        if script is None:
            return answer(body, draw)
        value = script({**body, "draw": draw}) if callable(script) else script
        return value if isinstance(value, str | Whole) else json.dumps(value)


def _json(value: dict[str, Any]) -> web.Response:
    return web.Response(body=json.dumps(value).encode(), content_type="application/json")


def _error(
    status: int,
    message: str,
    retry_after: str | None = None,
    param: str | None = None,
    code: str | None = None,
) -> web.Response:
    body = json.dumps(
        {"error": {"message": message, "type": "error", "code": code or status, "param": param}}
    )
    headers = {"Retry-After": retry_after} if retry_after is not None and status in (429, 503) else {}
    return web.Response(status=status, body=body.encode(), content_type="application/json", headers=headers)


def _without_content(completion: dict[str, Any]) -> dict[str, Any]:
    empty = {"role": "assistant", "content": None}
    return {**completion, "choices": [{**choice, "message": empty} for choice in completion["choices"]]}


def _drop(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _run(fake: Fake, port: int, ready: Callable[[], object], stop: asyncio.Event) -> None:
    runner = web.ServerRunner(web.Server(fake, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    ready()
    await stop.wait()
    await runner.cleanup()


@contextmanager
def serve(port: int = 0, **options: Any) -> Iterator[Fake]:
    """Run a server in a thread of its own; `options` are the fields of `Fake`."""
    with running(Fake(**options), port) as fake:
        yield fake


@contextmanager
def running(fake: FakeT, port: int = 0) -> Iterator[FakeT]:
    """The same for one that was made before, of whatever kind."""
    stop, ready = asyncio.Event(), threading.Event()
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=lambda: runner.run(_run(fake, port, ready.set, stop)), daemon=True)
        thread.start()
        try:
            assert ready.wait(60), "the fake server did not start"
            yield fake
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()


@contextmanager
def serve_apart(*options: str) -> Iterator[str]:
    """Run a server as a process of its own, with options of the command line; yields its URL."""
    with subprocess.Popen([sys.executable, __file__, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--fail-share", type=float, default=0.0)
    parser.add_argument("--faults", type=lambda text: tuple(text.split(",")), default=())
    parser.add_argument("--always")
    parser.add_argument("--die-after", type=int)
    options = vars(parser.parse_args())
    port = options.pop("port")
    fake = Fake(**options)
    asyncio.run(_run(fake, port, lambda: print(fake.url, flush=True), asyncio.Event()))


if __name__ == "__main__":
    main()
