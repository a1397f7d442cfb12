"""Several models' folders → one table and one page: the same figures, each model against the first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from ssui_gen.benching.compare import require_same, side_by_side
from ssui_gen.benching.page import compare_page
from ssui_gen.benching.report import Tested, read_tested
from ssui_gen.benching.telling import share, signed
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write

HTML = "compare.html"


class Beside(NamedTuple):
    """Models that may stand side by side."""

    tested: list[Tested]
    rows: list[dict[str, Any]]

    @property
    def names(self) -> list[str]:
        """Of the models; where two have the same, with their bench's folder."""
        names = [one.model.name for one in self.tested]
        return [
            name if names.count(name) == 1 else f"{one.path.parent.parent.name}/{one.path.name}"
            for name, one in zip(names, self.tested, strict=True)
        ]


def read_beside(folders: Sequence[Path]) -> Beside:
    """Raises ConfigError for fewer than two, and where what they are of differs."""
    if len(folders) < 2:
        raise ConfigError("compare: expected the folders of two models or more; got one")
    tested = [read_tested(folder) for folder in folders]
    require_same([str(folder) for folder in folders], [one.edition for one in tested])
    return Beside(tested, side_by_side([one.model for one in tested]))


def write_page(beside: Beside, path: Path) -> None:
    """Raises RecordError."""
    atomic_write(path, compare_page(beside.names, beside.rows, beside.tested[0].edition))


def table(beside: Beside) -> Table:
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
        lines.append(f"{_moved(change)}, p {change['p']:.2g}")
        if change["corrected"]["points"] is not None:
            lines.append(f"corrected {_moved(change['corrected'])}")
    return "\n".join(lines)


def _moved(change: dict[str, Any]) -> str:
    low, high = change["interval"]
    return f"{signed(change['points'])} ({signed(low)} to {signed(high)})"
