"""Starts and stops the embedded model server, a process of its own: `python -m microworld.server`.

It holds the server's stdin: when this process ends, however it ends, the kernel closes that pipe and the
server stops. Ctrl-C does not reach the server, so that calls under way can be drained. Covers no calls.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

from ssui_gen.errors import ServerError

NEEDED = ("microworld", "torch", "transformers", "fastapi", "uvicorn", "llguidance")
SHOWN_LINES = 12
"""Of the server's log, in an error."""
PATIENCE_SECONDS = 10.0
"""For each step of stopping it."""


class EmbeddedServer:
    """A context manager; `url` ends in /v1 and is there once it is entered.

    `models` are checkpoint folders by served name; without them the server takes its own. Entering raises
    ServerError with the last lines of `log`, to which the server's log is appended.
    """

    def __init__(
        self, *, log: Path, models: Mapping[str, Path] | None = None, start_seconds: float = 60.0
    ) -> None:
        self.url = ""
        self._log = log
        self._start_seconds = start_seconds
        self._command = [sys.executable, "-m", "microworld.server", "--follow-parent"]
        for name, folder in (models or {}).items():
            self._command += ["--model", f"{folder}={name}"]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> EmbeddedServer:
        _check_installed()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            begin = log.tell()
            self._process = self._start(log)
        try:
            self.url = _read_url(self._process, self._start_seconds)
        except ValueError:
            self.close()
            raise ServerError(self._failure(begin)) from None
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def close(self) -> None:
        """Ask the server to stop by closing its stdin; insist if it does not. May be called twice."""
        process = self._process
        if process is None:
            return
        assert process.stdin and process.stdout
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        for insist in (process.terminate, process.kill):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_SECONDS)
                break
            insist()
        process.wait()
        process.stdout.close()

    def _start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=log, start_new_session=True)

    def _failure(self, begin: int) -> str:
        with self._log.open("rb") as log:
            log.seek(begin)
            lines = log.read().decode("utf-8", "replace").splitlines()[-SHOWN_LINES:]
        assert self._process
        return (
            f"the embedded server did not start within {self._start_seconds:g} seconds (exit code "
            f"{self._process.returncode}); the end of {self._log}:\n  " + "\n  ".join(lines or ["(empty)"])
        )


def _check_installed() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ServerError(
            f"the embedded model needs {', '.join(missing)}, not installed here: run "
            "pip install 'ssui_gen[micro]', or name a model server of yours (BASE_URL=...)"
        )


def _read_url(process: subprocess.Popen[bytes], seconds: float) -> str:
    """The server's address from its first line; raises ValueError when it ends or takes too long."""
    assert process.stdout
    overdue = threading.Timer(seconds, process.kill)
    overdue.daemon = True
    overdue.start()
    try:
        return str(json.loads(process.stdout.readline())["url"])
    finally:
        overdue.cancel()
