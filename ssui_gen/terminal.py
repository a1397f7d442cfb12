"""The one door to the terminal: what others wrote cannot steer it, and what cannot be shown ends no run.

A control character is written out, what the terminal's encoding lacks becomes a `?`, and where nobody reads
any more (`| head`) the work goes on unseen. Colours and layout are rich's.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and line break, marks that turn the writing's direction, half characters."""


class Terminal(Console):
    """A console that outlives its reader, and on which a control character is seen, never obeyed."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Every piece of text passes here, be it a message, a cell of a table or the line of progress."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=harmless(segment.text))

    def on_broken_pipe(self) -> None:
        """Print into nothing from here on."""
        self._buffer.clear()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


def harmless(text: str) -> str:
    """A text whose control characters are written out, as `\\x1b`."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def forgive() -> None:
    """Let stdout and stderr replace what their encoding lacks; to be called by a command as it begins."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
