"""What a training leaves behind, and how it goes on after a kill.

    adapter_model.safetensors, adapter_config.json, the processor      what a server loads
    README.md          the model card
    srpo.yaml          every setting, defaults filled in
    training.json      what it was made of: base, data, versions, counts, figures
    log.jsonl, curves.png, train_rejects.jsonl
    checkpoints/       the last two, with optimiser and random state

The same command on the same folder goes on from the last whole checkpoint, or finds that all is done.
A finished adapter of other data is put aside (`adapter-1`) and a new one made; settings that have changed
are refused: an adapter is of one make.
"""

from __future__ import annotations

import json
import platform
from itertools import count
from pathlib import Path
from shlex import quote
from typing import Any

import accelerate
import peft
import torch
import transformers

from ssui_gen import __version__, provenance
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write, own_folder, require_no_link
from ssui_gen.jsonl import read_object
from ssui_gen.settings import as_yaml
from ssui_train.card import card
from ssui_train.config import FILE, SrpoConfig
from ssui_train.loaded import Loaded
from ssui_train.model import FACTS, fingerprint
from ssui_train.source import Source

CHECKPOINTS, STATE = "checkpoints", "trainer_state.json"
TRAINER, CODE = "ssui_train.srpo", "code"
"""The command, and under which name `training.json` has the code that it began with."""
MAKE = ("base", "data", "prompt", "settings")
"""What decides the weights, beside the code."""
IMMATERIAL = (
    *("report_to", "vision_cache_gb", "batch_tokens", "part_tokens", "save_every", "log_every"),
    *("gradient_checkpointing", "shard"),
)
"""Settings that may change between two starts, as they change no weight."""


class Folder:
    """The output folder of one training."""

    def __init__(self, config: SrpoConfig) -> None:
        self.path, self.config = config.folder, config
        self.finished = False
        """Whether the training is done already; known from `begin` on."""
        self.put_aside: Path | None = None
        """Where a finished adapter of other data is kept, if `begin` found one."""

    @property
    def facts(self) -> dict[str, Any]:
        """What `training.json` says; empty for a new folder."""
        return read_object(self.path / FACTS) or {}

    def begin(
        self, source: Source, loaded: Loaded, model: Any, counts: dict[str, Any], *, write: bool
    ) -> Path | None:
        """What is about to be trained; returns the checkpoint to go on from, if there is one.

        Written down by the process that may `write`.

        A finished adapter of other data is put aside. Raises ConfigError when the folder holds a training of
        another make.
        """
        now, before = self._make(source, loaded, model), self.facts
        changed = _changed(before, now) if before else []
        if changed:
            self._make_way(before, changed, write=write)
            before = {}
        self.finished = "figures" in before
        if write and not self.finished:
            require_no_link(own_folder(self.path))
            left_out = {" ".join(what): number for what, number in loaded.reasons.items()}
            begun = {CODE: before.get(CODE) if before else provenance.code(TRAINER)}
            counted = {"counts": {**counts, "pairs": loaded.pairs, "left_out": left_out}}
            self._write({**before, **now, **begun, **counted})
            atomic_write(self.path / FILE, as_yaml(self.config.resolved()))
            loaded.write_rejects(self.path)
        return None if changed else self.last_checkpoint()

    def _make_way(self, before: dict[str, Any], changed: list[str], *, write: bool) -> None:
        """Keep what is finished, of other data alone, under the next free name; raises ConfigError else."""
        number = next(n for n in count(1) if not self.path.with_name(f"{self.path.name}-{n}").exists())
        free = self.path.with_name(f"{self.path.name}-{number}")
        if "figures" not in before or not all(one.startswith("data.") for one in changed):
            raise ConfigError(
                f"{self.path}: holds a training of another make ({'; '.join(changed)}): give the same "
                f"command another output, OUT={quote(str(free))} (--output), or remove that folder"
            )
        if write:
            self.path.rename(free)
        self.put_aside = free

    def _make(self, source: Source, loaded: Loaded, model: Any) -> dict[str, Any]:
        """What decides the weights."""
        settings = self.config.resolved().model_dump(mode="json", by_alias=True)
        return {
            "ssui_gen": __version__,
            "base": {"model": self.config.model, "fingerprint": fingerprint(model)},
            "toy": source.toy,
            "data": {
                "paths": source.paths.name,
                "curated": source.curated,
                "sha256": source.hashes(),
                "examples": loaded.sha256,
            },
            "prompt": source.prompt.id,
            "settings": {key: value for key, value in settings.items() if key not in IMMATERIAL},
        }

    def last_checkpoint(self) -> Path | None:
        """The newest whole one: its state is written last, so a kill while saving leaves it without."""
        found = sorted(
            (self.path / CHECKPOINTS).glob("checkpoint-*"), key=lambda p: -int(p.name.split("-")[1])
        )
        return next((path for path in found if _is_whole(path)), None)

    def finish(self, adapted: Any, processor: Any, figures: dict[str, Any]) -> None:
        """The adapter with all that belongs to it; `training.json` comes last and means that all is there."""
        adapted.save_pretrained(self.path)
        processor.save_pretrained(self.path)
        facts = {**self.facts, "versions": _versions(), "figures": figures}
        atomic_write(self.path / "README.md", card(self.config, facts))
        self._write(facts)

    def _write(self, facts: dict[str, Any]) -> None:
        atomic_write(self.path / FACTS, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """`key old → new` for whatever decides the weights and differs."""
    flat, new = _flat(before), _flat({key: now[key] for key in MAKE})
    keys = sorted({key for key in flat if key.split(".")[0] in MAKE} | new.keys())
    return [
        f"{key.removeprefix('settings.')} {flat.get(key, 'nothing')} → {new.get(key, 'nothing')}"
        for key in keys
        if flat.get(key) != new.get(key)
    ]


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    parts = (_flat(part, f"{name}.{key}".lstrip(".")) for key, part in value.items())
    return {key: one for part in parts for key, one in part.items()}


def _is_whole(checkpoint: Path) -> bool:
    try:
        return "global_step" in json.loads((checkpoint / STATE).read_text("utf-8"))
    except (OSError, ValueError):
        return False


def _versions() -> dict[str, str]:
    libraries = (torch, transformers, peft, accelerate)
    return {"python": platform.python_version()} | {lib.__name__: lib.__version__ for lib in libraries}
