"""What a process has made ready, on disk until it is wanted: of millions only the places are in memory.

The file has no name, so it is gone with its process, however that ends, and nobody else can have written what
is unpickled from it. Rows come back as they were put, to the bit.
"""

from __future__ import annotations

import os
import pickle
import tempfile
import weakref
from array import array
from pathlib import Path
from typing import TypeVar

from ssui_gen.errors import RecordError
from ssui_gen.numbered import Numbered

T = TypeVar("T")


class Shelf(Numbered[T]):
    """Grows by `put`; anything that can be pickled, by number."""

    def __init__(self, near: Path) -> None:
        """In a file on the disk where `near` is, or will be. Raises RecordError."""
        self._place = next((p for p in (near, *near.absolute().parents) if os.access(p, os.W_OK)), None)
        try:
            self._file = tempfile.TemporaryFile(dir=self._place)  # noqa: SIM115
        except OSError as error:
            raise self._full(error) from None
        weakref.finalize(self, self._file.close)
        self._starts = array("Q", [0])
        """Where each begins, and where the next will."""

    def put(self, one: T) -> None:
        """Raises RecordError where the disk is full."""
        data = pickle.dumps(one, pickle.HIGHEST_PROTOCOL)
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise self._full(error) from None
        self._starts.append(self._starts[-1] + len(data))

    def _full(self, error: OSError) -> RecordError:
        return RecordError(
            f"{self._place or tempfile.gettempdir()}: a file of work in hand could not be written there: "
            f"{error.strerror}; free some space and run the same command again"
        )

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._starts[-1]

    def __len__(self) -> int:
        return len(self._starts) - 1

    def at(self, number: int) -> T:
        """As it was put."""
        start, stop = self._starts[number : number + 2]
        found: T = pickle.loads(os.pread(self._file.fileno(), stop - start, start))
        return found
