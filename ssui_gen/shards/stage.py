"""What shards know of a stage: which files hold its rows, what tells one row from another, with what they are
made, and when none lacks. All else about shards is the same for every stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from ssui_gen.jsonl import of_kind, parse
from ssui_gen.manifest import Manifest
from ssui_gen.records import Record
from ssui_gen.shards.dealing import Deal, Row
from ssui_gen.shards.store import Store

Key = tuple[str | None, ...]
"""Tells a row of a shard from every other."""
Known = Mapping[Key, tuple[str, Record]]
"""By key a row and the name of its file."""
Manifests = Mapping[str, Manifest]
"""With what all rows are made, by the file of the run that says so."""


class OneManifest:
    """What is the same for every stage of whose rows one file says with what they are made."""

    says: str
    """That file's name."""

    def read(self, store: Store) -> Manifests:
        raw, where = store.read(self.says), f"{store.place}/{self.says}"
        return {} if raw is None else {self.says: of_kind(Manifest, parse(raw, where), where)}

    def write(self, store: Store, made: Manifests) -> None:
        for file, manifest in made.items():
            store.create(file, (manifest.model_dump_json(indent=2) + "\n").encode())

    def beside(self, store: Store, deal: Deal, made: Manifests) -> dict[str, bytes]:
        return {}


class Stage(Protocol):
    """Files are named as below the folder that merged rows go to."""

    deciding: tuple[tuple[str, ...], ...]
    """Settings that decide which rows there are; others are of a machine, or stand in the edition."""

    replacing: frozenset[str]
    """Files of which a later row stands instead of an earlier one that has its key."""

    def kind(self, file: str) -> type[Record]:
        """Of the rows of a file. Raises KeyError for a file that the stage does not write."""
        ...

    def key(self, file: str, row: Record) -> Key: ...

    def read(self, store: Store) -> Manifests:
        """As the first shard has written them; none before. Raises RecordError."""
        ...

    def write(self, store: Store, made: Manifests) -> None:
        """Unless somebody was faster."""
        ...

    def files(self, made: Manifests) -> list[str]:
        """Files of rows that the stage leaves, be there any rows or not."""
        ...

    def check(self, where: str, rows: Known, dealt: Iterable[Row], deal: Deal, made: Manifests) -> None:
        """Raises ConfigError unless every item that was dealt has its rows, and no other has any."""
        ...

    def require_ours(self, into: Path, deal: Deal, made: Manifests) -> None:
        """Raises ConfigError where merging would replace rows of something else."""
        ...

    def beside(self, store: Store, deal: Deal, made: Manifests) -> dict[str, bytes]:
        """What else lies beside merged rows, where it does not lie there yet."""
        ...
