"""Orders of `ssui` for a job that many machines do: items dealt, one shard done, how far all are, merged."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ssui_gen.cli_looking import write_page
from ssui_gen.cli_options import add_folder, policy_of
from ssui_gen.cli_screen import OUT
from ssui_gen.cli_screen import say as _say
from ssui_gen.cli_shard import wanted_bench
from ssui_gen.commands import command, place
from ssui_gen.errors import ConfigError, NothingMade
from ssui_gen.records import Reason

if TYPE_CHECKING:  # the command's help needs none of what a job needs
    from ssui_gen.shards.dealing import Deal
    from ssui_gen.shards.merging import Merged
    from ssui_gen.shards.store import Store

ROWS = 50_000
"""Of a Parquet file, where nobody says how many."""
DATASET, PAIRS, BENCH = "dataset", "pairs", "bench"
"""Stages that are done in shards; those of the dataset lie in the run's own folder."""


def add_shards(parser: argparse.ArgumentParser) -> None:
    """The orders about all shards."""
    orders = parser.add_subparsers(dest="order", required=True, metavar="ORDER")
    dealt = orders.add_parser("deal", help="read seeds, paths or a benchmark once and deal them into shards")
    _add_place(dealt)
    dealt.add_argument("--seeds", type=Path, help="JSONL file, folder of pictures, or dataset")
    add_stage(dealt)
    dealt.add_argument("--uncurated", action="store_true", help="of pairs: paths that no person has seen")
    dealt.add_argument("--data", type=Path, help="of bench: your copy of it")
    dealt.add_argument("--config", type=Path, metavar="FILE", help="of bench: YAML with its settings")
    dealt.add_argument("--shards", type=int, required=True, metavar="N", help="into how many")
    dealt.add_argument("--limit", type=int, help="only the first LIMIT seeds, paths or scenarios")
    dealt.set_defaults(command=_deal)
    told = orders.add_parser("status", help="how far the shards are; which lack")
    _add_place(told)
    add_stage(told)
    told.add_argument(
        "--lacking", action="store_true", help="print only which lack, as sbatch --array has it"
    )
    told.set_defaults(command=_status)
    merged = orders.add_parser("merge", help="all shards → an ordinary run folder; refuses if one lacks")
    _add_place(merged)
    add_stage(merged)
    merged.add_argument("--into", type=Path, help="the folder; default: the run's own")
    merged.add_argument("--no-calls", action="store_true", help="leave the answers of models in the logs")
    merged.add_argument(
        "--mix", action="store_true", help="merge shards though they were made with other prompts"
    )
    merged.add_argument("--parquet", action="store_true", help="write the rows as Parquet shards, too")
    merged.add_argument(
        "--parquet-rows", type=int, metavar="N", help=f"of such a file at most; default: {ROWS:,}"
    )
    merged.set_defaults(command=_merge)
    unfolded = orders.add_parser("unfold", help="a run's Parquet shards → its files of rows, where they lack")
    add_folder(unfolded)
    unfolded.set_defaults(command=_unfold)
    again = orders.add_parser(
        "retry", help="open finished shards again, with rows that circumstances spoiled"
    )
    _add_place(again)
    add_stage(again)
    again.add_argument("numbers", type=int, nargs="*", metavar="I", help="these, whatever they hold")
    again.set_defaults(command=_retry)


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--run",
        type=place,
        default=Path("outputs/demo"),
        help="folder or URL (s3://…) that all machines reach",
    )


def add_stage(parser: argparse.ArgumentParser) -> None:
    """Which of a run's stages."""
    told = f"what is done in shards; default: {DATASET}"
    parser.add_argument("--stage", choices=(DATASET, PAIRS, BENCH), default=DATASET, help=told)
    parser.add_argument("--bench", help="of bench: its name or folder; default: the run's own")


def _store(args: argparse.Namespace) -> Store:
    return store_of(args.run, BENCH if _of_bench(args) else args.stage, args.bench)


