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
        with suppress(OSError):
            self._keep(path)

    def _keep(self, path: Path | None) -> None:
        if path is None:
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = _read(path)
        if known is None:
            _write(path, self._secret)
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


def _write(path: Path, secret: bytes) -> None:
    """Whole, private from the first moment, and in the place of whatever stood there."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(secret)
            opened.flush()
            os.fsync(file)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
