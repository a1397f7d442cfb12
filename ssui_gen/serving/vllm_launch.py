"""Where and with what vLLM is started: its Python, the machine, the model's config, a launch per replica.

vLLM may live in an environment of its own: its versions are its own affair. Several GPUs make independent
replicas on consecutive ports. Covers no choice of flags (`vllm_flags`); starts nothing (`vllm`).
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.config import Serve
from ssui_gen.errors import ConfigError, ServerError
from ssui_gen.serving import vllm_flags
from ssui_gen.serving.chat_templates import template_flags
from ssui_gen.serving.vllm_flags import Adapter, Flags, Machine, Model

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
    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v1"

    def __str__(self) -> str:
        """As one would type it."""
        return shlex.join([*(f"{name}={value}" for name, value in self.env.items()), *self.command])


def plan(
    model: str, adapters: Sequence[str], media: Path, serve: Serve, *, flags: Flags, port: int | None = None
) -> list[Launch]:
    """A launch for each replica; `port` is that of the first, None takes free ones.

    Raises ConfigError or ServerError for what can be known to fail before anything is started.
    """
    python, machine = find_python(), find_machine(serve.gpus)
    known, lora = about(model), [about_adapter(folder) for folder in adapters]
    chosen = vllm_flags.choose(known, machine, str(media.resolve()), lora, serve.max_pixels)
    chosen |= template_flags(model) | serve.flags | flags
    each = vllm_flags.gpus_each(known, machine)
    env = vllm_flags.environment(known, machine)
    launches = []
    for replica in range(machine.gpus // each if each else 1):
        place = port + replica if port else _free_port()
        own = _gpus_of(replica, each) if each else {}
        flags_here = {"host": HOST, "port": place, "model": model, **chosen}
        command = (python, "-m", "vllm.entrypoints.openai.api_server", *vllm_flags.arguments(flags_here))
        launches.append(Launch(command, env | own, place))
    return launches


def find_python() -> str:
    """A Python that has vLLM; raises ServerError if there is none."""
    if named := os.environ.get(PYTHON):
        return named
    if find_spec("vllm"):
        return sys.executable
    if OWN.exists():
        return str(OWN)
    raise ServerError(
        "vLLM is not installed: `make vllm` installs it beside this environment; or name a server that "
        "runs (BASE_URL=...); without MODEL the embedded micro VLM is taken"
    )


def find_machine(gpus: int | None) -> Machine:
    """What vLLM may use; raises ConfigError when more GPUs are asked for than there are."""
    ask = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(ask, capture_output=True, text=True, check=True, timeout=30).stdout
        found = [float(line) / 1024 for line in said.split()]
    except (OSError, ValueError, subprocess.SubprocessError):
        found = []
    if visible := os.environ.get("CUDA_VISIBLE_DEVICES"):
        found = found[: len(visible.split(","))]
    if gpus and gpus > len(found):
        raise ConfigError(f"serve.gpus: expected at most {len(found)}, as many as there are; got {gpus}")
    return Machine(gpus or len(found), min(found, default=0.0))


def _gpus_of(replica: int, each: int) -> dict[str, str]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    mine = range(replica * each, (replica + 1) * each)
    names = [visible[i] if i < len(visible) and visible[i] else str(i) for i in mine]
    return {"CUDA_VISIBLE_DEVICES": ",".join(names)}


def about(model: str) -> Model:
    """What its folder tells; raises ConfigError for a folder that holds no vision-language model."""
    folder = Path(model).expanduser()
    if not folder.exists() and not model.startswith(("/", ".", "~")):
        return Model(model)
    config = _config(folder, "config.json", "a model's folder, or its name on a hub")
    if "vision_config" not in config:
        kinds = ", ".join(config.get("architectures") or ["unknown architecture"])
        raise ConfigError(f"{folder}: not a vision-language model ({kinds}): its config has no vision_config")
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e9
    context = config.get("text_config", config).get("max_position_embeddings")
    return Model(model, size, context, config.get("model_type", ""), local=True)


def about_adapter(folder: str) -> Adapter:
    """Raises ConfigError for a folder that holds no LoRA adapter."""
    path = Path(folder).expanduser()
    config = _config(path, "adapter_config.json", "a LoRA adapter's folder, as PEFT saves it")
    rank = config.get("r", 16)
    if not isinstance(rank, int) or rank < 1:
        raise ConfigError(
            f"{path / 'adapter_config.json'}: r: expected a whole number from 1 on; got {rank!r}"
        )
    base = str(config.get("base_model_name_or_path") or "")
    return Adapter(path.resolve().name, str(path.resolve()), rank, base)


def _config(folder: Path, name: str, expected: str) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / name).read_text("utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        why = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise ConfigError(f"{folder / name}: {why}: expected {expected}") from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
