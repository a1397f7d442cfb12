"""placeholder"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def write_page(folder: Path, found: dict[str, Any]) -> Path:
    return folder / "claims.html"
