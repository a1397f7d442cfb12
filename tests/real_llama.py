"""A real llama-server for tests, with the micro VLM as GGUF; `scripts/install_llama.py` makes it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from real_vllm import MODEL, ROOT, free_port

WRITER = Path(__file__).with_name("micro_gguf.py")
SLOTS = 4
"""Calls that it serves at a time."""


@contextlib.contextmanager
def llama(folder: Path, *more: str) -> Iterator[str]:
    """Its address, ending in /v1, until the block ends."""
    home = Path(os.environ.get("SSUI_LLAMA", ROOT / ".venv-llama"))
    subprocess.run([home / "bin" / "python", WRITER, MODEL, folder], check=True)
    port = free_port()
    command = [home / "build" / "bin" / "llama-server", "--model", folder / "model.gguf", "--port", str(port)]
    command += ["--ctx-size", "16384", "--parallel", str(SLOTS), "--jinja", "--threads", "1", *more]
    with (
        (folder / "llama.log").open("w") as log,
        subprocess.Popen(command, stderr=log, stdout=log) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def _wait(page: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Until it answers; it refuses while it loads."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "llama-server ended: see llama.log"
        with contextlib.suppress(OSError):
            urllib.request.urlopen(page, timeout=5).close()
            return
        time.sleep(0.1)
    raise AssertionError("llama-server did not start")
