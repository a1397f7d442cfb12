"""`ssui bench run` in shards: items dealt by their scenarios, rows told apart by their ids.

A scenario stays whole: a risky item and its twins share pictures and calls. The benchmark is read, and what
is unfit left out, where it is dealt; all shards answer to its very items (sha256).
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ssui_gen.benching.bench import ABOUT, ITEMS, About, Bench, first_scenarios
from ssui_gen.benching.entry import folder_name
from ssui_gen.benching.kept import JUDGEMENTS, OFFICIAL, RESPONSES
from ssui_gen.benching.official.shape import Judged
from ssui_gen.benching.records import BenchJudgement, Item, Response
from ssui_gen.benching.sources import Source, find, folder_in
from ssui_gen.benching.theirs import protocols_of
from ssui_gen.benching.vqa.marking import NOBODY
from ssui_gen.config import Bench as Settings
from ssui_gen.config_vqa import Vqa
from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import as_line, of_kind, parse
from ssui_gen.manifest import RUN, Manifest, read_manifest
from ssui_gen.records import Record
from ssui_gen.run_files import REJECTS
from ssui_gen.settings import ImageLimits
from ssui_gen.settings import parse as parse_settings
from ssui_gen.shards.dealing import Deal, Row, Terms, as_written, full, hand_out, settle
from ssui_gen.shards.stage import Key, Known, Manifests
from ssui_gen.shards.store import Store

RECORDS: dict[str, type[Record]] = {RESPONSES: Response, JUDGEMENTS: BenchJudgement, OFFICIAL: Judged}
BY = "blake2b of the scenario's id"
MODELS = "models.json"
"""With what each model's rows are made."""


class Wanted(NamedTuple):
    """The benchmark that a command names."""

    run: Path | None
    """The run's folder; None on an object store."""
    named: str | None
    data: Path | None
    limits: ImageLimits
    limit: int | None
    """Only the first so many scenarios."""
    asking: Vqa = Vqa()
    """How visual questions are put."""

    @property
    def folder(self) -> str:
        """What it is called in the run; its shards lie there. Raises RecordError."""
        return folder_in(self.run or Path("nowhere"), self.named).name

    @property
    def source(self) -> str:
        """Where it comes from, the same for every machine."""
        place = self.named and Path(self.named)
        if self.named is None or (self.run and (self.run / self.named).is_dir()):
            place = (self.run or Path()) / (self.named or self.folder)
        told = str(full(place)) if place and place.is_dir() else str(self.named)
        return told + (f", pictures of {full(self.data)}" if self.data else "")

    def found(self, scratch: Path) -> tuple[Path, Bench]:
        """Its folder, in the run or, where that is none, in `scratch`; and itself. Raises as `find` does."""
        return find(Source(self.run or scratch, self.named, self.data, self.limits, asking=self.asking))


class Models(Record):
    """`models.json`: manifests by the file of the run that they will be."""

    made: dict[str, Manifest]


def settle_bench(store: Store, of: int, wanted: Wanted) -> Deal:
    """`store` is the benchmark's own folder. Raises ConfigError as `settle` and `find` do, RecordError."""
    if wanted.run is None and wanted.named is None:
        raise ConfigError(f"{store.place}: an object store has none of its own: --bench says which")
    terms = Terms(of, wanted.source, wanted.limit, "--bench")
    return settle(store, terms, lambda: _deal(store, of, wanted))


def count_items(wanted: Wanted) -> int:
    """How many are fit to be asked. Raises as `find` does."""
    with tempfile.TemporaryDirectory(prefix="ssui-deal-") as scratch:
        return len(first_scenarios(wanted.found(Path(scratch))[1], wanted.limit).items)


def _deal(store: Store, of: int, wanted: Wanted) -> Deal:
    """Read the benchmark, keep it beside the shards, and write each shard's items."""
    with tempfile.TemporaryDirectory(prefix="ssui-deal-") as scratch:
        folder, whole = wanted.found(Path(scratch))
        for name in (ITEMS, ABOUT):
            if (folder / name).is_file():
                store.create(name, (folder / name).read_bytes())
    _require_items(store, whole.sha)
    store.create(_rejects(whole.sha), b"".join(map(as_line, whole.rejects)))
    chosen = first_scenarios(whole, wanted.limit)
    dealt = hand_out(store, of, "items", ((item.scenario_id, "item", item) for item in chosen.items))
    return Deal(
        stage="bench", items="items", folder=folder.name, source=wanted.source, root=str(full(whole.root)),
        limit=wanted.limit, by=BY, bench=whole.name, sha256=whole.sha, dealt=dealt,
    )  # fmt: skip


def _rejects(sha: str) -> str:
    return f"shards/rejects-{sha[:12]}.jsonl"


def _require_items(store: Store, sha: str) -> None:
    if hashlib.sha256(store.read(ITEMS) or b"").hexdigest() != sha:
        raise ConfigError(
            f"{store.place}/{ITEMS}: holds other items than those that are to be dealt: take a new RUN"
        )


