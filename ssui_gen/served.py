"""The models of a run, ready to be asked: the embedded server started where none is named, names settled.

Covers roles, replicas and model names; not calls (`calls`), nor how a server is started (`serve`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ssui_gen.client import ChatClient
from ssui_gen.config import Config, Limits, ModelRole
from ssui_gen.errors import AccessDenied, ConfigError
from ssui_gen.serve import EmbeddedServer

NO_KEY = "none"
"""Sent where no key is set: local servers ask for none, but the protocol wants the header."""


@dataclass(frozen=True)
class Served:
    """A client and the model's name for each role."""

    clients: dict[str, ChatClient]
    names: dict[str, str]


@asynccontextmanager
async def served(config: Config, run: Path) -> AsyncIterator[Served]:
    """Open every role of `config`; raises ServerError, ServerGone, AccessDenied or ConfigError."""
    async with AsyncExitStack() as stack:
        embedded: list[str] = []
        clients: dict[str, ChatClient] = {}
        names: dict[str, str] = {}
        for name, role in config.models.items():
            if not role.base_urls and not embedded:
                server = stack.enter_context(EmbeddedServer(log=run / "server.log"))
                embedded.append(server.url)
            clients[name] = _client(role, role.base_urls or tuple(embedded), config.limits)
            stack.push_async_callback(clients[name].aclose)
            names[name] = await _settle(name, role, clients[name])
        yield Served(clients, names)


def _client(role: ModelRole, urls: tuple[str, ...], limits: Limits) -> ChatClient:
    key = os.environ.get(role.api_key_env) or NO_KEY
    return ChatClient(urls, api_key=key, timeout_seconds=limits.timeout_seconds, tries=limits.tries_per_call)


async def _settle(role_name: str, role: ModelRole, client: ChatClient) -> str:
    """The served model that plays the role: the one asked for, or the only (or embedded default) one."""
    known = await client.model_names()
    if role.name in known:
        return role.name
    if role.name:
        raise AccessDenied(
            f"models.{role_name}: no model {role.name!r} is served (served: {', '.join(known)})"
        )
    if len(known) != 1 and role.base_urls:
        raise ConfigError(
            f"models.{role_name}: several models are served ({', '.join(known)}): say which, MODEL=..."
        )
    return known[0]
