"""Clean copies of the items' pictures in the folder where people work, and their addresses for a page.

A copy holds pixels alone (`images`), is named by the sha256 of what it was made of, and is made once. Beside
each lies a small one for lists. The page, the Markdown files and the server show these and nothing else, so a
path in a record is followed only once, by the door to pictures. What lies here under such a name and is no
copy of ours, a link or a file with other bytes, is never read into a page: it is made anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ssui_gen.curation.asked.item import Item
from ssui_gen.errors import ImageError
from ssui_gen.files import atomic_write, is_regular, own_folder, read_regular
from ssui_gen.images import cleaned, smaller
from ssui_gen.records import ImageRef
from ssui_gen.settings import ImageLimits

FOLDER = "pictures"
SIDE = 1600
"""Pixels of a copy's longer side: more than a model is usually shown, so that a person sees all it could."""
SMALL_SIDE, SMALL_QUALITY = 112, 70
"""Of the small copies: pixels, and JPEG's quality; two or three thousand bytes each."""
EMBEDDED = 12_000_000
"""Bytes of all pictures up to which they are put into the page itself: one file that can be sent to somebody.
Beyond that a browser would have to read them all before it shows the first, so they lie beside the page."""
EMBEDDED_SMALL = 2_000_000
"""The same of all small copies."""
SUMS = "sums.json"
"""What each copy is: by its name the sha256 of its own bytes."""
_MOST = 20_000_000
"""Bytes of a copy or of the sums; none of ours has so many."""
NAME = re.compile(r"([0-9a-f]{64})(\.small)?\.(png|jpeg)")
"""Of a copy: what it was made of, whether it is small, and its format."""


class Below(NamedTuple):
    """Where the seeds' pictures lie, and what one may be."""

    root: Path
    limits: ImageLimits

    def within(self, side: int) -> ImageLimits:
        """The same, as copies of which no side is longer."""
        return self.limits.model_copy(update={"longest_side": side})


def copy_pictures(folder: Path, items: Iterable[Item], pictures: Below) -> dict[str, str]:
    """Make the copies that are not there yet. By path, why one could not be."""
    home = folder / FOLDER
    if home.is_symlink():
        home.unlink()
    own_folder(home)
    sums, refused = _sums(home), dict[str, str]()
    for ref in {ref.sha256: ref for item in items for ref in item.pictures}.values():
        try:
            sums |= _copied(folder, pictures, ref, sums)
        except ImageError as error:
            refused[ref.path] = str(error)
    atomic_write(home / SUMS, json.dumps(sums, indent=1) + "\n")
    return refused


def _copied(folder: Path, pictures: Below, ref: ImageRef, sums: Mapping[str, str]) -> dict[str, str]:
    """Make the copy and the small one, whichever is not there; the sums of what was made."""
    home, made = folder / FOLDER, dict[str, str]()
    names = (f"{ref.sha256}.png", f"{ref.sha256}.jpeg")
    data = next(filter(None, (_whole(home / name, sums) for name in names if name in sums)), None)
    if data is None:
        data, kind = cleaned(pictures.root, ref, pictures.within(SIDE))
        made |= _written(home / f"{ref.sha256}.{kind}", data)
    small = home / f"{ref.sha256}.small.jpeg"
    if _whole(small, sums) is None:
        made |= _written(small, smaller(data, ref.path, pictures.within(SMALL_SIDE), SMALL_QUALITY))
    return made


def _written(path: Path, data: bytes) -> dict[str, str]:
    atomic_write(path, data)
    return {path.name: hashlib.sha256(data).hexdigest()}


def copies(folder: Path, *, small: bool = False) -> dict[str, Path]:
    """The copies that were made and are still files, by the sha256 of what each was made of; not read."""
    home = folder / FOLDER
    found = ((NAME.fullmatch(name), home / name) for name in _sums(home))
    return {name[1]: path for name, path in found if name and bool(name[2]) == small and is_regular(path)}


def read_copy(folder: Path, name: str) -> bytes | None:
    """The bytes of a copy as it was made; None for anything else, be it a link or a file of other bytes."""
    return _whole(folder / FOLDER / name, _sums(folder / FOLDER))


def _whole(path: Path, sums: Mapping[str, str]) -> bytes | None:
    data = _bytes(path)
    return data if data is not None and hashlib.sha256(data).hexdigest() == sums.get(path.name) else None


def _bytes(path: Path) -> bytes | None:
    try:
        return read_regular(path, _MOST)
    except OSError:
        return None


def _sums(home: Path) -> dict[str, str]:
    """What was made here; nothing where that cannot be read, so that it is made anew."""
    try:
        found = {} if home.is_symlink() else json.loads(_bytes(home / SUMS) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def shown_in(items: Iterable[Item]) -> frozenset[str]:
    """Every picture of theirs, by sha256."""
    return frozenset(ref.sha256 for item in items for ref in item.pictures)


def addresses(
    folder: Path, wanted: Collection[str], *, embed: bool = True, small: bool = False
) -> dict[str, str]:
    """For each of these pictures (`shown_in`) with a copy its address from the folder: a data URL where all
    together are no more bytes than a page should hold. `small`: of the small copies.
    """
    there = {sha: path for sha, path in copies(folder, small=small).items() if sha in wanted}
    most = EMBEDDED_SMALL if small else EMBEDDED
    if embed and sum(path.stat().st_size for path in there.values()) <= most:
        sums = _sums(folder / FOLDER)
        read = ((sha, path, _whole(path, sums)) for sha, path in there.items())
        return {sha: _data_url(path.suffix[1:], data) for sha, path, data in read if data}
    return {sha: f"{FOLDER}/{path.name}" for sha, path in there.items()}


def _data_url(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
