"""`ssui prompt`: its options, and what it prints; no logic of its own."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from ssui_gen.cli_options import add_folder, add_models
from ssui_gen.cli_screen import ERR, FOR_SCRIPTS
from ssui_gen.errors import ConfigError
from ssui_gen.manifest import pictures_of
from ssui_gen.records import KINDS

EXPLORING = ("policy", "judge")


def add_prompt(parser: argparse.ArgumentParser) -> None:
    """Give `ssui prompt` its options."""
    parser.add_argument("who", metavar="AGENT", help="an agent's card, such as check_joint; policy or judge")
    add_folder(parser)
    parser.add_argument("--seeds", type=Path, help="as for `ssui dataset`; default: those of the run")
    parser.add_argument("--seed", metavar="ID", help="which; default: the first")
    parser.add_argument("--kind", choices=KINDS, help="default: the seed's, else risky")
    parser.add_argument("--path", metavar="ID", help="of policy and judge: which path; default: the first")
    parser.add_argument(
        "--cut", type=int, default=0, help="of policy and judge: after so many steps; default: 0"
    )
    parser.add_argument("--json", action="store_true", help="the request's body, its picture by hash")
    add_models(parser)
    parser.set_defaults(command=_prompt)


def _prompt(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import AGENTS, resolve
    from ssui_gen.stages.prompt import question_of_agent, question_of_judge, question_of_policy

    if args.who not in (*AGENTS, *EXPLORING):
        known = ", ".join((*AGENTS, *EXPLORING))
        raise ConfigError(f"{args.who}: no such agent; expected one of {known}")
    plan = resolve(
        run=args.run,
        seeds=args.seeds,
        limit=None,
        mix=False,
        config_file=args.config,
        model=args.model,
        base_url=args.base_url,
        stage="pairs" if args.who in EXPLORING else "dataset",
        say=partial(ERR.print, markup=False, highlight=False, soft_wrap=True),
    )
    if args.who in EXPLORING:
        question_of = question_of_policy if args.who == "policy" else question_of_judge
        question = question_of(plan, pictures_of(args.run, args.seeds), args.path, args.cut)
    else:
        question = question_of_agent(plan, args.who, args.seed, args.kind)
    for line in [json.dumps(question.request.body, indent=1)] if args.json else question.lines:
        FOR_SCRIPTS.print(line, markup=False, highlight=False, soft_wrap=True)
    return 0
