"""Where and with what vLLM is started: its Python, and a launch per replica.

vLLM may live in an environment of its own: its versions are its own affair. Several GPUs make independent
replicas on consecutive ports. Covers no choice of flags (`vllm_flags`); starts nothing (`vllm`).
"""

from __future__ import annotations

import os
import shlex
import socket
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ssui_gen.config_serve import Serve
from ssui_gen.errors import ServerError
from ssui_gen.serving import vllm_families, vllm_flags
from ssui_gen.serving.chat_templates import template_flags, told
from ssui_gen.serving.vllm_flags import Flags
from ssui_gen.serving.vllm_known import SERVER, adapted, installed
from ssui_gen.serving.vllm_machine import VISIBLE, Machine, find_machine
from ssui_gen.serving.vllm_model import about, about_adapter
from ssui_gen.serving.vllm_share import gpus_each

PYTHON = "SSUI_VLLM_PYTHON"
"""The variable that names a Python which has vLLM."""
OWN = Path(__file__).parents[2] / ".venv-vllm" / "bin" / "python"
"""What `make vllm` makes."""
HOST = "127.0.0.1"
"""Whoever reaches the server may read every picture below its media path."""


class Launch(NamedTuple):
    """One replica that is to be started."""

    command: tuple[str, ...]
    env: dict[str, str]
    """Which wins over the variables that are set."""
    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v1"

    def __str__(self) -> str:
        """As one would type it."""
        return shlex.join([*(f"{name}={value}" for name, value in self.env.items()), *self.command])


def plan(
    model: str,
    adapters: Sequence[str],
    media: Path,
    serve: Serve,
    *,
    flags: Flags,
    notice: Callable[[str], None],
    port: int | None = None,
) -> list[Launch]:
    """A launch for each replica; `port` is that of the first, None takes free ones. `notice` hears what was
    guessed, left out or is short.

    Raises ConfigError or ServerError for what can be known to fail before anything is started.
    """
    python = find_python()
    vllm = installed(python)
    typed = {vllm_flags.dashed(name): value for name, value in (serve.flags | flags).items()}
    known, lora = about(model, str(typed.get("revision") or "main")), [about_adapter(one) for one in adapters]
    vllm_families.refuse(known, lora, typed, vllm.number)
    machine = find_machine(serve.gpus, notice)
    each = gpus_each(known, machine, typed, notice)
    chosen = vllm_flags.choose(
        known,
        machine,
        str(media.resolve()),
        lora,
        serve.max_pixels,
        each=each,
        thinking=serve.thinking,
        images=serve.images,
    ) | template_flags(model, known.folder, serve.thinking)
    ours = {name: value for name, value in chosen.items() if name not in typed}
    taken = adapted(ours, vllm, notice) | typed
    vllm_families.advise(known, taken, notice)
    if template := told(taken):
        notice(template)
    usual = vllm_flags.environment(known, machine)
    env = {name: value for name, value in usual.items() if name not in os.environ}
    return [
        _launch(
            [python, "-m", SERVER], {"model": model, **taken}, port + one if port else _free_port(), env | own
        )
        for one, own in enumerate(_replicas(machine, each))
    ]


def _replicas(machine: Machine, each: int) -> list[dict[str, str]]:
    """For each replica what says which GPUs are its own."""
    if not each:
        return [{}]
    return [{VISIBLE: machine.named(one * each, each)} for one in range(machine.gpus // each)]


def _launch(words: Sequence[str], flags: Flags, port: int, env: dict[str, str]) -> Launch:
    typed = vllm_flags.arguments({"host": HOST, "port": port, **flags})
    return Launch((*words, *typed), env, port)


def find_python() -> str:
    """A Python that has vLLM; raises ServerError if there is none."""
    if named := os.environ.get(PYTHON):
        return named
    if (spec := find_spec("vllm")) and spec.origin:  # a folder of that name has none
        return sys.executable
    if OWN.exists():
        return str(OWN)
    raise ServerError(
        "vLLM is not installed: `make vllm` installs it beside this environment; or name a server that "
        "runs (BASE_URL=...); without MODEL the embedded micro VLM is taken"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
