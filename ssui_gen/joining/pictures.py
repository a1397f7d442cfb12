"""Pictures of several roots below one: each copied once, under its own name where that is free.

Where all runs have one root, nothing is copied and the joined run names that root. A picture that cannot be
read keeps its name; later stages say of it what they always say.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path, PurePosixPath

from ssui_gen.errors import ImageError
from ssui_gen.files import atomic_write
from ssui_gen.images import original
from ssui_gen.records import ImageRef
from ssui_gen.settings import ImageLimits

LIMITS = ImageLimits()
MARK = 12
"""Hex digits of its sha256 before the name of a picture whose name is taken."""


class Pictures:
    """The pictures of the joined run. `counts` says how many were copied, shared and not found."""

    def __init__(self, home: Path | None) -> None:
        """`home` is the root of the joined run; None: all runs have one root, which stays."""
        self.home = home
        self.counts: Counter[str] = Counter()
        self._names: dict[tuple[int, str], tuple[str, str]] = {}
        """By run and path: the path here, and the sha256."""
        self._taken: dict[str, str] = {}

    def take(self, run: int, root: Path, path: str) -> tuple[str, str]:
        """The path here of a picture below that run's root, and its sha256, empty where it is not there."""
        if (run, path) not in self._names:
            self._names[run, path] = self._placed(root, path)
        return self._names[run, path]

    def named(self, run: int, root: Path, ref: ImageRef) -> ImageRef:
        """The same picture as a row names it here."""
        return ref.model_copy(update={"path": self.take(run, root, ref.path)[0]})

    def _placed(self, root: Path, path: str) -> tuple[str, str]:
        try:
            data = original(root, path, LIMITS)
        except ImageError:
            self.counts["missing"] += 1
            return path, ""
        sha = hashlib.sha256(data).hexdigest()
        if self.home is None:
            return path, sha
        name = path if self._taken.setdefault(path, sha) == sha else _marked(path, sha)
        target = self.home / name
        if target.exists():
            self.counts["shared"] += 1
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(target, data)
            self.counts["copied"] += 1
        return name, sha


def _marked(path: str, sha: str) -> str:
    known = PurePosixPath(path)
    return str(known.with_name(f"{sha[:MARK]}-{known.name}"[-200:]))
