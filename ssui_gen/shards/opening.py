"""Where a job's shards lie: a folder, or an object store by its URL."""

from __future__ import annotations

from pathlib import Path

from ssui_gen.shards.bucket import Bucket
from ssui_gen.shards.folder import Folder
from ssui_gen.shards.store import Store


def open_store(place: Path | str) -> Store:
    """A folder, or what a URL such as `s3://bucket/run` names. Raises ConfigError for one that is unknown."""
    return Folder(place) if isinstance(place, Path) else Bucket.at(place)
