"""What there is to be looked at: a run's pages, one record in the terminal, two runs as one; no logic.

`ssui page`, `ssui show` and `ssui merge-runs`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ssui_gen.cli_options import add_run
from ssui_gen.manifest import pictures_of
from ssui_gen.terminal import Terminal

OUT = Terminal()


def add_looking(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Give `ssui` its orders for looking at runs."""
    page = commands.add_parser(
        "page", help="a run's pages, made anew: dataset.html, and pairs.html with its trees"
    )
    add_run(page)
    page.set_defaults(command=_page)
    show = commands.add_parser("show", help="a record in the terminal: picture, steps, verdicts, calls")
    show.add_argument("id", metavar="ID", help="of a record, or of a seed; its beginning will do")
    add_run(show)
    show.add_argument("--no-picture", action="store_true", help="words alone")
    show.set_defaults(command=_show)


def write_page(run: Path, root: Path) -> None:
    """`dataset.html`, and a word of where it is."""
    from ssui_gen.stages.look import make_page

    looked = make_page(run, root)
    _say(f"Look at {looked.page}: {looked.records:,} records beside their pictures.")
    if looked.passed_over:
        _say(f"{looked.passed_over:,} rows cannot be read, and are not in it.")


def _page(args: argparse.Namespace) -> int:
    from ssui_gen.exploring.explored import BRANCHES, source_of
    from ssui_gen.stages.report import make_report

    root = pictures_of(args.run, args.seeds)
    if (args.run / BRANCHES).exists():
        _say(f"Look at {make_report(args.run, source_of(args.run, uncurated=True), root).overview}.")
    write_page(args.run, root)
    return 0


def _show(args: argparse.Namespace) -> int:
    from ssui_gen.stages.show import show

    show(args.run, pictures_of(args.run, args.seeds), args.id, OUT, picture=not args.no_picture)
    return 0


def _say(text: str) -> None:
    OUT.print(text, markup=False, highlight=False, soft_wrap=True)
