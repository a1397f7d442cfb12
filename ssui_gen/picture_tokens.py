"""How many tokens a picture takes in models whose way of cutting it is published, told by their names.

Sources: the image processors of transformers (`smart_resize` of Qwen2-VL and Qwen3-VL), the model cards of
LLaVA-1.5 (336 pixels in patches of 14) and Gemma 3 (256 a picture, without pan and scan), micro VLM.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NamedTuple

Count = Callable[[int, int, int], int]


class Estimate(NamedTuple):
    """Tokens of one picture, and whose way of counting that is."""

    family: str
    tokens: int


def _cells(side: int) -> Count:
    """Rows and columns of squares, each one token; larger pictures are scaled down to `most` pixels."""

    def count(width: int, height: int, most: int) -> int:
        rows, columns = (max(round(pixels / side), 1) for pixels in (height, width))
        if rows * columns * side * side > most:
            shrunk = math.sqrt(width * height / most)
            rows, columns = (max(int(pixels / shrunk / side), 1) for pixels in (height, width))
        return rows * columns

    return count


def _always(tokens: int) -> Count:
    return lambda width, height, most: tokens


FAMILIES: tuple[tuple[str, str, Count], ...] = (
    (r"qwen2(\.5)?-?vl", "Qwen2-VL and Qwen2.5-VL", _cells(28)),
    (r"qwen3-?vl|qwen3\.5", "Qwen3-VL and Qwen3.5", lambda w, h, most: _cells(32)(w, h, 16_777_216)),
    (r"llava-?(v?1\.5)", "LLaVA-1.5", _always(576)),
    (r"gemma-?3-", "Gemma 3", _always(256)),
    (r"^micro-", "the micro VLM", _always(64)),
)


def tokens_of(model: str, width: int, height: int, most: int) -> Estimate | None:
    """What a picture of so many pixels takes, scaled to `most` where the family is served so; None for a
    family that is not known here.
    """
    for pattern, family, count in FAMILIES:
        if re.search(pattern, model.lower()):
            return Estimate(family, count(width, height, most))
    return None
