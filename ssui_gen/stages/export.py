"""pairs.jsonl → the same pairs in another trainer's layout, with their pictures as the agents saw them.

Pictures are written anew beside the rows and named by the run's folder as it was told: in a checkout that is
`outputs/demo/…`, where a trainer that is started there finds them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ssui_gen.benching.exporters import EXPORTERS as OF_RESPONSES
from ssui_gen.branches import Pair
from ssui_gen.commands import command
from ssui_gen.errors import ConfigError, ImageError
from ssui_gen.exploring.exporters import EXPORTERS, LLAMAFACTORY_INFO, TELL_APART
from ssui_gen.files import atomic_write, own_folder
from ssui_gen.images import cleaned, inspect
from ssui_gen.jsonl import Line, read, validate
from ssui_gen.manifest import PAIRS as EXPLORED
from ssui_gen.manifest import images_of
from ssui_gen.records import ImageRef
from ssui_gen.run_files import PAIRS

PICTURES = "pairs_pictures"
"""Folder beside the rows, the same for all layouts."""


class Exported(NamedTuple):
    """What was written, and how many pairs the layout has no place for."""

    file: Path
    off_path: int


def export(run: Path, root: Path, layout: str) -> Exported:
    """Write `pairs_<layout>.jsonl` beside the pairs, whose pictures lie below `root`.

    Raises ConfigError for an unknown layout, no pairs, or a refused picture; then no rows are written.
    """
    if layout not in EXPORTERS:
        known = f"of pairs {', '.join(EXPORTERS)}; of responses {', '.join(OF_RESPONSES)}"
        raise ConfigError(f"--to: expected one of: {known}; got {layout!r}")
    source = run / PAIRS
    if not source.exists():
        raise ConfigError(f"{source}: no such file: make it with `{command('pairs', run)}`")
    target, passed_over = run / f"pairs_{layout}.jsonl", Counter[str]()
    fit = _fit(source, layout, passed_over)
    atomic_write(target, _rows(fit, _Pictures(run, root), layout))
    if layout == "llamafactory":
        info = {"ssui": {"file_name": target.name, **LLAMAFACTORY_INFO}}
        atomic_write(run / "dataset_info.json", json.dumps(info, indent=1) + "\n")
    return Exported(target, passed_over["off_path"])


def _fit(source: Path, layout: str, passed_over: Counter[str]) -> Iterator[tuple[Line, Pair]]:
    """Pairs that the layout has a place for; others are counted."""
    for line in read(source):
        pair = validate(Pair, line)
        if layout in TELL_APART or not pair.off_path:
            yield line, pair
        else:
            passed_over["off_path"] += 1


def _rows(pairs: Iterable[tuple[Line, Pair]], pictures: _Pictures, layout: str) -> Iterator[str]:
    for line, pair in pairs:
        try:
            images = pictures.names_of(pair)
        except ImageError as error:
            raise ConfigError(f"{line.path}:{line.number}: images: {error}") from None
        yield json.dumps(EXPORTERS[layout](pair, images), ensure_ascii=False) + "\n"


class _Pictures:
    """Pictures of a run, each written once."""

    def __init__(self, run: Path, root: Path) -> None:
        self.run, self.root, self.limits = run, root, images_of(run, EXPLORED)
        self.names: dict[tuple[str, str], str] = {}
        """By name and sha256 of the original."""

    def names_of(self, pair: Pair) -> list[str]:
        """The paths of its pictures' copies; raises ImageError."""
        known = {ref.path: ref for ref in pair.refs}
        return [
            self._name_of(known.get(image) or inspect(self.root, image, self.limits)) for image in pair.images
        ]

    def _name_of(self, ref: ImageRef) -> str:
        if (ref.path, ref.sha256) not in self.names:
            self.names[ref.path, ref.sha256] = self._written(ref)
        return self.names[ref.path, ref.sha256]

    def _written(self, ref: ImageRef) -> str:
        data, kind = cleaned(self.root, ref, self.limits)
        own_folder(self.run / PICTURES)
        copy = self.run / PICTURES / f"{ref.sha256}.{kind}"
        atomic_write(copy, data)
        return copy.as_posix()
