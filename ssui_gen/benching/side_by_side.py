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
from ssui_gen.benching.report import Tested, read_tested
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
    """A benchmark's folder stands for all models in it. Raises ConfigError for fewer than two, for one that
    is named twice, and where what they are of differs.
    """
    named = [model for folder in folders for model in _models(folder)]
    if twice := [one for one, count in Counter(one.resolve() for one in named).items() if count > 1]:
        raise ConfigError(f"compare: {twice[0]} is named twice; expected each model's folder once")
    if len(named) < 2:
        raise ConfigError(
            f"compare: expected the folders of two models or more; got {', '.join(map(str, named)) or 'none'}"
        )
    tested = [read_tested(folder) for folder in named]
    require_same([str(one.path) for one in tested], [one.edition for one in tested])
    return _beside(tested)


def _models(folder: Path) -> list[Path]:
    return answered(folder) if (folder / ITEMS).is_file() else [folder]


def grouped(tested: Sequence[Tested]) -> list[Beside]:
    """Those that were asked our questions, side by side, or each alone where what they are of differs."""
    asked = [one for one in tested if one.model.asked]
    if differences([one.edition for one in asked]):
        return [_beside([one]) for one in asked]
    return [_beside(asked)] if asked else []


def _beside(tested: Sequence[Tested]) -> Beside:
    return Beside(list(tested), side_by_side([one.model for one in tested]))


def write_page(beside: Beside, path: Path) -> None:
    """Raises RecordError."""
    atomic_write(path, compare_page(beside.names, beside.rows, beside.tested[0].edition))
