"""Clean copies of the items' pictures in the folder where people work, and their addresses for a page.

A copy holds pixels alone (`images`), is named by the sha256 of what it was made of, and is made once. The
page, the Markdown files and the server show these and nothing else, so a path in a record is followed only
once, by the door to pictures. What lies here under such a name and is no copy of ours, a link or a file with
other bytes, is never read into a page: it is made anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ssui_gen.curation.review import Item
from ssui_gen.errors import ImageError
from ssui_gen.files import atomic_write, is_regular, read_regular
from ssui_gen.images import cleaned
from ssui_gen.records import ImageRef
from ssui_gen.settings import ImageLimits

FOLDER = "pictures"
LIMITS = ImageLimits(longest_side=768)
"""Large enough to be looked at."""
EMBEDDED = 12_000_000
"""Bytes of all pictures up to which they are put into the page itself: one file that can be sent to somebody.
Beyond that a browser would have to read them all before it shows the first, so they lie beside the page."""
SUMS = "sums.json"
"""What each copy is: by its name the sha256 of its own bytes."""
_MOST = 20_000_000
"""Bytes of a copy or of the sums; none of ours has so many."""
_NAME = re.compile(r"([0-9a-f]{64})\.(png|jpeg)")


def copy_pictures(folder: Path, items: Iterable[Item], root: Path) -> dict[str, str]:
    """Make the copies that are not there yet; `root` is the seeds'. By path, why one could not be."""
    home = folder / FOLDER
    if home.is_symlink():
        home.unlink()
    home.mkdir(parents=True, exist_ok=True)
    sums, there, refused = _sums(home), copies(folder), dict[str, str]()
    whole = {sha for sha, path in there.items() if _whole(path, sums) is not None}
    for ref in {ref.sha256: ref for item in items for ref in item.pictures}.values():
        if ref.sha256 not in whole:
            try:
                sums |= _copy(home, root, ref)
            except ImageError as error:
                refused[ref.path] = str(error)
    atomic_write(home / SUMS, json.dumps(sums, indent=1) + "\n")
    return refused


def _copy(home: Path, root: Path, ref: ImageRef) -> dict[str, str]:
    """Make one; its sum."""
    data, kind = cleaned(root, ref, LIMITS)
    name = f"{ref.sha256}.{kind}"
    atomic_write(home / name, data)
    return {name: hashlib.sha256(data).hexdigest()}


def copies(folder: Path) -> dict[str, Path]:
    """The copies that were made and are still files, by the sha256 of what each was made of; not read."""
    home = folder / FOLDER
    found = ((_NAME.fullmatch(name), home / name) for name in _sums(home))
    return {name[1]: path for name, path in found if name and is_regular(path)}


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


def addresses(folder: Path, items: Iterable[Item], *, embed: bool = True) -> dict[str, str]:
    """For each picture with a copy its address from the folder: a data URL where all are small enough."""
    wanted = {ref.sha256 for item in items for ref in item.pictures}
    there = {sha: path for sha, path in copies(folder).items() if sha in wanted}
    if embed and sum(path.stat().st_size for path in there.values()) <= EMBEDDED:
        sums = _sums(folder / FOLDER)
        read = ((sha, path, _whole(path, sums)) for sha, path in there.items())
        return {sha: _data_url(path.suffix[1:], data) for sha, path, data in read if data}
    return {sha: f"{FOLDER}/{path.name}" for sha, path in there.items()}


def _data_url(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
