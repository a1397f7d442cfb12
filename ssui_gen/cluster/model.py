"""Which model the nodes of a job start, where no server is named for it; all shards are then sent to it.

A shard is told the address of its node's replicas by `--base-url`. What other roles play by is not to change
by that: settings in which it would are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ssui_gen.cluster.node import Model
from ssui_gen.config import Config
from ssui_gen.config_models import ModelRole
from ssui_gen.errors import ConfigError
from ssui_gen.serving.embedded import EMBEDDED

HERE = "http://127.0.0.1:1/v1"
"""Stands for the address of a node's own replicas."""
Configured = Callable[[str | None, str | None], Config]
"""The settings where the command line names this model and server."""


def model_of(
    configured: Configured, roles: Iterable[str], named: str | None, url: str | None
) -> Model | None:
    """What nodes start, for the model and server that the command line names; None where servers are named,
    or the embedded one plays. Raises ConfigError where nodes cannot start all that is asked for.
    """
    roles = [*roles]
    config = configured(named, url)
    models = _models(config, roles)
    unserved = {player: role for player, role in models.items() if _is_unserved(role)}
    names = {str(role.name) for role in unserved.values()}
    if len(names) > (0 if url else 1):
        told = ", ".join(f"models.{player}: {role.name}" for player, role in unserved.items())
        raise ConfigError(
            f"--cluster: {told}: nodes start one model, where no server is named: name servers of the others "
            "(models: ...: base_urls)"
        )
    if not names:
        return None
    name = names.pop()
    _require_reached(models, unserved, _models(configured(named or name, HERE), roles))
    adapters = dict.fromkeys(role.adapter for role in unserved.values() if role.adapter)
    return Model(name, tuple(adapters), config.serve)


def _models(config: Config, roles: Iterable[str]) -> dict[str, ModelRole]:
    """By the role that is at the end of each one's likes."""
    return {player: config.models[player] for player in map(config.player, roles)}


def _is_unserved(role: ModelRole) -> bool:
    return bool(role.name) and not role.base_urls and role.name not in EMBEDDED


def _require_reached(
    models: dict[str, ModelRole], unserved: dict[str, ModelRole], then: dict[str, ModelRole]
) -> None:
    """Raises ConfigError unless a shard asks the replicas in place of `unserved`, and all others as usual."""
    wanted = models | {
        player: role.model_copy(update={"base_urls": (HERE,)}) for player, role in unserved.items()
    }
    for player, role in wanted.items():
        if then.get(player) != role:
            raise ConfigError(
                f"--cluster: models.{player}: a shard that is sent to its node's replicas of "
                f"{next(iter(unserved.values())).name} would not ask {role.name or 'the embedded model'} in "
                "this role: say which model plays it and where it is served in the settings (CONFIG=: "
                "models: ...: name, base_urls), or name the model on the command line (MODEL=)"
            )
