"""`ssui review`: the review page served from this computer; each word goes into the person's own file."""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ssui_gen.curation.board import read_board
from ssui_gen.curation.desk import Desk
from ssui_gen.curation.folder import Folder
from ssui_gen.curation.publish import login, merge
from ssui_gen.errors import ConfigError, ServerError
from ssui_gen.manifest import title_of

KEYS = ".keys.json"
"""The keys that were given to people, for as long as the folder lasts; its owner's alone to read."""
NEEDED = ("fastapi", "uvicorn")


class Place(NamedTuple):
    """Where to listen."""

    host: str = "127.0.0.1"
    port: int = 8765

    @property
    def loopback(self) -> bool:
        """Whether only this computer can reach it."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def serve_review(folder: Folder, names: Sequence[str], place: Place, say: Callable[[str], object]) -> None:
    """Serve until Ctrl-C; `say` is told each person's address.

    Raises ConfigError without an export, ServerError where the port is taken or the server is not installed.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ServerError(f"{', '.join(missing)}: not installed here: pip install 'ssui_gen[review]'")
    board = read_board(folder)
    people = list(names) or board.names or [login()]
    if faults := merge(folder, people).faults:
        say("\n".join(map(str, faults)))
    title = title_of(folder.root.parent)
    keys = dict(zip(people, people, strict=True)) if place.loopback else _keys(folder.root, people)
    desks = {keys[name]: Desk(folder, name, title) for name in people}
    with _listen(place) as listening:
        port = listening.getsockname()[1]
        for name in people:
            say(f"{name}: http://{_shown(place)}:{port}/{keys[name]}/")
        if not place.loopback:
            say("Whoever has an address may write in that name. Nothing is encrypted: for trusted networks.")
        _serve(desks, listening, _hosts(port) if place.loopback else None)


def _serve(desks: dict[str, Desk], listening: socket.socket, hosts: frozenset[str] | None) -> None:
    import uvicorn

    from ssui_gen.curation.server import make_app

    config = uvicorn.Config(
        make_app(desks, hosts), log_config=None, access_log=False, timeout_graceful_shutdown=2
    )
    uvicorn.Server(config).run(sockets=[listening])


def _listen(place: Place) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        return socket.create_server((place.host, place.port), family=family)
    except OSError as error:
        raise ServerError(
            f"cannot listen on {place.host}:{place.port}: {error.strerror or error}: choose another --port"
        ) from None


def _hosts(port: int) -> frozenset[str]:
    """What a browser on this computer may call it."""
    return frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))


def _shown(place: Place) -> str:
    if place.host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{place.host}]" if ":" in place.host else place.host


def _keys(root: Path, names: Sequence[str]) -> dict[str, str]:
    """A key for each person, the same each time: nobody who does not know it can guess it."""
    path = root / KEYS
    try:
        known: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    except ValueError:
        raise ConfigError(
            f"{path}: not what was written there: delete it, and people get new addresses"
        ) from None
    keys = known | {name: secrets.token_urlsafe(24) for name in names if name not in known}
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(keys, file)
    return keys
