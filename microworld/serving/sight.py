"""Pictures as a model sees them: each is scaled once and looked at once, however often it is sent.

Told apart by the bytes that came. The last ones are kept. Covers no formats and no limits (`pictures`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

KEPT = 128
"""Pictures."""


@dataclass(eq=False)
class Picture:
    """One picture of a prompt."""

    sha: bytes
    marks: str
    """What stands for it in the prompt's text: a mark for each of its tokens."""
    tokens: int
    pixels: torch.Tensor | None
    """Shape (1, 3, height, width); None once it was looked at."""
    features: torch.Tensor | None = None
    """What the language model reads in its place, shape (tokens, width); None until it was looked at."""


class Sight:
    """The eyes of one model."""

    def __init__(self, model: Any, processor: Any) -> None:
        self._model, self._processor = model, processor
        self._kept: OrderedDict[bytes, Picture] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, sha: bytes, decoded: Callable[[], Image.Image]) -> Picture:
        """The picture with this hash, which is decoded only if it is not known."""
        with self._lock:
            known = self._kept.get(sha)
        picture = known or self._scaled(sha, decoded())
        with self._lock:
            picture = self._kept.setdefault(sha, picture)
            self._kept.move_to_end(sha)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return picture

    def look(self, pictures: Sequence[Picture]) -> None:
        """Give each its features, those that lack them in one pass."""
        new = [picture for picture in dict.fromkeys(pictures) if picture.features is None]
        if not new:
            return
        pixels = torch.cat([picture.pixels for picture in new if picture.pixels is not None])
        seen = self._model.get_image_features(pixels, return_dict=True).pooler_output
        for picture, features in zip(new, seen, strict=True):
            picture.features, picture.pixels = features, None

    def _scaled(self, sha: bytes, image: Image.Image) -> Picture:
        inputs = self._processor.image_processor(image, return_tensors="pt")
        marks: str = self._processor.replace_image_token(inputs, 0)
        tokens = marks.count(self._processor.image_token)
        return Picture(sha, marks, tokens, inputs["pixel_values"])