def bench_of(store: Store, deal: Deal, rows: Callable[[], Iterable[Row]]) -> Bench:
    """The items that are dealt `rows`, as a benchmark that knows it is a part. Raises RecordError."""
    items = tuple(_items(rows()))
    return Bench(deal.bench, Path(deal.root), items, deal.sha256, about=_about(store, deal))


def _items(rows: Iterable[Row]) -> Iterator[Item]:
    return (of_kind(Item, row.value, row.place) for row in rows)


def _about(store: Store, deal: Deal) -> About:
    """What is said of it, by the place where its pictures lie for everybody."""
    raw, where = store.read(ABOUT), f"{store.place}/{ABOUT}"
    about = About(name=deal.bench) if raw is None else of_kind(About, parse(raw, where), where)
    return about.model_copy(update={"root": deal.root})


class Benching:
    """The stage, as shards see it: a folder of rows for each model under test."""

    deciding: tuple[tuple[str, ...], ...] = (("bench", "score"), ("images",))
    replacing = frozenset[str]()

    def kind(self, file: str) -> type[Record]:
        model, _, name = file.rpartition("/")
        if not _is_folder(model):
            raise KeyError(file)
        return RECORDS[name]

    def key(self, file: str, row: Record) -> Key:
        assert isinstance(row, Response | BenchJudgement | Judged)
        return file, row.id

    def read(self, store: Store) -> Manifests:
        raw, where = store.read(MODELS), f"{store.place}/{MODELS}"
        with as_written():
            made = {} if raw is None else of_kind(Models, parse(raw, where), where).made
        if not all(file.endswith(f"/{RUN}") and _is_folder(_model(file)) for file in made):
            raise ConfigError(f"{where}: names files that no model has: was it edited?")
        return made

    def write(self, store: Store, made: Manifests) -> None:
        store.create(MODELS, (Models(made=dict(made)).model_dump_json(indent=1) + "\n").encode())

    def files(self, made: Manifests) -> list[str]:
        return [f"{_model(file)}/{name}" for file in made for name in RECORDS]

    def check(self, where: str, rows: Known, dealt: Iterable[Row], deal: Deal, made: Manifests) -> None:
        left = set(rows)
        for item in _items(dealt):
            for file, manifest in made.items():
                for key in _keys(item, _model(file), manifest, deal):
                    if key not in rows:
                        raise ConfigError(f"{where}: item {item.id!r}: expected a row {key[1]} in {key[0]}")
                    left.discard(key)
        if left:
            name, id = min(left, key=str)
            raise ConfigError(f"{where}: {name}: row {id} is of no item that was dealt to this shard")

    def require_ours(self, into: Path, deal: Deal, made: Manifests) -> None:
        items = into / ITEMS
        if items.exists() and hashlib.sha256(items.read_bytes()).hexdigest() != deal.sha256:
            raise ConfigError(
                f"{items}: holds other items than those that were dealt: say another folder, with --into"
            )
        for file, manifest in made.items():
            found = read_manifest(into / file)
            if found.last and found.last != manifest.last:
                raise ConfigError(
                    f"{into / _model(file)}: holds rows that were made with something else, which would be "
                    "replaced: say another folder, with --into"
                )

    def beside(self, store: Store, deal: Deal, made: Manifests) -> dict[str, bytes]:
        """The benchmark itself, and of each model's folder which items are unfit."""
        unfit = store.read(_rejects(deal.sha256)) or b""
        about = _about(store, deal).model_dump_json(indent=1) + "\n"
        found = {ITEMS: store.read(ITEMS) or b"", ABOUT: about.encode()}
        return found | {f"{_model(file)}/{REJECTS}": unfit for file in made}


def _is_folder(name: str) -> bool:
    """Whether it is one that a model's rows may lie in: a log names no other place."""
    return folder_name(name) == name


def _model(file: str) -> str:
    return file.removesuffix(f"/{RUN}")


def _keys(item: Item, folder: str, manifest: Manifest, deal: Deal) -> Iterator[Key]:
    """Of every row that an item has when all is done."""
    told = manifest.settings.get("bench", {})
    settings = parse_settings(Settings, told, f"{MODELS}: {folder}/{RUN}: bench")
    models = manifest.last.models if manifest.last else {}
    model, judge = models.get("policy", ""), models.get("judge", NOBODY)
    rules = protocols_of(deal.bench, settings.score)
    for draw in range(settings.draws):
        response = Response.id_of(item.id, model, settings.protocol, draw)
        yield f"{folder}/{RESPONSES}", response
        if "rsbench" in settings.score:
            for question in settings.questions:
                yield f"{folder}/{JUDGEMENTS}", BenchJudgement.id_of(response, question, judge)
        for official in rules:
            yield f"{folder}/{OFFICIAL}", Judged.id_of(response, official, judge)
