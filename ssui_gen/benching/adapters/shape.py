"""What every adapter speaks of: a row as others wrote it, an item that has not been looked at, a row refused.

Shapes only: files are `copy`'s, what becomes of a draft is `making`'s, each benchmark's own form stands in
the module of its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pydantic import ConfigDict

from ssui_gen.benching.records import Origin
from ssui_gen.records import Kind, Record

UNNAMED = "there is one, which the benchmark does not name"
"""What a judge is told of a risky item whose benchmark says no danger: empty would say that there is none."""


class About(NamedTuple):
    """A benchmark as a whole."""

    name: str
    title: str
    version: str
    """Whose layout this is: repository and commit."""
    licence: str
    layout: str
    """What the user's folder holds, in one line."""
    rows: int | None = None
    """Items in that version; None where that is not known."""
    scenarios: int | None = None
    training: bool = True
    """Whether its licence allows training on it."""
    names_danger: bool = False
    """Whether every risky row names its danger: one that does not is refused."""

    def origin(self, row: str) -> Origin:
        """Where an item of this row comes from."""
        return Origin(
            bench=self.name, version=self.version, row=row, licence=self.licence, training=self.training
        )


class Refused(NamedTuple):
    """A row that gave no item; or something about the copy that whoever reads a figure of it should know."""

    row: str
    """File and number, or key."""
    reason: str
    """`item_invalid`, `item_duplicate`, `danger_missing`; told are `count_differs`, `picture_shared`,
    `twin_missing`, `uneven`; or the code of a refused picture (`records.Reason`)."""
    detail: str
    lost: bool = True
    """Whether an item was lost; False: this is only told."""


class Row(Record):
    """Base of a row as others wrote it: the columns that are read, strictly typed; others are passed over."""

    model_config = ConfigDict(extra="ignore", strict=True)


@dataclass(frozen=True)
class Draft:
    """An item whose pictures have not been looked at."""

    row: str
    kind: Kind
    text: str
    pictures: tuple[str, ...]
    """Paths as seen from the user's folder."""
    scenario: str = ""
    """The cluster; empty: items that show the same pictures are one."""
    licence: str = ""
    """Of its pictures, where they have one of their own."""
    language: str = "en"
    text_en: str | None = None
    category: str = ""
    crosswalk: Mapping[str, str] = field(default_factory=dict)
    danger: str = ""
    answer: str = ""
    """How a careful assistant answered."""
    seen: tuple[str, ...] = ()
    """What the picture shows, in words."""
    twin: Literal["image", "text"] | None = None
    """Which side differs from the risky item of its group."""
    extra: Mapping[str, Any] = field(default_factory=dict)


class Group(NamedTuple):
    """The drafts of one row, where benign ones may be twins of the risky one; and what is wrong with it."""

    row: str
    """The same row of another edition has the same."""
    drafts: tuple[Draft, ...] = ()
    refused: tuple[Refused, ...] = ()
