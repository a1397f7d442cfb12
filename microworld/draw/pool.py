"""The pool of training pictures: drawn once by worker processes, kept as bytes outside the checkout.

Which scene stands at which index depends on the index alone, so a pool can be continued and never needs
labels beside it. Pictures go through the real image processor's resize; not through its normalisation.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from microworld.draw import draw
from microworld.world.album import pictures_of
from microworld.world.entities import Split
from microworld.world.rules import world
from microworld.world.scene import Scene, family, make_item, make_scene

SIDE = 128
"""Pixels of a side as the micro VLM sees a picture."""
LARGE = 448
"""Pixels of a side as people see it."""
ALARMING_SHARE = 0.07
CHUNK = 64
RESAMPLE = Image.Resampling.BICUBIC


def scene_at(split: Split, index: int) -> Scene:
    """The scene with this number: half hold a thing that fires a rule, some are its twin, some alarm."""
    rng = Random(f"pool/{split}/{index}")
    kind = rng.random()
    if kind < ALARMING_SHARE:
        return make_scene(
            rng.getrandbits(48), split, rng.choice(list(world().places)), rng.choice(world().alarming).id
        )
    if kind < 0.55:
        return make_item(rng, split, "risky").scene
    if kind < 0.70:
        return family(rng, split, 2)[rng.choice((1, 2))].scene
    return make_item(rng, split, "benign").scene


def picture(scene: Scene, side: int = LARGE, supersample: int = 2) -> Image.Image:
    """The drawn picture of a scene."""
    placed = [(p.thing, p.x, p.y, p.size) for p in scene.placed]
    return draw(scene.place, placed, scene.variant.clutter, side, supersample)


def as_png(scene: Scene, supersample: int = 2) -> bytes:
    """The picture as a file."""
    buffer = BytesIO()
    picture(scene, supersample=supersample).save(buffer, "png")
    return buffer.getvalue()


def shown(scene: Scene) -> tuple[Image.Image, ...]:
    """The pictures of a scene, in their order: one, or those of an album."""
    return tuple(map(picture, pictures_of(scene)))


def small_picture(scene: Scene) -> Image.Image:
    """The picture at SIDE pixels, on the way of a real file: large first, then resized."""
    return picture(scene).resize((SIDE, SIDE), RESAMPLE)


@dataclass(frozen=True)
class Pool:
    """Pictures as uint8 (n, SIDE, SIDE, 3) and their scenes."""

    pixels: NDArray[np.uint8]
    scenes: tuple[Scene, ...]


def open_pool(folder: Path, split: Split, count: int, workers: int = 2) -> Pool:
    """Draw what is missing of the first `count` pictures and map them all."""
    folder.mkdir(parents=True, exist_ok=True)
    chunks = range(-(-count // CHUNK))
    missing = [c for c in chunks if not _chunk(folder, split, c).exists()]
    with get_context("spawn").Pool(workers) as pool:
        for _ in pool.imap_unordered(partial(_render, folder, split), missing):
            pass
    pixels = np.concatenate([np.load(_chunk(folder, split, c)) for c in chunks])[:count]
    return Pool(pixels, tuple(scene_at(split, i) for i in range(count)))


def _chunk(folder: Path, split: Split, number: int) -> Path:
    return folder / f"{split}-{number:05d}.npy"


def _render(folder: Path, split: Split, number: int) -> None:
    """Written under another name first: a chunk that exists is whole."""
    indices = range(number * CHUNK, (number + 1) * CHUNK)
    rows = [np.asarray(small_picture(scene_at(split, i)), dtype=np.uint8) for i in indices]
    path = _chunk(folder, split, number)
    part = path.with_suffix(f".{os.getpid()}.part.npy")
    np.save(part, np.stack(rows))
    part.replace(path)
