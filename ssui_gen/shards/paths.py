"""`ssui pairs` in shards: paths dealt by their pictures' names, each explored whole by one shard.

Where draws are spared and spent again is decided over a shard's own paths, so other branches are drawn than
one machine would draw. Which pairs come of them is decided over all rows, when they are merged. What is unfit
to be explored is found where it is dealt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from ssui_gen.branches import Cut
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.explored import cut_id, read_paths
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import as_line, of_kind, read
from ssui_gen.manifest import PAIRS as MADE
from ssui_gen.manifest import read_manifest
from ssui_gen.records import ReasoningPath, Record, Reject
from ssui_gen.run_files import BRANCHES, CURATED, NOT_EXPLORED, PATHS
from ssui_gen.shards.dealing import Deal, Row, Terms, full, hand_out, settle
from ssui_gen.shards.stage import Key, Known, Manifests, OneManifest
from ssui_gen.shards.store import Store

FOLDER = "pairs"
"""In the run's, where the shards lie; merged rows go to the run's own."""
RECORDS: dict[str, type[Record]] = {BRANCHES: Cut, NOT_EXPLORED: Reject}


def settle_paths(store: Store, of: int, source: Path, root: Path, limit: int | None) -> Deal:
    """`source` is a run's file of paths, `root` where its pictures lie. Raises ConfigError as `settle` does,
    RecordError.
    """

    def deal() -> Deal:
        dealt = hand_out(store, of, "paths", map(_handed, islice(read_paths(source), limit)))
        return Deal(
            stage="pairs", items="paths", source=str(full(source)), root=str(full(root)), limit=limit,
            dealt=dealt,
        )  # fmt: skip

    return settle(store, Terms(of, str(full(source)), limit, "the file of paths"), deal)


def count_paths(source: Path, limit: int | None) -> int:
    return sum(1 for _ in islice(read(source), limit))


def _handed(row: ReasoningPath | Reject) -> tuple[str, str, Record]:
    """One that is unfit goes by its own name."""
    return (row.image.path, "path", row) if isinstance(row, ReasoningPath) else (row.seed_id, "reject", row)


def paths_of(rows: Iterable[Row]) -> Iterator[ReasoningPath | Reject]:
    """Raises RecordError."""
    for row in rows:
        path = row.kind == "path"
        yield of_kind(ReasoningPath, row.value, row.place) if path else of_kind(Reject, row.value, row.place)


def lay_out(deal: Deal, rows: Callable[[], Iterable[Row]], run: Path) -> list[Reject]:
    """Write the paths of a shard into a folder, as a run has them; what is unfit is returned. Raises
    ConfigError where what was dealt was no run's file of paths.
    """
    name = Path(deal.source).name
    if name not in (PATHS, CURATED):
        raise ConfigError(f"{deal.source}: was dealt as paths: expected a {PATHS} or {CURATED}")
    every = list(paths_of(rows()))
    lines = b"".join(as_line(row) for row in every if isinstance(row, ReasoningPath))
    for file in {PATHS, name}:
        atomic_write(run / file, lines)
    return [row for row in every if isinstance(row, Reject)]


class Exploring(OneManifest):
    """The stage, as shards see it."""

    says = MADE
    deciding: tuple[tuple[str, ...], ...] = (("images",),)
    replacing = frozenset({BRANCHES})

    def kind(self, file: str) -> type[Record]:
        return RECORDS[file]

    def key(self, file: str, row: Record) -> Key:
        assert isinstance(row, Cut | Reject)
        return file, row.id if isinstance(row, Cut) else row.seed_id

    def files(self, made: Manifests) -> list[str]:
        return [*RECORDS]

    def check(self, where: str, rows: Known, dealt: Iterable[Row], deal: Deal, made: Manifests) -> None:
        """A path has a row of each cut, or a reject."""
        names = set[str | None]()
        for path in paths_of(dealt):
            name = path.id if isinstance(path, ReasoningPath) else path.seed_id
            names.add(name)
            explored = isinstance(path, ReasoningPath) and all(key in rows for key in _keys(path))
            if not explored and (NOT_EXPLORED, name) not in rows:
                raise ConfigError(f"{where}: path {name!r}: expected a row of each cut, or a reject")
        owners = (row.path_id if isinstance(row, Cut) else key[1] for key, (_, row) in rows.items())
        if stray := next((owner for owner in owners if owner not in names), None):
            raise ConfigError(f"{where}: path {stray!r} was not dealt to this shard")

    def require_ours(self, into: Path, deal: Deal, made: Manifests) -> None:
        found = read_manifest(into / MADE).last
        if (into / BRANCHES).exists() and found != made[MADE].last:
            raise ConfigError(
                f"{into / BRANCHES}: holds branches that were made with something else, which would be "
                "replaced: say another folder, with --into"
            )


def _keys(path: ReasoningPath) -> Iterator[Key]:
    """Of the rows of its cuts."""
    return ((BRANCHES, cut_id(path, cut)) for cut in range(len(path.steps)))
