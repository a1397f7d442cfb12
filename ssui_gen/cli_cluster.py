"""`--cluster`: a job in shards on all nodes of a Ray cluster, and its last words; the same for every stage.

What is a stage's own is a `Sharded`, which its command makes.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ssui_gen.cli_options import LIMITED, again, asked, job_options, plan_in
from ssui_gen.cli_screen import OUT, give, unsaid
from ssui_gen.cli_screen import say as _say
from ssui_gen.cli_shard import (
    require_no_fill,
    require_no_mix,
    require_no_round,
    require_of_shards,
    require_told_first,
    wanted_bench,
)
from ssui_gen.cli_shards import merge_into, store_of
from ssui_gen.errors import ConfigError

if TYPE_CHECKING:
    from ssui_gen.cluster.node import Model, Order
    from ssui_gen.config import Config
    from ssui_gen.shards.dealing import Deal
    from ssui_gen.shards.store import Store
    from ssui_gen.stages.cluster import Result
    from ssui_gen.stages.pairs import Plan as PairsPlan

AGAIN = 75
"""Exit code where shards lack and the same command may do them."""


class Sharded(NamedTuple):
    """What the driver has to know of a stage."""

    name: str
    """`dataset`, `pairs` or `bench`: make's target, and what shards are merged as."""
    order: tuple[str, ...]
    """Of `ssui`, for a shard."""
    store: Store
    """Where its shards lie."""
    config: Callable[[argparse.Namespace], Config]
    """The settings that a command line makes; of what is remembered no word is said again."""
    roles: Iterable[str]
    """Whose models are asked."""
    settle: Callable[[int], Deal]
    """Deal into so many shards, or find them dealt."""
    items: Callable[[], int]
    """How many items there are to deal. Raises ConfigError where nothing says which."""
    each: int
    """About so many of them are done in minutes."""
    told: Sequence[str]
    """Options of its own, as a shard is told them: in one word each, folders in full."""
    values: dict[str, object]
    """By the names of make's variables, what a person said beside the models."""
    options: str = ""
    """What a person said for which make has no variable."""


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """What has a job done by many machines."""
    group = parser.add_argument_group("many machines")
    group.add_argument(
        "--cluster",
        metavar="WHERE",
        help="all nodes of a Ray cluster: HOST:PORT of its head, auto for the one this node is in, or local",
    )
    group.add_argument(
        "--shards", type=int, metavar="N", help="of --cluster: into how many; default: by items and nodes"
    )


def dataset_on_cluster(args: argparse.Namespace) -> int:
    """`ssui dataset --cluster`."""
    from ssui_gen.jobs.plan import AGENTS
    from ssui_gen.shards.seeds import count_seeds, settle_seeds

    require_of_shards(args)
    _everywhere(args)
    store, plan = store_of(args.run, "dataset"), plan_in(Path(args.run), args)
    require_no_fill(plan.config)

    def count() -> int:
        if args.seeds is None:
            raise ConfigError(f"{args.run}: nothing has been dealt here yet: say which seeds, with --seeds")
        root = args.run if isinstance(args.run, Path) else args.seeds.parent
        return count_seeds(args.seeds.absolute(), args.limit, root)

    return _on_cluster(
        args,
        Sharded(
            name="dataset",
            order=("dataset",),
            store=store,
            config=lambda args: plan_in(Path(args.run), args, say=unsaid).config,
            roles=[plan.cards[name].model for name in AGENTS],
            settle=lambda of: settle_seeds(store, of, args.seeds, args.limit),
            items=count,
            each=250,
            told=(),
            values={"SEEDS": args.seeds, "LIMIT": args.limit},
        ),
    )


def pairs_on_cluster(
    args: argparse.Namespace, plan: PairsPlan, config: Callable[[argparse.Namespace], Config]
) -> int:
    """`ssui pairs --cluster` of the job `plan`."""
    from ssui_gen.shards.paths import count_paths, settle_paths

    require_of_shards(args)
    require_no_round(args)
    require_told_first(plan.config)
    _everywhere(args)
    store, source, root = store_of(args.run, "pairs"), plan.source, plan.root
    told = [f"--seeds={args.seeds.absolute()}"] if args.seeds else []
    told += [f"--policy={args.policy}"] if args.policy else []
    told += ["--uncurated"] if args.uncurated else []
    return _on_cluster(
        args,
        Sharded(
            name="pairs",
            order=("pairs",),
            store=store,
            config=config,
            roles=plan.makers,
            settle=lambda of: settle_paths(store, of, source, root, args.limit),
            items=lambda: count_paths(source, args.limit),
            each=50,
            told=told,
            values={
                "SEEDS": args.seeds, "LIMIT": args.limit, "UNCURATED": args.uncurated, "POLICY": args.policy
            },
        ),
    )  # fmt: skip


