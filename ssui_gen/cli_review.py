"""`ssui review`: its options and what it prints; no logic of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

from ssui_gen.cli_curation import OF_LABELS, OF_RESPONSES, task_of
from ssui_gen.cli_options import add_folder
from ssui_gen.cli_screen import say


def add_review(parser: argparse.ArgumentParser) -> None:
    """Give `ssui review` its options."""
    add_folder(parser)
    parser.add_argument(
        "--as", dest="names", action="append", default=[], metavar="NAME", help="who looks; default: all"
    )
    parser.add_argument("--host", default="127.0.0.1", help="default: this computer alone")
    parser.add_argument("--port", type=int, default=8765, help="0 takes any free one")
    parser.add_argument("--labels", action="store_true", help=OF_LABELS)
    parser.add_argument("--bench", type=Path, metavar="FOLDER", help=OF_RESPONSES)
    parser.set_defaults(command=_review)


def _review(args: argparse.Namespace) -> int:
    from ssui_gen.stages.review import Place, serve_review

    serve_review(task_of(args), args.names, Place(args.host, args.port), say)
    return 0
