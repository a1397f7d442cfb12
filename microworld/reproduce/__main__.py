"""The paper's claims and its open questions, measured in the microworld: one command, one page.

    python -m microworld.reproduce [--quick | --rivals | --recipes | --worlds] [--set final] [--output FOLDER]
                                   [--model CHECKPOINT] [--workers 2]

(`make reproduce` runs it.) Every training is a cell of its own in `cells/`; what is there already is not made
again, so it may be stopped at any time. Writes claims.json, claims.html and its figures.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from functools import cache
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from microworld.reproduce import report
from microworld.reproduce.cell import Place, bound_to
from microworld.reproduce.claim import Scope
from microworld.reproduce.claims import CLAIMS, planned
from microworld.reproduce.judging import summary
from microworld.reproduce.page import write_page
from microworld.reproduce.seeds import SETS, Seeds
from microworld.reproduce.trainings import named
from microworld.reproduce.work import Done, in_order, missing, work_off
from ssui_gen.errors import RunLocked, SsuiError
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.terminal import Terminal, forgive

MODEL = Path("microworld/models/policy")
OUTPUT = Path("outputs/reproduce")
SCOPES: dict[Scope, str] = {
    "quick": "nine claims, in under half of the time",
    "rivals": "five more: what others would do with the same branches",
    "recipes": "those, and five recipes more: rounds, the goal on 240 paths, other twins, F by steps",
    "worlds": "all of that, and three: what the policy was never taught, and paths by the agents",
}
NEXT: dict[Scope, str] = {
    "quick": "Next: make reproduce, for the claims that lack.",
    "whole": "Next: read docs/results.md; make reproduce RIVALS=1 adds what others would do.",
    "rivals": "Next: read docs/results.md; make reproduce RECIPES=1 adds five recipes more.",
    "recipes": "Next: read docs/results.md; make reproduce WORLDS=1 adds what the policy was never taught.",
    "worlds": "Next: read docs/results.md and docs/novel.md.",
}
SEEDS = "which seeds: dev to choose by, final to claim on, more: final's with as many data sets again"
STOPPED = 130
"""How a shell names an end by Ctrl-C."""


def reproduce(place: Place, seeds: Seeds, scope: Scope, workers: int, console: Terminal) -> None:
    """Make what lacks, then judge and write. Raises SsuiError."""

    def say(words: str) -> None:
        console.print(words, markup=False, highlight=False, soft_wrap=True)

    wanted = in_order(planned([claim for claim in CLAIMS if claim.within(scope)], seeds))
    left = missing(place, wanted, say)
    there = len(wanted) - len(left)
    say(f"{there} of {len(wanted)} pieces are there; {len(left)} to make, {workers} at a time.")
    with Progress(TextColumn("{task.description}"), BarColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=len(left))
        for done in work_off(place, left, workers) if left else ():
            bar.update(task, completed=len(left) - done.left, description=_minutes(done))
            if not console.is_terminal:
                say(f"{len(left) - done.left} of {len(left)}: {place.file(done.work).name}, {_minutes(done)}")
    found = report.write(place.folder, seeds, cache(place.read), place.bound, named(scope), scope)
    page = write_page(place.folder, found)
    console.print(_table(found))
    counts = ", ".join(f"{count} {word}" for word, count in summary(found["claims"]).items())
    say(f"{counts}. Rows in {place.folder / report.NAME}, the page is {page}.")
    say(NEXT[scope])


def _minutes(done: Done) -> str:
    return f"about {max(1, round(done.seconds_left / 60))} min left" if done.left else "done"


def _table(found: dict[str, object]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in ("", "claim", "points (95 %)", "margin", "verdict"):
        table.add_column(head, overflow="fold")
    for line in report.lines(found):
        table.add_row(*line)
    return table


def main() -> None:
    forgive()
    args, began = _arguments(), time.monotonic()
    output = args.output or (OUTPUT if args.model == MODEL else OUTPUT / args.model.name)
    folder = output / "dev" if args.set_ == "dev" else output
    try:
        with RunDir(folder, "reproduce"):
            place = Place(folder, args.model, bound_to(args.model))
            reproduce(place, SETS[args.set_], args.scope, args.workers, Terminal())
    except RunLocked:
        _fail(f"{folder}: another one is at work here: wait for it, or name another --output")
    except SsuiError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        minutes = (time.monotonic() - began) / 60
        print(f"Stopped after {minutes:.0f} min; nothing is lost: the same command goes on.", file=sys.stderr)
        sys.exit(STOPPED)


def _fail(words: str) -> None:
    Terminal(stderr=True).print(f"reproduce: {words}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="microworld.reproduce", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    scope = parser.add_mutually_exclusive_group()
    for name, words in SCOPES.items():
        scope.add_argument(f"--{name}", action="store_const", const=name, dest="scope", help=words)
    parser.set_defaults(scope="whole")
    parser.add_argument("--set", choices=tuple(SETS), default="final", dest="set_", help=SEEDS)
    parser.add_argument("--output", type=Path, help="default: outputs/reproduce, or the policy's there")
    parser.add_argument("--model", type=Path, default=MODEL, help="the policy's checkpoint")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    return parser.parse_args()


if __name__ == "__main__":
    main()
