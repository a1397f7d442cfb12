"""`ssui curation`: its orders, what they print and their exit codes; no logic of its own.

Exit code 1 where a person's file has a fault: each is one line, `file:line:column: field: expected …; got …`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from ssui_gen.cli_options import add_folder
from ssui_gen.cli_screen import OUT, say
from ssui_gen.commands import command
from ssui_gen.errors import ConfigError
from ssui_gen.manifest import pictures_of, title_of

if TYPE_CHECKING:
    from ssui_gen.curation.lines.sheet import Fault
    from ssui_gen.curation.workspace.folder import Folder
    from ssui_gen.curation.workspace.publish import Published

OF_LABELS = "of branches (ssui verify label), not of paths"
OF_RESPONSES = "of a model's responses (ssui bench label): its folder, such as outputs/demo/bench/MODEL"


def add_orders(parser: argparse.ArgumentParser) -> None:
    """Give `ssui curation` its orders."""
    orders = parser.add_subparsers(dest="order", required=True, metavar="ORDER")

    def order(name: str, help: str) -> argparse.ArgumentParser:
        made = orders.add_parser(name, help=help)
        add_folder(made)
        made.set_defaults(command=_ORDERS[name], labels=False, bench=None)
        if name not in ("export", "import", "apply", "stats"):
            made.add_argument("--labels", action="store_true", help=OF_LABELS)
        if name in ("check", "assign", "agreement", "resolve", "codebook"):
            made.add_argument("--bench", type=Path, metavar="FOLDER", help=OF_RESPONSES)
        return made

    export = order("export", "write the items, and merge what people have said")
    export.add_argument("--as", dest="names", action="append", default=[], metavar="NAME", help="who looks")
    export.add_argument("--seeds", type=Path, help="where the pictures lie; default: as `ssui dataset`")
    export.add_argument("--to", help="also as files that another tool reads: argilla or label_studio")
    bring = order("import", "take what a person said in another tool into their file")
    bring.add_argument("file", type=Path, metavar="FILE", help="what that tool exported, as JSON")
    bring.add_argument("--from", dest="tool", required=True, help="argilla or label_studio")
    bring.add_argument("--as", dest="name", required=True, help="whose file it goes into")
    bring.add_argument("--user", help="who, in that tool; default: the only one who said anything")
    check = order("check", "everything that is wrong with people's files")
    check.add_argument("names", nargs="*", metavar="NAME", help="whose; default: everybody's")
    check.add_argument("--repair", action="store_true", help="first put each object back on one line")
    assign = order("assign", "deal the items to people, some to several")
    assign.add_argument("names", nargs="+", metavar="NAME")
    assign.add_argument("--overlap", type=float, default=0.2, help="share that several see; default: 0.2")
    assign.add_argument("--each", type=int, default=2, help="people who see each of those; default: 2")
    assign.add_argument("--seed", type=int, default=0, help="of the dealing")
    for name, help in (("unfold", "one Markdown file an item, to be edited"), ("fold", "those files back")):
        files = order(name, help)
        files.add_argument("--as", dest="name", help="whose; default: the only person's")
    order("agreement", "how far people agree: percent, κ, α, with intervals")
    order("resolve", "the items on which people differ, for one person to decide")
    order("codebook", "what each decision, reason and score means, as Markdown")
    order("apply", "write curated.jsonl, unless anything is wrong")
    stats = order("stats", "yield by class, reasons, time, planted errors caught")
    stats.add_argument(
        "--planted", type=Path, help="rows {id, error, pointer}; default: planted.jsonl of the run"
    )


def _export(args: argparse.Namespace) -> int:
    from ssui_gen.stages.curation import export

    done = export(args.run, args.names, pictures_of(args.run, args.seeds))
    folder = task_of(args)
    code = published(done, folder.root, command("curated", args.run))
    if args.to:
        from ssui_gen.stages.exchange import send

        say(f"For {args.to}: {send(folder, args.to, args.names[0] if args.names else folder.only_name())}")
    return code


def _import(args: argparse.Namespace) -> int:
    from ssui_gen.stages.exchange import receive

    folder = task_of(args)
    done = receive(folder, args.tool, args.file, args.name, args.user)
    for fault in done.faults:
        say(fault)
    if done.faults:
        say(f"{len(done.faults)} faults: nothing was taken.")
        return 1
    say(f"{done.said:,} items from {args.file} are in {folder.path(args.name)}.")
    return 0


def label(args: argparse.Namespace) -> int:
    """`ssui verify label`."""
    from ssui_gen.stages.label import FOLDER, export_labels

    root = pictures_of(args.run, args.seeds)
    done = export_labels(args.run, args.names, root, most=args.most, seed=args.seed)
    return published(done, args.run / FOLDER, command("calibrate", args.run))


def collected(run: Path) -> Path | None:
    """The labels that people gave, if they gave any; says what is left out. Raises ConfigError for faults."""
    from ssui_gen.stages.label import collect

    file, others, faults = collect(run)
    if faults:
        raise ConfigError("\n".join(map(str, faults)))
    if file:
        left = ", ".join(f"{count} {state}" for state, count in others.items()) or "none"
        say(f"Labels of people: {file}; without a label: {left}.")
    return file


def published(done: Published, folder: Path, then: str) -> int:
    """Say what was written for people, and what they do next; 1 where a file has a fault."""
    from ssui_gen.curation.workspace.publish import GALLERY

    changed = ", ".join(done.changed) or "nothing new"
    say(f"{done.items:,} items in {folder}. Written: {changed}.")
    for name, count in done.stale.items():
        if count:
            say(f"{name}: the texts of {count} items have changed; what was said of them is in `before`.")
    for path, why in done.refused.items():
        say(f"{path}: not shown: {why}")
    say(f"Open {folder / GALLERY} in a browser, or edit the file of your name there.")
    say(f"Then: {then}")
    return told(done.faults)


def _check(args: argparse.Namespace) -> int:
    from ssui_gen.stages.curation import faults, repair

    folder = task_of(args)
    for name in repair(folder, args.names) if args.repair else ():
        say(f"{folder.path(name)}: each object is on a line of its own again")
    found = faults(folder, args.names)
    if not found:
        for name in args.names or folder.names():
            lines = folder.sheet(name).reviews
            decided = sum(1 for line in lines if line.decision)
            idle = sum(1 for line in lines if line.edits and not line.decision)
            more = f", {idle:,} edited but not decided, and so not used" if idle else ""
            say(f"{folder.path(name)}: {len(lines):,} lines, {decided:,} decided{more}")
        if not folder.names():
            say(f"{folder.root}: nobody has a file yet: `{folder.form.export}`")
    return told(found)


def _assign(args: argparse.Namespace) -> int:
    from ssui_gen.curation.workspace.publish import assign

    folder, how = task_of(args), {"overlap": args.overlap, "each": args.each, "seed": args.seed}
    for name, count in assign(folder, args.names, **how, title=title_of(folder.root.parent)).items():
        say(f"{name}: {count:,} items")
    return 0


def _unfold(args: argparse.Namespace) -> int:
    from ssui_gen.stages.unfold import unfold

    folder = task_of(args)
    name = folder.only_name() if args.name is None else args.name
    count = unfold(folder, name)
    say(f"{count:,} files in {folder.root / name}. `ssui curation fold` takes what is edited there.")
    return 0


def _fold(args: argparse.Namespace) -> int:
    from ssui_gen.stages.unfold import fold

    folder = task_of(args)
    name = folder.only_name() if args.name is None else args.name
    changed, faults = fold(folder, name)
    if not faults:
        say(f"{len(changed):,} items say something new in {folder.path(name)}.")
    return told(faults, "nothing was taken")


def task_of(args: argparse.Namespace) -> Folder:
    """Where people work: on paths, on branches, or on a model's responses."""
    if args.bench:
        from ssui_gen.stages.bench_label import folder_at

        return folder_at(args.bench)
    from ssui_gen.curation.workspace.folder import folder_of
    from ssui_gen.stages.label import labels_folder

    return labels_folder(args.run) if args.labels else folder_of(args.run)


