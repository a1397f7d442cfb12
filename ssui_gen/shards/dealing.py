"""The items of a job dealt into shards, once: which go where, and the file that says so.

An item goes by the hash of a name, so more items move none. Two that deal at the same time make the same
files, or the second is refused. What the items of a stage are, and by which name they go, its own module
says (`seeds`, `benches`).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jsonl import of_kind, parse
from ssui_gen.records import Record, digest
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
    """What one shard got: how many rows, and the hash of the file that holds them."""

    rows: int
    sha256: str


class Deal(Record):
    """`shards.json`, written once."""

    schema_version: int = Field(default=1, alias="schema")
    stage: Literal["dataset", "pairs", "bench"] = "dataset"
    items: str = "seeds"
    """What a row of its shards is: the files that hold them are called so."""
    folder: Annotated[str, Field(pattern=r"^(bench[^/\x00]*)?$")] = ""
    """Below the run's own, the folder that merged rows go to."""
    source: str
    root: str
    """Of the pictures: every machine finds them there."""
    limit: int | None
    by: str = "blake2b of the picture's name"
    bench: str = ""
    """The benchmark's name, where it is one."""
    sha256: str = ""
    """Of the benchmark's items, all of them."""
    dealt: tuple[Dealt, ...]

    @cached_property
    def id(self) -> str:
        """Stands in every log of a shard: a log of another deal is no log of this job."""
        return digest(self.model_dump(mode="json"))


class Terms(NamedTuple):
    """On which a command wants a deal."""

    of: int
    source: str | None
    """None: whatever was dealt."""
    limit: int | None
    option: str
    """That names the source."""


class Row(NamedTuple):
    """A row of a shard's file of items."""

    kind: str
    value: Any
    place: str
    """For messages."""


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


def shard_of(name: str, of: int) -> int:
    """By the name's hash."""
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


def settle(store: Store, terms: Terms, dealt: Callable[[], Deal]) -> Deal:
    """As it was dealt, if that is what is asked for; else as it is `dealt` now. Raises ConfigError."""
    if known := find_deal(store):
        now = {"N": terms.of, terms.option: terms.source or known.source, "--limit": terms.limit}
        was = {
            "N": len(known.dealt),
            terms.option: known.source,
            "--limit": known.limit if terms.limit else None,
        }
        _refuse_change(store, [f"{key} {was[key]} → {now[key]}" for key in was if was[key] != now[key]])
        return known
    if terms.source is None:
        raise ConfigError(
            f"{store.place}: nothing has been dealt here yet: say which seeds, with {terms.option}"
        )
    if terms.of < 1:
        raise ConfigError(f"expected at least one shard; got {terms.of}")
    if terms.limit is not None and terms.limit < 1:
        raise ConfigError(f"--limit: expected a number from 1; got {terms.limit}")
    return _agreed(store, dealt())


def full(path: Path) -> Path:
    """Every machine is to find it, from wherever it looks."""
    return path.absolute()


def hand_out(store: Store, of: int, items: str, rows: Iterable[tuple[str, str, Record]]) -> tuple[Dealt, ...]:
    """Write each shard's rows to a file of its own; of a row the name by which it goes, and its kind."""
    with TemporaryDirectory(prefix="ssui-deal-") as drafts:
        files = _Drafts(Path(drafts))
        for name, kind, row in rows:
            files.add(shard_of(name, of), kind, row)
        return tuple(_store_rows(store, Which(number, of), items, files) for number in range(of))


class _Drafts:
    """Rows by shard, on a disk of this machine until all are there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.rows = folder, Counter[int]()
        self._held = defaultdict[int, bytearray](bytearray)

    def add(self, shard: int, kind: str, row: Record) -> None:
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


def _store_rows(store: Store, which: Which, items: str, files: _Drafts) -> Dealt:
    """Under a name that depends on the rows, so that another deal's are no hindrance."""
    data = files.all(which.number)
    dealt = Dealt(rows=files.rows[which.number], sha256=hashlib.sha256(data).hexdigest())
    store.create(_name(which, items, dealt), data)
    return dealt


def _name(which: Which, items: str, dealt: Dealt) -> str:
    return f"{which.folder}/{items}-{dealt.sha256[:12]}.jsonl"


def _agreed(store: Store, made: Deal) -> Deal:
    """`made`, if nobody was faster with another."""
    if store.create(DEAL, (made.model_dump_json(by_alias=True, indent=1) + "\n").encode()):
        return made
    known = find_deal(store) or made
    changed = [
        f"{name} {getattr(known, name)} → {getattr(made, name)}"
        for name in ("source", "limit", "root", "sha256")
        if getattr(known, name) != getattr(made, name)
    ]
    if len(known.dealt) != len(made.dealt):
        changed.append(f"N {len(known.dealt)} → {len(made.dealt)}")
    elif known.dealt != made.dealt and not changed:
        changed.append(f"rows of the {made.items}")
    _refuse_change(store, changed)
    return known


def _refuse_change(store: Store, changed: list[str]) -> None:
    if changed:
        raise ConfigError(
            f"{store.place}: was dealt otherwise ({'; '.join(changed)}), and its shards hold that: say the "
            "same again, or take a new RUN"
        )


def items_of_shard(store: Store, deal: Deal, which: Which) -> Callable[[], Iterator[Row]]:
    """Reads what was dealt to a shard. Raises ConfigError if the file is not as it was dealt."""
    dealt = deal.dealt[which.number]
    name = _name(which, deal.items, dealt)
    data, where = store.read(name), f"{store.place}/{name}"
    if data is None or hashlib.sha256(data).hexdigest() != dealt.sha256:
        found = "it is missing" if data is None else "its rows were changed"
        raise ConfigError(
            f"{where}: expected the {deal.items} as they were dealt; {found}: put it back, or take a new RUN"
        )

    def rows() -> Iterator[Row]:
        for number, line in enumerate(data.splitlines(), 1):
            value = parse(line, f"{where}:{number}")
            kind, row = next(iter(value.items()))
            yield Row(kind, row, f"{where}:{number}")

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
