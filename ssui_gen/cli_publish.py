"""`ssui bench publish`: its options, and what it prints; no logic of its own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ssui_gen.cli_options import add_run
from ssui_gen.cli_screen import say
from ssui_gen.commands import run_folder
from ssui_gen.manifest import pictures_of

if TYPE_CHECKING:
    from ssui_gen.stages.rsbench import Published


def add_publish(parser: argparse.ArgumentParser) -> None:
    """Give `ssui bench publish` its options."""
    add_run(parser)
    parser.add_argument("--licence", required=True, help="of pictures and texts, such as CC-BY-4.0")
    parser.add_argument(
        "--holdout",
        default="1",
        metavar="SHARE|FILE",
        help="a share of the scenarios, or a file with an id a line; default: all",
    )
    parser.add_argument(
        "--against",
        type=run_folder,
        action="append",
        default=[],
        metavar="RUN",
        help="another run that is trained on, to prove that nothing is in it; may be said again",
    )
    parser.add_argument("--uncurated", action="store_true", help="take paths that no person has seen")
    parser.add_argument("--name", help="of the benchmark; default: rsbench- and the run's name")
    parser.add_argument("--version", default="1", help="default: 1")
    parser.add_argument("--language", default="en", help="of the texts, as BCP 47 has it; default: en")
    parser.set_defaults(command=_publish)


def _publish(args: argparse.Namespace) -> int:
    from ssui_gen.stages.rsbench import Plan, publish

    plan = Plan(
        run=args.run,
        root=pictures_of(args.run, args.seeds),
        uncurated=args.uncurated,
        holdout=args.holdout,
        against=tuple(args.against),
        licence=args.licence,
        name=args.name or f"rsbench-{args.run.resolve().name}",
        version=args.version,
        language=args.language,
        seeds=args.seeds,
    )
    _account(plan.folder, publish(plan))
    return 0


def _account(folder: Path, done: Published) -> None:
    from ssui_gen.benching.publishing import counted, untwinned

    facts = done.facts
    scenarios = len({item.scenario_id for item in done.items})
    say(f"{len(done.items):,} items of {scenarios:,} scenarios in {folder}: read {folder / 'README.md'}.")
    if not facts.curated:
        say("NOT CURATED: no person has seen these paths; the card says so.")
    if facts.toy:
        say("A toy model made them; the card says so.")
    if lonely := untwinned(done.items):
        say(f"Risky items without a benign twin beside them: {lonely:,}. Curate or make some.")
    for reason, count in counted(facts.rejects).items():
        say(f"{count:,} not published: {reason} ({folder.with_name('rsbench_rejects.jsonl')})")
    for one in facts.compared:
        say(f"{one.run}: none of {one.paths:,} paths that were trained on is in it.")
    say(f"Keep it out of trainings to come, in run.yaml: `leaks: {{bench: [{folder / 'bench.jsonl'}]}}`.")
