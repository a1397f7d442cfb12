"""`ssui dataset` and `ssui pairs`: their options, and what is said at the end; no logic of their own."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from ssui_gen.cli_cluster import add_cluster, dataset_on_cluster, pairs_on_cluster
from ssui_gen.cli_looking import write_page
from ssui_gen.cli_options import (
    DEMO,
    RUN,
    add_job,
    add_run,
    again,
    asked,
    drawn_from,
    elsewhere,
    limited,
    plan_in,
    policy_of,
    spending,
)
from ssui_gen.cli_screen import OUT, add_json, give, unsaid
from ssui_gen.cli_screen import say as _say
from ssui_gen.cli_shard import add_shard, dataset_shard, pairs_shard, require_whole
from ssui_gen.commands import command, folder_word, place, run_folder
from ssui_gen.manifest import pictures_of, was_toy
from ssui_gen.records import Reason

if TYPE_CHECKING:
    from ssui_gen.config import Config
    from ssui_gen.exploring.written import Written
    from ssui_gen.stages.pairs import Plan as PairsPlan
    from ssui_gen.stages.rounds import Round


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Give `ssui dataset` its options."""
    group = parser.add_argument_group("the run")
    group.add_argument("--run", type=place, default=DEMO, metavar="RUN", help=f"{RUN}; of a shard a URL too")
    group.add_argument(
        "--seeds",
        type=Path,
        metavar="PATH",
        help="JSONL file, folder of pictures, or dataset on disk; default: drawn scenes",
    )
    group.add_argument("--limit", type=int, metavar="N", help="only the first N seeds")
    group.add_argument(
        "--sample", type=int, metavar="N", help="only N seeds, drawn at random; a larger number adds"
    )
    group.add_argument(
        "--against",
        type=run_folder,
        action="append",
        default=[],
        metavar="RUN",
        help="an earlier run: say which texts and pictures nearly are in it",
    )
    add_job(parser)
    add_shard(parser)
    add_cluster(parser)
    add_json(parser)
    parser.set_defaults(command=_dataset)


