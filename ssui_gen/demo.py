"""Seeds for whoever has none: pictures of the microworld, drawn by a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ssui_gen.errors import ServerError

SEEDS = 48


def draw_seeds(folder: Path, count: int = SEEDS) -> Path:
    """Draw `count` seeds into `folder`, unless they are there; returns the seeds file.

    Of the train split: what a policy learns from them is measured on scenes that are held out.
    """
    seeds = folder / "seeds.jsonl"
    if not seeds.exists():
        what = ["--count", str(count), "--split", "train"]
        command = [sys.executable, "-m", "microworld.seeds", str(folder), *what]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ServerError(
                f"{' '.join(command[1:])} failed: {last}: give seeds of your own with SEEDS=..."
            )
    return seeds
