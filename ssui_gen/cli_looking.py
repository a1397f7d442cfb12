"""What there is to be looked at: a run's pages, one record in the terminal, two runs as one; no logic.

`ssui page`, `ssui show` and `ssui merge-runs`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ssui_gen.cli_options import add_run
from ssui_gen.cli_screen import OUT
from ssui_gen.cli_screen import say as _say
from ssui_gen.commands import command, run_folder
from ssui_gen.manifest import pictures_of


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
    merge = commands.add_parser("merge-runs", help="several runs → one, each record once")
    merge.add_argument(
        "runs",
        type=run_folder,
        nargs="+",
        metavar="RUN",
        help="names of runs, or their folders; the first wins",
    )
    merge.add_argument(
        "--to", type=run_folder, required=True, metavar="RUN", help="name of the new run, or its folder"
    )
    merge.add_argument(
        "--across-editions", action="store_true", help="though they were made with other prompts or models"
    )
    merge.set_defaults(command=_merge_runs)


def write_page(run: Path, root: Path) -> None:
    """`dataset.html`, and a word of where it is."""
    from ssui_gen.stages.look import make_page

    looked = make_page(run, root)
    _say(f"Look at {looked.page}: {looked.records:,} records beside their pictures.")
    if looked.passed_over:
        _say(f"{looked.passed_over:,} rows cannot be read, and are not in it.")


def _page(args: argparse.Namespace) -> int:
    from ssui_gen.exploring.explored import source_of
    from ssui_gen.run_files import BRANCHES
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


def _merge_runs(args: argparse.Namespace) -> int:
    from ssui_gen.stages.merge_runs import merge_runs

    done = merge_runs(args.runs, args.to, across=args.across_editions)
    counts = done.counts
    _say(f"{counts['records']:,} records and {counts['rejects']:,} rejects in {args.to}.")
    if counts["duplicates"]:
        _say(f"{counts['duplicates']:,} duplicates were left out; merge_rejects.jsonl tells why each.")
    _say(
        f"Carried along: {counts['cuts']:,} cuts with their branches, {counts['pairs']:,} pairs, "
        f"{done.words:,} words of people, {counts['calls']:,} calls, {done.pictures['copied']:,} pictures."
    )
    if counts["renamed seeds"]:
        _say(f"{counts['renamed seeds']:,} seeds had a name that another picture has, and are renamed.")
    if done.pictures["missing"]:
        _say(f"{done.pictures['missing']:,} pictures could not be read, and are not in it.")
    if done.uncurated:
        _say(f"No curated.jsonl, as {done.uncurated[0]} has none: {command('curated', args.to)}")
    write_page(args.to, pictures_of(args.to, None))
    _say(f"Next: {command('curation', args.to)}")
    return 0
