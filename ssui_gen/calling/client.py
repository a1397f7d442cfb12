"""The door to served models: one chat call to one of several replicas, tried again where that helps.

A failed attempt is tried again after a growing pause when the network, the server or its load is to blame
(no connection, no answer, 408, 409, 429, 5xx, a 200 without a completion), and never when the request or the
access is. Covers no caching (`journal`), no limit on calls in flight (`calls`), no parsing of replies
(`agent`). Posts through the SDK's transport and not its typed methods, which took 2.7 times the CPU.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, DefaultAioHttpClient, Timeout
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    wait_exponential,
    wait_random,
)

from ssui_gen.calling import metrics, wire
from ssui_gen.calling.replicas import Replicas, checked_url
from ssui_gen.calling.verbatim import begun, go_on
from ssui_gen.completions import Completion
from ssui_gen.errors import AccessDenied, CallFailed, ConfigError, ModelError, ServerGone

LONGEST_PAUSE = 60.0
"""Seconds; the most that a server's Retry-After is followed."""
NO_KEY = "no-key-given"
"""Sent where no key is set: local servers want none, and the SDK would look for others in the environment."""
PROBE_SECONDS = 10.0
"""For connecting, and for asking whether a server is there."""


class _Again(Exception):
    """One attempt failed in a way in which the next may not."""

    def __init__(
        self, reason: str, *, status: int = 0, unreachable: bool = False, retry_after: float = 0.0
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.unreachable = unreachable
        self.retry_after = retry_after


class _Server(NamedTuple):
    url: str
    http: AsyncOpenAI


class ChatClient:
    """Chat with one model behind one or more addresses, each ending in `/v1`."""

    def __init__(
        self,
        base_urls: Sequence[str],
        *,
        api_key: str,
        timeout_seconds: float,
        tries: int,
        pause_seconds: float = 0.5,
    ) -> None:
        """`pause_seconds` is the pause before the second try; it doubles with each. Raises ConfigError."""
        if not base_urls:
            raise ConfigError("base_urls: none given; expected an address such as http://127.0.0.1:8000/v1")
        key = _checked_key(api_key)
        self._secret = key
        self._timeout = timeout_seconds
        self._tries = tries
        self._pause = _pause(pause_seconds)
        self._servers = [_Server(url, _connect(url, key or NO_KEY)) for url in map(checked_url, base_urls)]
        self._replicas = Replicas([server.url for server in self._servers])
        self._silent: set[str] = set()
        self.refused: Counter[int] = Counter()
        """Chat calls that were refused for now and are tried again, by HTTP status."""

    async def chat(
        self, body: dict[str, Any], *, affinity: str, tries: int | None = None, verbatim: bool = False
    ) -> Completion:
        """Post `body`, a JSON of chat.completions with any field the server knows, and wait for all choices.

        `affinity` is the picture's sha256 or ""; fewer `tries` than the client's own hold for faults that are
        not of load. An answer that is begun goes out as text where it is to go on `verbatim`. Raises a child
        of ModelError, by what can be done about it.
        """
        index, made = None, 0
        try:
            async for attempt in self._attempts(tries or self._tries):
                made = attempt.retry_state.attempt_number
                with attempt:
                    index = self._replicas.pick(affinity, avoid=index)
                    return await self._chat_once(index, body, made, verbatim)
        except _Again as fault:
            last = fault
        raise await self._given_up(last, made)

    async def model_names(self) -> list[str]:
        """What the first server that answers lists; raises AccessDenied or ServerGone."""
        faults = []
        for server in self._servers:
            try:
                text = await self._request(server, "get", "/models", PROBE_SECONDS)
            except _Again as fault:
                faults.append(str(fault))
            else:
                return self._names(server, text)
        raise ServerGone(f"no model server answers: {'; '.join(faults)}. Start it, or correct its address")

    async def words(self, model: str, ids: Sequence[int]) -> str | None:
        """What token ids say, marks included (vLLM's /detokenize); None where no server tells."""
        for server in self._servers:
            asked = {"model": model, "tokens": list(ids)}
            try:
                return wire.words(await self._beside(server, "/detokenize", asked, PROBE_SECONDS))
            except (_Again, ModelError, ValueError):
                continue
        return None

    async def healthy(self) -> bool:
        """Whether some replica answers `GET /models`, be it with a refusal."""
        return any(await asyncio.gather(*map(self._answers, self._servers)))

    async def loads(self) -> dict[str, metrics.Load]:
        """What each replica says of its load now, by address; one without such a page is not asked again."""
        asked = [server for server in self._servers if server.url not in self._silent]
        said = await asyncio.gather(*map(self._load, asked))
        return {server.url: load for server, load in zip(asked, said, strict=True) if load}

    async def aclose(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(server.http.close() for server in self._servers))

    def _attempts(self, tries: int) -> AsyncRetrying:
        def spent(state: RetryCallState) -> bool:
            fault = state.outcome.exception() if state.outcome else None
            of_load = isinstance(fault, _Again) and fault.status in wire.LOAD
            return state.attempt_number >= (self._tries if of_load else tries)

        return AsyncRetrying(
            stop=spent,
            wait=self._pause,
            retry=retry_if_exception_type(_Again),
            reraise=True,
        )

    async def _chat_once(self, index: int, body: dict[str, Any], attempt: int, verbatim: bool) -> Completion:
        server, started = self._servers[index], time.perf_counter()
        with self._replicas.using(index):
            try:
                text = await self._answered(server, body, verbatim)
                return self._read(server, text, body["model"], time.perf_counter() - started, attempt)
            except _Again as fault:
                if fault.unreachable:
                    self._replicas.mark_down(index)
                if fault.status:
                    self.refused[fault.status] += 1
                raise

    async def _answered(self, server: _Server, body: dict[str, Any], verbatim: bool) -> str:
        if verbatim and begun(body):
            return await go_on(partial(self._beside, server), body)
        return await self._request(server, "post", "/chat/completions", self._timeout, body=body)

    async def _beside(
        self, server: _Server, page: str, body: dict[str, Any], seconds: float | None = None
    ) -> str:
        """Of a page that stands beside /v1."""
        url = server.url.removesuffix("/v1") + page
        return await self._request(server, "post", url, seconds or self._timeout, body=body)

    def _read(self, server: _Server, text: str, model: str, seconds: float, attempt: int) -> Completion:
        """The completion in a 200; raises _Again, or ModelError for an error that stands there instead."""
        try:
            return wire.completion(text, model, seconds, attempt)
        except wire.ErrorInside as error:
            where, said = f"{server.url}: an error under HTTP 200", wire.clean(error.said, self._secret)
            final = wire.refusal(where, error.status, error.code, said)
            raise final or _Again(f"{where}: HTTP {error.status}: {said!r}", status=error.status) from None
        except ValueError:
            what = f"{server.url}: HTTP 200 without a completion: {wire.clean(text, self._secret)!r}"
            raise _Again(what) from None

    async def _request(self, server: _Server, method: str, path: str, seconds: float, **content: Any) -> str:
        """The text of a 200; raises _Again or ModelError. Chained to nothing: a cause may hold the key."""
        try:
            async with asyncio.timeout(seconds):
                text: str = await getattr(server.http, method)(path, cast_to=str, **content)
                return text
        except APIStatusError as error:
            raise self._refusal(server, error) from None
        except TimeoutError:
            raise _Again(f"{server.url}: no answer within {seconds:g} seconds") from None
        except (APIConnectionError, aiohttp.ClientError, OSError) as error:
            why = wire.clean(_root(error), self._secret)
            raise _Again(f"{server.url}: no connection: {why}", unreachable=True) from None

    def _refusal(self, server: _Server, error: APIStatusError) -> ModelError | _Again:
        said = wire.clean(wire.message_of(error.body), self._secret)
        final = wire.refusal(server.url, error.status_code, error.code, said, error.param)
        wait, status = _seconds(error.response.headers.get("retry-after", "")), error.status_code
        return final or _Again(f"{server.url}: HTTP {status}: {said!r}", status=status, retry_after=wait)

    def _names(self, server: _Server, text: str) -> list[str]:
        try:
            return wire.model_names(text)
        except ValueError:
            got = wire.clean(text, self._secret)
            what = f"{server.url}: GET /models: expected a list of models; got {got!r}"
            raise AccessDenied(f"{what}. {wire.ADVICE[404]}") from None

    async def _load(self, server: _Server) -> metrics.Load | None:
        """None when it does not say, now or ever."""
        try:
            page = f"{server.url.removesuffix('/v1')}/metrics"
            load = metrics.read(await self._request(server, "get", page, PROBE_SECONDS))
        except _Again:
            return None
        except ModelError:
            load = None
        if load is None:
            self._silent.add(server.url)
        return load

    async def _answers(self, server: _Server) -> bool:
        try:
            await self._request(server, "get", "/models", PROBE_SECONDS)
        except _Again:
            return False
        except ModelError:
            return True
        return True

    async def _given_up(self, last: _Again, tries: int) -> ModelError:
        tried = f"{tries} tries failed, the last with {last}"
        if await self.healthy():
            what = f"{tried}. A server still answers: see its log, or raise limits.tries_per_call"
            return CallFailed(what, last.status)
        urls = ", ".join(server.url for server in self._servers)
        return ServerGone(f"{tried}. Nothing answers at {urls}: start it and run the same command again")


def _connect(url: str, key: str) -> AsyncOpenAI:
    """A proxy of the environment is only for addresses outside this computer."""
    loopback = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
    return AsyncOpenAI(
        base_url=url,
        api_key=key,
        max_retries=0,
        timeout=Timeout(None, connect=PROBE_SECONDS),
        http_client=DefaultAioHttpClient(trust_env=not loopback),
    )


def _checked_key(key: str) -> str:
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigError("API key: it holds characters that no HTTP header may carry; expected plain ASCII")
    return key


def _pause(base: float) -> Callable[[RetryCallState], float]:
    """Exponential with jitter, and never shorter than the server asked for."""
    growing = wait_exponential(multiplier=base, max=LONGEST_PAUSE / 2) + wait_random(0, base)

    def wait(state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        return max(growing(state), fault.retry_after if isinstance(fault, _Again) else 0.0)

    return wait


def _seconds(retry_after: str) -> float:
    """A Retry-After header: a number of seconds or a date; 0 when absent or unreadable."""
    try:
        asked = float(retry_after or 0)
    except ValueError:
        try:
            asked = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return 0.0
    return min(max(0.0, asked), LONGEST_PAUSE)


def _root(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}"
