"""`ssui import` and `ssui verify checks`: their options, and what they print; no logic of its own."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from ssui_gen.cli_options import add_models, add_toy
from ssui_gen.cli_screen import OUT
from ssui_gen.cli_screen import say as _say
from ssui_gen.commands import run_folder
from ssui_gen.importing.shape import Half, What

if TYPE_CHECKING:
    from ssui_gen.importing.shape import Imported


def add_import(parser: argparse.ArgumentParser) -> None:
    """Give `ssui import` its options."""
    parser.add_argument(
        "source", type=Path, metavar="SOURCE", help="a file of rows, or the folder of your copy"
    )
    parser.add_argument(
        "--from", dest="layout", required=True, help="whose layout; docs/importing.md lists them"
    )
    parser.add_argument(
        "--to", type=Path, required=True, metavar="FOLDER", help="a new folder, or that import's"
    )
    parser.add_argument(
        "--as", dest="makes", choices=get_args(What), help="default: what the layout is best for"
    )
    parser.add_argument(
        "--licence", default="", help="of rows whose layout may be anybody's, such as CC-BY-4.0"
    )
    parser.add_argument(
        "--name", default="", help="of the data, as each row's source begins; default: the file's"
    )
    parser.add_argument("--half", choices=get_args(Half), help="of a benchmark that has both; default: train")
    parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="default: as seen from the file of rows"
    )
    parser.add_argument(
        "--map",
        dest="columns",
        type=_named,
        nargs="+",
        default=[],
        metavar="OURS=THEIRS",
        help="of tables: which column is the image, the text, a label",
    )
    parser.add_argument("--limit", type=int, help="only the first LIMIT rows")
    parser.add_argument(
        "--for-evaluation",
        action="store_true",
        help="take a benchmark's rows though they are not to be trained on",
    )
    parser.add_argument(
        "--only-publishable",
        action="store_true",
        help="leave out rows whose licence does not let them be given away",
    )
    parser.add_argument(
        "--config", type=Path, help="YAML file; its leaks name the benchmarks to hold rows against"
    )
    parser.set_defaults(command=_import)


def add_checks(parser: argparse.ArgumentParser) -> None:
    """Give `ssui verify checks` its options."""
    parser.add_argument("gold", type=Path, metavar="GOLD", help="gold.jsonl of an import")
    parser.add_argument(
        "--run", type=run_folder, default=Path("outputs/checks"), help="where calls and figures go"
    )
    parser.add_argument("--limit", type=int, help="only the first LIMIT rows")
    add_models(parser)
    add_toy(parser)
    parser.set_defaults(command=_checks)


def _checks(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import resolve
    from ssui_gen.stages.checks import FIGURES, check_checks

    plan = resolve(
        run=args.run,
        seeds=args.gold,
        limit=args.limit,
        mix=False,
        config_file=args.config,
        model=args.model,
        base_url=args.base_url,
        toy=args.toy,
    )
    if asyncio.run(check_checks(plan, args.gold, OUT)):
        _say("Interrupted; all that was asked is kept. The same command goes on from here.")
        return 130
    _say(f"The figures are in {args.run / FIGURES}, each answer in checks.jsonl beside them.")
    return 0


def _named(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise argparse.ArgumentTypeError(f"expected OURS=THEIRS, such as text=question; got {text!r}")
    return ours, theirs


def _import(args: argparse.Namespace) -> int:
    from ssui_gen.config import Config, load_config
    from ssui_gen.stages.importing import Plan, bring

    plan = Plan(
        layout=args.layout,
        source=args.source,
        folder=args.to,
        config=load_config(args.config) if args.config else Config(),
        makes=args.makes,
        licence=args.licence,
        name=args.name,
        half=args.half,
        pictures=args.pictures,
        columns=dict(args.columns),
        limit=args.limit,
        evaluation=args.for_evaluation,
        publishable=args.only_publishable,
    )
    _tell(bring(plan, _say), args.to)
    return 0


def _tell(done: Imported, folder: Path) -> None:
    from ssui_gen.commands import command
    from ssui_gen.licences import forbids

    rows = folder / f"{done.makes}.jsonl"
    _say(f"{done.kept:,} {done.makes} in {rows}; their pictures lie beside it.")
    for reason, count in done.left_out.items():
        _say(f"  left out: {reason.replace('_', ' ')} {count:,}")
    if done.left_out:
        _say(f"Each of them is told in {folder / 'rejects.jsonl'}.")
    if not done.may_be_published:
        why = forbids(done.licence) or "models are measured with it"
        _say(f"Not to be published: {why}. Each row says so where it names its licence.")
    if done.evaluation:
        _say(f"Only for measuring: name it where you train, leaks: {{bench: [{rows}]}}.")
    elif done.checked_against:
        _say(f"Held against {', '.join(done.checked_against)}: nothing of these is in it.")
    else:
        _say(
            "No benchmark was named, so nothing was kept out: name your copies in leaks: {bench: [...]} of a "
            "--config, and run the same command again."
        )
    if done.makes == "seeds" and not done.evaluation:
        _say(f"Next: {command('dataset', SEEDS=rows)}")
