"""Several models' folders → one page: the same figures, each model against the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.benching.bench import ITEMS
from ssui_gen.benching.compare import differences, require_same, side_by_side
from ssui_gen.benching.folders import answered
from ssui_gen.benching.page import compare_page
from ssui_gen.benching.report import Results, read_results
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write

HTML = "compare.html"


class Beside(NamedTuple):
    """Models that may stand side by side."""

    results: list[Results]
    rows: list[dict[str, Any]]

    @property
    def names(self) -> list[str]:
        """Of the models; where two have the same, with their bench's folder."""
        names = [one.model.name for one in self.results]
        return [
            name if names.count(name) == 1 else f"{one.path.parent.parent.name}/{one.path.name}"
            for name, one in zip(names, self.results, strict=True)
        ]


def read_beside(folders: Sequence[Path]) -> Beside:
    """Raises ConfigError as `folders_of` does, and where what they are of differs."""
    results = [read_results(folder) for folder in folders_of(folders)]
    require_same([str(one.path) for one in results], [one.edition for one in results])
    return _beside(results)


def folders_of(folders: Sequence[Path]) -> list[Path]:
    """Of models; a benchmark's folder stands for all in it. Raises ConfigError for fewer than two, and for
    one that is named twice.
    """
    named = [model for folder in folders for model in _models(folder)]
    if twice := [one for one, count in Counter(one.resolve() for one in named).items() if count > 1]:
        raise ConfigError(f"compare: {twice[0]} is named twice; expected each model's folder once")
    if len(named) < 2:
        raise ConfigError(
            f"compare: expected the folders of two models or more; got {', '.join(map(str, named)) or 'none'}"
        )
    return named


def _models(folder: Path) -> list[Path]:
    return answered(folder) if (folder / ITEMS).is_file() else [folder]


def grouped(results: Sequence[Results]) -> list[Beside]:
    """Those that were asked our questions, side by side, or each alone where what they are of differs."""
    asked = [one for one in results if one.model.asked]
    if differences([one.edition for one in asked]):
        return [_beside([one]) for one in asked]
    return [_beside(asked)] if asked else []


def _beside(results: Sequence[Results]) -> Beside:
    return Beside(list(results), side_by_side([one.model for one in results]))


def write_page(beside: Beside, path: Path) -> None:
    """Raises RecordError."""
    atomic_write(path, compare_page(beside.names, beside.rows, beside.results[0].edition))
