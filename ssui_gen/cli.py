"""The command `ssui`: subcommands, messages and exit codes; no logic of its own.

Exit codes: 0 done, 1 an error that is explained in one line, 2 wrong usage, 130 interrupted (resumable).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from ssui_gen import __version__
from ssui_gen.cli_bench import add_bench
from ssui_gen.cli_curation import add_orders, add_review
from ssui_gen.cli_help import ABOUT
from ssui_gen.cli_looking import add_looking, write_page
from ssui_gen.cli_machines import add_completion, add_ctl, add_doctor, add_merge, add_serve
from ssui_gen.cli_options import add_folder, add_job, add_run, asked, elsewhere, policy_of
from ssui_gen.cli_parser import Parser
from ssui_gen.cli_prompt import add_prompt
from ssui_gen.cli_publish import add_giving
from ssui_gen.cli_screen import ERR, OUT, add_json, give, words
from ssui_gen.cli_screen import say as _say
from ssui_gen.cli_verify import add_export, add_verify
from ssui_gen.commands import command
from ssui_gen.errors import SsuiError
from ssui_gen.manifest import pictures_of
from ssui_gen.records import Reason
from ssui_gen.terminal import forgive


def main(argv: Sequence[str] | None = None) -> None:
    """Run one subcommand and exit."""
    forgive()
    args = _parser().parse_args(argv)
    try:
        with words(args):
            code: int = args.command(args)
    except SsuiError as error:
        ERR.print(f"[red]ssui {args.stage}:[/red] ", end="")
        ERR.print(str(error), markup=False, highlight=False, soft_wrap=True)
        code = 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        ERR.print(f"ssui {args.stage}: interrupted; the same command goes on from here")
        code = 130
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="ssui", description=ABOUT)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="stage", required=True, metavar="COMMAND")
    _dataset_command(commands.add_parser("dataset", help="seeds → reasoning paths, over the agents' graph"))
    _pairs_command(commands.add_parser("pairs", help="reasoning paths → branches and preference pairs"))
    add_orders(
        commands.add_parser("curation", help="people look at the paths: their files, checked and applied")
    )
    add_review(commands.add_parser("review", help="serve the review page; each word is written at once"))
    add_verify(commands.add_parser("verify", help="how often F is right"))
    add_export(commands.add_parser("export", help="pairs, or responses, in the layout of another tool"))
    add_bench(commands.add_parser("bench", help="RSBench, and other benchmarks: run"))
    add_giving(
        commands.add_parser("publish", help="a run, or an adapter → a folder to give away, and the hub")
    )
    add_prompt(commands.add_parser("prompt", help="what an agent would be sent for a seed, to the letter"))
    add_looking(commands)
    graph = commands.add_parser("graph", help="print the agents' graph as mermaid text")
    graph.set_defaults(command=_graph)
    add_ctl(commands.add_parser("ctl", help="pause, resume or pace a running job"))
    add_serve(commands.add_parser("serve", help="serve a model with vLLM"))
    add_merge(commands.add_parser("merge", help="an adapter and its base → one model"))
    add_doctor(commands.add_parser("doctor", help="is this machine fit, and the model server?"))
    add_completion(commands.add_parser("completion", help="a shell's script, for its Tab key"), parser)
    return parser


def _dataset_command(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the run")
    add_folder(group)
    group.add_argument(
        "--seeds",
        type=Path,
        metavar="PATH",
        help="JSONL file, folder of pictures, or dataset on disk; default: drawn scenes",
    )
    group.add_argument("--limit", type=int, metavar="N", help="only the first N seeds")
    add_job(parser)
    add_json(parser)
    parser.set_defaults(command=_dataset)


def _pairs_command(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--policy", metavar="NAME", help="the served model that is to be trained")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N paths")
    parser.add_argument("--uncurated", action="store_true", help="take paths that no person has seen")
    add_job(parser)
    add_json(parser)
    parser.set_defaults(command=_pairs)


def _dataset(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import resolve
    from ssui_gen.jobs.progress import account, refusals, summary
    from ssui_gen.stages.dataset import PATHS, make_dataset, require_kept

    plan = resolve(
        run=args.run,
        seeds=args.seeds,
        limit=args.limit,
        mix=args.mix,
        config_file=args.config,
        model=args.model,
        base_url=args.base_url,
        toy=args.toy,
        retry=args.retry,
    )
    outcome = asyncio.run(make_dataset(plan, OUT))
    OUT.print(summary(outcome.progress, str(args.run)))
    give(args, account(outcome.progress) | {"interrupted": outcome.interrupted, "paths": args.run / PATHS})
    for line in refusals(outcome.progress.funnel):
        _say(line)
    if outcome.interrupted:
        _say("Interrupted; all that was finished is written. The same command goes on from here.")
        return 130
    require_kept(outcome.progress.funnel, args.run)
    write_page(args.run, pictures_of(args.run, None))
    if outcome.progress.funnel.kept:
        _say(f"Next: {command('curation', args.run)}")
        _say(f"Or, without people: {command('pairs', args.run, UNCURATED=True, **asked(args))}")
    return 0


def _pairs(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import configure
    from ssui_gen.jobs.progress import account, summary
    from ssui_gen.prompts import home, load_prompts
    from ssui_gen.stages.pairs import PAIRS, Plan, make_pairs
    from ssui_gen.stages.report import make_report

    config = configure(args.config, args.model, args.base_url, run=args.run, policy=args.policy)
    root, prompts = pictures_of(args.run, args.seeds), load_prompts(home() / "prompts")
    retry = frozenset(map(Reason, args.retry))
    plan = Plan(args.run, root, args.uncurated, args.mix, args.limit, config, prompts, args.toy, retry)
    outcome, pairs = asyncio.run(make_pairs(plan, OUT))
    OUT.print(summary(outcome.progress, str(args.run)))
    done = account(outcome.progress) | {"interrupted": outcome.interrupted}
    if outcome.interrupted:
        give(args, done)
        _say("Interrupted; all that was finished is written. The same command goes on from here.")
        return 130
    report = make_report(args.run, plan.source, root)
    made = {"pairs": args.run / PAIRS, "made": pairs.made, "replaced": pairs.before, "former": pairs.former}
    give(args, done | made | {"overview": report.overview})
    write_page(args.run, root)
    _say(f"{pairs.made:,} pairs in {args.run / PAIRS}. Look at {report.overview}.")
    if pairs.former:
        _say(f"They replace {pairs.before:,}, which are kept in {pairs.former}.")
    _say(f"Tokens that a pair took, read and written: {report.cost}.")
    if pairs.made:
        _say(f"Next: {command('train', args.run, POLICY=policy_of(args.run), SEEDS=elsewhere(args))}")
    return 0


def _graph(args: argparse.Namespace) -> int:
    from ssui_gen.graph import build

    _say(build().get_graph().draw_mermaid())
    return 0
