"""`ssui dataset` in shards: seeds dealt by their pictures' names, records and rejects by seed and kind.

Seeds of one picture stay together, so they share calls and a server's prefix cache. Duplicates, invalid rows
and `--limit` are of the whole job, so they are settled where it is dealt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from ssui_gen.calling.journal import Seen
from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import of_kind
from ssui_gen.manifest import RUN, Seeds, read_manifest
from ssui_gen.records import Kind, ReasoningPath, Record, Reject, Seed
from ssui_gen.run_files import PATHS, REJECTS
from ssui_gen.seeds import kinds_of, read_seeds, root_of
from ssui_gen.shards.dealing import Deal, Row, Terms, full, hand_out, settle
from ssui_gen.shards.folder import Folder
from ssui_gen.shards.stage import Key, Known, Manifests, OneManifest
from ssui_gen.shards.store import Store

RECORDS: dict[str, type[Record]] = {PATHS: ReasoningPath, REJECTS: Reject}


def settle_seeds(store: Store, of: int, seeds: Path | None, limit: int | None) -> Deal:
    """Raises ConfigError as `settle` does, RecordError."""
    terms = Terms(of, str(full(seeds)) if seeds else None, limit, "--seeds")
    return settle(store, terms, lambda: _deal(store, of, full(seeds or Path()), limit))


def count_seeds(source: Path, limit: int | None, root: Path) -> int:
    """About how many there are, doubles counted. Raises ConfigError for seeds that cannot be read."""
    return sum(1 for _ in islice(read_seeds(source, lambda _: True, root), limit))


def _deal(store: Store, of: int, source: Path, limit: int | None) -> Deal:
    """Read all seeds once and write each shard's."""
    pictures = store.root if isinstance(store, Folder) else None
    root = root_of(source, pictures or Path("nowhere"))
    if not root.is_relative_to(source.parent) and pictures is None:
        raise ConfigError(
            f"{source}: holds the pictures themselves, and {store.place} is no folder from which servers "
            "could read them: write them to files first, and name those in a file of rows"
        )
    with closing(Seen()) as known:
        rows = islice(read_seeds(source, known.add, pictures or source.parent), limit)
        dealt = hand_out(store, of, "seeds", map(_handed, rows))
    return Deal(source=str(source), root=str(full(root)), limit=limit, dealt=dealt)


def _handed(row: Seed | Reject) -> tuple[str, str, Record]:
    """A row without a picture goes by its own name."""
    return (row.image, "seed", row) if isinstance(row, Seed) else (row.seed_id, "reject", row)


def source_of(deal: Deal) -> Seeds:
    return Seeds(source=deal.source, root=deal.root)


def seeds_of(rows: Callable[[], Iterable[Row]]) -> Iterator[Seed | Reject]:
    """The seeds that are dealt `rows`. Raises RecordError."""
    for row in rows():
        seed = row.kind == "seed"
        yield of_kind(Seed, row.value, row.place) if seed else of_kind(Reject, row.value, row.place)


class Dataset(OneManifest):
    """The stage, as shards see it."""

    says = RUN
    deciding: tuple[tuple[str, ...], ...] = (("twins",), ("images",), ("limits", "reflection_rounds"))
    replacing = frozenset[str]()

    def kind(self, file: str) -> type[Record]:
        return RECORDS[file]

    def key(self, file: str, row: Record) -> Key:
        """A seed and which record of it; no kind where the seed itself was refused."""
        assert isinstance(row, ReasoningPath | Reject)
        return row.seed_id, row.kind

    def files(self, made: Manifests) -> list[str]:
        return [*RECORDS]

    def check(self, where: str, rows: Known, dealt: Iterable[Row], deal: Deal, made: Manifests) -> None:
        twins = made[RUN].config.twins
        found: dict[str | None, set[str | None]] = {}
        for seed_id, kind in rows:
            found.setdefault(seed_id, set()).add(kind)
        for row in seeds_of(lambda: dealt):
            name = row.id if isinstance(row, Seed) else row.seed_id
            wanted = kinds_of(row, twins) if isinstance(row, Seed) else ()
            kinds = found.pop(name, set())
            if None not in kinds and kinds != {*wanted}:
                raise ConfigError(f"{where}: seed {name!r}: expected {_named(wanted)}; got {_named(kinds)}")
        if found:
            raise ConfigError(f"{where}: seed {next(iter(found))!r} was not dealt to this shard")

    def require_ours(self, into: Path, deal: Deal, made: Manifests) -> None:
        found = read_manifest(into / RUN).seeds
        if (into / PATHS).exists() and found != made[RUN].seeds:
            raise ConfigError(
                f"{into}: holds a run of {found.source if found else 'unknown seeds'}, whose rows would be "
                "replaced: say another folder, with --into"
            )


def _named(kinds: Iterable[Kind | str | None]) -> str:
    return " and ".join(sorted(kind or "a reject" for kind in kinds)) or "no row"
