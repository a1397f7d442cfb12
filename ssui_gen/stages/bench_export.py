"""responses.jsonl of a model → the same responses as another kit's prediction files, beside them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ssui_gen.benching.entry import folder_name
from ssui_gen.benching.exporters import DATASETS, EXPORTERS, answered
from ssui_gen.benching.folders import read_rows
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write, own_folder


class Exported(NamedTuple):
    """What was written."""

    files: list[Path]
    rows: int
    left: int
    """Responses that are not in it: failed calls, further draws where one is kept."""


def export_responses(model: Path, layout: str) -> Exported:
    """Write a model's responses into `LAYOUT/` in its folder. Raises ConfigError for an unknown layout, no
    responses, or responses of several protocols, which are never mixed.
    """
    rows = read_rows(model)
    protocols = {one.protocol for one in rows.responses.values()}
    if len(protocols) > 1:
        told = ", ".join(sorted(protocols))
        raise ConfigError(f"{model}: responses of several protocols ({told}), which no figure may mix")
    found = answered(rows.bench.items, rows.responses.values())
    if not found:
        raise ConfigError(f"{model}: no response to an item of {model.parent}: nothing to export")
    made = EXPORTERS[layout](found, model.name, _dataset(layout, rows.bench.name))
    own_folder(model / layout)
    for name, text in made.files.items():
        atomic_write(model / layout / name, text)
    files = [model / layout / name for name in made.files]
    return Exported(files, made.rows, len(rows.responses) - made.rows)


def _dataset(layout: str, bench: str) -> str:
    """What the kit calls it, as part of a file's name."""
    return DATASETS[layout].get(bench) or folder_name(bench)
