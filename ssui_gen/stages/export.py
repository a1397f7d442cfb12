"""pairs.jsonl → the same pairs in another trainer's layout."""

from __future__ import annotations

import json
from pathlib import Path

from ssui_gen.branches import Pair
from ssui_gen.commands import command
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.exporters import EXPORTERS, LLAMAFACTORY_INFO
from ssui_gen.jsonl import atomic_write, read, validate


def export(run: Path, root: Path, layout: str) -> Path:
    """Write `pairs_<layout>.jsonl` beside the pairs; raises ConfigError for an unknown layout or no pairs."""
    if layout not in EXPORTERS:
        raise ConfigError(f"--to: expected one of {', '.join(EXPORTERS)}; got {layout!r}")
    source = run / "pairs.jsonl"
    if not source.exists():
        raise ConfigError(f"{source}: no such file: make it with `{command('pairs', run)}`")
    pairs = (validate(Pair, line) for line in read(source))
    rows = (json.dumps(EXPORTERS[layout](pair, root), ensure_ascii=False) + "\n" for pair in pairs)
    target = run / f"pairs_{layout}.jsonl"
    atomic_write(target, "".join(rows))
    if layout == "llamafactory":
        info = {"ssui": {"file_name": target.name, **LLAMAFACTORY_INFO}}
        atomic_write(run / "dataset_info.json", json.dumps(info, indent=1) + "\n")
    return target
