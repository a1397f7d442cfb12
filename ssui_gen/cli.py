"""The command `ssui`: subcommands, messages and exit codes; no logic of its own.

Exit codes: 0 done, 1 an error that is explained in one line, 2 wrong usage, 130 interrupted (resumable).
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from ssui_gen import __version__
from ssui_gen.cli_bench import add_bench
from ssui_gen.cli_curation import add_orders, collected, label
from ssui_gen.cli_elsewhere import export as export_responses
from ssui_gen.cli_looking import add_looking, write_page
from ssui_gen.cli_options import add_job, add_models, add_run, add_toy, asked, elsewhere, policy_of
from ssui_gen.cli_prompt import add_prompt
from ssui_gen.cli_review import add_review
from ssui_gen.commands import command
from ssui_gen.errors import SsuiError
from ssui_gen.manifest import pictures_of
from ssui_gen.records import Reason
from ssui_gen.terminal import Terminal, forgive

OUT, ERR = Terminal(), Terminal(stderr=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Run one subcommand and exit."""
    forgive()
    args = _parser().parse_args(argv)
    try:
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
    parser = argparse.ArgumentParser(prog="ssui", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="stage", required=True, metavar="COMMAND")
    _dataset_command(commands.add_parser("dataset", help="seeds → reasoning paths, over the agents' graph"))
    _pairs_command(commands.add_parser("pairs", help="reasoning paths → branches and preference pairs"))
    add_orders(
        commands.add_parser("curation", help="people look at the paths: their files, checked and applied")
    )
    add_review(commands.add_parser("review", help="serve the review page; each word is written at once"))
    _verify_command(commands.add_parser("verify", help="how often F is right"))
    _export_command(commands.add_parser("export", help="pairs, or responses, in the layout of another tool"))
    add_bench(commands.add_parser("bench", help="RSBench, and other benchmarks: run"))
    add_prompt(commands.add_parser("prompt", help="what an agent would be sent for a seed, to the letter"))
    add_looking(commands)
    graph = commands.add_parser("graph", help="print the agents' graph as mermaid text")
    graph.set_defaults(command=_graph)
    _ctl_command(commands.add_parser("ctl", help="pause, resume or pace a running job"))
    _serve_command(commands.add_parser("serve", help="serve a model with vLLM"))
    merge = commands.add_parser("merge", help="an adapter and its base → one model")
    merge.add_argument("adapter", help="folder of the LoRA adapter")
    merge.add_argument("--output", help="default: `merged` beside it")
    merge.add_argument("--base", help="the model it was trained on; default: as it says")
    merge.set_defaults(command=_merge)
    doctor = commands.add_parser("doctor", help="check this machine and the model server")
    add_models(doctor)
    doctor.set_defaults(command=_doctor)
    return parser


def _dataset_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, default=Path("outputs/demo"), help="the run's folder")
    parser.add_argument(
        "--seeds", type=Path, help="JSONL file, folder of pictures, or dataset on disk; default: drawn scenes"
    )
    parser.add_argument("--limit", type=int, help="only the first LIMIT seeds")
    add_job(parser)
    parser.set_defaults(command=_dataset)


def _serve_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="YAML file with the settings that differ")
    parser.add_argument("--model", help="hub name or folder")
    parser.add_argument("--adapter", help="folder of a LoRA adapter to serve with it")
    parser.add_argument("--gpus", type=int, help="how many; default: all")
    parser.add_argument("--port", type=int, help="of the first replica; default: 8000")
    parser.add_argument("--seeds", type=Path, help="the pictures it may read; default: below outputs")
    parser.add_argument("flags", nargs="*", metavar="-- FLAGS", help="vLLM's own; they win over ours")
    parser.set_defaults(command=_serve)


def _pairs_command(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--limit", type=int, help="only the first LIMIT paths")
    parser.add_argument("--uncurated", action="store_true", help="take paths that no person has seen")
    add_job(parser)
    parser.add_argument("--policy", help="name of the served model that is to be trained")
    parser.set_defaults(command=_pairs)


def _verify_command(parser: argparse.ArgumentParser) -> None:
    from ssui_gen.config import WayName

    orders = parser.add_subparsers(dest="order", required=True, metavar="ORDER")
    people = orders.add_parser("label", help="a sample of branches for people to label")
    add_run(people)
    people.add_argument("--as", dest="names", action="append", default=[], metavar="NAME", help="who labels")
    people.add_argument("--most", type=int, default=200, help="about so many branches; default: 200")
    people.add_argument("--seed", type=int, default=0, help="of the sample")
    people.set_defaults(command=label)
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
        help="ways beside those of verify.by",
    )
    add_models(order)
    add_toy(order)
    order.set_defaults(command=_verify)


