"""What lies in a folder of pictures: its files, without those that no person put there, and what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ssui_gen.unreadable import HEAD, what_else

READ = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""Endings of pictures of formats that are read."""
SUFFIXES = (*READ, ".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".psd", ".dng", ".cr2", ".nef", ".arw")
"""Endings of pictures, those of formats that are refused among them: a folder's seeds say so one by one."""
METADATA = ("metadata.jsonl", "metadata.csv", "metadata.parquet")
"""Where an imagefolder (huggingface.co/docs/datasets/image_dataset) keeps what is said of its pictures."""
_SYSTEM = frozenset(
    {
        *("__macosx", "desktop.ini", "thumbs.db", "ehthumbs.db", "icon\r", "$recycle.bin"),
        *(
            "system volume information",
            "lost+found",
            "@eadir",
            "@recycle",
            "#recycle",
            "#snapshot",
            "__pycache__",
        ),
    }
)


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is a system's or a program's, and no person's."""
    return name.startswith(".") or name.lower() in _SYSTEM


def files(folder: Path) -> Iterator[Path]:
    """Files below `folder` in the order of their names, a folder's metadata first; links to folders are not
    followed. Holds the names of one folder and of those above it, not of the whole tree.
    """
    names = (path.name for path in folder.iterdir() if not is_hidden(path.name))
    for name in sorted(names, key=lambda name: (name not in METADATA, name)):
        path = folder / name
        if not path.is_dir():
            yield path
        elif not path.is_symlink():
            yield from files(path)


def is_picture(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in SUFFIXES


def may_be_read(path: Path) -> bool:
    """Whether a picture's name or, where that speaks against it, its first bytes let one hope."""
    if not is_picture(path) or path.suffix.lower() in READ:
        return is_picture(path)
    try:
        with path.open("rb") as file:
            return not what_else(file.read(HEAD))
    except OSError:
        return False


def census(found: Iterable[Path]) -> str:
    """How many files there are of each ending, the most frequent first."""
    endings = Counter(path.suffix.lower() or "without an ending" for path in found)
    return ", ".join(f"{ending} {count:,}" for ending, count in endings.most_common(8)) or "no file at all"
