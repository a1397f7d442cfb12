"""Pythons with a small package called vllm: a version, a real argparse of that version's flags, /health.

Which version knows which flags is as in vLLM's own source packages (`engine/arg_utils.py`, `cli_args.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

FAKE = Path(__file__).with_name("fake_server.py")
SWITCHES = (
    "enable-prefix-caching",
    "enable-prompt-tokens-details",
    "enforce-eager",
    "enable-chunked-prefill",
    "enable-lora",
    "trust-remote-code",
)
VALUES = (
    *("host", "port", "model", "revision", "allowed-local-media-path", "scheduling-policy", "dtype"),
    *("block-size", "max-num-seqs", "max-num-batched-tokens", "limit-mm-per-prompt", "mm-processor-kwargs"),
    *("max-model-len", "tensor-parallel-size", "pipeline-parallel-size", "max-loras", "max-lora-rank"),
    *("reasoning-parser", "seed", "generation-config", "chat-template"),
)
GUIDED = ("guided-decoding-backend", "+guided-decoding-disable-any-whitespace")
STRUCTURED, KWARGS, QUEUE = "structured-outputs-config", "default-chat-template-kwargs", "max-num-queued-reqs"
OF_VERSION: dict[str, tuple[str, ...]] = {
    "0.10.2": GUIDED,
    "0.11.2": (*GUIDED, STRUCTURED),
    "0.13.0": (STRUCTURED,),
    "0.14.1": (STRUCTURED, KWARGS),
    "0.28.0": (STRUCTURED, KWARGS),
    "0.32.0": (STRUCTURED, KWARGS, QUEUE),
}
"""What is not in all of them; + marks a switch."""
SERVER = """
import argparse, http.server, sys
parser = argparse.ArgumentParser(prog="api_server.py", allow_abbrev=False)
for flag in {switches!r}:
    parser.add_argument("--" + flag, action=argparse.BooleanOptionalAction)
for flag in {values!r}:
    parser.add_argument("--" + flag)
parser.add_argument("--lora-modules", nargs="+")
if "--help=all" in sys.argv:
    sys.argv[sys.argv.index("--help=all")] = "--help"
asked = parser.parse_args()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404); self.end_headers()
http.server.HTTPServer((asked.host, int(asked.port)), Handler).serve_forever()
"""


def python_with_vllm(folder: Path, version: str | None, flags: Iterable[str] = ()) -> str:
    """A Python whose vLLM is of this version (None: it does not say), with these flags beside the usual."""
    flags = [*OF_VERSION.get(version or "", ()), *flags]
    package = folder / "site" / "vllm"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('vLLM is slow to import')\n" if not flags else "")
    if version:
        (package / "_version.py").write_text(f"__version__ = version = '{version}'\n")
    server = package / "entrypoints" / "openai"
    server.mkdir(parents=True)
    for part in (server.parent, server):
        (part / "__init__.py").write_text("")
    switches = [*SWITCHES, *(flag[1:] for flag in flags if flag.startswith("+"))]
    values = [*VALUES, *(flag for flag in flags if not flag.startswith("+"))]
    (server / "api_server.py").write_text(SERVER.format(switches=switches, values=values))
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={folder / "site"} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return str(python)


def python_with_answers(folder: Path, log: Path) -> str:
    """A Python whose vLLM answers as the fake server does, and logs each call."""
    python = python_with_vllm(folder, "0.32.0")
    api = folder / "site" / "vllm" / "entrypoints" / "openai" / "api_server.py"
    serving = (
        f"import os; os.execv({sys.executable!r}, [{sys.executable!r}, {str(FAKE)!r}, '--port', asked.port,"
        f" '--latency', '0.05', '--log', {str(log)!r}])\n"
    )
    api.write_text(api.read_text().partition("class Handler")[0] + serving)
    return python


def nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, *megabytes: int | str, more: str = "") -> None:
    """A machine with such GPUs; `more` is shell before them."""
    tool = folder / "nvidia-smi"
    gpus = (f"echo '{i}, GPU-{i}a{i}b-77, {size}'\n" for i, size in enumerate(megabytes))
    tool.write_text(f"#!/bin/sh\n{more}\n" + "".join(gpus))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
