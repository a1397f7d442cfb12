"""What agents were told, as a run kept it: the files of `used/` that its manifests name, by their content.

`run.json` and `pairs.json` say of each edition the git blob ids of prompts and of what was put into them. A
file is taken for what it says, not for what it is called: one that was changed since, or that lies behind a
link, is none of them, and what lacks is told. Copies nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ssui_gen.files import read_regular
from ssui_gen.manifest import PAIRS, RUN, TOLD, Edition, read_manifest
from ssui_gen.prompts import blob_id

USED, PROMPTS, CARDS = "used", "prompts", "agents"
LARGEST = 5_000_000
"""Bytes of a text that was put into a prompt."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*\.(?:md|yaml|yml)", re.ASCII)
_BLOB = re.compile(r"[0-9a-f]{8}")


class Used(NamedTuple):
    """Texts that rows were made with."""

    files: dict[str, Path]
    """By the name under which each is published, where it lies below the run."""
    lacking: tuple[str, ...]
    """What is not there as it was: `reasoning@1:669a4de5`, `taxonomy.yaml`."""

    def has(self, name: str) -> bool:
        """Whether a file of this name is published."""
        return any(new.rpartition("/")[2] == name for new in self.files)


def used_of(run: Path) -> Used:
    """Of every edition of paths and of branches; each has a folder where one name stands for several texts.
    Raises RecordError for a manifest that cannot be read.
    """
    editions = dict(_editions(run))
    there = {_blob(run / path): path for number in editions for path in _kept(run, number)}
    wanted = [(number, *one) for number, made in editions.items() for one in _wanted(made).items()]
    found = {(number, blob): there[blob] for number, blob, _ in wanted if blob in there}
    apart = len({blob for _, blob in found}) > len({path.name for path in found.values()})
    files = {
        f"{PROMPTS}/{f'{number}/' if apart else ''}{path.name}": path for (number, _), path in found.items()
    }
    return Used(files, tuple(dict.fromkeys(name for _, blob, name in wanted if blob not in there)))


def _editions(run: Path) -> Iterator[tuple[str, Edition]]:
    """By the folder of `used/` that holds it."""
    for prefix, name in (("", RUN), ("pairs-", PAIRS), ("distil-", TOLD)):
        for number, made in enumerate(read_manifest(run / name).editions, 1):
            yield f"{prefix}{number}", made.edition


def _wanted(edition: Edition) -> dict[str, str]:
    """What to call each text, by its blob id; what was shown besides, such as a language, is no file."""
    shown = {id if "@" in id else name: id for name, id in edition.rendered.items()}
    cards = {f"{name}.yaml": id for name, id in edition.cards.items()}
    told = [*((id, id) for id in edition.prompts.values()), *shown.items(), *cards.items()]
    blobs = ((id.rpartition(":")[2], name) for name, id in told if "@" in name or "." in name)
    return {blob: name for blob, name in blobs if _BLOB.fullmatch(blob)}


def _kept(run: Path, number: str) -> Iterator[Path]:
    """Files of an edition that may be such a text, below the run; none behind a link."""
    for folder in (Path(USED, number), Path(USED, number, PROMPTS), Path(USED, number, CARDS)):
        parts = [run / part for part in (folder, *folder.parents[:-1])]
        if all(part.is_dir() and not part.is_symlink() for part in parts):
            yield from (folder / name for name in sorted(_names(run / folder)))


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if _NAME.fullmatch(path.name)]


def _blob(path: Path) -> str:
    """As an edition has it; empty for what is no file, cannot be read or is too large."""
    try:
        content = read_regular(path, LARGEST)
    except OSError:
        return ""
    return "" if content is None else blob_id(content)[:8]
