"""Orders of `ssui` for a job that many machines do: seeds dealt, one shard done, how far all are, merged."""

from __future__ import annotations

import argparse
from pathlib import Path

from ssui_gen.cli_options import LIMITED, plan_in
from ssui_gen.cli_screen import OUT, give
from ssui_gen.cli_screen import say as _say
from ssui_gen.commands import command, run_folder
from ssui_gen.errors import ConfigError, NothingMade, SsuiError
from ssui_gen.records import Reason


def place(text: str) -> Path | str:
    """A run's folder or name, or the URL of one on an object store."""
    return text if "://" in text else run_folder(text)


def add_shard(parser: argparse.ArgumentParser) -> None:
    """What makes a job one part of a larger one."""
    parser.add_argument(
        "--shard", metavar="I/N", help="only this part of the seeds; auto/N: the I that the scheduler says"
    )
    parser.add_argument("--scratch", type=Path, help="of a shard: a folder on this machine's own disk")


def add_shards(parser: argparse.ArgumentParser) -> None:
    """The orders about all shards."""
    orders = parser.add_subparsers(dest="order", required=True, metavar="ORDER")
    dealt = orders.add_parser("deal", help="read the seeds once and deal them into shards")
    _add_place(dealt)
    dealt.add_argument("--seeds", type=Path, required=True, help="JSONL file, folder of pictures, or dataset")
    dealt.add_argument("--shards", type=int, required=True, metavar="N", help="into how many")
    dealt.add_argument("--limit", type=int, help="only the first LIMIT seeds")
    dealt.set_defaults(command=_deal)
    told = orders.add_parser("status", help="how far the shards are; which lack")
    _add_place(told)
    told.add_argument(
        "--lacking", action="store_true", help="print only which lack, as sbatch --array has it"
    )
    told.set_defaults(command=_status)
    merged = orders.add_parser("merge", help="all shards → an ordinary run folder; refuses if one lacks")
    _add_place(merged)
    merged.add_argument("--into", type=Path, help="the folder; default: the run's own")
    merged.add_argument("--no-calls", action="store_true", help="leave the answers of models in the logs")
    merged.add_argument(
        "--mix", action="store_true", help="merge shards though they were made with other prompts"
    )
    merged.set_defaults(command=_merge)
    again = orders.add_parser("retry", help="open finished shards again, whose rejects circumstances made")
    _add_place(again)
    again.add_argument("numbers", type=int, nargs="*", metavar="I", help="these, whatever they hold")
    again.set_defaults(command=_retry)


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--run",
        type=place,
        default=Path("outputs/demo"),
        help="folder or URL (s3://…) that all machines reach",
    )


def dataset_shard(args: argparse.Namespace) -> int:
    """`ssui dataset --shard`; exit codes as docs/scale.md has them."""
    from ssui_gen.jobs.progress import account, summary
    from ssui_gen.shards.dealing import which_shard
    from ssui_gen.shards.opening import open_store
    from ssui_gen.stages.shard import Order, make_shard

    _require_of_shards(args)
    which = which_shard(args.shard)
    store = open_store(args.run)
    order = Order(store, which, args.seeds, args.limit, args.scratch, lambda folder: plan_in(folder, args))
    outcome = make_shard(order, OUT)
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


def _require_of_shards(args: argparse.Namespace) -> None:
    """Raises ConfigError for what is of whole runs alone: not to be passed over in silence, and paid for."""
    if args.dry:
        raise ConfigError(
            "--dry: is of a whole run alone: try some of the seeds in a RUN of their own, without --shard"
        )
    if args.sample is not None:
        raise ConfigError(
            f"--sample {args.sample}: shards are dealt of all seeds or the first (--limit): draw them in a "
            "run without --shard"
        )
    if args.against:
        raise ConfigError("--against: is of a whole run alone, a shard has a part of the rows: leave it out")


