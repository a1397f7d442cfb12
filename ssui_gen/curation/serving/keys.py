"""A key for each person's page: nobody guesses it, and no folder that somebody sent brings it along.

A key is made of a secret of this user on this computer, the folder's place and the person's name. So it is
the same each time, no two people share one, and nothing that lies in a folder says what it is. Without a
place for the secret, addresses hold until the server stops.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from ssui_gen.errors import RecordError
from ssui_gen.files import PRIVATE, atomic_write

LENGTH = 32
"""Bytes of the secret; letters of a key."""


def secret_file() -> Path | None:
    """Where this user keeps it; None where the user has no home."""
    with suppress(RuntimeError):
        base = os.environ.get("XDG_STATE_HOME") or ""
        state = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state"
        return state / "ssui_gen" / "review.secret"
    return None


class Secret:
    """What keys are made of; made anew where `path` holds none that this user alone can read."""

    def __init__(self, path: Path | None) -> None:
        self.kept = False
        self._secret = secrets.token_bytes(LENGTH)
        with suppress(OSError, RecordError):
            self._keep(path)

    def _keep(self, path: Path | None) -> None:
        if path is None:
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = _read(path)
        if known is None:
            atomic_write(path, self._secret, PRIVATE)
        self._secret = known or self._secret
        self.kept = True

    def key(self, folder: Path, name: str) -> str:
        """The letters that open the page of `name` in `folder`."""
        said = os.fsencode(folder.resolve()) + b"\0" + name.encode()
        return base64.urlsafe_b64encode(hmac.digest(self._secret, said, "sha256")).decode()[:LENGTH]


def _read(path: Path) -> bytes | None:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(file, "rb") as opened:
        about = os.fstat(file)
        private = stat.S_ISREG(about.st_mode) and about.st_uid == os.getuid() and not about.st_mode & 0o077
        found = opened.read(LENGTH + 1) if private else b""
    return found if len(found) == LENGTH else None
