"""The routes: /health, /v1/models and /v1/chat/completions, and every error in OpenAI's shape."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from microworld.serving import protocol
from microworld.serving.door import Intake
from microworld.serving.models import Models
from microworld.serving.protocol import ChatRequest, Refusal

if TYPE_CHECKING:
    from microworld.serving.engine import Engine
    from microworld.serving.rows import Reply, Row

LOG = logging.getLogger("microworld.server")
READERS = 2
"""Requests understood at once; each may hold its pictures decoded."""
LONGEST_MESSAGE = 2000
"""Characters of an error."""


def make_app(models: Models, hosts: frozenset[str] | None, announce: Callable[[], None]) -> FastAPI:
    """`hosts` are the only ones it answers to, each with its port; None answers to any. `announce` is called
    once, when requests are about to be answered.
    """
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        announce()
        yield
        await asyncio.to_thread(models.close)

    app = FastAPI(lifespan=life, title="microworld", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(OwnHosts, hosts=hosts)
    _add_errors(app)
    intake = Intake()

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/models")
    async def listed() -> dict[str, Any]:
        return {"object": "list", "data": [_model(name) for name in models.names]}

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> JSONResponse:
        started = time.monotonic()
        async with intake.body(request) as body:
            asked = await asyncio.get_running_loop().run_in_executor(readers, _understood, models, body)
        answer = await _answer(request, *asked)
        _log(answer, started)
        return JSONResponse(answer)

    return app


class OwnHosts:
    """Refuses requests for another host: a site's name that was made to lead here is none of ours."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._app
        if scope["type"] == "http" and self._hosts is not None:
            host = Request(scope).headers.get("host", "").lower()
            if host not in self._hosts:
                expected = " or ".join(sorted(self._hosts))
                answer = _error(421, f"host: expected {expected}; got {host[:80]!r}", "wrong_host")
        await answer(scope, receive, send)


def _understood(models: Models, body: bytearray) -> tuple[Engine, ChatRequest, list[Row]]:
    """Loading, pictures and prompts are work for a thread: the loop must go on answering others."""
    from microworld.serving import chat

    asked = protocol.read(body)
    engine = models.engine(asked.model)
    return engine, asked, chat.rows(engine, asked)


async def _answer(request: Request, engine: Engine, asked: ChatRequest, rows: list[Row]) -> dict[str, Any]:
    from microworld.serving import chat

    engine.submit(rows)
    try:
        replies = await _unless_left(request, rows)
    finally:
        for row in rows:
            row.reply.cancel()
    return chat.completion(engine, asked, rows[0].prompt, replies)


async def _unless_left(request: Request, rows: Sequence[Row]) -> list[Reply]:
    """Raises ClientDisconnect as soon as nobody waits for the replies any more."""
    replies: asyncio.Future[list[Reply]] = asyncio.gather(*(asyncio.wrap_future(row.reply) for row in rows))
    left: asyncio.Future[None] = asyncio.ensure_future(_left(request))
    both: set[asyncio.Future[Any]] = {replies, left}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    left.cancel()
    if not replies.done():
        replies.cancel()
        with suppress(asyncio.CancelledError):
            await replies
        raise ClientDisconnect
    return replies.result()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _log(answer: dict[str, Any], started: float) -> None:
    LOG.info(
        "model=%s n=%d prompt_tokens=%d completion_tokens=%d ms=%d",
        answer["model"],
        len(answer["choices"]),
        answer["usage"]["prompt_tokens"],
        answer["usage"]["completion_tokens"],
        (time.monotonic() - started) * 1000,
    )


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "microworld"}


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> JSONResponse:
        return _error(error.status, str(error), error.code)

    @app.exception_handler(ClientDisconnect)
    async def left(request: Request, error: ClientDisconnect) -> JSONResponse:
        return _error(499, "the client has left", "client_left")

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> JSONResponse:
        return _error(error.status_code, f"{request.method} {request.url.path}: {error.detail}", "no_route")

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return _error(500, f"{type(error).__name__}: {error}", "internal_error")


def _error(status: int, message: str, code: str) -> JSONResponse:
    kind = "invalid_request_error" if status < 500 else "server_error"
    LOG.info("HTTP %d %s: %.200r", status, code, message)
    return JSONResponse({"error": {"message": message[:LONGEST_MESSAGE], "type": kind, "code": code}}, status)
