"""Whether what lies at a place in a file is still the line that was found there."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from ssui_gen.errors import RecordError


def mark_of(raw: bytes) -> int:
    """Of a line's bytes; those of another one have another, but for one in four thousand million."""
    return crc32(raw)


def require_same(path: Path, number: int, raw: bytes | None, mark: int) -> bytes:
    """The bytes that were read at the place of a line. Raises RecordError where they are not that line's."""
    if raw is None or mark_of(raw) != mark:
        raise RecordError(
            f"{path}:{number}: was changed by somebody while it was in use, and another line lies there now: "
            "let nobody write there, and run the same command again"
        )
    return raw
