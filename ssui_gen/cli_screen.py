"""The screen of all commands: words for people, and the JSON that a script reads.

Words go to stdout; where a script asked for JSON that is kept for it alone, and they go to stderr.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ssui_gen.terminal import Terminal

OUT, ERR = Terminal(), Terminal(stderr=True)
"""Words, and words of what went wrong."""
FOR_SCRIPTS = Terminal()


def add_json(parser: argparse.ArgumentParser) -> None:
    """Let a script read what comes of a command."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object on stdout; all words go to stderr"
    )


@contextmanager
def words(args: argparse.Namespace) -> Iterator[None]:
    """Words go where they belong until the block ends."""
    OUT.stderr = getattr(args, "json", False)
    try:
        yield
    finally:
        OUT.stderr = False


def say(text: str) -> None:
    """Plain words, paths among them, in one line however long."""
    OUT.print(text, markup=False, highlight=False, soft_wrap=True)


def give(args: argparse.Namespace, found: Any) -> None:
    """What came of a command, where a script asked for it; paths as text."""
    if args.json:
        FOR_SCRIPTS.print(
            json.dumps(found, indent=1, default=str), markup=False, highlight=False, soft_wrap=True
        )


def unsaid(text: str) -> None:
    """Takes words that have been said before."""
