"""Pictures on their way to a model: what stands for one in a request, and what is sent in its place.

A request names a picture by its hash, so it can be hashed and journaled; bytes are read only when it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.calling.calls import PICTURE, Sending
from ssui_gen.images import painted_url, picture_part
from ssui_gen.records import ImageRef, digest, look_of
from ssui_gen.settings import ImageLimits


class Picture(NamedTuple):
    """A picture on its way to a model: what it is, and how to get what is sent."""

    ref: ImageRef
    longest_side: int
    part: Callable[[Sending], dict[str, Any]]
    """Makes the part of a message that shows it; raises ImageError."""

    @property
    def placeholder(self) -> dict[str, Any]:
        """Its part of a message until it is sent: its hash instead of its bytes."""
        url = f"{PICTURE}{self.ref.sha256}@{self.longest_side}"
        return {"type": "image_url", "image_url": {"url": url}}


class Shown(NamedTuple):
    """What one question shows: pictures in their order, or none."""

    pictures: tuple[Picture, ...]

    @property
    def placeholders(self) -> list[dict[str, Any]]:
        """Their parts of a message until it is sent."""
        return [picture.placeholder for picture in self.pictures]

    @property
    def parts(self) -> tuple[Callable[[Sending], dict[str, Any]], ...]:
        """What makes the parts that are sent."""
        return tuple(picture.part for picture in self.pictures)

    @property
    def look(self) -> str:
        """What is shown, by content; empty where nothing is."""
        return look_of(picture.ref.sha256 for picture in self.pictures)

    @property
    def affinity(self) -> str:
        """The first one's hash: by it a replica is chosen whose caches know it."""
        return self.pictures[0].ref.sha256 if self.pictures else ""


NO_PICTURE = Shown(())


class Pictures:
    """The pictures below a root; the last ones sent are kept, since many calls show the same."""

    def __init__(self, root: Path, limits: ImageLimits, kept: int) -> None:
        self.root, self.limits = root, limits
        self._part = lru_cache(maxsize=kept)(self._make)

    def of(self, ref: ImageRef) -> Picture:
        part = self._part
        return Picture(
            ref, self.limits.longest_side, lambda sending: part(ref, sending.by_file, sending.by_uuid)
        )

    def all(self, refs: Iterable[ImageRef]) -> Shown:
        """Several, as one question shows them."""
        return Shown(tuple(map(self.of, refs)))

    def painted(self, ref: ImageRef, words: str) -> Picture:
        """The picture with words in it, which is another picture."""
        sha = digest([ref.sha256, words])
        other = ref.model_copy(update={"sha256": sha})

        def part(_: Sending) -> dict[str, Any]:
            url = painted_url(self.root, ref, self.limits, words)
            return {"type": "image_url", "image_url": {"url": url}}

        return Picture(other, self.limits.longest_side, part)

    def _make(self, ref: ImageRef, by_file: bool, by_uuid: bool) -> dict[str, Any]:
        return picture_part(self.root, ref, self.limits, by_file=by_file, by_uuid=by_uuid)
