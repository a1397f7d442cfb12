"""What a stage is given where it does one part of a larger job: its items, and a witness of all it writes.

A witness is told of each call and row before either is kept, calls before the rows that used them: whatever
it has kept is consistent, wherever it breaks off. It also brings what a person says to all parts, and takes
along how far this one is. Covers neither who deals parts nor where a witness keeps what it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ssui_gen.calling.journal import Told
from ssui_gen.manifest import Manifest, Seeds
from ssui_gen.records import Record, Reject, Seed


class Word(NamedTuple):
    """What a person has said to all parts of a job."""

    id: str = ""
    """Tells it from every other; empty: nobody has said anything."""
    paused: bool = False
    places: int | None = None
    """Calls at once of each part; None: as each steers them."""


UNSAID = Word()


class Witness(Protocol):
    """Is told of everything before it is written. Raises RecordError where it cannot keep it: then nothing
    is written either, and the job ends.
    """

    @property
    def call(self) -> Told:
        """An answer, before it is kept."""
        ...

    def rows(self, file: str, lines: bytes) -> None:
        """Whole rows of a file, as they will stand there."""
        ...

    def gone(self, file: str, rows: Iterable[Record]) -> None:
        """Rows that are taken out of a file, as they are tried again."""
        ...

    def edition(self, manifests: Mapping[str, Manifest], used: Path) -> None:
        """With what the coming rows are made, by the file that will say so, and the folder that holds it word
        for word. Raises ConfigError where other parts are made with something else.
        """
        ...

    @property
    def word(self) -> Word:
        """The last that was said to all parts, as far as it has been heard here."""
        ...

    def now(self, facts: Mapping[str, Any]) -> None:
        """How far this part is: whoever asks may be told it, nobody has to."""
        ...


class Part(NamedTuple):
    """One part of a dataset."""

    seeds: Seeds
    """Where the seeds of the whole job come from, and the pictures lie."""
    items: Callable[[], Iterator[Seed | Reject]]
    """Those of this part, in the order of the whole job; what is wrong with a seed has been found already."""
    witness: Witness


def told_of_rows(witness: Witness | None, file: str) -> Callable[[bytes], None] | None:
    """Tells the witness of the rows of one file; None where nobody is to be told."""
    if witness is None:
        return None
    told = witness.rows
    return lambda lines: told(file, lines)
