"""Figures of models as tables for the terminal: side by side, and by a benchmark's own rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from ssui_gen.benching.side_by_side import Beside
from ssui_gen.benching.telling import share, signed


def rates(beside: Beside) -> Table:
    """A row per figure; under each but the first model how it differs from the first."""
    edition = beside.tested[0].edition
    title = f"{edition['bench']}, protocol {edition['protocol']}, judge {edition['judge']}: raw rates"
    made = Table("", *beside.names, title=title)
    for row in beside.rows:
        moved = [None, *row["changes"]]
        made.add_row(row["title"], *(_cell(*one) for one in zip(row["rates"], moved, strict=True)))
    return made


def _cell(rate: dict[str, Any], change: dict[str, Any] | None) -> str:
    """The rate and its denominator, what labels make of it, the change."""
    lines = [f"{share(rate)}, n {rate['n']:,}"]
    if rate["corrected"]["value"] is not None:
        lines.append(f"corrected {share(rate['corrected'])}")
    if change and change["points"] is not None:
        lines.append(f"{_moved(change)}, {_chance(change['p'])}")
        if change["corrected"]["points"] is not None:
            lines.append(f"corrected {_moved(change['corrected'])}")
    return "\n".join(lines)


def _chance(p: float) -> str:
    return f"p {p:.2g}" if p >= 0.0001 else "p < 0.0001"


def _moved(change: dict[str, Any]) -> str:
    low, high = change["interval"]
    return f"{signed(change['points'])} ({signed(low)} to {signed(high)})"


def scores(found: Mapping[str, Any]) -> Table:
    """One of `report.json`'s `official`: each line with what its denominator counts, and what is unscored."""
    table = Table(
        *("", "95 % by cluster", "n", "of", "unscored"),
        title=f"{found['bench']}, protocol {found['protocol']}, judge {found['judge']}, "
        f"asked {found['asked']}",
    )
    for line in found["lines"]:
        low, high = (f"{100 * end:.1f}" for end in line["bounds"]) if line["unscored"] else ("", "")
        lacking = f"{line['unscored']:,}: {low} – {high}" if line["unscored"] else "0"
        table.add_row(line["name"], share(line), f"{line['n']:,}", line["of"], lacking)
    return table
