"""One real vLLM for a whole test run: `ssui serve` with the micro VLM and an adapter made here."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "microworld" / "models" / "agents"
READY = re.compile(r"dataset --base-url (\S+) --model (\S+)")


class Serving(NamedTuple):
    """A server that answers, and the process that holds it."""

    url: str
    model: str
    adapter: str
    said: str
    process: subprocess.Popen[str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_adapter(folder: Path, rank: int = 4) -> Path:
    """A LoRA adapter as PEFT writes it, random and strong enough to change what is said."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    text = json.loads((MODEL / "config.json").read_text())["text_config"]
    width, layers = text["hidden_size"], text["num_hidden_layers"]
    torch.manual_seed(1)
    tensors = {}
    for layer in range(layers):
        for part in ("q_proj", "v_proj"):
            name = f"base_model.model.model.language_model.layers.{layer}.self_attn.{part}"
            out = text["head_dim"] * text["num_attention_heads"]
            tensors[f"{name}.lora_A.weight"] = torch.randn(rank, width)
            tensors[f"{name}.lora_B.weight"] = torch.randn(out, rank) / width
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": 32, "target_modules": ["q_proj", "v_proj"]}
    config |= {"base_model_name_or_path": str(MODEL), "task_type": "CAUSAL_LM", "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


@contextlib.contextmanager
def serving(folder: Path, seeds: Path, *more: str) -> Iterator[Serving]:
    """`ssui serve` until the block ends; its output so far is in `said`."""
    adapter = make_adapter(folder / "louder")
    command = [sys.executable, "-m", "ssui_gen", "serve", "--model", str(MODEL), "--adapter", str(adapter)]
    command += ["--port", str(free_port()), "--seeds", str(seeds), *more]
    with (
        (folder / "stderr").open("w") as err,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True, cwd=ROOT) as process,
    ):
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if found := READY.search(line):
                break
        else:
            raise AssertionError(said + (folder / "stderr").read_text())
        try:
            yield Serving(found[1], str(MODEL), found[2], said, process)
        finally:
            process.terminate()
            process.wait(300)