def add_pairs(parser: argparse.ArgumentParser) -> None:
    """Give `ssui pairs` its options."""
    add_run(parser)
    parser.add_argument("--policy", metavar="NAME", help="the served model that is to be trained")
    parser.add_argument(
        "--round",
        type=int,
        metavar="N",
        help="draw anew, into RUN/roundN, from what was trained on the round before; from 2 on",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N paths")
    parser.add_argument("--uncurated", action="store_true", help="take paths that no person has seen")
    add_job(parser)
    add_shard(parser)
    add_cluster(parser)
    add_json(parser)
    parser.set_defaults(command=_pairs)


def _dataset(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.progress import account, refusals, summary
    from ssui_gen.run_files import PATHS
    from ssui_gen.stages.dataset import foresee, make_dataset, require_kept
    from ssui_gen.variety import look, with_rows

    if args.cluster is not None:
        return dataset_on_cluster(args)
    if args.shard is not None:
        return dataset_shard(args)
    require_whole(args)
    plan = plan_in(args.run, args, seeds=args.seeds, limit=args.limit, sample=args.sample)
    values = {"SEEDS": args.seeds, **drawn_from(args), **asked(args)}
    compared = " ".join(f"--against {quote(folder_word(with_rows(run)))}" for run in args.against)
    if args.dry:
        give(args, {"ahead": asyncio.run(foresee(plan, OUT)).figures})
        _say(f"Next: {again('dataset', args, values, compared)}")
        return 0
    outcome = asyncio.run(make_dataset(plan, OUT))
    OUT.print(summary(outcome.progress, str(args.run)))
    give(args, account(outcome.progress) | {"interrupted": outcome.interrupted, "paths": args.run / PATHS})
    for line in refusals(outcome.progress.funnel):
        _say(line)
    if outcome.interrupted:
        return limited(outcome.limit, "dataset", args, values, _say, compared)
    require_kept(outcome.progress.funnel, args.run)
    config, root = plan.config, pictures_of(args.run, args.seeds)
    bits, quotas = config.leaks.picture_bits, config.query.classes
    found = look(args.run, root, config.images, bits, args.against, quotas)
    found.write(args.run)
    for line in found.lines():
        _say(line)
    write_page(args.run, root)
    if outcome.progress.funnel.kept:
        _say(f"Next: {command('curation', args.run)}")
        _say(f"Or, without people: {command('pairs', args.run, UNCURATED=True, **asked(args))}")
    return 0


def _pairs(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.progress import account, summary
    from ssui_gen.run_files import BRANCHES
    from ssui_gen.shards.paths import FOLDER
    from ssui_gen.stages.pairs import foresee, make_pairs

    if args.shard is None and args.cluster is None:
        require_whole(args, FOLDER, merged=BRANCHES)
    one = _round(args)
    plan = _plan_of_pairs(args, one)
    if args.cluster is not None:
        return pairs_on_cluster(args, plan, partial(_config_of_pairs, say=unsaid))
    if args.shard is not None:
        return pairs_shard(args, plan)
    values = {"SEEDS": args.seeds, **drawn_from(args), "UNCURATED": args.uncurated, "POLICY": args.policy}
    values |= {**asked(args), "ROUND": args.round}
    if args.dry:
        give(args, {"ahead": asyncio.run(foresee(plan, OUT)).figures})
        _say(f"Next: {again('pairs', args, values)}")
        return 0
    outcome, pairs = asyncio.run(make_pairs(plan, OUT))
    OUT.print(summary(outcome.progress, str(plan.run)))
    done = account(outcome.progress) | {"interrupted": outcome.interrupted}
    if outcome.interrupted:
        give(args, done)
        return limited(outcome.limit, "pairs", args, values, _say)
    _tell_of_pairs(args, plan, pairs, done)
    if pairs.made:
        on = f"adapter={quote(str(one.adapter))}" if one else None
        next_ = command("train", plan.run, POLICY=policy_of(args.run), SEEDS=elsewhere(args), ARGS=on)
        _say(f"Next: {next_}")
    return 0


def _plan_of_pairs(args: argparse.Namespace, one: Round | None) -> PairsPlan:
    """What is explored; a round's folder is made."""
    from ssui_gen.prompts import home, load_prompts
    from ssui_gen.stages.pairs import Plan
    from ssui_gen.stages.rounds import begin, is_served, played

    config = _config_of_pairs(args, one)
    served = bool(args.policy or (one and is_served(config, one)))
    if one:
        begin(one, served=served)
    root, prompts = pictures_of(args.run, args.seeds), load_prompts(home() / "prompts")
    return Plan(
        one.run if one else args.run,
        root,
        args.uncurated,
        args.mix,
        args.limit,
        config,
        prompts,
        args.toy or was_toy(args.run, root),
        frozenset(map(Reason, args.retry)),
        played(config, one) if one and not served else None,
    )


def _tell_of_pairs(args: argparse.Namespace, plan: PairsPlan, pairs: Written, done: dict[str, Any]) -> None:
    """`done`: the account, for whoever asked for JSON."""
    from ssui_gen.run_files import PAIRS
    from ssui_gen.stages.report import make_report

    file, report = plan.run / PAIRS, make_report(plan.run, plan.source, plan.root)
    made = {"pairs": file, "made": pairs.made, "replaced": pairs.before, "former": pairs.former}
    give(args, done | made | {"overview": report.overview})
    write_page(plan.run, plan.root)
    _say(f"{pairs.made:,} pairs in {file}. Look at {report.overview}.")
    if pairs.former:
        _say(f"They replace {pairs.before:,}, which are kept in {pairs.former}.")
    _say(f"Tokens that a pair took, read and written: {report.cost}.")


def _round(args: argparse.Namespace) -> Round | None:
    """The one that is asked for; None of shards, which are of none."""
    from ssui_gen.stages.rounds import Round

    alone = args.round is not None and args.shard is None and args.cluster is None
    return Round(args.run, args.round) if alone else None


def _config_of_pairs(
    args: argparse.Namespace, one: Round | None = None, say: Callable[[str], None] = _say
) -> Config:
    from ssui_gen.jobs.plan import configure
    from ssui_gen.jobs.remembered import recall

    memory = recall("pairs", args.run, *(one.manifests if one else ()))
    told = {"policy": args.policy, "spending": spending(args), "memory": memory}
    return configure(args.config, args.model, args.base_url, say=say, **told)
