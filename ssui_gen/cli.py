"""The command `ssui`: subcommands, messages and exit codes; no logic of its own.

Exit codes: 0 done, 1 an error that is explained in one line, 2 wrong usage, 3 stopped by a limit of
`limits: {tokens, usd, hours}`, 130 interrupted (both go on where they stopped); of a shard, 75 where another
machine may have more luck.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from ssui_gen import __version__
from ssui_gen.cli_bench import add_bench
from ssui_gen.cli_ctl import add_ctl
from ssui_gen.cli_curation import add_orders
from ssui_gen.cli_distil import add_distil
from ssui_gen.cli_help import ABOUT
from ssui_gen.cli_import import add_import
from ssui_gen.cli_jobs import add_dataset, add_pairs
from ssui_gen.cli_looking import add_looking
from ssui_gen.cli_machines import add_completion, add_doctor, add_merge, add_serve
from ssui_gen.cli_parser import Parser
from ssui_gen.cli_prompt import add_prompt
from ssui_gen.cli_publish import add_giving
from ssui_gen.cli_review import add_review
from ssui_gen.cli_screen import ERR, words
from ssui_gen.cli_screen import say as _say
from ssui_gen.cli_shard import exit_code
from ssui_gen.cli_shards import add_shards
from ssui_gen.cli_verify import add_export, add_verify
from ssui_gen.errors import SsuiError
from ssui_gen.files import claim
from ssui_gen.terminal import forgive


def main(argv: Sequence[str] | None = None) -> None:
    """Run one subcommand and exit."""
    forgive()
    args = _parser().parse_args(argv)
    try:
        if isinstance(getattr(args, "run", None), Path):
            claim(args.run)
        with words(args):
            code: int = args.command(args)
    except SsuiError as error:
        ERR.print(f"[red]ssui {args.subcommand}:[/red] ", end="")
        ERR.print(str(error), markup=False, highlight=False, soft_wrap=True)
        code = exit_code(args, error)
    except (KeyboardInterrupt, asyncio.CancelledError):
        ERR.print(f"ssui {args.subcommand}: interrupted; the same command goes on from here")
        code = 130
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="ssui", description=ABOUT)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    add_dataset(commands.add_parser("dataset", help="seeds → reasoning paths, over the agents' graph"))
    add_pairs(commands.add_parser("pairs", help="reasoning paths → branches and preference pairs"))
    add_distil(
        commands.add_parser("distil", help="reasoning paths → what the policy says that is told the danger")
    )
    add_shards(commands.add_parser("shards", help="a job on many machines: dealt, watched, merged"))
    add_orders(
        commands.add_parser("curation", help="people look at the paths: their files, checked and applied")
    )
    add_review(commands.add_parser("review", help="serve the review page; each word is written at once"))
    add_verify(commands.add_parser("verify", help="how often F is right"))
    add_export(commands.add_parser("export", help="pairs, or responses, in the layout of another tool"))
    add_import(commands.add_parser("import", help="other people's rows as seeds, pairs or gold"))
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


def _graph(args: argparse.Namespace) -> int:
    from ssui_gen.graph import build

    _say(build().get_graph().draw_mermaid())
    return 0