def _export_command(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument(
        "--to",
        required=True,
        help="whose layout: of pairs trl, llamafactory, ms_swift or step_dpo; of a model's responses to a "
        "benchmark vlmevalkit or lmms_eval",
    )
    parser.add_argument("--bench", help="of responses: the benchmark's name; default: the run's own")
    parser.add_argument("--model", help="of responses: whose; default: the only one's")
    parser.set_defaults(command=_export)


def _ctl_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, default=Path("outputs/demo"), help="the job's folder")
    orders = parser.add_subparsers(dest="order", required=True, metavar="ORDER")
    orders.add_parser("pause", help="begin no call; those in flight end")
    orders.add_parser("resume", help="go on")
    orders.add_parser("status", help="how far the job is, and how it is steered")
    pace = orders.add_parser("concurrency", help="keep so many calls in flight")
    pace.add_argument("places", type=_places, help="a number, or `auto`: follow the servers' load again")
    parser.set_defaults(command=_ctl)


def _places(text: str) -> int | str:
    if text == "auto" or text.isdecimal():
        return text if text == "auto" else int(text)
    raise argparse.ArgumentTypeError(f"expected a number or auto; got {text!r}")


def _dataset(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import resolve
    from ssui_gen.jobs.progress import refusals, summary
    from ssui_gen.stages.dataset import make_dataset, require_kept

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
    from ssui_gen.jobs.progress import summary
    from ssui_gen.prompts import home, load_prompts
    from ssui_gen.stages.pairs import PAIRS, Plan, make_pairs
    from ssui_gen.stages.report import make_report

    config = configure(args.config, args.model, args.base_url, run=args.run, policy=args.policy)
    root, prompts = pictures_of(args.run, args.seeds), load_prompts(home() / "prompts")
    retry = frozenset(map(Reason, args.retry))
    plan = Plan(args.run, root, args.uncurated, args.mix, args.limit, config, prompts, args.toy, retry)
    outcome, pairs = asyncio.run(make_pairs(plan, OUT))
    OUT.print(summary(outcome.progress, str(args.run)))
    if outcome.interrupted:
        _say("Interrupted; all that was finished is written. The same command goes on from here.")
        return 130
    report = make_report(args.run, plan.source, root)
    write_page(args.run, root)
    _say(f"{pairs.made:,} pairs in {args.run / PAIRS}. Look at {report.overview}.")
    if pairs.former:
        _say(f"They replace {pairs.before:,}, which are kept in {pairs.former}.")
    _say(f"Tokens that a pair took, read and written: {report.cost}.")
    if pairs.made:
        _say(f"Next: {command('train', args.run, POLICY=policy_of(args.run), SEEDS=elsewhere(args))}")
    return 0


def _export(args: argparse.Namespace) -> int:
    from ssui_gen.benching.exporters import EXPORTERS
    from ssui_gen.stages.export import export

    if args.to in EXPORTERS:
        return export_responses(args)
    done = export(args.run, pictures_of(args.run, args.seeds), args.to)
    _say(f"{done.file}")
    if done.off_path:
        _say(
            f"{done.off_path:,} pairs are not in it: they begin with a wrong step, and the layout {args.to} "
            "has no place for what is not to be learnt; step_dpo has"
        )
    return 0


def _verify(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import configure
    from ssui_gen.prompts import home, load_prompts
    from ssui_gen.stages.calibrate import Plan, make_calibration

    config = configure(args.config, args.model, args.base_url, run=args.run)
    prompts = load_prompts(home() / "prompts")
    root = pictures_of(args.run, args.seeds)
    labels = args.labels or collected(args.run)
    plan = Plan(args.run, root, labels, tuple(args.by), config, prompts, args.toy)
    asyncio.run(make_calibration(plan, OUT))
    return 0


def _say(text: str) -> None:
    """Plain words, paths among them, in one line however long."""
    OUT.print(text, markup=False, highlight=False, soft_wrap=True)


def _graph(args: argparse.Namespace) -> int:
    from ssui_gen.graph import build

    _say(build().get_graph().draw_mermaid())
    return 0


def _ctl(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.ctl import ask

    more = {"places": args.places} if args.order == "concurrency" else {}
    _say(ask(args.run, command=args.order, **more))
    return 0


def _serve(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import configure
    from ssui_gen.seeds import root_of
    from ssui_gen.stages.serve import serve

    told = {"adapter": args.adapter, "gpus": args.gpus, "port": args.port}
    config = configure(args.config, args.model, None, **told)
    media = root_of(args.seeds, Path("outputs")) if args.seeds else Path("outputs")
    return 0 if asyncio.run(serve(config, media, args.flags, OUT, args.seeds)) else 1


def _merge(args: argparse.Namespace) -> int:
    """In a process of its own: this package never imports torch."""
    told = [f"--{name}={value}" for name in ("output", "base") if (value := getattr(args, name))]
    return subprocess.run([sys.executable, "-m", "train.merge", args.adapter, *told], check=False).returncode


def _doctor(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import configure
    from ssui_gen.stages.doctor import examine

    return 0 if asyncio.run(examine(configure(args.config, args.model, args.base_url), OUT)) else 1