def bench_on_cluster(
    args: argparse.Namespace, config: Callable[[argparse.Namespace], Config], chosen: Sequence[str]
) -> int:
    """`ssui bench run --cluster`; `chosen` is how the model is asked and scored, as options."""
    from ssui_gen.shards.benches import count_items, settle_bench

    require_of_shards(args)
    require_no_mix(args)
    _everywhere(args)
    wanted = wanted_bench(args, config(args))
    store = store_of(args.run, "bench", args.bench)
    tested = ["policy", *(["adapter"] if "adapter" in config(args).models else [])]
    places = {"bench": _named(args), "data": args.data and args.data.absolute(), "judge": args.judge}
    places["adapter"] = args.adapter and args.adapter.absolute()
    values = {"LIMIT": args.limit, "BENCH": args.bench, "DATA": args.data}
    return _on_cluster(
        args,
        Sharded(
            name="bench",
            order=("bench", "run"),
            store=store,
            config=config,
            roles=[*tested, "judge"],
            settle=lambda of: settle_bench(store, of, wanted),
            items=lambda: count_items(wanted),
            each=250,
            told=[*(f"--{name}={place}" for name, place in places.items() if place), *chosen],
            values=values | {"JUDGE": args.judge, "ADAPTER": args.adapter},
            options=shlex.join(chosen),
        ),
    )


def _everywhere(args: argparse.Namespace) -> None:
    """The run's folder is to be found from wherever a node looks. Raises ConfigError for a shard's option."""
    if args.shard is not None:
        raise ConfigError("--cluster does all shards, --shard one: leave one of them out")
    if args.own_servers:
        raise ConfigError("--own-servers: is of one shard: nodes say it of what they start: leave it out")
    args.run = args.run if isinstance(args.run, str) else args.run.absolute()


def _named(args: argparse.Namespace) -> str | None:
    """The benchmark as every node finds it: a folder that is not the run's own in full."""
    inside = isinstance(args.run, Path) and args.bench and (args.run / args.bench).is_dir()
    found = args.bench and not inside and Path(args.bench).is_dir()
    return str(Path(args.bench).absolute()) if found else args.bench


def _on_cluster(args: argparse.Namespace, job: Sharded) -> int:
    """Deal, have all shards done, merge; exit codes as docs/scale.md has them."""
    from ssui_gen.cluster.by_ray import RayCluster, joined
    from ssui_gen.cluster.model import model_of
    from ssui_gen.jobs.progress import saying
    from ssui_gen.shards.dealing import find_deal
    from ssui_gen.shards.status import status
    from ssui_gen.stages.cluster import count_shards, drive, require_models

    def configured(model: str | None, url: str | None) -> Config:
        return job.config(_with(args, model=model, base_url=url))

    if not args.mix:
        require_models(job.store, job.config(args), job.roles)
    model = model_of(configured, job.roles, args.model, args.base_url)
    with joined(args.cluster) as ray:
        nodes = RayCluster.nodes_of(ray, model is not None)
        known = find_deal(job.store)
        of = args.shards or (len(known.dealt) if known else None)
        deal = job.settle(of or count_shards(job.items(), job.each, len(nodes)))
        lacking = status(job.store).lacking
        _say(f"{len(deal.dealt) - len(lacking):,} of {len(deal.dealt):,} shards are done: {args.run}")
        result = None
        if lacking:
            cluster = RayCluster(ray, _order(args, job, deal, model))
            result = asyncio.run(drive(cluster, lacking, job.store, saying(OUT)))
            lacking = status(job.store).lacking
    told = {"run": args.run, "shards": len(deal.dealt), "lacking": lacking}
    if result and lacking:
        give(args, told | {"aside": result.aside, "interrupted": result.interrupted})
        return _unfinished(args, job, lacking, result)
    give(args, told)
    return _merged(args, job)


def _with(args: argparse.Namespace, **changed: object) -> argparse.Namespace:
    return argparse.Namespace(**vars(args) | changed)


def _merged(args: argparse.Namespace, job: Sharded) -> int:
    """Merge all shards where that can be here."""
    if isinstance(args.run, str):
        which = "" if job.name == "dataset" else f" --stage {job.name}"
        which += f" --bench {shlex.quote(args.bench)}" if job.values.get("BENCH") else ""
        line = f"ssui shards merge --run {shlex.quote(args.run)}{which} --into outputs/NAME"
        _say(f"All are done. Next: {line}")
    else:
        merge_into(job.store, args.run, calls=True, mix=args.mix)
    return 0


def _order(args: argparse.Namespace, job: Sharded, deal: Deal, model: Model | None) -> Order:
    """What every node is told: the command that anybody may type there."""
    from ssui_gen.cluster.node import Order

    told = [f"--run={args.run}", *shlex.split(job_options(args)), *job.told]
    named = args.model or (model.name if model else None)
    told += [f"--model={named}"] if named else []
    told += [f"--base-url={args.base_url}"] if args.base_url else []
    told += [f"--config={args.config.absolute()}"] if args.config else []
    scratch = args.scratch.absolute() if args.scratch else None
    return Order((*job.order, *told), len(deal.dealt), model, Path(deal.root), scratch)


def _unfinished(args: argparse.Namespace, job: Sharded, lacking: list[int], result: Result) -> int:
    """Say what lacks, why, and the line that goes on."""
    from ssui_gen.shards.dealing import ranges

    for shard, why in result.aside.items():
        _say(f"Shard {shard} was set aside: {why}")
    if result.in_vain:
        _say(f"Stopped, as nothing succeeded any more; the last that was said: {result.in_vain}")
    run = None if isinstance(args.run, str) else args.run
    values = {**({} if run else {"RUN": args.run}), **job.values, "CLUSTER": args.cluster, **asked(args)}
    line = again(job.name, _with(args, run=run), values, job.options)
    _say(f"Lacking: {ranges(lacking)}. All that was finished is logged. To go on: {line}")
    return LIMITED if result.limited else 130 if result.interrupted else AGAIN
