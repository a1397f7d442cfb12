"""Pictures of several roots below one: each copied once, under its own name where that is free.

Where all runs have one root, nothing is copied and the joined run names that root. A picture that cannot be
read keeps its name; later stages say of it what they always say.
"""

from __future__ import annotations

import hashlib
import posixpath
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, count
from pathlib import Path, PurePosixPath

from ssui_gen.errors import ImageError
from ssui_gen.files import atomic_write
from ssui_gen.images import below, original
from ssui_gen.joining.source import Source
from ssui_gen.records import ImageRef
from ssui_gen.settings import ImageLimits

ROWS = "seeds.jsonl"
"""The seeds, which lie in the same folder."""
MARK = 12
"""Hex digits of its sha256 before the name of a picture whose name is taken."""
TAIL = 50
"""Characters of that name which are kept, its end: at most 200 bytes, where file systems take 255."""


class Pictures:
    """The pictures of the joined run. `counts` says how many were copied, shared and not found."""

    def __init__(self, home: Path | None) -> None:
        """`home` is the root of the joined run; None: all runs have one root, which stays."""
        self.home = home
        self.counts: Counter[str] = Counter()
        self._limits: dict[int, ImageLimits] = {}
        self._names: dict[tuple[int, str], tuple[str, str]] = {}
        """By run and path: the path here, and the sha256."""
        self._taken = {ROWS: ""}
        """By path, as `_key` writes it, the sha256 of what lies there; empty for folders."""

    def take(self, run: Source, path: str) -> tuple[str, str]:
        """The path here of a picture below that run's root, and its sha256, empty where it is not there."""
        if (run.number, path) not in self._names:
            self._names[run.number, path] = self._placed(run.root, path, self._limits_of(run))
        return self._names[run.number, path]

    def _limits_of(self, run: Source) -> ImageLimits:
        if run.number not in self._limits:
            self._limits[run.number] = run.manifest.config.images
        return self._limits[run.number]

    def named(self, run: Source, ref: ImageRef) -> ImageRef:
        """The same picture as a row names it here."""
        return ref.model_copy(update={"path": self.take(run, ref.path)[0]})

    def _placed(self, root: Path, path: str, limits: ImageLimits) -> tuple[str, str]:
        try:
            data = original(root, path, limits)
        except ImageError:
            self.counts["missing"] += 1
            return path, ""
        sha = hashlib.sha256(data).hexdigest()
        if self.home is None:
            return path, sha
        names = _names(below(root, path), sha)
        name = next(name for name in names if self._takes(name, sha))
        target = self.home / name
        if target.exists():
            self.counts["shared"] += 1
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(target, data)
            self.counts["copied"] += 1
        return name, sha

    def _takes(self, name: str, sha: str) -> bool:
        """Whether this picture, and no other, may lie there; it does from now on."""
        *above, key = accumulate(_key(name).split("/"), "{}/{}".format)
        if self._taken.get(key, sha) != sha or any(self._taken.get(folder) for folder in above):
            return False
        self._taken |= {**dict.fromkeys(above, ""), key: sha}
        return True


def _names(path: str, sha: str) -> Iterator[str]:
    """Its own, and others that tell it from those of the same name."""
    yield path
    tail = PurePosixPath(path).name[-TAIL:]
    yield f"{sha[:MARK]}-{tail}"
    yield from (f"{sha[:MARK]}-{number}-{tail}" for number in count(2))


def _key(name: str) -> str:
    """The same for names that some file system takes for one."""
    return unicodedata.normalize("NFC", posixpath.normpath(name)).casefold()
