"""`ssui verify` and `ssui export`: options and what is printed; no logic of their own."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import get_args

from ssui_gen.cli_curation import collected, label
from ssui_gen.cli_elsewhere import export as export_responses
from ssui_gen.cli_import import add_checks
from ssui_gen.cli_options import add_models, add_run, add_toy
from ssui_gen.cli_screen import OUT, add_json, give, say
from ssui_gen.manifest import pictures_of


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Give `ssui verify` its orders."""
    from ssui_gen.config import WayName

    orders = parser.add_subparsers(dest="order", required=True, metavar="ORDER")
    people = orders.add_parser("label", help="a sample of branches for people to label")
    add_run(people)
    people.add_argument("--as", dest="names", action="append", default=[], metavar="NAME", help="who labels")
    people.add_argument("--most", type=int, default=200, help="about so many branches; default: 200")
    people.add_argument("--seed", type=int, default=0, help="of the sample")
    people.set_defaults(command=label)
    add_checks(orders.add_parser("checks", help="the agents' checks against gold of `ssui import`"))
    order = orders.add_parser("calibrate", help="F against labelled branches")
    add_run(order)
    order.add_argument(
        "--labels", type=Path, help="rows {branch_id, good}; default: people's, else labels.jsonl"
    )
    order.add_argument(
        "--by",
        nargs="*",
        default=[],
        choices=get_args(WayName),
        metavar="WAY",
        help=f"ways beside those of verify.by: {', '.join(get_args(WayName))}",
    )
    add_models(order)
    add_toy(order)
    add_json(order)
    order.set_defaults(command=_verify)


def add_export(parser: argparse.ArgumentParser) -> None:
    """Give `ssui export` its options."""
    from ssui_gen.benching.exporters import EXPORTERS as OF_RESPONSES
    from ssui_gen.exploring.exporters import EXPORTERS as OF_PAIRS

    add_run(parser)
    parser.add_argument(
        "--to",
        required=True,
        metavar="LAYOUT",
        help=f"of pairs: {', '.join(OF_PAIRS)}; of a model's responses to a benchmark: "
        f"{', '.join(OF_RESPONSES)}",
    )
    parser.add_argument("--bench", help="of responses: the benchmark's name; default: the run's own")
    parser.add_argument("--model", help="of responses: whose; default: the only one's")
    parser.set_defaults(command=_export)


def _export(args: argparse.Namespace) -> int:
    from ssui_gen.benching.exporters import EXPORTERS
    from ssui_gen.stages.export import export

    if args.to in EXPORTERS:
        return export_responses(args)
    done = export(args.run, pictures_of(args.run, args.seeds), args.to)
    say(f"{done.file}")
    if done.off_path:
        say(
            f"{done.off_path:,} pairs are not in it: they begin with a wrong step, and the layout {args.to} "
            "has no place for what is not to be learnt; step_dpo has"
        )
    return 0


def _verify(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import configure
    from ssui_gen.jobs.remembered import recall
    from ssui_gen.prompts import home, load_prompts
    from ssui_gen.stages.calibrate import Plan, make_calibration

    memory = recall("calibrate", args.run)
    config = configure(args.config, args.model, args.base_url, memory=memory, say=say)
    prompts = load_prompts(home() / "prompts")
    root = pictures_of(args.run, args.seeds)
    labels = args.labels or collected(args.run)
    plan = Plan(args.run, root, labels, tuple(args.by), config, prompts, args.toy)
    give(args, asyncio.run(make_calibration(plan, OUT)))
    return 0
