"""One shard of a job: its options, and what is said of it; no logic of its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ssui_gen.cli_options import LIMITED, plan_in
from ssui_gen.cli_screen import OUT, give
from ssui_gen.cli_screen import say as _say
from ssui_gen.errors import ConfigError, SsuiError

if TYPE_CHECKING:  # the command's help needs none of what a job needs
    from ssui_gen.config import Config
    from ssui_gen.shards.benches import Wanted
    from ssui_gen.stages.bench import Plan
    from ssui_gen.stages.pairs import Plan as PairsPlan
    from ssui_gen.stages.shard import Items, Order, Work


def add_shard(parser: argparse.ArgumentParser) -> None:
    """What makes a job one part of a larger one."""
    parser.add_argument(
        "--shard", metavar="I/N", help="only this part of the job; auto/N: the I that the scheduler says"
    )
    parser.add_argument("--scratch", type=Path, help="of a shard: a folder on this machine's own disk")
    parser.add_argument(
        "--own-servers",
        action="store_true",
        help="of a shard: those of --base-url end with its machine's work: the run does not remember them",
    )


def dataset_shard(args: argparse.Namespace) -> int:
    """`ssui dataset --shard`; exit codes as docs/scale.md has them."""
    from ssui_gen.shards.dealing import which_shard
    from ssui_gen.shards.opening import open_store
    from ssui_gen.shards.seeds import settle_seeds
    from ssui_gen.stages.shard import Order, dataset_work

    require_of_shards(args)
    store, which = open_store(args.run), which_shard(args.shard)
    deal = settle_seeds(store, which.of, args.seeds, args.limit)

    def work(folder: Path, items: Items) -> Work:
        plan = plan_in(folder, args)
        require_no_fill(plan.config)
        return dataset_work(plan, deal, items, OUT)

    return _done(args, Order(store, which, deal, args.scratch, work))


def bench_shard(args: argparse.Namespace, plan_of: Callable[[Path], Plan]) -> int:
    """`ssui bench run --shard` of the job that `plan_of` makes for a folder."""
    from ssui_gen.shards.benches import settle_bench
    from ssui_gen.shards.dealing import which_shard
    from ssui_gen.shards.opening import open_store
    from ssui_gen.stages.shard import Order, bench_work

    require_of_shards(args)
    require_no_mix(args)
    which = which_shard(args.shard)
    wanted = wanted_bench(args, plan_of(Path("nowhere")).config)
    store = open_store(args.run).within(wanted.folder)
    deal = settle_bench(store, which.of, wanted)

    def work(folder: Path, items: Items) -> Work:
        return bench_work(plan_of(folder), store, deal, items, OUT)

    return _done(args, Order(store, which, deal, args.scratch, work))


def pairs_shard(args: argparse.Namespace, plan: PairsPlan) -> int:
    """`ssui pairs --shard` of a run that is done; pairs are made when all are merged."""
    from ssui_gen.shards.dealing import which_shard
    from ssui_gen.shards.opening import open_store
    from ssui_gen.shards.paths import FOLDER, settle_paths
    from ssui_gen.stages.shard import Order, pairs_work

    require_of_shards(args)
    require_no_round(args)
    require_told_first(plan.config)
    store, which = open_store(args.run).within(FOLDER), which_shard(args.shard)
    deal = settle_paths(store, which.of, plan.source, plan.root, args.limit)

    def work(folder: Path, items: Items) -> Work:
        here = plan._replace(run=folder, root=Path(deal.root), limit=None)
        return pairs_work(here, deal, items, OUT)

    return _done(args, Order(store, which, deal, args.scratch, work))


def wanted_bench(args: argparse.Namespace, config: Config) -> Wanted:
    from ssui_gen.shards.benches import Wanted

    run = args.run if isinstance(args.run, Path) else None
    return Wanted(run, args.bench, args.data, config.images, args.limit, config.vqa)


def _done(args: argparse.Namespace, order: Order) -> int:
    """Do a shard and say what came of it; the exit code."""
    from ssui_gen.jobs.plan import addresses
    from ssui_gen.jobs.progress import account, summary
    from ssui_gen.stages.shard import make_shard

    own = addresses(args.base_url) if args.own_servers else ()
    which, outcome = order.which, make_shard(order._replace(own_servers=own), OUT)
    told = {"run": args.run, "shard": which.number, "of": which.of}
    if outcome is None:
        give(args, told | {"interrupted": False})
        _say(f"Shard {which} is done already.")
        return 0
    OUT.print(summary(outcome.progress, f"{args.run}, shard {which}"))
    give(args, told | account(outcome.progress) | {"interrupted": outcome.interrupted})
    if limit := outcome.limit:
        _say(
            f"{limit}: all that was finished is logged. To go on with more, on any machine: the same command "
            f"with --most-{limit.name} {limit.more}"
        )
        return LIMITED
    if outcome.interrupted:
        _say("Interrupted; what was finished is logged. The same command goes on from here, on any machine.")
        return 130
    return 0


def require_of_shards(args: argparse.Namespace) -> None:
    """Raises ConfigError for what is of whole runs alone: not to be passed over in silence, and paid for."""
    if args.dry:
        raise ConfigError(
            "--dry: is of a whole run alone: try some of the seeds in a RUN of their own, without --shard"
        )
    if getattr(args, "sample", None) is not None:
        raise ConfigError(
            f"--sample {args.sample}: shards are dealt of all seeds or the first (--limit): draw them in a "
            "run without --shard"
        )
    if getattr(args, "against", None):
        raise ConfigError("--against: is of a whole run alone, a shard has a part of the rows: leave it out")


def require_no_mix(args: argparse.Namespace) -> None:
    """Of a benchmark. Raises ConfigError."""
    if args.mix:
        raise ConfigError("--mix: shards of a benchmark are of one make, or their figures would be of none")


def require_no_round(args: argparse.Namespace) -> None:
    """Of pairs. Raises ConfigError."""
    if args.round is not None:
        raise ConfigError(
            f"--round {args.round}: a round is drawn on one machine: leave out --shard and --cluster"
        )


def require_no_fill(config: Config) -> None:
    """Raises ConfigError where shards would have to know how many rows all of them have."""
    if config.query.fill:
        raise ConfigError(
            "query.fill: a shard does not know the rows of the others: leave it out, so that the numbers of "
            "query.classes are shares, or make the dataset on one machine"
        )


def require_told_first(config: Config) -> None:
    """Raises ConfigError where a shard would draw behind wrong steps that nobody has shown yet."""
    told = config.pairs.first_bad
    if config.explore.recovery.cuts and told in ("ask", "labels"):
        raise ConfigError(
            f"pairs: {{first_bad: {told}}}: says where explore.recovery draws, and nobody says it before all "
            "shards are merged: draw behind wrong steps on one machine, or by first_bad_step in verify.by"
        )


def require_whole(args: argparse.Namespace, folder: str = "", merged: str = "") -> None:
    """Raises ConfigError for a job without `--shard` in a run that is shards', or on an object store.
    `folder` is the stage's, in the run; where the run has the file `merged`, the shards are done with.
    """
    from ssui_gen.shards.dealing import DEAL

    if isinstance(args.run, str):
        raise ConfigError(f"{args.run}: an object store holds runs in shards only: --shard I/N, or a folder")
    for option, told in (("--scratch", args.scratch), ("--own-servers", args.own_servers)):
        if told:
            raise ConfigError(f"{option}: is of a shard alone: --shard I/N, or leave it out")
    place = args.run / folder
    if (place / DEAL).exists() and not (merged and (args.run / merged).exists()):
        raise ConfigError(f"{place}: was dealt into shards: --shard I/N does one, or choose another RUN")


def exit_code(args: argparse.Namespace, error: SsuiError) -> int:
    """1; of a shard, or of many on a cluster, 75 where another try may have more luck."""
    if getattr(args, "shard", None) is None and getattr(args, "cluster", None) is None:
        return 1
    from ssui_gen.stages.shard import code_of

    return code_of(error)
