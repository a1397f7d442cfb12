"""The seeds of a job dealt into shards, once: which go where, and the file that says so.

A seed goes by the hash of its picture's name: seeds of one picture stay together, so they share calls and a
server's prefix cache, and more seeds move none. Duplicates, invalid rows and `--limit` are of the whole job,
so they are settled here. Two that deal at the same time make the same files, or the second is refused.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pydantic import Field

from ssui_gen.calling.journal import Seen
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jsonl import of_kind, parse
from ssui_gen.manifest import Seeds
from ssui_gen.records import Record, Reject, Seed, digest
from ssui_gen.seeds import read_seeds, root_of
from ssui_gen.shards.folder import Folder
from ssui_gen.shards.store import Store

DEAL = "shards.json"
HELD = 16_384
"""Bytes of a shard's rows that are held before they go to its draft: there are thousands of shards."""
NUMBERS = ("SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX")
"""Where schedulers say which task of how many this is."""


class Which(NamedTuple):
    """`17/4096`: a shard, from 0 on, and how many there are."""

    number: int
    of: int

    @property
    def folder(self) -> str:
        return f"shards/{self.number:05}"

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


class Dealt(Record):
    """The seeds of one shard: how many rows, and the hash of the file that holds them."""

    rows: int
    sha256: str


class Deal(Record):
    """`shards.json`, written once."""

    schema_version: int = Field(default=1, alias="schema")
    source: str
    root: str
    """Of the pictures: every machine finds them there."""
    limit: int | None
    by: str = "blake2b of the picture's name"
    dealt: tuple[Dealt, ...]

    @cached_property
    def id(self) -> str:
        """Stands in every log of a shard: a log of another deal is no log of this job."""
        return digest(self.model_dump(mode="json"))

    @property
    def seeds(self) -> Seeds:
        return Seeds(source=self.source, root=self.root)


def which_shard(text: str, environment: Mapping[str, str] = os.environ) -> Which:
    """What `--shard` says: `I/N`, or `auto/N` with I as the scheduler has it. Raises ConfigError."""
    found = re.fullmatch(r"(auto|[0-9]{1,6})/([0-9]{1,6})", text)
    if not found:
        raise ConfigError(f"--shard: expected I/N, such as 17/4096, or auto/N; got {text!r}")
    number, of = found[1], int(found[2])
    which = Which(_from_scheduler(environment) if number == "auto" else int(number), of)
    if not which.number < of:
        raise ConfigError(f"--shard: shards of {of} are 0 to {of - 1}; got {which.number}")
    return which


def _from_scheduler(environment: Mapping[str, str]) -> int:
    said = {name: environment[name] for name in NUMBERS if environment.get(name)}
    if len(set(said.values())) != 1 or not next(iter(said.values())).isdecimal():
        raise ConfigError(
            f"--shard auto/N: expected one number in {' or '.join(NUMBERS)}, which a job array of Slurm and "
            f"an Indexed Job of Kubernetes set; got {said or 'none'}: name the shard, I/N"
        )
    return int(next(iter(said.values())))


def shard_of(row: Seed | Reject, of: int) -> int:
    """A row without a picture goes by its own name."""
    name = row.image if isinstance(row, Seed) else row.seed_id
    hashed = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(hashed.digest(), "big") % of


def find_deal(store: Store) -> Deal | None:
    """As it was dealt; None where nothing has been. Raises ConfigError, and RecordError for the storage."""
    raw, where = store.read(DEAL), f"{store.place}/{DEAL}"
    with as_written():
        return None if raw is None else of_kind(Deal, parse(raw, where), where)


@contextmanager
def as_written() -> Iterator[None]:
    """Raises ConfigError for what is no record of ours: no other machine would read it otherwise."""
    try:
        yield
    except RecordError as error:
        raise ConfigError(f"{error}: was it written by another version of ssui_gen, or edited?") from None


def settle_deal(store: Store, of: int, seeds: Path | None, limit: int | None) -> Deal:
    """As it was dealt, if that is what is asked for; else dealt now. Raises ConfigError."""
    if known := find_deal(store):
        asked = {"N": of, "--seeds": str(_full(seeds)) if seeds else known.source, "--limit": limit}
        was = {"N": len(known.dealt), "--seeds": known.source, "--limit": known.limit if limit else None}
        _refuse_change(store, [f"{key} {was[key]} → {asked[key]}" for key in was if was[key] != asked[key]])
        return known
    if seeds is None:
        raise ConfigError(f"{store.place}: nothing has been dealt here yet: say which seeds, with --seeds")
    return deal(store, of, seeds, limit)


