"""A run's files of rows beside it as Parquet shards, and those shards as its files of rows again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ssui_gen.errors import ConfigError
from ssui_gen.records import Record
from ssui_gen.shards.benches import RECORDS as OF_BENCHES
from ssui_gen.shards.parquet import FOLDER, unfold, write_shards
from ssui_gen.shards.paths import RECORDS as OF_PATHS
from ssui_gen.shards.seeds import RECORDS as OF_SEEDS

KINDS: dict[str, type[Record]] = {**OF_SEEDS, **OF_PATHS, **OF_BENCHES}
"""By the names of files; a benchmark's lie in a folder of each model."""


def require_rows(rows: int) -> None:
    """Raises ConfigError for no rows a file."""
    if rows < 1:
        raise ConfigError(f"--parquet-rows: expected a number from 1; got {rows}")


def fold_rows(run: Path, files: Iterable[str], rows: int) -> dict[Path, int]:
    """Write these files of a run as shards of so many rows; by their folders how many rows. Raises as
    `require_rows` and `write_shards` do.
    """
    require_rows(rows)
    found = {}
    for file in files:
        folder = run / FOLDER / Path(file).with_suffix("")
        found[folder] = write_shards(KINDS[Path(file).name], run / file, folder, rows)
    return found


def unfold_rows(run: Path) -> dict[Path, int | None]:
    """Write the shards of a run as its files of rows; by file how many, None where one is there already and
    stays. Raises ConfigError where there are none, and as `read_shards` does.
    """
    found: dict[Path, int | None] = {}
    for folder, kind in _folders(run):
        file = run / folder.relative_to(run / FOLDER).with_suffix(".jsonl")
        found[file] = None if file.exists() else unfold(kind, folder, file)
    if not found:
        raise ConfigError(
            f"{run / FOLDER}: holds no rows as Parquet: `ssui shards merge --parquet` writes them"
        )
    return found


def _folders(run: Path) -> Iterator[tuple[Path, type[Record]]]:
    for folder in sorted((run / FOLDER).rglob("*/")):
        if (kind := KINDS.get(f"{folder.name}.jsonl")) and any(folder.glob("*.parquet")):
            yield folder, kind
