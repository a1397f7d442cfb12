"""The models of a run, ready to be asked: servers started where none is named, names settled.

A model that is named without a server is served by vLLM, which we start; without a name by the embedded
server. Covers roles, replicas and model names; not calls (`calls`), nor how servers are started.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ssui_gen.calling.client import ChatClient
from ssui_gen.config import Config, Limits
from ssui_gen.config_models import ModelRole
from ssui_gen.config_serve import Serve
from ssui_gen.errors import AccessDenied, ConfigError
from ssui_gen.serving.embedded import EMBEDDED, EmbeddedServer
from ssui_gen.serving.vllm import VllmServers
from ssui_gen.serving.vllm_launch import plan
from ssui_gen.serving.vllm_model import Adapter, about_adapter

NO_LIST = (404, 405)
"""HTTP statuses of servers that do not say what they serve."""
OWN_MODEL = {"policy": "micro-policy", "judge": "micro-judge", "guard": "micro-judge"}
"""Embedded models that play one role and no other; every other is played by the first."""


@dataclass(frozen=True)
class Served:
    """A client and the model's name for each role."""

    clients: dict[str, ChatClient]
    names: dict[str, str]

    @property
    def played(self) -> dict[str, str]:
        """Names by role, without roles that share another's model."""
        found: dict[tuple[int, str], str] = {}
        for role, client in self.clients.items():
            found.setdefault((id(client), self.names[role]), role)
        return {role: name for (_, name), role in found.items()}

    @property
    def players(self) -> dict[str, ChatClient]:
        """Each client once, under the first role that it serves."""
        found: dict[str, ChatClient] = {}
        for role, client in self.clients.items():
            if client not in found.values():
                found[role] = client
        return found


@asynccontextmanager
async def served(
    config: Config, run: Path, roles: Iterable[str], media: Path, notice: Callable[[str], None]
) -> AsyncIterator[Served]:
    """Open the `roles`; servers that we start may read `media`, and `notice` hears how they start.

    Raises ServerError, ServerGone, AccessDenied or ConfigError.
    """
    async with AsyncExitStack() as stack:
        players = {role: config.player(role) for role in roles}
        models = {player: config.models[player] for player in players.values()}
        ours = _Ours(config.serve, run, media, notice)
        urls = await ours.start({p: role for p, role in models.items() if not role.base_urls}, stack)
        clients = {p: _client(role, role.base_urls or urls[p], config.limits) for p, role in models.items()}
        for client in clients.values():
            stack.push_async_callback(client.aclose)
        names = {role: await _settle(role, p, models[p], clients[p]) for role, p in players.items()}
        yield Served({role: clients[p] for role, p in players.items()}, names)


def plays_embedded(config: Config, roles: Iterable[str]) -> bool:
    """Whether the embedded server will play any of `roles`."""
    players = (config.models[config.player(role)] for role in roles)
    return any(not role.base_urls and _is_embedded(role) for role in players)


def _is_embedded(role: ModelRole) -> bool:
    """Whether the embedded server plays a role that names no server."""
    return not role.name or role.name in EMBEDDED


class _Ours(NamedTuple):
    """How the servers of this run are started."""

    serve: Serve
    run: Path
    media: Path
    notice: Callable[[str], None]

    async def start(self, roles: dict[str, ModelRole], stack: AsyncExitStack) -> dict[str, tuple[str, ...]]:
        """Addresses for each of `roles`, which name no server."""
        named = {name: role for name, role in roles.items() if not _is_embedded(role)}
        urls: dict[str, tuple[str, ...]] = {}
        if own := {name: role for name, role in roles.items() if _is_embedded(role)}:
            server = EmbeddedServer(log=self.run / "server.log", adapters=_adapters(own))
            urls = dict.fromkeys(own, (stack.enter_context(server).url,))
        if named:
            servers = await stack.enter_async_context(self._vllm(named))
            urls |= dict.fromkeys(named, servers.urls)
        return urls

    def _vllm(self, roles: dict[str, ModelRole]) -> VllmServers:
        """One model can be started, with the adapters of all roles; raises ConfigError for more."""
        models = {str(role.name): name for name, role in roles.items()}
        if len(models) > 1:
            said = ", ".join(f"models.{name}: {model}" for model, name in models.items())
            raise ConfigError(
                f"{said}: a run starts one model at most: serve the others with `ssui serve --port` on GPUs "
                "of their own, and give their base_urls"
            )
        adapters = [role.adapter for role in roles.values() if role.adapter]
        launches = plan(next(iter(models)), adapters, self.media, self.serve, flags={}, notice=self.notice)
        seconds = self.serve.start_seconds
        return VllmServers(launches, log=self.run / "vllm.log", start_seconds=seconds, notice=self.notice)


def _adapters(roles: dict[str, ModelRole]) -> dict[str, Path]:
    """What the embedded server has to serve beside its own; raises ConfigError for what it cannot."""
    found: dict[str, Adapter] = {}
    for name, role in roles.items():
        if role.adapter:
            adapter = about_adapter(role.adapter)
            _check_adapter(
                f"models.{name}.adapter: {role.adapter}", adapter, found.get(adapter.name, adapter)
            )
            found[adapter.name] = adapter
    return {name: Path(adapter.folder) for name, adapter in found.items()}


def _check_adapter(where: str, adapter: Adapter, so_called: Adapter) -> None:
    if not (Path(adapter.base) / "config.json").is_file():
        raise ConfigError(
            f"{where}: its base {adapter.base!r} is no checkpoint's folder here: name it beside the adapter "
            "(name), so that vLLM serves both, or a server that has them (base_urls)"
        )
    if adapter.name in EMBEDDED or adapter != so_called:
        raise ConfigError(f"{where}: another model is served as {adapter.name!r}: rename the folder")


def _client(role: ModelRole, urls: tuple[str, ...], limits: Limits) -> ChatClient:
    key = os.environ.get(role.api_key_env, "")
    return ChatClient(urls, api_key=key, timeout_seconds=limits.timeout_seconds, tries=limits.tries_per_call)


async def _listed(client: ChatClient, wanted: str | None) -> list[str]:
    """What is served; a server that keeps no list is believed to serve what is wanted of it."""
    try:
        return await client.model_names()
    except AccessDenied as error:
        if wanted and error.status in NO_LIST:
            return [wanted]
        raise


async def _settle(name: str, player: str, role: ModelRole, client: ChatClient) -> str:
    """The served model that plays `name`: the one that its `player` asks for, or the only one. An embedded
    model that plays one role alone plays none that is like it: a judge of branches cannot check a pair.
    """
    wanted = about_adapter(role.adapter).name if role.adapter else role.name
    known = await _listed(client, wanted)
    if name != player and role.name in OWN_MODEL.values() and EMBEDDED[0] in known:
        return OWN_MODEL.get(name, EMBEDDED[0])
    if wanted in known:
        return wanted
    if wanted:
        raise AccessDenied(f"models.{name}: no model {wanted!r} is served (served: {', '.join(known)})")
    if len(known) == 1:
        return known[0]
    if role.base_urls:
        raise ConfigError(
            f"models.{name}: several models are served ({', '.join(known)}): say which, MODEL=..."
        )
    return OWN_MODEL.get(name, known[0])
