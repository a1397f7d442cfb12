"""Clean copies of the items' pictures in the folder where people work, and their addresses for a page.

A copy holds pixels alone (`images`), is named by the sha256 of what it was made of, and is made once. The
page, the Markdown files and the server show these and nothing else, so a path in a record is followed only
once, by the door to pictures.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from pathlib import Path

from ssui_gen.curation.review import Item
from ssui_gen.errors import ImageError
from ssui_gen.images import cleaned
from ssui_gen.jsonl import atomic_write
from ssui_gen.records import ImageRef
from ssui_gen.settings import ImageLimits

FOLDER = "pictures"
LIMITS = ImageLimits(longest_side=768)
"""Large enough to be looked at."""
EMBEDDED = 12_000_000
"""Bytes of all pictures up to which they are put into the page itself: one file that can be sent to somebody.
Beyond that a browser would have to read them all before it shows the first, so they lie beside the page."""
_NAME = re.compile(r"([0-9a-f]{64})\.(png|jpeg)")


def copy_pictures(folder: Path, items: Iterable[Item], root: Path) -> dict[str, str]:
    """Make the copies that are not there yet; `root` is the seeds'. By path, why one could not be."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    there = copies(folder)
    refused: dict[str, str] = {}
    for ref in {item.path.image.sha256: item.path.image for item in items}.values():
        if ref.sha256 not in there:
            try:
                _copy(folder, root, ref)
            except ImageError as error:
                refused[ref.path] = str(error)
    return refused


def _copy(folder: Path, root: Path, ref: ImageRef) -> None:
    data, kind = cleaned(root, ref, LIMITS)
    atomic_write(folder / FOLDER / f"{ref.sha256}.{kind}", data)


def copies(folder: Path) -> dict[str, Path]:
    """The copies that are there, by the sha256 of what each was made of."""
    found = ((_NAME.fullmatch(path.name), path) for path in (folder / FOLDER).glob("*.*"))
    return {name[1]: path for name, path in found if name}


def addresses(folder: Path, items: Iterable[Item], *, embed: bool = True) -> dict[str, str]:
    """For each picture with a copy its address from the folder: a data URL where all are small enough."""
    wanted = {item.path.image.sha256 for item in items}
    there = {sha: path for sha, path in copies(folder).items() if sha in wanted}
    if embed and sum(path.stat().st_size for path in there.values()) <= EMBEDDED:
        return {sha: _data_url(path) for sha, path in there.items()}
    return {sha: f"{FOLDER}/{path.name}" for sha, path in there.items()}


def _data_url(path: Path) -> str:
    return f"data:image/{path.suffix[1:]};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
