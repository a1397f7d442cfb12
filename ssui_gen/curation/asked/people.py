"""What a person may be called: one rule for everybody's file, share, folder and address. Pure.

A name becomes the name of files and folders beside ours, so whatever this folder uses itself is nobody's.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from ssui_gen.errors import ConfigError

RESOLVED = "resolved"
"""The name under which one person decides where others differ."""
TAKEN = frozenset(
    {"argilla", "gallery", "history", "items", "label_studio", "manifest", "past", "pictures"}
)  # fmt: skip
"""Of our own files and folders there."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
EXPECTED = "a name of small letters, digits, - and _, at most 32, other than " + ", ".join(sorted(TAKEN))


def is_name(text: str) -> bool:
    """Whether somebody may be called so here."""
    return bool(_NAME.fullmatch(text)) and text not in TAKEN


def named(name: str) -> str:
    """The name itself. Raises ConfigError for what can be none."""
    if not is_name(name):
        raise ConfigError(f"{name!r}: expected {EXPECTED}")
    return name


def _valid(name: str) -> str:
    if not is_name(name):
        raise ValueError(f"expected {EXPECTED}")
    return name


Name = Annotated[str, AfterValidator(_valid)]
"""A field that holds one."""
