"""Seeds for whoever has none: pictures of the microworld, drawn by a process of its own."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

from ssui_gen.errors import ServerError
from ssui_gen.jsonl import read

SEEDS = 48
DRAWN, FILE = "seeds", "seeds.jsonl"
"""Where they lie in a run's folder."""
TRUTH = "truth.jsonl"
NO_ROOM = os.strerror(errno.ENOSPC)


def draw_seeds(folder: Path, count: int = SEEDS) -> Path:
    """Draw `count` seeds into `folder`, unless they are there; returns the seeds file.

    Of the train split: what a policy learns from them is measured on scenes that are held out.
    """
    seeds = folder / FILE
    if not seeds.exists():
        what = ["--count", str(count), "--split", "train"]
        command = [sys.executable, "-m", "microworld.seeds", str(folder), *what]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            more = "make room" if NO_ROOM in last else "give seeds of your own with SEEDS=..."
            raise ServerError(f"{folder}: seeds could not be drawn: {last}: {more}")
    return seeds


def are_drawn(root: Path) -> bool:
    """Whether the pictures below `root` are scenes of the microworld: it writes the truth beside them."""
    first = next(read(root / TRUTH), None)
    keys = first.value.keys() if first and first.value else set()
    return "scene" in keys and not {"things", "pictures"}.isdisjoint(keys)
