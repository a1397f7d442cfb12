"""A photo as a phone takes it: twelve million pixels, lying on its side, with where it was taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

LYING = (4032, 3024)
"""Pixels as they are stored; the photo is upright the other way round."""
TURN = 6
"""Of EXIF: to be turned right by a quarter."""
MAKER = "Fairphone"
RED, BLUE = (220, 30, 30), (30, 60, 210)
"""The colours of a sign at the top left of the upright photo, and of one at its bottom right."""


def photo(path: Path, seed: int = 0) -> Path:
    """A new one: soft light, a grain on all of it, some things, a sign in two corners."""
    rng = np.random.default_rng(seed)
    width, height = LYING
    light = Image.fromarray(rng.integers(60, 200, (9, 12, 3), dtype=np.uint8)).resize(LYING)
    grain = rng.normal(0, 9, (height, width, 1)).astype(np.int16)
    picture = Image.fromarray(np.clip(np.asarray(light, np.int16) + grain, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for left, top, size in rng.integers(300, 2400, (25, 3)):
        draw.ellipse((left, top, left + size // 4, top + size // 5), tuple(rng.integers(0, 255, 3)))
    # upright, the left edge of what is stored is on top, and its lower edge is on the left
    draw.rectangle((0, height - 500, 500, height), RED)
    draw.rectangle((width - 500, 0, width, 500), BLUE)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = TURN, MAKER
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.5), 3: "E", 4: (13.0, 24.0, 18.5)})
    picture.save(path, "jpeg", quality=88, exif=exif)
    return path
