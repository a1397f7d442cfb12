"""Files that come with us: beside the package in a checkout, in its `share/` where it is installed."""

from __future__ import annotations

from pathlib import Path


def shipped(package: Path, name: str) -> Path:
    """Where the file or folder `name` lies that comes with the package in that folder."""
    beside = package.parent / name
    return beside if beside.exists() else package / "share" / name
