"""The routes: /health, /v1/models and /v1/chat/completions, and every error in OpenAI's shape."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from microworld.serving.models import Models
from microworld.serving.protocol import ChatRequest, Refusal, explain

LOG = logging.getLogger("microworld.server")


def make_app(models: Models, announce: Callable[[], None]) -> FastAPI:
    """`announce` is called once, when requests are about to be answered."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        announce()
        yield
        await asyncio.to_thread(models.close)

    app = FastAPI(lifespan=life, title="microworld", docs_url=None, redoc_url=None)
    _add_errors(app)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/models")
    async def listed() -> dict[str, Any]:
        return {"object": "list", "data": [_model(name) for name in models.names]}

    @app.post("/v1/chat/completions")
    async def chat(request: ChatRequest) -> JSONResponse:
        return JSONResponse(await _answer(models, request))

    return app


async def _answer(models: Models, request: ChatRequest) -> dict[str, Any]:
    """Loading, pictures and prompts are work for a thread: the loop must go on answering others."""
    started = time.monotonic()
    from microworld.serving import chat

    engine = await asyncio.to_thread(models.engine, request.model)
    rows = await asyncio.to_thread(chat.rows, engine, request)
    engine.submit(rows)
    replies = await asyncio.gather(*(asyncio.wrap_future(row.reply) for row in rows))
    body = chat.completion(engine, request, rows[0].prompt, replies)
    LOG.info(
        "model=%s n=%d prompt_tokens=%d completion_tokens=%d ms=%d",
        request.model,
        request.n,
        body["usage"]["prompt_tokens"],
        body["usage"]["completion_tokens"],
        (time.monotonic() - started) * 1000,
    )
    return body


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "microworld"}


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> JSONResponse:
        return _error(error.status, str(error), error.code)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        return _error(400, explain(list(error.errors())), "invalid_request")

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> JSONResponse:
        return _error(error.status_code, f"{request.method} {request.url.path}: {error.detail}", "no_route")

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return _error(500, f"{type(error).__name__}: {error}", "internal_error")


def _error(status: int, message: str, code: str) -> JSONResponse:
    kind = "invalid_request_error" if status < 500 else "server_error"
    LOG.info("HTTP %d %s: %s", status, code, message[:200])
    return JSONResponse({"error": {"message": message, "type": kind, "code": code}}, status)
