"""`ssui bench`: a benchmark is run. Options, messages and exit codes; no logic of its own."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from ssui_gen.cli_bench_people import add_people
from ssui_gen.cli_cluster import add_cluster, bench_on_cluster
from ssui_gen.cli_elsewhere import add_elsewhere
from ssui_gen.cli_options import DEMO, RUN, add_job, again, asked, limited, policy_of, spending
from ssui_gen.cli_publish import add_publish
from ssui_gen.cli_screen import OUT, add_json, give, say, unsaid
from ssui_gen.cli_shard import add_shard, bench_shard, require_whole
from ssui_gen.cli_vqa import compare_questions, report_questions
from ssui_gen.commands import place
from ssui_gen.records import Reason

if TYPE_CHECKING:  # the command's help needs none of what a job needs
    from ssui_gen.benching.report import Made, Results
    from ssui_gen.config import Config
    from ssui_gen.stages.bench import Done

ADAPTER = "adapter"
"""Folder of a run's own."""


def add_bench(parser: argparse.ArgumentParser) -> None:
    """Orders about benchmarks."""
    orders = parser.add_subparsers(dest="order", required=True, metavar="ORDER")
    _report_command(orders.add_parser("report", help="a model's rows → report.json and report.html"))
    _compare_command(orders.add_parser("compare", help="several models side by side"))
    _run_command(orders.add_parser("run", help="ask the models under test, and a judge about what they say"))
    add_people(orders)
    add_elsewhere(orders)
    add_publish(orders.add_parser("publish", help="curated, held-out paths → an RSBench to give away"))


def _run_command(parser: argparse.ArgumentParser) -> None:
    from ssui_gen.config import Bench, ScoreName

    parser.add_argument("--run", type=place, default=DEMO, metavar="RUN", help=f"{RUN}; of a shard a URL too")
    parser.add_argument("--bench", help="a benchmark's name or a folder; default: the run's own")
    parser.add_argument("--data", type=Path, help="your copy of it; of vqa your visual questions")
    parser.add_argument("--limit", type=int, help="only the first LIMIT scenarios")
    parser.add_argument(
        "--judge", help="the model that judges: NAME, or NAME@URL where another server has it"
    )
    parser.add_argument(
        "--adapter", type=Path, help="a LoRA adapter to measure beside the model; default: the run's own"
    )
    protocols = get_args(Bench.model_fields["protocol"].annotation)
    parser.add_argument("--protocol", choices=protocols, help="how the model is asked")
    rules = get_args(ScoreName)
    parser.add_argument(
        "--score",
        nargs="+",
        choices=rules,
        metavar="RULES",
        help=f"by which rules, as far as it has them: {', '.join(rules)}",
    )
    add_job(parser)
    add_shard(parser)
    add_cluster(parser)
    parser.set_defaults(command=_run, json=False)


def _report_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=Path,
        help="a model's folder, such as outputs/demo/bench/MODEL; or a bench's: all reports in it again",
    )
    parser.add_argument("--baseline", type=Path, help="the folder of the model it is to be compared with")
    add_json(parser)
    parser.set_defaults(command=_report)


def _compare_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        help="models' folders, the first to compare with; a bench's: all models in it",
    )
    parser.add_argument("--output", type=Path, help="the page; default: compare.html beside the first")
    add_json(parser)
    parser.set_defaults(command=_compare)


def _report(args: argparse.Namespace) -> int:
    from ssui_gen.benching.bench import ITEMS
    from ssui_gen.benching.report import reported

    whole = not args.baseline and (args.folder / ITEMS).is_file()
    made = _reports(reported(args.folder) if whole else [(args.folder, args.baseline)])
    give(args, {"reports": [{"json": one.json, "html": one.html, "report": one.report} for one in made]})
    return 0


def _reports(folders: Sequence[tuple[Path, Path | None]]) -> Sequence[Made[Any]]:
    """Write the report of each model's folder, beside another's where there is one, and say what they say."""
    from ssui_gen.benching.report import make_report
    from ssui_gen.benching.vqa.report import holds_questions

    if holds_questions(folders[0][0]):
        return report_questions(folders)
    made = [make_report(*one) for one in folders]
    _print_reports(made)
    return made


def _compare(args: argparse.Namespace) -> int:
    from ssui_gen.benching.printed import rates
    from ssui_gen.benching.side_by_side import HTML, read_beside, write_page
    from ssui_gen.benching.vqa.report import holds_questions

    if all(map(holds_questions, args.folders)):
        return compare_questions(args)
    beside = read_beside(args.folders)
    page = args.output or beside.results[0].path.parent / HTML
    write_page(beside, page)
    OUT.print(rates(beside))
    say(f"Look at {page}.")
    give(args, {"models": beside.names, "rows": beside.rows, "html": page})
    return 0


