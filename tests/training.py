"""Trainings for tests: a tiny policy on disk, a run by hand, the real command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from runs import write_run
from tiny_families import tiny

from ssui_train.config import SrpoConfig, load
from ssui_train.folder import Folder
from ssui_train.job import train

ROOT = Path(__file__).parent.parent
FAST = (
    "epochs=2",
    "questions_per_step=2",
    "learning_rate=0.003",
    "held_out=0",
    "watch_every=2",
    "save_every=100",
)


def policy(folder: Path, family: str = "llava", seed: int = 0) -> Path:
    """A tiny model with its processor on disk."""
    model, processor = tiny(family, seed=seed)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def quiet() -> dict[str, str]:
    """The environment of a training that says nothing beside its own words, as it is now."""
    return os.environ | {
        "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1",
    }  # fmt: skip


def several(*commands: list[str]) -> list[str]:
    """The command line that has these done by two processes."""
    return [sys.executable, str(ROOT / "tests" / "several.py"), "train", json.dumps(commands)]


class Training:
    """A folder with a policy and a run, and trainings of it."""

    def __init__(self, folder: Path, paths: int = 4) -> None:
        self.folder = folder
        self.model = policy(folder / "tiny")
        self.run = write_run(folder / "run", paths=paths, cuts=(0, 3))
        self.yaml = folder / "train.yaml"
        self.yaml.write_text(json.dumps({"model": str(self.model), "run": str(self.run)}))

    def config(self, name: str, *words: str) -> SrpoConfig:
        return load(self.yaml, (*FAST, *words), output=self.folder / name)

    def here(self, name: str, *words: str, console: Console | None = None) -> Folder:
        """In this process."""
        return train(self.config(name, *words), console or Console(quiet=True))

    def command(self, name: str, *words: str) -> list[str]:
        return ["-m", "ssui_train.srpo", *self.words(name, *words)]

    def words(self, name: str, *words: str) -> list[str]:
        """What the command is told."""
        return ["--config", str(self.yaml), "--output", str(self.folder / name), *FAST, *words]

    def there(self, name: str, *words: str, launch: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """In a process of its own, or in several."""
        command = [sys.executable, *launch, *self.command(name, *words)]
        return subprocess.run(command, cwd=ROOT, env=quiet(), capture_output=True, text=True, check=False)

    def together(self, *commands: list[str]) -> subprocess.CompletedProcess[str]:
        """One after another, each in the same two processes."""
        return subprocess.run(
            several(*commands), cwd=ROOT, env=quiet(), capture_output=True, text=True, check=False
        )

    def log(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name / "log.jsonl").read_text().splitlines()]

    def losses(self, name: str) -> list[float]:
        return [row["loss"] for row in self.log(name) if "loss" in row]

    def weights(self, name: str) -> bytes:
        return (self.folder / name / "adapter_model.safetensors").read_bytes()
