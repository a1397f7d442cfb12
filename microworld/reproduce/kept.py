"""Results on disk: whole or not there, and served again only if nothing that made them has changed.

A file says what it was made of, and carries a seal over its content, so that one that was edited is told from
one that was made. The seal keeps nobody from lying; it keeps a slip of the hand out of the figures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ssui_gen.errors import RecordError
from ssui_gen.files import atomic_write

MADE_OF, SEAL = "made_of", "seal"


class Refused(RecordError):
    """A file is not there or may not be used; says why, in one line."""


class Stale(Refused):
    """It was made of something else; `other` says of what."""

    def __init__(self, path: Path, other: str) -> None:
        super().__init__(f"{path}: was made of other {other}")
        self.other = other


def seal(content: Mapping[str, Any]) -> str:
    """sha256 of a content, in whatever order; raises ValueError for a figure that is no number."""
    told = json.dumps(content, sort_keys=True, allow_nan=False, ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()


def write(
    path: Path, made_of: Mapping[str, Any], content: Mapping[str, Any], indent: int | None = None
) -> None:
    """Raises RecordError where it cannot be written, or where a figure in it is no number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        whole = {MADE_OF: made_of, SEAL: seal({MADE_OF: made_of, **content}), **content}
        text = json.dumps(whole, indent=indent, allow_nan=False) + "\n"
    except ValueError as error:
        raise RecordError(f"{path}: not written: a figure in it is no number ({error})") from None
    atomic_write(path, text)


def read(path: Path) -> dict[str, Any]:
    """What was written, `made_of` and `seal` among it. Raises Refused."""
    try:
        found = json.loads(path.read_text("utf-8"), parse_constant=_no_number)
    except FileNotFoundError:
        raise Refused(f"{path}: no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise Refused(f"{path}: cannot be read: {error}") from None
    if not isinstance(found, dict) or MADE_OF not in found or SEAL not in found:
        raise Refused(f"{path}: expected {MADE_OF} and {SEAL}; this was written by something else")
    content = {name: value for name, value in found.items() if name != SEAL}
    if seal(content) != found[SEAL]:
        raise Refused(f"{path}: was edited after it was made: its seal does not fit its content")
    return found


def fitting(path: Path, made_of: Mapping[str, Any]) -> dict[str, Any]:
    """The content, if it was made of just this. Raises Refused with what differs."""
    found = read(path)
    wanted = json.loads(json.dumps(made_of))
    if found[MADE_OF] == wanted:
        return found
    old = found[MADE_OF] if isinstance(found[MADE_OF], dict) else {}
    other = sorted(name for name in {*old, *wanted} if old.get(name) != wanted.get(name))
    raise Stale(path, ", ".join(other) or "things")


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")