def _run(args: argparse.Namespace) -> int:
    from ssui_gen.benching.sources import folder_in
    from ssui_gen.jobs.progress import summary
    from ssui_gen.prompts import home, load_prompts
    from ssui_gen.stages.bench import Plan, foresee, make_bench

    config = _config(args)
    if args.cluster is not None:
        args.adapter = args.adapter or _own_adapter(args, config, unsaid)
        return bench_on_cluster(args, partial(_config, say=unsaid), _chosen(args))
    prompts, retry = load_prompts(home() / "prompts"), frozenset(map(Reason, args.retry))
    which = (args.bench, args.data, args.limit, args.mix)

    def plan_in(run: Path) -> Plan:
        return Plan(run, *which, config, prompts, args.toy, retry)

    if args.shard is not None:
        return bench_shard(args, plan_in)
    require_whole(args, folder_in(args.run, args.bench).name if isinstance(args.run, Path) else "")
    plan = plan_in(args.run)
    if args.dry:
        asyncio.run(foresee(plan, OUT))
        say(f"Next: {again('bench', args, _measured(args), ' '.join(_chosen(args)))}")
        return 0
    done = asyncio.run(make_bench(plan, OUT))
    OUT.print(summary(done.outcome.progress, str(args.run)))
    if done.outcome.interrupted:
        return limited(done.outcome.limit, "bench", args, _measured(args), say, " ".join(_chosen(args)))
    _tell(args, done)
    return 0


def _config(args: argparse.Namespace, say: Callable[[str], None] = say) -> Config:
    from ssui_gen.benching.players import with_roles
    from ssui_gen.jobs.plan import configure
    from ssui_gen.jobs.remembered import recall

    memory = recall("bench", args.run) if isinstance(args.run, Path) else None
    told = {"protocol": args.protocol, "score": args.score, "spending": spending(args), "memory": memory}
    config = configure(args.config, args.model, args.base_url, say=say, **told)
    adapter = args.adapter or _own_adapter(args, config, say)
    return with_roles(config, args.judge, adapter)


def _own_adapter(args: argparse.Namespace, config: Config, say: Callable[[str], None] = say) -> Path | None:
    """The run's adapter, where the model that it was trained on is measured by a server that we start."""
    if not isinstance(args.run, Path) or not (args.run / ADAPTER / "adapter_config.json").is_file():
        return None
    if servers := config.models[config.player("policy")].base_urls:
        say(
            f"{args.run / ADAPTER} is not measured: {servers[0]} is not started by us; where that serves it, "
            "--model names it"
        )
        return None
    return args.run / ADAPTER if args.model in (None, policy_of(args.run)) else None


def _tell(args: argparse.Namespace, done: Done) -> None:
    first, *others = done.folders
    _reports([(first, None), *((folder, first) for folder in others)])
    if done.failed:
        line = again("bench", args, _measured(args), " ".join(_chosen(args)))
        say(f"{done.failed:,} rows lack since calls failed; tried again by: {line}")


def _measured(args: argparse.Namespace) -> dict[str, object]:
    """What is measured, on what, and who is asked."""
    places = {"BENCH": args.bench, "DATA": args.data, "JUDGE": args.judge, "ADAPTER": args.adapter}
    return {"LIMIT": args.limit, **places, **asked(args)}


def _chosen(args: argparse.Namespace) -> list[str]:
    """How the model was asked and scored, where that was said on the command line: rows are of one make."""
    protocol = ["--protocol", args.protocol] if args.protocol else []
    return [*protocol, *(["--score", *args.score] if args.score else [])]


def _print_reports(made: Sequence[Made[Results]]) -> None:
    """The models side by side, then what each report says."""
    from ssui_gen.benching.printed import rates
    from ssui_gen.benching.side_by_side import grouped

    for beside in grouped([one.results for one in made]):
        OUT.print(rates(beside))
    for one in made:
        _tell_report(one)


def _tell_report(made: Made[Results]) -> None:
    from ssui_gen.benching.printed import scores
    from ssui_gen.benching.telling import lacking

    for sentence in made.report["headline"]:
        say(sentence)
    for found in made.report["official"]:
        OUT.print(scores(found))
        for reservation in found["reservations"]:
            say(reservation)
    if made.report["status"] != "complete":
        say(lacking(made.report))
    say(f"Look at {made.html}; the figures are in {made.json}.")