def deal(store: Store, of: int, seeds: Path, limit: int | None) -> Deal:
    """Read all seeds once and write each shard's. Raises ConfigError, RecordError."""
    if of < 1:
        raise ConfigError(f"expected at least one shard; got {of}")
    if limit is not None and limit < 1:
        raise ConfigError(f"--limit: expected a number from 1; got {limit}")
    source, pictures = _full(seeds), store.root if isinstance(store, Folder) else None
    root = root_of(source, pictures or Path("nowhere"))
    if not root.is_relative_to(source.parent) and pictures is None:
        raise ConfigError(
            f"{source}: holds the pictures themselves, and {store.place} is no folder from which servers "
            "could read them: write them to files first, and name those in a file of rows"
        )
    with TemporaryDirectory(prefix="ssui-deal-") as drafts, closing(Seen()) as known:
        files = _Drafts(Path(drafts))
        for count, row in enumerate(read_seeds(source, known.add, pictures or source.parent)):
            if count == limit:
                break
            files.add(shard_of(row, of), row)
        dealt = tuple(_store_seeds(store, Which(number, of), files) for number in range(of))
    made = Deal(source=str(source), root=str(_full(root)), limit=limit, dealt=dealt)
    return _agreed(store, made)


def _full(path: Path) -> Path:
    """Every machine is to find it, from wherever it looks."""
    return path.absolute()


class _Drafts:
    """Rows by shard, on a disk of this machine until all are there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.rows = folder, Counter[int]()
        self._held = defaultdict[int, bytearray](bytearray)

    def add(self, shard: int, row: Seed | Reject) -> None:
        kind = "seed" if isinstance(row, Seed) else "reject"
        self.rows[shard] += 1
        held = self._held[shard]
        held += f'{{"{kind}":{row.model_dump_json()}}}\n'.encode()
        if len(held) >= HELD:
            with (self.folder / str(shard)).open("ab") as file:
                file.write(self._held.pop(shard))

    def all(self, shard: int) -> bytes:
        early = b""
        with suppress(FileNotFoundError):
            early = (self.folder / str(shard)).read_bytes()
        return early + bytes(self._held.get(shard, b""))


def _store_seeds(store: Store, which: Which, files: _Drafts) -> Dealt:
    """Under a name that depends on the rows, so that another deal's are no hindrance."""
    data = files.all(which.number)
    dealt = Dealt(rows=files.rows[which.number], sha256=hashlib.sha256(data).hexdigest())
    store.create(_name(which, dealt), data)
    return dealt


def _name(which: Which, dealt: Dealt) -> str:
    return f"{which.folder}/seeds-{dealt.sha256[:12]}.jsonl"


def _agreed(store: Store, made: Deal) -> Deal:
    """`made`, if nobody was faster with another."""
    if store.create(DEAL, (made.model_dump_json(by_alias=True, indent=1) + "\n").encode()):
        return made
    known = find_deal(store) or made
    fields = ("source", "limit", "root")
    changed = [f"{name} {getattr(known, name)} → {getattr(made, name)}" for name in fields]
    changed = [
        one for one, name in zip(changed, fields, strict=True) if getattr(known, name) != getattr(made, name)
    ]
    if len(known.dealt) != len(made.dealt):
        changed.append(f"N {len(known.dealt)} → {len(made.dealt)}")
    elif known.dealt != made.dealt and not changed:
        changed.append("rows of the seeds")
    _refuse_change(store, changed)
    return known


def _refuse_change(store: Store, changed: list[str]) -> None:
    if changed:
        raise ConfigError(
            f"{store.place}: was dealt otherwise ({'; '.join(changed)}), and its shards hold that: say the "
            "same again, or take a new RUN"
        )


def seeds_of_shard(store: Store, deal: Deal, which: Which) -> Callable[[], Iterator[Seed | Reject]]:
    """Reads what was dealt to a shard. Raises ConfigError if the file is not as it was dealt."""
    dealt = deal.dealt[which.number]
    data, where = store.read(_name(which, dealt)), f"{store.place}/{_name(which, dealt)}"
    if data is None or hashlib.sha256(data).hexdigest() != dealt.sha256:
        found = "it is missing" if data is None else "its rows were changed"
        raise ConfigError(
            f"{where}: expected the seeds as they were dealt; {found}: put it back, or take a new RUN"
        )

    def rows() -> Iterator[Seed | Reject]:
        for number, line in enumerate(data.splitlines(), 1):
            value = parse(line, f"{where}:{number}")
            kind, row = next(iter(value.items()))
            place = f"{where}:{number}"
            yield of_kind(Seed, row, place) if kind == "seed" else of_kind(Reject, row, place)

    return rows


def ranges(numbers: list[int]) -> str:
    """As `--array` of Slurm takes them: `3,17-19`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
