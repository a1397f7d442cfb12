"""`ssui publish` and `ssui bench publish`: their options, and what they print; no logic of their own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ssui_gen.cli_options import add_language, add_run
from ssui_gen.cli_screen import say
from ssui_gen.commands import run_folder
from ssui_gen.errors import ConfigError
from ssui_gen.manifest import pictures_of

if TYPE_CHECKING:
    from ssui_gen.stages.publish import Published as Given
    from ssui_gen.stages.rsbench import Published


def add_giving(parser: argparse.ArgumentParser) -> None:
    """Give `ssui publish` its options."""
    add_run(parser)
    parser.add_argument(
        "--licence",
        required=True,
        help="of texts, and of pictures whose seeds name none, such as CC-BY-4.0",
    )
    parser.add_argument("--contact", default="", help="whom to write to, for the card")
    parser.add_argument("--authors", default="", metavar="NAMES", help="whom to cite, separated by `;`")
    parser.add_argument("--name", help="of the dataset or adapter; default: ssui- and the run's name")
    parser.add_argument("--version", default="1.0.0", help="default: 1.0.0")
    add_language(parser)
    parser.add_argument("--uncurated", action="store_true", help="take paths that no person has seen")
    parser.add_argument(
        "--allow-licence",
        action="append",
        default=[],
        metavar="NAME",
        help="a licence that is not known here, and that you have read: it lets pictures be given away",
    )
    parser.add_argument(
        "--model-licence",
        action="append",
        default=[],
        metavar="MODEL=LICENCE",
        help="of a model that made rows",
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="WORD",
        help="looks like a name, key or path, and is none",
    )
    parser.add_argument(
        "--to", default="", metavar="USER/NAME", help="send it to the Hugging Face hub, private"
    )
    parser.add_argument("--public", action="store_true", help="with --to: for everybody to see")
    parser.add_argument("--adapter", type=Path, help="publish this adapter instead of the run's rows")
    parser.add_argument(
        "--base", default="", metavar="USER/NAME", help="what the hub calls the adapter's base"
    )
    parser.set_defaults(command=_give)


def _give(args: argparse.Namespace) -> int:
    from ssui_gen.publishing.facts import About
    from ssui_gen.stages.publish import Plan, publish

    default = f"ssui-{args.run.resolve().name}{'-adapter' if args.adapter else ''}"
    about = About(
        name=args.name or default,
        version=args.version,
        licence=args.licence,
        contact=args.contact,
        authors=args.authors,
        language=args.language,
        models=dict(map(_of_a_model, args.model_licence)),
    )
    plan = Plan(
        run=args.run,
        root=pictures_of(args.run, args.seeds),
        about=about,
        uncurated=args.uncurated,
        licences=tuple(args.allow_licence),
        words=tuple(args.allow),
        to=args.to,
        public=args.public,
        adapter=args.adapter,
        base=args.base,
        seeds=args.seeds,
    )
    _tell(publish(plan))
    return 0


def _of_a_model(told: str) -> tuple[str, str]:
    name, found, licence = told.rpartition("=")
    if not found or not name or not licence:
        raise ConfigError(f"--model-licence: expected MODEL=LICENCE; got {told!r}")
    return name, licence


def _tell(done: Given) -> None:
    from ssui_gen.publishing.used import USED

    folder, facts = done.folder, done.facts
    say(f"{folder}: read {folder / 'README.md'} as a stranger would, before you give it away.")
    if facts:
        for config, splits in facts.rows.items():
            say(f"  {config}: " + ", ".join(f"{count:,} {split}" for split, count in splits.items()))
        if facts.uncurated:
            say(f"NOT CURATED: no person has seen {facts.uncurated:,} paths; the card says so.")
        if facts.unnamed:
            say(
                f"NOT NAMED: whose {facts.unnamed:,} pictures are, for which their licence asks; the card "
                "says so. Name it as `source` in the seeds."
            )
        if lacking := facts.used.lacking:
            say(
                f"NOT AS THEY WERE, or gone from {folder.parent / USED}: texts that agents were told: "
                f"{', '.join(lacking)}. They are not published; the card says so."
            )
        if facts.toy:
            say("A toy model made them; the card says so.")
        if unsaid := [name for name, licence in facts.models.items() if not licence]:
            say(f"Licence not said, of the models {', '.join(unsaid)}: --model-licence {unsaid[0]}=...")
        for (config, reason), count in facts.left.items():
            say(f"{count:,} of {config} not published: {reason} ({done.rejects})")
    if done.sent:
        say(f"Sent to {done.sent.url}, {'private' if done.sent.private else 'for everybody to see'}.")


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
    add_language(parser)
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
