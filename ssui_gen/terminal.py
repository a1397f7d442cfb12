"""A terminal that prints whatever it can: no work is lost, and no run ends badly, for what cannot be shown.

What its encoding lacks becomes a `?`; where nobody reads any more (`| head`), the work goes on unseen. Says
nothing itself.
"""

from __future__ import annotations

import io
import os
import sys

from rich.console import Console


class Terminal(Console):
    """A console that outlives its reader."""

    def on_broken_pipe(self) -> None:
        """Print into nothing from here on."""
        self._buffer.clear()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


def forgive() -> None:
    """Let stdout and stderr replace what their encoding lacks; to be called by a command as it begins."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
