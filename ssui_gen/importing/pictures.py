"""Pictures of others, each checked through the one door and copied once, byte for byte, under its hash.

What a look at one found is kept (`looked.jsonl`): an import that was cut off, or is run again, decodes none
twice. A picture is copied only when a row with it is kept.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints

from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write, is_regular
from ssui_gen.images import hash_of, original, within
from ssui_gen.importing.shape import Source
from ssui_gen.jsonl import Appender, read, validate
from ssui_gen.pixels import ending_of
from ssui_gen.records import Record
from ssui_gen.seeds import LOOKED

PICTURES = "pictures"
SHOWN = 40
"""Characters that stand for a picture without a name, in messages."""


class Looked(Record):
    """A row of `looked.jsonl`: a picture that can be used."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    image: Annotated[str, StringConstraints(pattern=rf"^{PICTURES}/[0-9a-f]{{64}}\.[a-z]+$")]
    """Where its copy lies, or would, below the folder: a file that was brought names no other place."""
    hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,64}$")]
    """Its perceptual hash, in hexadecimal digits."""


class Pictures:
    """The pictures of one import."""

    def __init__(self, folder: Path, source: Source) -> None:
        self.folder, self.source = folder, source
        if (folder / PICTURES).is_symlink():
            raise ConfigError(f"{folder / PICTURES}: is a link; expected a folder of the import's own")
        self._file = Appender(folder / LOOKED)
        (folder / PICTURES).mkdir(exist_ok=True)
        rows = (validate(Looked, line) for line in read(folder / LOOKED))
        self._known = {row.sha256: row for row in rows}

    def look(self, picture: str | bytes, where: str) -> tuple[bytes, Looked]:
        """The bytes of a row's picture, and what is known of them. Raises ImageError."""
        limits = self.source.limits
        if isinstance(picture, bytes):
            data, name = within(picture, where[:SHOWN], limits), where[:SHOWN]
        else:
            data, name = original(self.source.pictures, picture, limits), picture
        sha = hashlib.sha256(data).hexdigest()
        if sha not in self._known:
            bits = hash_of(data, name, limits)
            row = Looked(sha256=sha, image=f"{PICTURES}/{sha}.{ending_of(data)}", hash=f"{bits:x}")
            self._file.write(row)
            self._known[sha] = row
        return data, self._known[sha]

    def keep(self, data: bytes, looked: Looked) -> None:
        """Copy it, unless it is there."""
        path = self.folder / looked.image
        if not is_regular(path):
            atomic_write(path, data)

    def close(self) -> None:
        self._file.close()
