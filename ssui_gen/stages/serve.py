"""Serves a model with vLLM until told to stop, once it has shown what it can do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ssui_gen.commands import command
from ssui_gen.config import Config
from ssui_gen.errors import ConfigError
from ssui_gen.jobs.progress import saying
from ssui_gen.jobs.runner import Stop
from ssui_gen.serving.vllm import VllmServers
from ssui_gen.serving.vllm_flags import read_flags
from ssui_gen.serving.vllm_launch import plan
from ssui_gen.settings import parse
from ssui_gen.stages.doctor import examine, is_fit, table

LOGS = Path("outputs/serve")
CHECK_SECONDS = 0.5


async def serve(
    config: Config, media: Path, words: Sequence[str], console: Console, seeds: Path | None = None
) -> bool:
    """Serve the model that plays the agents; whether it was fit. `words` are flags of vLLM's own, `seeds` the
    pictures that it is served for.

    Raises ConfigError or ServerError if it cannot be started, or ends by itself.
    """
    role = config.models["vlm"]
    if not role.name:
        raise ConfigError("serve: which model? A hub name or a folder: --model Qwen/Qwen2.5-VL-7B-Instruct")
    say = saying(console)
    adapters = [role.adapter] if role.adapter else []
    flags, port = _flags(words), config.serve.port
    launches = plan(role.name, adapters, media, config.serve, flags=flags, notice=say, port=port)
    for launch in launches:
        say(f"{launch}\n")
    seconds = config.serve.start_seconds
    log = LOGS / f"vllm-{launches[0].port}.log"
    async with VllmServers(launches, log=log, start_seconds=seconds, notice=say) as servers:
        findings = await examine(_asking(config, servers.urls))
        console.print(table(findings))
        name = Path(role.adapter).name if role.adapter else role.name
        asking = command("dataset", BASE_URL=",".join(servers.urls), MODEL=name, SEEDS=seeds)
        say(f"\nIn another terminal: {asking}")
        say(f"Pictures below {media.resolve()} are read from there. Ctrl-C stops the server.")
        await _until_stopped(servers)
    say("Stopped.")
    return is_fit(findings)


def _flags(words: Sequence[str]) -> dict[str, object]:
    try:
        return read_flags(words)
    except ValueError as error:
        raise ConfigError(f"serve: after `--`: {error}") from None


def _asking(config: Config, urls: tuple[str, ...]) -> Config:
    data = config.model_dump()
    data["models"]["vlm"]["base_urls"] = urls
    return parse(Config, data, "serve")


async def _until_stopped(servers: VllmServers) -> None:
    """Returns at SIGINT or SIGTERM; raises ServerError when a server ends."""
    stop = Stop()
    with stop.on_signals():
        while not stop.asked:
            servers.check()
            await asyncio.sleep(CHECK_SECONDS)
