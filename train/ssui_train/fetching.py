"""A run on an object store becomes a folder below `outputs/`: what a training reads of it is copied.

Again where the store says that a file has changed; pictures where they are not there, as their rows say by
sha256 which they are. The store is only read. What a copy is one of stands in `fetched.json`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from pydantic import Field

from ssui_gen.calling.journal import CALLS
from ssui_gen.commands import run_folder
from ssui_gen.errors import ConfigError, ImageError
from ssui_gen.files import atomic_write, claim, open_own, own_folder
from ssui_gen.images import original
from ssui_gen.jsonl import of_kind, read, read_object
from ssui_gen.manifest import PAIRS as EXPLORED
from ssui_gen.manifest import RUN, TOLD, pictures_of
from ssui_gen.records import Reason, Record
from ssui_gen.run_files import BRANCHES, CURATED, NOT_EXPLORED, PAIRS, PATHS
from ssui_gen.settings import ImageLimits
from ssui_gen.shards.bucket import Bucket

FILES = (RUN, EXPLORED, TOLD, PATHS, CURATED, BRANCHES, PAIRS, NOT_EXPLORED, CALLS)
"""What a training reads of a run, beside the pictures; most may be missing."""
FETCHED, LOCK = "fetched.json", ".fetching"
AT_ONCE = 16
"""Pictures under way."""


class Fetched(Record):
    """What a folder is a copy of."""

    run: str
    """The URL."""
    files: dict[str, str] = Field(default_factory=dict)
    """By name what the store said of it when it was copied: it changes when the file does."""


def is_url(value: object) -> bool:
    return isinstance(value, str) and "://" in value


def fetched(url: str, seeds: str | None = None) -> tuple[Path, Path | None]:
    """The folder that is now a copy of the run at `url`; that of its pictures, where these lie at `seeds`.

    Raises ConfigError where no run is there, or the folder holds another, and RecordError.
    """
    store = Bucket.at(url)
    into = run_folder(url.rstrip("/").rpartition("/")[2])
    before = _before(into, url)
    if store.state(PATHS) is None:
        raise ConfigError(f"{url}/{PATHS}: no such file: expected the folder of a run that was made")
    claim(own_folder(into))
    with os.fdopen(open_own(into / LOCK), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several processes of a training one copies, the others look
        _files(store, into, _before(into, url) or before)
        root = into / "pictures" if seeds else pictures_of(into, None)
        if pictures := _pictures_at(url, seeds, root, into):
            _pictures(pictures, root, into)
    return into, root if seeds else None


def _before(into: Path, url: str) -> Fetched:
    """What was copied; raises ConfigError where that was something else."""
    found = read_object(into / FETCHED)
    known = of_kind(Fetched, found, str(into / FETCHED)) if found else None
    if known is None and into.exists() and any(one.name != LOCK for one in into.iterdir()):
        raise ConfigError(f"{into}: is there, and is no copy of {url}: move it away")
    if known and known.run != url:
        raise ConfigError(f"{into}: is a copy of {known.run}, not of {url}: move it away")
    return known or Fetched(run=url)


def _files(store: Bucket, into: Path, before: Fetched) -> None:
    """Those that changed, then what is there now: a kill between copies them again."""
    now = {name: state for name in FILES if (state := store.state(name)) is not None}
    for name in FILES:
        if name not in now:
            (into / name).unlink(missing_ok=True)
        elif before.files.get(name) != now[name] or not (into / name).exists():
            store.fetch(name, into / name)
    atomic_write(into / FETCHED, Fetched(run=before.run, files=now).model_dump_json(indent=1) + "\n")


def _pictures_at(url: str, seeds: str | None, root: Path, into: Path) -> Bucket | None:
    """Where the pictures lie that belong below `root`; None where that is another folder of this machine."""
    if seeds:
        return Bucket.at(seeds)
    inside = root.relative_to(into) if root.is_relative_to(into) else None
    if inside is None or ".." in inside.parts:
        return None
    return Bucket.at(f"{url.rstrip('/')}/{inside.as_posix()}")


def _pictures(store: Bucket, root: Path, into: Path) -> None:
    """Those that rows name and that are missing; one that the store has not is told when it is wanted."""
    root.mkdir(parents=True, exist_ok=True)
    missing = _missing(root, into)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(islice(missing, 4 * AT_ONCE)):
            for name, data in zip(some, pool.map(store.read, some), strict=True):
                if data is not None:
                    (root / name).parent.mkdir(parents=True, exist_ok=True)
                    atomic_write(root / name, data)


def _missing(root: Path, into: Path) -> Iterator[str]:
    """Names of pictures that may be below the root, and are not; some come twice."""
    paths = into / (CURATED if (into / CURATED).exists() else PATHS)
    for line in read(paths):
        row = line.value or {}
        more = row.get("more_images")
        for image in (row.get("image"), *(more if isinstance(more, list) else ())):
            name = image.get("path") if isinstance(image, dict) else None
            if isinstance(name, str) and not Path(name).is_absolute() and _is_missing(root, name):
                yield name


def _is_missing(root: Path, name: str) -> bool:
    try:
        original(root, name, ImageLimits())
    except ImageError as error:
        return error.reason == Reason.IMAGE_MISSING
    return False
