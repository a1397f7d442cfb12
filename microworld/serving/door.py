"""How much a client may send, and how long it may take: for one request, and for all that are held.

Covers bytes, seconds and connections; not what a body says (`protocol`), nor who is answered (`app`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from microworld.serving.protocol import Refusal

LONGEST_HEAD = 16_384
"""Bytes of the request line and all headers."""
LONGEST_BODY = 32_000_000
"""Bytes: the largest picture as base64, and what is said of it."""
MOST_HELD = 256_000_000
"""Bytes of all bodies that have come and are not yet understood."""
HEAD_SECONDS, BODY_SECONDS = 10.0, 60.0
"""How long a connection may be without a request; how long a body may take to come."""
MOST_CONNECTIONS = 1024


class Hurried(H11Protocol):  # type: ignore[misc]
    """uvicorn's protocol, which hangs up on whoever does not ask in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.loop.call_later(HEAD_SECONDS, self._look, (None, True))

    def _look(self, before: tuple[object, bool]) -> None:
        """Close what was idle at the last look and has not asked since."""
        now = (self.cycle, self.cycle is None or self.cycle.response_complete)
        if now[1] and now == before:
            self.transport.close()
        elif not self.transport.is_closing():
            self.loop.call_later(HEAD_SECONDS, self._look, now)


class Intake:
    """The bodies that are held at the moment."""

    def __init__(self) -> None:
        self._held = 0

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytearray]:
        """The whole body, held while the block lasts; raises Refusal or starlette's ClientDisconnect."""
        _check_headers(request)
        body = bytearray()
        try:
            await self._fill(body, request)
            yield body
        finally:
            self._held -= len(body)

    async def _fill(self, body: bytearray, request: Request) -> None:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for part in request.stream():
                    body += part
                    self._held += len(part)
                    self._check_size(len(body))
        except TimeoutError:
            why = f"the body: expected within {BODY_SECONDS:g} seconds; got {len(body):,} bytes of it"
            raise Refusal(why, status=408, code="too_slow") from None

    def _check_size(self, size: int) -> None:
        if size > LONGEST_BODY:
            raise _too_large("more")
        if self._held > MOST_HELD:
            raise Refusal("too many large requests at once: send it again later", status=503, code="busy")


def _check_headers(request: Request) -> None:
    """A page of another site may send a form or plain text anywhere, but not JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(f"content-type: expected application/json; got {kind[:80]!r}", status=415)
    if (length := int(request.headers.get("content-length", "0"))) > LONGEST_BODY:
        raise _too_large(f"{length:,}")


def _too_large(found: str) -> Refusal:
    why = f"the body: expected at most {LONGEST_BODY:,} bytes; got {found}"
    return Refusal(why, status=413, code="too_large")
