"""Small pictures for a page that holds them itself, until they are too many bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ssui_gen.errors import ImageError
from ssui_gen.images import small_url
from ssui_gen.records import ImageRef
from ssui_gen.settings import ImageLimits


class Album:
    """Pictures by sha256, as data URLs; at most `most` bytes, as they stand in the page."""

    def __init__(self, root: Path, most: int, limits: ImageLimits, quality: int) -> None:
        self.root = root
        self.most = most
        self.limits = limits
        self.quality = quality
        self.taken: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        """By path, why one is not shown."""
        self._bytes = 0

    def takes(self, refs: Sequence[ImageRef]) -> bool:
        """Whether there is room for these too; none is taken if not."""
        new = {ref.sha256: url for ref in refs if (url := self._url(ref))}
        size = sum(map(len, new.values()))
        if self._bytes + size > self.most:
            return False
        self._bytes += size
        self.taken |= new
        return True

    def _url(self, ref: ImageRef) -> str | None:
        if ref.sha256 in self.taken or ref.path in self.refused:
            return None
        try:
            return small_url(self.root, ref, self.limits, self.quality)
        except ImageError as error:
            self.refused[ref.path] = str(error)
            return None