def store_of(run: Path | str, stage: str, bench: str | None = None) -> Store:
    """Where the shards lie: of the dataset in the run itself, of another stage in its folder there."""
    from ssui_gen.benching.sources import folder_in
    from ssui_gen.shards.opening import open_store
    from ssui_gen.shards.paths import FOLDER

    whole = open_store(run)
    if stage == PAIRS:
        return whole.within(FOLDER)
    if stage != BENCH:
        return whole
    return whole.within(folder_in(run if isinstance(run, Path) else Path("nowhere"), bench).name)


def _of_bench(args: argparse.Namespace) -> bool:
    return args.stage == BENCH or args.bench is not None


def _deal(args: argparse.Namespace) -> int:
    if _of_bench(args):
        if args.seeds:
            raise ConfigError(f"--seeds {args.seeds}: a benchmark has its own items: leave it out")
        return _deal_bench(args)
    if args.stage == PAIRS:
        return _deal_paths(args)
    if args.seeds is None:
        raise ConfigError(
            "--seeds: say which seeds are to be dealt; of another stage: --stage pairs or bench"
        )
    return _deal_seeds(args)


def _deal_seeds(args: argparse.Namespace) -> int:
    from ssui_gen.shards.seeds import settle_seeds

    deal = settle_seeds(_store(args), args.shards, args.seeds, args.limit)
    _tell_deal(args, deal, "dataset")
    return 0


def _deal_paths(args: argparse.Namespace) -> int:
    from ssui_gen.exploring.explored import source_of
    from ssui_gen.manifest import pictures_of
    from ssui_gen.shards.paths import settle_paths

    if isinstance(args.run, str):
        raise ConfigError(
            f"{args.run}: paths are dealt of a run's folder: `ssui shards merge --into` makes one"
        )
    source, root = source_of(args.run, args.uncurated), pictures_of(args.run, args.seeds)
    deal = settle_paths(_store(args), args.shards, source, root, args.limit)
    _tell_deal(args, deal, PAIRS, SEEDS=args.seeds, UNCURATED=args.uncurated)
    return 0


