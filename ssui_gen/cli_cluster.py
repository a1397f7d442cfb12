"""`ssui dataset --cluster`: a dataset in shards on all nodes of a Ray cluster, and its last words."""

from __future__ import annotations

import argparse
import asyncio
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ssui_gen.cli_options import LIMITED, again, asked, job_options, plan_in
from ssui_gen.cli_screen import OUT, give
from ssui_gen.cli_screen import say as _say
from ssui_gen.cli_shard import require_of_shards
from ssui_gen.cli_shards import merge_into
from ssui_gen.errors import ConfigError

if TYPE_CHECKING:
    from ssui_gen.cluster.node import Order
    from ssui_gen.jobs.plan import Plan
    from ssui_gen.shards.dealing import Deal
    from ssui_gen.shards.store import Store
    from ssui_gen.stages.cluster import Result

AGAIN = 75
"""Exit code where shards lack and the same command may do them."""


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """What has a job done by many machines."""
    group = parser.add_argument_group("many machines")
    group.add_argument(
        "--cluster",
        metavar="WHERE",
        help="all nodes of a Ray cluster: HOST:PORT of its head, auto for the one this node is in, or local",
    )
    group.add_argument(
        "--shards", type=int, metavar="N", help="of --cluster: into how many; default: by seeds and nodes"
    )


def dataset_on_cluster(args: argparse.Namespace) -> int:
    """Deal, have all shards done, merge; exit codes as docs/scale.md has them."""
    from ssui_gen.cluster.by_ray import RayCluster, joined
    from ssui_gen.jobs.progress import saying
    from ssui_gen.shards.opening import open_store
    from ssui_gen.shards.status import status
    from ssui_gen.stages.cluster import drive

    require_of_shards(args)
    if args.shard is not None:
        raise ConfigError("--cluster does all shards, --shard one: leave one of them out")
    args.run = args.run if isinstance(args.run, str) else args.run.absolute()
    store, plan = open_store(args.run), plan_in(Path(args.run), args)
    serves = _serves(plan)
    with joined(args.cluster) as ray:
        nodes = RayCluster.nodes_of(ray, serves)
        deal = _dealt(store, args, len(nodes))
        lacking = status(store).lacking
        _say(f"{len(deal.dealt) - len(lacking):,} of {len(deal.dealt):,} shards are done: {args.run}")
        result = None
        if lacking:
            order = _order(args, deal, plan, serves)
            result = asyncio.run(drive(RayCluster(ray, order), lacking, saying(OUT)))
            lacking = status(store).lacking
    told = {"run": args.run, "shards": len(deal.dealt), "lacking": lacking}
    if result and lacking:
        give(args, told | {"aside": result.aside, "interrupted": result.interrupted})
        return _unfinished(args, lacking, result)
    give(args, told)
    if isinstance(args.run, str):
        _say(f"All are done. Next: ssui shards merge --run {shlex.quote(args.run)} --into outputs/NAME")
    else:
        merge_into(store, args.run, calls=True, mix=args.mix)
    return 0


def _serves(plan: Plan) -> bool:
    """Whether nodes start the agents' model. Raises ConfigError for several that nobody serves."""
    from ssui_gen.jobs.plan import AGENTS
    from ssui_gen.serving.embedded import EMBEDDED

    players = {plan.config.player(plan.cards[name].model) for name in AGENTS}
    models = {name: plan.config.models[name] for name in players}
    unserved = {n: m.name for n, m in models.items() if m.name and not m.base_urls and m.name not in EMBEDDED}
    if unserved.keys() - {"vlm"}:
        raise ConfigError(
            f"--cluster: models that no server is named for: {unserved}: nodes start that of `vlm` alone: "
            "name servers of the others (models: ...: base_urls)"
        )
    return bool(unserved)


def _dealt(store: Store, args: argparse.Namespace, nodes: int) -> Deal:
    """As it was dealt before, else now."""
    from ssui_gen.shards.dealing import find_deal
    from ssui_gen.shards.seeds import settle_seeds
    from ssui_gen.stages.cluster import count_shards

    known = find_deal(store)
    many = args.shards or (len(known.dealt) if known else None)
    if many is None:
        if args.seeds is None:
            raise ConfigError(f"{args.run}: nothing has been dealt here yet: say which seeds, with --seeds")
        root = args.run if isinstance(args.run, Path) else args.seeds.parent
        many = count_shards(args.seeds.absolute(), args.limit, root, nodes)
    return settle_seeds(store, many, args.seeds, args.limit)


def _order(args: argparse.Namespace, deal: Deal, plan: Plan, serves: bool) -> Order:
    """What every node is told: the command that anybody may type there."""
    from ssui_gen.cluster.node import Order

    told = [f"--run={args.run}", *shlex.split(job_options(args))]
    told += [f"--model={args.model}"] if args.model else []
    told += [f"--base-url={args.base_url}"] if args.base_url else []
    told += [f"--config={args.config.absolute()}"] if args.config else []
    scratch = args.scratch.absolute() if args.scratch else None
    of = len(deal.dealt)
    return Order(("dataset", *told), of, plan.config, Path(deal.root), serves, scratch)


def _unfinished(args: argparse.Namespace, lacking: list[int], result: Result) -> int:
    """Say what lacks, why, and the line that goes on."""
    from ssui_gen.shards.dealing import ranges

    for shard, why in result.aside.items():
        _say(f"Shard {shard} was set aside: {why}")
    if result.in_vain:
        _say(f"Stopped, as nothing succeeded any more; the last that was said: {result.in_vain}")
    values = {"SEEDS": args.seeds, "LIMIT": args.limit, "CLUSTER": args.cluster, **asked(args)}
    run = None if isinstance(args.run, str) else args.run
    more = {} if run else {"RUN": args.run}
    line = again("dataset", argparse.Namespace(**vars(args) | {"run": run}), more | values)
    _say(f"Lacking: {ranges(lacking)}. All that was finished is logged. To go on: {line}")
    return LIMITED if result.limited else 130 if result.interrupted else AGAIN
