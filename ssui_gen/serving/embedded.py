"""Starts and stops the embedded model server: `python -m microworld.server`. Covers no calls."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from ssui_gen.errors import ServerError
from ssui_gen.serving.process import ServerProcess

NEEDED = ("microworld", "torch", "transformers", "fastapi", "uvicorn", "llguidance")
EMBEDDED = (
    *("micro-agents", "micro-judge", "micro-policy", "micro-untidy", "micro-drifting"),
    *("micro-two-agents", "micro-two-judge", "micro-two-policy"),
)
"""The models it serves when none are named; those of `two` read two pictures shown together."""


def reads(name: str) -> int | None:
    """How many pictures shown together a model of its own was taught; None for any other."""
    return (2 if "-two-" in name else 1) if name in EMBEDDED else None


class EmbeddedServer:
    """A context manager; `url` ends in /v1 and is there once it is entered.

    `models` are checkpoint folders by served name; without them the server takes its own. `adapters` of them,
    LoRA's, are served beside them. Entering raises ServerError with the last lines of `log`, to which the
    server's log is appended.
    """

    def __init__(
        self,
        *,
        log: Path,
        models: Mapping[str, Path] | None = None,
        adapters: Mapping[str, Path] | None = None,
        start_seconds: float = 60.0,
    ) -> None:
        self.url = ""
        self._log = log
        self._start_seconds = start_seconds
        self._command = [sys.executable, "-m", "microworld.server", "--follow-parent"]
        self._needed = NEEDED if not adapters else (*NEEDED, "peft")
        for flag, folders in (("--model", models), ("--adapter", adapters)):
            for name, folder in (folders or {}).items():
                self._command += [flag, f"{folder}={name}"]
        self._process: ServerProcess | None = None

    def __enter__(self) -> EmbeddedServer:
        _check_installed(self._needed)
        self._process = ServerProcess(self._command, self._log, listen=True)
        with ExitStack() as unless_up:
            unless_up.callback(self.close)
            try:
                self.url = _read_url(self._process, self._start_seconds)
            except ValueError:
                self.close()
                raise ServerError(
                    f"the embedded server did not start within {self._start_seconds:g} seconds "
                    + self._process.last_words()
                ) from None
            unless_up.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def close(self) -> None:
        """May be called twice."""
        if self._process:
            self._process.close()


def _check_installed(needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    extras = "micro,train" if "peft" in missing else "micro"
    if missing:
        raise ServerError(
            f"the embedded model needs {', '.join(missing)}, not installed here: run "
            f"pip install 'ssui_gen[{extras}]', or name a model server of yours (BASE_URL=...)"
        )


def _read_url(process: ServerProcess, seconds: float) -> str:
    """The server's address from its first line; raises ValueError when it ends or takes too long."""
    overdue = threading.Timer(seconds, process.kill)
    overdue.daemon = True
    overdue.start()
    try:
        return str(json.loads(process.output.readline())["url"])
    finally:
        overdue.cancel()