def _deal_bench(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import configure
    from ssui_gen.jobs.remembered import recall
    from ssui_gen.shards.benches import settle_bench

    memory = recall("bench", args.run) if isinstance(args.run, Path) else None
    wanted = wanted_bench(args, configure(args.config, None, None, memory=memory, say=_say))
    deal = settle_bench(_store(args), args.shards, wanted)
    _tell_deal(args, deal, "bench", BENCH=args.bench, DATA=args.data, CONFIG=args.config)
    return 0


def _tell_deal(args: argparse.Namespace, deal: Deal, target: str, **values: object) -> None:
    rows = [one.rows for one in deal.dealt]
    _say(f"{sum(rows):,} {deal.items} in {len(rows):,} shards of {min(rows):,} to {max(rows):,}: {args.run}")
    bucket = {"RUN": args.run} if isinstance(args.run, str) else {}
    run = None if bucket else args.run
    line = command(target, run, **bucket, **values, ARGS=f"--shard I/{len(rows)}")
    _say(f"Next, for each I from 0 to {len(rows) - 1}: {line}")


def _status(args: argparse.Namespace) -> int:
    from rich.table import Table

    from ssui_gen.shards.dealing import ranges
    from ssui_gen.shards.status import status

    found = status(_store(args))
    if args.lacking:
        _say(ranges(found.lacking))
        return 0
    table = Table("what", "number", title=str(args.run), title_justify="left")
    table.columns[1].justify = "right"
    every, lacking, begun = map(len, (found.shards, found.lacking, found.begun))
    table.add_row("shards done / begun / not begun", f"{every - lacking:,} / {begun:,} / {lacking - begun:,}")
    table.add_row(f"{found.items} dealt", f"{sum(one.items for one in found.shards):,}")
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


def _merge(args: argparse.Namespace) -> int:
    into = args.into or args.run
    if isinstance(into, str):
        raise ConfigError(f"{into}: say into which folder of this machine, with --into")
    rows = ROWS if args.parquet and args.parquet_rows is None else args.parquet_rows
    if rows is not None:
        from ssui_gen.shards.folding import require_rows

        require_rows(rows)  # before what may be hours of merging
    done = merge_into(_store(args), into, calls=not args.no_calls, mix=args.mix)
    if rows is not None:
        _fold(into, done, rows)
    return 0


def _fold(into: Path, done: Merged, rows: int) -> None:
    from ssui_gen.shards.folding import fold_rows
    from ssui_gen.shards.stages import stage_of

    files = [f"{done.deal.folder}/{name}".lstrip("/") for name in stage_of(done.deal).files(done.made)]
    for folder, count in fold_rows(into, files, rows).items():
        _say(f"{count:,} rows as Parquet, in {folder}.")


def _unfold(args: argparse.Namespace) -> int:
    from ssui_gen.shards.folding import unfold_rows

    for file, count in unfold_rows(args.run).items():
        _say(f"{file}: is there already, and stays." if count is None else f"{file}: {count:,} rows.")
    return 0


def merge_into(store: Store, into: Path, *, calls: bool, mix: bool) -> Merged:
    """Merge, and say what came of it and what comes next. Raises as `merge` does, and NothingMade."""
    from ssui_gen.shards.merging import merge

    done = merge(store, into, calls=calls, mix=mix)
    told = {DATASET: _tell_dataset, PAIRS: _tell_pairs, BENCH: _tell_bench}[done.deal.stage]
    if done.former:
        _say(f"What they replace is kept in {', '.join(map(str, done.former))}.")
    told(into, done, f"each once, of {done.attempts:,} attempts with {done.calls:,} calls: {into}")
    return done


def _tell_dataset(into: Path, done: Merged, how: str) -> None:
    """Raises NothingMade."""
    from ssui_gen.run_files import PATHS, REJECTS

    _say(f"{done.rows[PATHS]:,} records and {done.rows[REJECTS]:,} rejects, {how}")
    if not done.rows[PATHS]:
        raise NothingMade(f"{into}: no record was made: each reason is told in {REJECTS}")
    write_page(into, Path(done.deal.root))
    _say(f"Next: {command('curation', into)}")


def _tell_pairs(into: Path, done: Merged, how: str) -> None:
    """Pairs of all rows, as one machine makes them."""
    from ssui_gen import run_files as files
    from ssui_gen.exploring.written import pair_up_again
    from ssui_gen.stages.report import make_report

    source, root = Path(done.deal.source), Path(done.deal.root)
    _say(f"{done.rows[files.BRANCHES]:,} cuts and {done.rows[files.NOT_EXPLORED]:,} rejects, {how}")
    pairs = pair_up_again(into, source, root, _say)
    report = make_report(into, source, root)
    _say(f"{pairs.made:,} pairs in {into / files.PAIRS}. Look at {report.overview}.")
    if pairs.former:
        _say(f"They replace {pairs.before:,}, which are kept in {pairs.former}.")
    write_page(into, root)
    if pairs.asked_for:
        line = command(PAIRS, into, UNCURATED=source.name != files.CURATED)
        _say(
            f"Where rejected branches go wrong, the judge is to be asked (pairs: {{first_bad: ask}}): {line}"
        )
    if pairs.made:
        _say(f"Next: {command('train', into, POLICY=policy_of(into))}")


def _tell_bench(into: Path, done: Merged, how: str) -> None:
    """The model under test, then what was measured beside it, as on one machine."""
    from ssui_gen.benching.report import make_report

    _say(f"{done.rows.total():,} rows of {len(done.made)} models, {how}")
    measured = sorted(done.made, key=lambda file: "policy" not in done.made[file].features)
    first, *others = (into / done.deal.folder / Path(file).parent for file in measured)
    for made in (make_report(first), *(make_report(folder, first) for folder in others)):
        for sentence in made.report["headline"]:
            _say(sentence)
        _say(f"Look at {made.html}; the figures are in {made.json}.")


def _retry(args: argparse.Namespace) -> int:
    from ssui_gen.shards.dealing import ranges
    from ssui_gen.shards.status import reopen

    opened = reopen(_store(args), args.numbers)
    if opened:
        _say(f"Open again: {ranges(opened)}: start these with the command that they were started with.")
    else:
        again = ", ".join(sorted(reason for reason in Reason if reason.passing))
        _say(f"No shard holds a reject that circumstances made ({again}).")
    return 0
