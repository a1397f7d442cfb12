"""What people have said → tables: how far they agree, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from ssui_gen.curation.lines.sheet import Fault
from ssui_gen.curation.outcomes import stats
from ssui_gen.curation.outcomes.agreement import Agreement, Figure, agreement
from ssui_gen.curation.outcomes.planted import Planted, caught
from ssui_gen.curation.workspace.board import Board, read_board
from ssui_gen.curation.workspace.folder import Folder
from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import read, validate
from ssui_gen.shares import share

MISSED = "kept as it was"


def agreement_table(folder: Folder) -> tuple[Table, list[str], list[Fault]]:
    """The figures for each question, what to know about them, and what is wrong with people's files.

    Raises ConfigError where no item was looked at by two people.
    """
    board = read_board(folder)
    asked = stats.questions(folder.form, board.said)
    found = {name: agreement(ratings, level) for name, (ratings, level) in asked.items()}
    shown = {name: one for name, one in found.items() if one and (name == "decision" or one.share < 1)}
    if not shown.get("decision"):
        raise ConfigError(
            f"{folder.root}: no item was decided by two people: `ssui curation assign` deals them so"
        )
    silent = [name for name, one in found.items() if one and one.share == 1 and name != "decision"]
    words = [
        "κ and α are 1 for agreement throughout, 0 for what chance gives; in brackets the 95 % interval."
    ]
    if silent:
        words.append(f"Undefined, as everybody always said the same: {', '.join(silent)}.")
    return _table(shown), words, board.all_faults


def _table(found: dict[str, Agreement]) -> Table:
    table = _narrow("question", "items", "people", "agree", "κ", "α", "usual answer")
    for name, one in found.items():
        table.add_row(
            name, f"{one.items:,}", str(one.people), *map(_figure, (one.percent, one.kappa, one.alpha)),
            f"{_value(one.usual)} ({one.share:.0%})",
        )  # fmt: skip
    return table


def _figure(one: Figure) -> str:
    """A figure, and its interval below it."""
    return str(one).replace(" (", "\n").replace(" – ", "–").removesuffix(")")


def _value(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def stats_tables(folder: Folder, planted: Path) -> tuple[list[Table], list[Fault]]:
    """Yield, reasons and edits, time, and planted errors if there are any."""
    board = read_board(folder)
    tables = [
        _yields(board),
        _counts("reason", stats.reasons(board.said)),
        _counts("edit", stats.edits(board.said)),
    ]
    timed = stats.seconds(board.said)
    if timed:
        tables.append(Table("person", "items timed", "median, seconds", "sum, minutes"))
        for name, (count, middle, total) in timed.items():
            tables[-1].add_row(name, f"{count:,}", f"{middle:g}", f"{total / 60:.1f}")
    if planted.exists():
        tables += _planted(board, [validate(Planted, line) for line in read(planted)])
    return tables, board.all_faults


def _yields(board: Board) -> Table:
    states = ("kept", "fixed", "dropped", "disputed", "open")
    table = _narrow("class", "items", *states, "used")
    for name, counts in stats.yields(board.outcomes.values()).items():
        row = [f"{counts[state]:,}" for state in states]
        table.add_row(name, f"{counts.total():,}", *row, str(stats.kept_of(counts)))
    return table


def _narrow(name: str, *rest: str) -> Table:
    """Fits 80 columns; nothing is cut short, as ids and names are to be copied."""
    columns = [Column(one, no_wrap=one in (name, MISSED)) for one in (name, *rest)]
    return Table(*columns, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def _counts(what: str, counts: dict[str, int]) -> Table:
    table = Table(what, "items")
    for name, count in sorted(counts.items(), key=lambda each: -each[1]):
        table.add_row(name, f"{count:,}")
    return table


def _planted(board: Board, planted: list[Planted]) -> list[Table]:
    table = _narrow("planted error", "caught", "of", "share", "edited elsewhere", MISSED, "open")
    for kind, one in caught(planted, board.outcomes).items():
        table.add_row(
            kind, str(one.share.hits), str(one.share.n), str(one.share), str(one.elsewhere),
            "\n".join(one.missed) or "–", str(one.open),
        )  # fmt: skip
    those = {one.id for one in planted}
    rest = [
        one.state
        for id, one in board.outcomes.items()
        if id not in those and one.state not in ("open", "disputed")
    ]
    alarms = Table("without a planted error", "dropped or fixed")
    alarms.add_row(f"{len(rest):,}", str(share(state != "kept" for state in rest)))
    return [table, alarms]