def require_whole(args: argparse.Namespace) -> None:
    """Raises ConfigError for a job without `--shard` in a run that is shards', or on an object store."""
    from ssui_gen.shards.dealing import DEAL

    if isinstance(args.run, str):
        raise ConfigError(f"{args.run}: an object store holds runs in shards only: --shard I/N, or a folder")
    if args.scratch:
        raise ConfigError("--scratch: is of a shard alone: --shard I/N, or leave it out")
    if (args.run / DEAL).exists():
        raise ConfigError(f"{args.run}: was dealt into shards: --shard I/N does one, or choose another RUN")


def exit_code(args: argparse.Namespace, error: SsuiError) -> int:
    """1; of a shard, 75 where another machine may have more luck."""
    if getattr(args, "shard", None) is None:
        return 1
    from ssui_gen.stages.shard import code_of

    return code_of(error)


def _deal(args: argparse.Namespace) -> int:
    from ssui_gen.shards.dealing import settle_deal
    from ssui_gen.shards.opening import open_store

    deal = settle_deal(open_store(args.run), args.shards, args.seeds, args.limit)
    rows = [one.rows for one in deal.dealt]
    _say(f"{sum(rows):,} seeds in {len(rows):,} shards of {min(rows):,} to {max(rows):,}: {args.run}")
    bucket = {"RUN": args.run} if isinstance(args.run, str) else {}
    line = command("dataset", None if bucket else args.run, **bucket, ARGS=f"--shard I/{len(rows)}")
    _say(f"Next, for each I from 0 to {len(rows) - 1}: {line}")
    return 0


def _status(args: argparse.Namespace) -> int:
    from rich.table import Table

    from ssui_gen.shards.dealing import ranges
    from ssui_gen.shards.opening import open_store
    from ssui_gen.shards.status import status

    found = status(open_store(args.run))
    if args.lacking:
        _say(ranges(found.lacking))
        return 0
    table = Table("what", "number", title=str(args.run), title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("shards done / begun / not begun", _parts(found))
    table.add_row("seeds dealt", f"{sum(one.seeds for one in found.shards):,}")
    table.add_row("attempts", f"{sum(one.attempts for one in found.shards):,}")
    for name, count in found.counts.items():
        table.add_row(f"{name.replace('_', ' ')} of shards done", f"{count:,}")
    OUT.print(table)
    if found.begun:
        told = ", ".join(
            f"{found.shards[number].number} ({found.shards[number].host})" for number in found.begun[:20]
        )
        _say(f"Begun, and running or ended: {told}{' …' if len(found.begun) > 20 else ''}")
    if found.lacking:
        _say(f"Lacking: {ranges(found.lacking)}")
    return 0


def _parts(found: object) -> str:
    done = len(found.shards) - len(found.lacking)  # type: ignore[attr-defined]
    return f"{done:,} / {len(found.begun):,} / {len(found.lacking) - len(found.begun):,}"  # type: ignore[attr-defined]


def _merge(args: argparse.Namespace) -> int:
    from ssui_gen.shards.merging import merge
    from ssui_gen.shards.opening import open_store
    from ssui_gen.shards.rows import PATHS, REJECTS

    into = args.into or args.run
    if isinstance(into, str):
        raise ConfigError(f"{into}: say into which folder of this machine, with --into")
    done = merge(open_store(args.run), into, calls=not args.no_calls, mix=args.mix)
    _say(
        f"{done.rows[PATHS]:,} records and {done.rows[REJECTS]:,} rejects, each once, of {done.attempts:,} "
        f"attempts with {done.calls:,} calls: {into}"
    )
    if not done.rows[PATHS]:
        raise NothingMade(f"{into}: no record was made: each reason is told in {REJECTS}")
    _say(f"Next: {command('curation', into)}")
    return 0


def _retry(args: argparse.Namespace) -> int:
    from ssui_gen.shards.dealing import ranges
    from ssui_gen.shards.opening import open_store
    from ssui_gen.shards.status import reopen

    opened = reopen(open_store(args.run), args.numbers)
    if opened:
        _say(f"Open again: {ranges(opened)}: start these with the command that they were started with.")
    else:
        again = ", ".join(sorted(reason for reason in Reason if reason.passing))
        _say(f"No shard holds a reject that circumstances made ({again}).")
    return 0
