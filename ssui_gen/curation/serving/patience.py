"""How long the review server waits for whom, and how many it holds: nobody keeps others from their page.

A request has to arrive, and its answer to be taken, in a time; where all places are taken, whoever has been
waiting longest without a request gives theirs up. Covers connections, not what is asked or answered.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST_HEADERS = 16_384
"""Bytes."""
PLACES = 256
"""Connections at once."""
_OWN_FILES = 32
"""Descriptors that the server itself needs."""


def places() -> int:
    """How many connections are held at once: fewer where this process may open few files, as a burst of new
    ones is accepted before the first is looked at.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return PLACES if most == resource.RLIM_INFINITY else max(8, min(PLACES, (most - _OWN_FILES) // 4))


class Patient(H11Protocol):  # type: ignore[misc]
    """One connection."""

    arrives = 10.0
    """Seconds from its begin, or the first byte of another request, to the end of the headers."""
    answered = 120.0
    """Seconds from there to the end of the answer, on a slow line too."""
    _timer: asyncio.TimerHandle | None = None
    _since = 0.0
    """When it last began to wait for a request."""

    @property
    def _waits(self) -> bool:
        """Whether no request of theirs is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._within(self.arrives)
        held = [one for one in self.connections if not one.transport.is_closing()]
        if len(held) > places():
            min((one for one in held if one._waits), key=lambda one: one._since).transport.abort()

    def data_received(self, data: bytes) -> None:
        was = self.cycle
        if self._waits and self._timer is None:
            self._within(self.arrives)
        super().data_received(data)
        self._begun(was)

    def on_response_complete(self) -> None:
        was = self.cycle
        self._rest()
        super().on_response_complete()
        self._begun(was)

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def _begun(self, was: Any) -> None:
        """Another request has arrived, unless it `was` there."""
        if self.cycle is not was and not self._waits:
            self._within(self.answered)

    def _within(self, seconds: float) -> None:
        self._rest()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _rest(self) -> None:
        self._since = self.loop.time()
        if self._timer:
            self._timer.cancel()
        self._timer = None
