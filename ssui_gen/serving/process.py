"""A server in a process of its own: started with its log in a file, asked to stop, its last words kept.

The process reads from a pipe that we hold, and stops when it ends: however we end, it leaves no orphan.
Ctrl-C does not reach it, so that calls under way can be drained. Covers no server in particular.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from ssui_gen.errors import RecordError, ServerError
from ssui_gen.files import PRIVATE, open_own

SHOWN_LINES = 12
"""Of the log, in an error."""
PATIENCE_SECONDS = 15.0
"""For each step of stopping it."""


class ServerProcess:
    """Started by its constructor, which raises ServerError if `log` cannot be written.

    Appends to `log`, which only its user may read; `output` is its stdout, if that is not logged too.
    """

    def __init__(
        self, command: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None, listen: bool = False
    ) -> None:
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with _opened(log) as file:
            self._begin = file.tell()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if listen else file,
                stderr=file,
                env=env,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> IO[bytes]:
        assert self._process.stdout
        return self._process.stdout

    @property
    def code(self) -> int | None:
        """How it exited; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()

    def ask_to_stop(self) -> None:
        """By closing its stdin; does not wait."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def close(self) -> None:
        """Ask it to stop; insist if it does not. May be called twice."""
        self.ask_to_stop()
        for insist in (self._process.terminate, self._process.kill):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE_SECONDS)
                break
            insist()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def words(self) -> list[str]:
        """The lines it has logged so far."""
        with self._log.open("rb") as log:
            log.seek(self._begin)
            return log.read().decode("utf-8", "replace").splitlines()

    def last_words(self) -> str:
        """The end of the log, for an error."""
        lines = self.words()[-SHOWN_LINES:] or ["(empty)"]
        state = "it still runs" if self.code is None else f"exit code {self.code}"
        return f"({state}); the end of {self._log}:\n  " + "\n  ".join(lines)


def _opened(log: Path) -> IO[bytes]:
    """For appending; a link or a pipe in its place, as a folder that was brought may hold, is refused."""
    try:
        return os.fdopen(open_own(log, os.O_WRONLY | os.O_APPEND, PRIVATE), "ab")
    except RecordError as error:
        raise ServerError(f"{error}: the server's log goes there: remove it") from None
