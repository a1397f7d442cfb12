"""Which replica takes a call: a picture stays where its prefix is cached, unless it is busy or down there.

Rendezvous hashing: each replica scores each key, the best score wins, and losing a replica moves only its own
keys. Knows what an address is. Pure bookkeeping; it sends nothing and asks nobody whether a replica lives.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from ssui_gen.errors import ConfigError

SHOWN = 300
"""Characters of an address that a message shows."""
SPILL_FACTOR = 1.5
"""A replica with more than this many times the mean in flight passes new keys on."""
SPILL_FLOOR = 4
"""Calls in flight below which no replica counts as busy."""
DOWN_SECONDS = 5.0
"""How long a replica that could not be reached is passed over."""


class Replicas:
    """In-flight counts and downtimes of servers that all serve the same model."""

    def __init__(self, names: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._names = tuple(names)
        self._clock = clock
        self._in_flight = [0] * len(self._names)
        self._down_until = [float("-inf")] * len(self._names)

    def pick(self, key: str, avoid: int | None = None) -> int:
        """The replica for `key`; an empty key goes where least is in flight. `avoid` is the last resort."""
        order = self._order(key)
        able = [i for i in order if i != avoid and not self.is_down(i)] or order
        most = max(SPILL_FLOOR, SPILL_FACTOR * sum(self._in_flight[i] for i in able) / len(able))
        return next(i for i in able if self._in_flight[i] <= most)

    @contextmanager
    def using(self, index: int) -> Iterator[None]:
        """Count one call in flight on replica `index`."""
        self._in_flight[index] += 1
        try:
            yield
        finally:
            self._in_flight[index] -= 1

    def mark_down(self, index: int) -> None:
        """Pass over replica `index` for a while."""
        self._down_until[index] = self._clock() + DOWN_SECONDS

    def is_down(self, index: int) -> bool:
        """Whether replica `index` could not be reached a moment ago."""
        return self._clock() < self._down_until[index]

    def _order(self, key: str) -> list[int]:
        if not key:
            return sorted(range(len(self._names)), key=self._in_flight.__getitem__)
        return sorted(range(len(self._names)), key=lambda i: _score(self._names[i], key), reverse=True)


def _score(name: str, key: str) -> bytes:
    return hashlib.blake2b(f"{name}\n{key}".encode(), digest_size=8).digest()


def checked_url(url: str) -> str:
    """An address as it is used; raises ConfigError for one that is none, or holds a password."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # half a bracket, a port that is no number, a sign that turns into a slash
        whole = False
    if not whole:
        expected = "an address such as http://127.0.0.1:8000/v1"
        raise ConfigError(f"base_urls: expected {expected}; got {url[:SHOWN]!r}")
    if "@" in parts.netloc:
        raise ConfigError(f"base_urls: the address of {parts.hostname} holds a password; use `api_key_env`")
    return url.rstrip("/")
