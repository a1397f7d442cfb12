"""The pictures of somebody's visual questions: files by name or by number, or bytes that stand in rows.

Files stay where they are; of a set whose rows hold pictures each is copied once, under its hash, into the
run: a model is shown files alone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ssui_gen.album import files, is_picture
from ssui_gen.benching.records import BenchImage
from ssui_gen.benching.vqa.rows import Question
from ssui_gen.errors import ImageError
from ssui_gen.files import atomic_write, is_regular, own_folder
from ssui_gen.images import inspect, original, within
from ssui_gen.pixels import decoded, ending_of, fault
from ssui_gen.records import ImageRef, Reason
from ssui_gen.settings import ImageLimits

PICTURES = "pictures"
LEAST = 200
"""Characters from which on a text may be a picture in base64."""
_DATA = re.compile(r"data:image/[a-z+.-]+;base64,")
_NUMBER = re.compile(r"\d+$")


def held(value: str | bytes) -> bytes | None:
    """The bytes of a picture that stands in a row, as they are or in base64; None of a file's name."""
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(_DATA.sub("", value, count=1), validate=True) if len(value) >= LEAST else None
    except ValueError:
        return None


@dataclass
class Pictures:
    """Those of one set."""

    below: Path
    """Where its files lie."""
    home: Path
    """The benchmark's folder in the run."""
    limits: ImageLimits
    copied: bool
    """Whether all are copied there."""
    _known: dict[str, ImageRef] = field(default_factory=dict, init=False)
    """By name, or by hash where they are copied."""

    @property
    def root(self) -> Path:
        return self.home if self.copied else self.below

    def of(self, asked: Question) -> tuple[BenchImage, ...]:
        """Each checked and decoded once. Raises ImageError."""
        found = [self._ref(one) for one in asked.pictures] or [self._numbered(asked.number)]
        return tuple(BenchImage(**ref.model_dump(), licence=asked.licence) for ref in found)

    def _ref(self, value: str | bytes) -> ImageRef:
        if (data := held(value)) is not None:
            return self._copy(within(data, "a picture in a row", self.limits))
        return self._file(str(value))

    def _file(self, name: str) -> ImageRef:
        if self.copied:
            return self._copy(original(self.below, name, self.limits))
        if name not in self._known:
            self._known[name] = inspect(self.below, name, self.limits)
        return self._known[name]

    def _copy(self, data: bytes) -> ImageRef:
        sha = hashlib.sha256(data).hexdigest()
        if not self.copied:
            raise fault(Reason.IMAGE_REFUSED, sha, "stands in its row, the first row's is a file: mix no set")
        if sha not in self._known:
            picture = decoded(data, sha, self.limits)
            name = f"{PICTURES}/{sha}.{ending_of(data)}"
            if not is_regular(self.home / name):
                own_folder(self.home / PICTURES)
                atomic_write(self.home / name, data)
            self._known[sha] = ImageRef(path=name, sha256=sha, width=picture.width, height=picture.height)
        return self._known[sha]

    # --- by number ---------------------------------------------------------------------------------

    def _numbered(self, number: str) -> ImageRef:
        """A file that is called so, or whose name ends in this number, as COCO's do."""
        if not number:
            raise ImageError(Reason.IMAGE_MISSING, "no picture in the row: a visual question shows one")
        found = self._by_name.get(number) or self._by_name.get(number.lstrip("0")) or []
        if len(found) == 1:
            return self._file(found[0])
        what = f"{len(found) or 'no'} pictures of this number below {self.below}; expected one"
        raise fault(Reason.IMAGE_MISSING, number, what)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """All pictures of the set by their names without an ending, and by the numbers at their ends."""
        found = defaultdict[str, list[str]](list)
        for path in filter(is_picture, files(self.below)):
            number = _NUMBER.search(path.stem)
            for name in {path.stem, number[0].lstrip("0") if number else path.stem}:
                found[name].append(path.relative_to(self.below).as_posix())
        return found