def _agreement(args: argparse.Namespace) -> int:
    from ssui_gen.stages.agreement import agreement_table

    table, words, found = agreement_table(task_of(args))
    OUT.print(table)
    for line in words:
        say(line)
    return told(found)


def _resolve(args: argparse.Namespace) -> int:
    from ssui_gen.stages.curation import resolve

    board = resolve(task_of(args))
    for outcome in board.disputes.values():
        views = "; ".join(f"{name}: {line.decision}" for name, line in outcome.said.items())
        state = board.outcomes[outcome.item.id].state
        say(f"{outcome.item.id}: {views}{'' if state == 'disputed' else f'; settled: {state}'}")
    say(f"{len(board.disputes)} items on which people differ; the last word stands in {board.resolved.path}.")
    return 0


def _codebook(args: argparse.Namespace) -> int:
    from ssui_gen.curation.asked.codebook import as_markdown

    say(as_markdown(task_of(args).form).rstrip())
    return 0


def _apply(args: argparse.Namespace) -> int:
    from ssui_gen.run_files import CURATED
    from ssui_gen.stages.curation import apply

    states, found, former, unseen = apply(args.run)
    if found:
        return told(found, "nothing was written")
    table = Table("what", "items")
    for state, count in states.most_common():
        table.add_row(state, f"{count:,}")
    OUT.print(table)
    if unseen:
        say(f"{unseen:,} paths were made or changed since the export: `{command('curation', args.run)}`")
    if states["disputed"]:
        say(f"{states['disputed']:,} are not used, as people differ: `ssui curation resolve`")
    if states["open"]:
        then = command("review", args.run)
        say(f"{states['open']:,} that nobody has decided are left out: `{then}` shows them")
    used = states["kept"] + states["fixed"]
    kept = f"; those it replaces are kept in {former}" if former else ""
    say(f"{used:,} records in {args.run / CURATED}{kept}.")
    if used:
        say(f"Next: {command('pairs', args.run)}")
    return 0


def _stats(args: argparse.Namespace) -> int:
    from ssui_gen.run_files import PLANTED
    from ssui_gen.stages.agreement import stats_tables

    tables, found = stats_tables(task_of(args), args.planted or args.run / PLANTED)
    for table in tables:
        OUT.print(table)
    return told(found)


_ORDERS = {
    "export": _export,
    "import": _import,
    "check": _check,
    "assign": _assign,
    "unfold": _unfold,
    "fold": _fold,
    "agreement": _agreement,
    "resolve": _resolve,
    "codebook": _codebook,
    "apply": _apply,
    "stats": _stats,
}


def told(faults: Iterable[Fault], so: str = "") -> int:
    """Each fault in a line; 1 if there is one."""
    found = list(faults)
    for fault in found:
        say(str(fault))
    if found:
        count = f"{len(found)} fault{'s' if len(found) > 1 else ''}"
        say(f"{count}{f': {so}' if so else ''}. Mend in an editor, then run it again.")
    return 1 if found else 0
