"""RSBench through inspect_ai for tests: `inspect eval` as a person runs it, and its log read back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benching import Run

ROOT = Path(__file__).parents[1]
CHECKOUT = {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}


def environment(run: Run) -> dict[str, str]:
    """Where the models are, and how inspect_ai is quiet."""
    told = {"MICRO_API_KEY": "none", "MICRO_BASE_URL": run.url, "INSPECT_DISPLAY": "plain"}
    home = {"HOME": str(run.run.parent), "XDG_DATA_HOME": str(run.run.parent / "data")}
    return {**os.environ, **CHECKOUT, **told, **home}


def inspect(run: Run, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """`inspect` in the folder that holds `outputs`."""
    command = [sys.executable, "-m", "inspect_ai", *arguments]
    where: dict[str, Any] = {"cwd": run.run.parents[1], "env": {**environment(run), **more}}
    return subprocess.run(command, **where, capture_output=True, text=True, check=False)


def evaluated(run: Run, *more: str, judge: bool = True, **environ: str) -> Path:
    """The log of an eval of the run, whose folder is named outputs/NAME."""
    model = "openai-api/micro/fake-vlm"
    role = ["--model-role", f"judge={model}"] if judge else []
    named = ["-T", f"run={run.run.name}", "--model", model, *role]
    logs = run.run.parents[1] / "logs"
    before = set(logs.glob("*.eval"))
    done = inspect(run, "eval", "ssui_gen/rsbench", *named, "--log-dir", "logs", *more, **environ)
    found = set(logs.glob("*.eval")) - before
    assert len(found) == 1, done.stdout + done.stderr
    return found.pop()


def read(log: Path) -> Any:
    """The log as inspect_ai reads it."""
    from inspect_ai.log import read_eval_log

    return read_eval_log(str(log), resolve_attachments=True)
