"""`ssui distil`: its options, and what is said at the end; no logic of its own."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from ssui_gen.cli_looking import write_page
from ssui_gen.cli_options import (
    add_job,
    add_run,
    again,
    asked,
    drawn_from,
    elsewhere,
    limited,
    policy_of,
    spending,
)
from ssui_gen.cli_screen import OUT, add_json, give
from ssui_gen.cli_screen import say as _say
from ssui_gen.commands import command
from ssui_gen.manifest import TOLD, pictures_of, was_toy
from ssui_gen.records import Reason
from ssui_gen.run_files import DISTILLED

if TYPE_CHECKING:
    from ssui_gen.exploring.distilling import Rows
    from ssui_gen.stages.distil import Plan


def add_distil(parser: argparse.ArgumentParser) -> None:
    """Give `ssui distil` its options."""
    add_run(parser)
    parser.add_argument("--policy", metavar="NAME", help="the served model that is to be trained")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N paths")
    parser.add_argument("--uncurated", action="store_true", help="take paths that no person has seen")
    add_job(parser)
    add_json(parser)
    parser.set_defaults(command=_distil)


def _distil(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.progress import account, summary
    from ssui_gen.run_files import PATHS
    from ssui_gen.stages.distil import distil, foresee, require_made

    plan = _plan(args)
    values = {"SEEDS": args.seeds, **drawn_from(args), "UNCURATED": args.uncurated, "POLICY": args.policy}
    values |= asked(args)
    if args.dry:
        give(args, {"ahead": asyncio.run(foresee(plan, OUT)).figures})
        _say(f"Next: {again('distil', args, values)}")
        return 0
    outcome, rows = asyncio.run(distil(plan, OUT))
    OUT.print(summary(outcome.progress, str(plan.run)))
    done = account(outcome.progress) | {"interrupted": outcome.interrupted, "counts": dict(rows.counts)}
    give(args, done | {"paths": plan.run / PATHS, "made": rows.made, "former": rows.former})
    if outcome.interrupted:
        return limited(outcome.limit, "distil", args, values, _say)
    require_made(rows, plan.run)
    _tell(args, plan, rows)
    return 0


def _tell(args: argparse.Namespace, plan: Plan, rows: Rows) -> None:
    others = ", ".join(f"{why} {n:,}" for why, n in rows.counts.most_common() if why != "made")
    write_page(plan.run, plan.root)
    _say(f"{rows.made:,} rows to train on in {plan.run}; other responses: {others or 'none'}.")
    _say(rows.telling)
    if rows.former:
        _say(f"They replace others, which are kept in {rows.former}.")
    trained = {"POLICY": policy_of(plan.run), "SEEDS": elsewhere(args)}
    _say(f"Next: {command('train', plan.run, **trained, ARGS='loss=sft')}")


def _plan(args: argparse.Namespace) -> Plan:
    from ssui_gen.jobs.plan import configure
    from ssui_gen.jobs.remembered import recall
    from ssui_gen.prompts import home, load_prompts
    from ssui_gen.stages.distil import Plan

    memory = recall("distil", args.run, args.run / DISTILLED / TOLD)
    told = {"policy": args.policy, "spending": spending(args), "memory": memory}
    config = configure(args.config, args.model, args.base_url, say=_say, **told)
    root, prompts = pictures_of(args.run, args.seeds), load_prompts(home() / "prompts")
    toy, retry = args.toy or was_toy(args.run, root), frozenset(map(Reason, args.retry))
    return Plan(args.run, root, args.uncurated, args.mix, args.limit, config, prompts, toy, retry)
