"""`ssui review`: the review page served from this computer; each word goes into the person's own file."""

from __future__ import annotations

import importlib.util
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ssui_gen.curation.asked.people import named
from ssui_gen.curation.serving.desk import Desk
from ssui_gen.curation.serving.keys import Secret, secret_file
from ssui_gen.curation.workspace.board import read_board
from ssui_gen.curation.workspace.folder import Folder
from ssui_gen.curation.workspace.publish import login, merge
from ssui_gen.errors import ServerError
from ssui_gen.manifest import title_of

if TYPE_CHECKING:
    from ssui_gen.curation.serving.server import Hosts

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
    """Serve until Ctrl-C; `say` is told each person's address, and at the end what each leaves undecided.

    Raises ConfigError without an export and for what can be no name, ServerError where the port is taken or
    the server is not installed.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ServerError(f"{', '.join(missing)}: not installed here: pip install 'ssui_gen[review]'")
    board = read_board(folder)
    people = list(dict.fromkeys(map(named, names))) or board.names or [login()]
    if faults := merge(folder, people).faults:
        say("\n".join(map(str, faults)))
    title = title_of(folder.root.parent)
    secret = Secret(secret_file())
    keys = {name: secret.key(folder.root, name) for name in people}
    desks = {keys[name]: Desk(folder, name, title) for name in people}
    with _listen(place) as listening:
        port = listening.getsockname()[1]
        for name in people:
            say(f"{name}: http://{_shown(place)}:{port}/{keys[name]}/")
        say("Whoever has an address may write in that name.")
        if not secret.kept:
            say("There is no place to keep a secret: these addresses hold until this stops.")
        if not place.loopback:
            say("Nothing is encrypted: for trusted networks.")
        try:
            _serve(desks, listening, _hosts(place, port))
        finally:
            for name in people:
                say(left(folder, name))


def left(folder: Folder, name: str) -> str:
    """How far a person has come, and what becomes of what they have not decided."""
    share = read_board(folder).share(name)
    decided = {line.id for line in folder.sheet(name).reviews if line.decision and line.id in share}
    open_, all_ = len(share) - len(decided), f"{len(share):,} items"
    if not open_:
        return f"{name}: all {all_} decided."
    return f"{name}: {open_:,} of {all_} undecided: what nobody decides is left out."


def _serve(desks: dict[str, Desk], listening: socket.socket, hosts: Hosts) -> None:
    import uvicorn

    from ssui_gen.curation.serving.patience import LONGEST_HEADERS, Patient, places
    from ssui_gen.curation.serving.server import make_app

    config = uvicorn.Config(
        make_app(desks, hosts), log_config=None, access_log=False, timeout_graceful_shutdown=2,
        http=Patient, ws="none", h11_max_incomplete_event_size=LONGEST_HEADERS, backlog=places(),
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listening])


def _listen(place: Place) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        return socket.create_server((place.host, place.port), family=family)
    except OSError as error:
        raise ServerError(
            f"cannot listen on {place.host}:{place.port}: {error.strerror or error}: choose another --port"
        ) from None


def _hosts(place: Place, port: int) -> Hosts:
    """What a browser on this computer may call it; and beyond it, this computer's names and any address."""
    from ssui_gen.curation.serving.server import Hosts

    here = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    if place.loopback:
        return Hosts(frozenset(here))
    names = {socket.gethostname(), socket.getfqdn(), place.host}
    return Hosts(frozenset([*here, *(name.lower() for name in names)]), addresses=True)


def _shown(place: Place) -> str:
    if place.host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{place.host}]" if ":" in place.host else place.host
