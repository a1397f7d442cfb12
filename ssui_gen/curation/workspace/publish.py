"""Items out to people: files, page and pictures in their folder, and each person's file brought up to it.

May be done at any time and again: nothing a person has said is removed or overwritten.
"""

from __future__ import annotations

import getpass
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.people import RESOLVED, is_name, named
from ssui_gen.curation.choosing.deal import deal
from ssui_gen.curation.lines.merge import merging
from ssui_gen.curation.lines.sheet import Fault, Sheet, written
from ssui_gen.curation.page.gallery import gallery
from ssui_gen.curation.page.pictures import Below, addresses, copies, copy_pictures, shown_in
from ssui_gen.curation.workspace.board import Board, read_board
from ssui_gen.curation.workspace.folder import Folder
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write
from ssui_gen.placed import Made

GALLERY = "gallery.html"


class Published(NamedTuple):
    """What was done."""

    items: int
    changed: list[str]
    """People whose file is another one now."""
    stale: Counter[str]
    """By person: items of which something was said before their texts changed, and nothing since."""
    faults: list[Fault]
    """Of files that were left as they are, because they could not be merged."""
    refused: dict[str, str]
    """By path, why a picture cannot be shown."""


def publish(
    folder: Folder, items: Sequence[Item], names: Sequence[str], pictures: Below, title: str
) -> Published:
    """Let these be the items; merge what `names`, and everybody who has a file, have said.

    `pictures` are those of the seeds. Without anybody, the file is the login name's. Raises
    ConfigError for what can be no name and where no picture at all can be shown, before people are given
    anything.
    """
    for name in names:
        named(name)
    refused = copy_pictures(folder.root, items, pictures)
    _refuse_blind(folder, items, pictures.root, refused)
    folder.export(items)
    folder.put_manifest(folder.manifest())
    write_gallery(folder, title)
    return merge(folder, names)._replace(refused=refused)


def _refuse_blind(folder: Folder, items: Sequence[Item], root: Path, refused: Mapping[str, str]) -> None:
    there = copies(folder.root)
    if refused and not any(ref.sha256 in there for item in items for ref in item.pictures):
        raise ConfigError(
            f"{root}: none of the {len(refused)} pictures can be shown ({next(iter(refused.values()))}): say "
            "where they lie with SEEDS=... (--seeds)"
        )


def write_gallery(folder: Folder, title: str) -> None:
    """The page for everybody: who looks says so there, and sees their share."""
    items, manifest = folder.items(), folder.manifest()
    pictures = shown_in(items.values())
    page = gallery(
        title=title,
        folder=manifest.id,
        form=folder.form,
        items=items,
        pictures=addresses(folder.root, pictures),
        thumbs=addresses(folder.root, pictures, small=True),
        past=folder.past(),
        shares=manifest.shares,
    )
    atomic_write(folder.root / GALLERY, page)


def assign(
    folder: Folder, names: Sequence[str], *, overlap: float, each: int, seed: int, title: str
) -> dict[str, int]:
    """Deal the items to people, and give each their file; returns how many each has."""
    if not 0 <= overlap <= 1 or not 1 <= each <= len(set(names)):
        most = len(set(names))
        raise ConfigError(
            f"expected an overlap from 0 to 1, each from 1 to {most}; got {overlap:g} and {each}"
        )
    for name in names:
        named(name)
    if RESOLVED in names:
        raise ConfigError(
            f"{RESOLVED} is no person: that name is for the last word (`ssui curation resolve`)"
        )
    items, manifest = folder.items(), folder.manifest()
    shares = deal(list(items), names, overlap=overlap, each=each, seed=seed, dealt=manifest.shares)
    folder.put_manifest(manifest.model_copy(update={"shares": shares}))
    merge(folder, names)
    write_gallery(folder, title)
    return {name: len(share) for name, share in shares.items()}


def merge(folder: Folder, names: Sequence[str] = ()) -> Published:
    """Bring everybody's file up to the items; a file with faults is left alone."""
    board = read_board(folder)
    done = Published(len(board.items), [], Counter(), folder.misnamed(), {})
    for name in sorted({*names, *board.names}) or [login()]:
        if folder.change(name, partial(_merged, board, name)):
            done.changed.append(name)
        sheet = folder.sheet(name)
        done.faults.extend(board.foreign(sheet))
        done.stale[name] = sum(1 for line in sheet.reviews if line.before and not line.said)
    return done


def _merged(board: Board, name: str, sheet: Sheet) -> bytes:
    if board.foreign(sheet):
        return sheet.content
    shas = Made(board.share(name), board.shas.__getitem__)
    return written(merging(board.folder.form, shas, sheet.by_id), sheet)


def login() -> str:
    """The login name as a name here; `me` where it has none that can be."""
    try:
        found = re.sub(r"[^a-z0-9_-]+", "-", getpass.getuser().lower()).strip("-_")[:32]
    except OSError:  # no such user in this container
        found = ""
    return found if is_name(found) else "me"
