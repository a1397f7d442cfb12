"""Who gets at `ssui review`, and who keeps others from it: nobody who does not know a key."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from curating import exported, record
from jobs import rows, wait_for
from serving_reviews import Served, request, reviewing, state_of

from ssui_gen.curation.serving.desk import Desk
from ssui_gen.curation.serving.keys import Secret
from ssui_gen.curation.serving.patience import Patient
from ssui_gen.curation.serving.server import Hosts, make_app
from ssui_gen.curation.workspace.folder import folder_of

A, B = record("aaaa"), record("bbbb")
EVERYWHERE = ("--host", "0.0.0.0", "--port", "0")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return exported(tmp_path / "demo", [A, B])


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A server, and its run, for tests that change nothing."""
    made = exported(tmp_path_factory.mktemp("still") / "demo", [A, B])
    with reviewing(made, "ana") as server:
        yield server, made


def keys(server: Served) -> dict[str, str]:
    return {name: address.split("/")[3] for name, address in server.addresses.items()}


def local(server: Served, path: str) -> str:
    """The address of a path of this server on this computer."""
    port = next(iter(server.addresses.values())).split("/")[2].rpartition(":")[2]
    return f"http://127.0.0.1:{port}/{path}"


# --- keys --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [("--port", "0"), EVERYWHERE])
def test_a_key_is_needed_everywhere_and_none_comes_with_a_folder(run: Path, options: tuple[str, ...]) -> None:
    brought = {"ana": "a" * 32, "ben": "a" * 32}
    (run / "curation" / ".keys.json").write_text(json.dumps(brought))
    with reviewing(run, "ana", "ben", options=options) as server:
        ana, ben = keys(server).values()
        assert ana != ben and min(len(ana), len(ben)) >= 32 and "a" * 32 not in (ana, ben)
        assert request(local(server, f"{ana}/lines"), "GET", None, {}).status == 200
        for key in ("ana", "", ana[:-1], ana + "x", "a" * 32, "%00", "%ff", ana.swapcase()):
            assert request(local(server, f"{key}/lines"), "GET", None, {}).status == 404
            sent = {"Content-Type": "application/json"}
            assert request(local(server, f"{key}/lines"), "PUT", b"{}", sent).status in (404, 405)
    with reviewing(run, "ben", "ana", options=options) as server:
        assert keys(server) == {"ben": ben, "ana": ana}, "the same each time"


def test_a_copy_of_a_folder_and_another_user_have_other_keys(tmp_path: Path) -> None:
    one, other = Secret(tmp_path / "one" / "s"), Secret(tmp_path / "other" / "s")
    made = {
        one.key(tmp_path / "a", "ana"), one.key(tmp_path / "b", "ana"), one.key(tmp_path / "a", "ben"),
        other.key(tmp_path / "a", "ana"),
    }  # fmt: skip
    assert len(made) == 4


@pytest.mark.parametrize("planted", ["link", "open", "short", "long", "empty", "fifo"])
def test_a_secret_that_was_not_made_here_is_not_used(tmp_path: Path, planted: str) -> None:
    path, known = tmp_path / "s", tmp_path / "known"
    known.write_bytes(b"k" * 32)
    known.chmod(0o600)
    if planted == "link":
        path.symlink_to(known)
    elif planted == "fifo":
        os.mkfifo(path, 0o600)
    else:
        path.write_bytes({"open": b"k" * 32, "short": b"k", "long": b"k" * 33, "empty": b""}[planted])
        path.chmod(0o644 if planted == "open" else 0o600)
    secret = Secret(path)
    assert secret.kept and secret.key(tmp_path, "ana") != Secret(known).key(tmp_path, "ana")
    assert (path.is_symlink(), path.stat().st_mode & 0o777, known.read_bytes()) == (False, 0o600, b"k" * 32)
    assert Secret(path).key(tmp_path, "ana") == secret.key(tmp_path, "ana")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["known", "s"]


def test_where_nothing_can_be_kept_addresses_hold_until_the_end(run: Path) -> None:
    state_of(run).write_text("no folder")
    found = []
    for _ in range(2):
        with reviewing(run, "ana") as server:
            found.append(keys(server)["ana"])
            assert server.process.stdout
            said = [server.process.stdout.readline() for _ in range(2)]
            assert "these addresses hold until this stops" in said[1]
    assert found[0] != found[1]


# --- other sites -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:80"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_what_another_site_makes_a_browser_send_is_refused(
    still: tuple[Served, Path], headers: dict[str, str], status: int
) -> None:
    served, run = still
    base = served.lines("ana")["aaaa"]
    data = {"base": base, "line": base | {"decision": "keep"}}
    assert served.ask("ana", method="PUT", data=data, **headers).status == status
    assert rows(run / "curation" / "ana.jsonl")[0]["decision"] is None


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("ssui.example", True), ("SSUI.example:80", True), ("192.168.0.7:8765", True), ("[fe80::1]:1", True),
        ("evil.example", False), ("", False), ("ssui.example.evil.example", False), ("1.2.3.4.x", False),
    ],
)  # fmt: skip
def test_beyond_this_computer_only_its_names_and_addresses_are_answered(host: str, known: bool) -> None:
    assert Hosts(frozenset({"ssui.example"}), addresses=True).known(host) == known


# --- what is sent ------------------------------------------------------------------------------------


def edited(**words: Any) -> bytes:
    """A request that says this of texts that are gone, so that they are not compared with the item's."""
    line: dict[str, Any] = {
        "id": "aaaa",
        "sha": "gone",
        "decision": None,
        "reasons": [],
        "scores": {},
        "edits": {},
    }
    return json.dumps({"base": None, "line": line | words}).encode()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400), (b"{", 400), (b"[" * 9999, 400), (b'{"base":null}', 400), (b"[]", 400),
        (b" " * 300_000, 413), (b"\xff", 400), (b'{"base":null,"base":null}', 400),
        (edited(edits={"\ud800": "x"}), 400), (edited(edits={"/answer": "\ud800"}), 400),
        (edited(edits={"/other": "x"}), 400), (edited(scores={"\ud800": 1}), 400),
        (edited(scores={"safety": 10**400}), 400), (edited(seconds=10**400), 400),
        (edited(seconds=-1), 400), (edited(seconds=float("nan")), 400), (edited(seconds=1e300), 400),
        (edited(note=5), 400), (edited(before=[{"sha": "x", "seconds": 10**9}]), 400),
        (edited(before=[[[[[[[[[]]]]]]]]]), 400),
    ],
)  # fmt: skip
def test_any_body_gets_an_answer_and_the_next_is_as_good_as_ever(
    still: tuple[Served, Path], data: bytes, status: int
) -> None:
    served, run = still
    before = (run / "curation" / "ana.jsonl").read_bytes()
    reply = served.ask("ana", method="PUT", data=data)
    assert (reply.status, bool(reply.body["error"])) == (status, True)
    line = served.lines("ana")["aaaa"]
    assert served.say("ana", line, line).status == 200
    assert (run / "curation" / "ana.jsonl").read_bytes() == before


# --- who waits ---------------------------------------------------------------------------------------


def half(served: Served, data: str = "GET / HTTP/1.1\r\nHost: ") -> socket.socket:
    """A connection that says no more than this."""
    host, port = served.addresses["ana"].split("/")[2].split(":")
    found = socket.create_connection((host, int(port)), 5)
    found.sendall(data.encode())
    return found


def test_half_requests_keep_nobody_from_their_page(run: Path) -> None:
    with reviewing(run, "ana", files=64) as server:
        held = [half(server) for _ in range(150)]
        for _ in range(5):
            base = server.lines("ana")["aaaa"]
            assert server.say("ana", base, base | {"note": base["note"] + "x"}).status == 200
        for one in held:
            one.close()
    assert {row["id"]: row["note"] for row in rows(run / "curation" / "ana.jsonl")}["aaaa"] == "xxxxx"


class Hasty(Patient):
    """Waits no longer than a test does."""

    arrives, answered = 0.2, 0.4


@contextmanager
def hasty(run: Path) -> Iterator[Served]:
    """The server in this process."""
    desk = Desk(folder_of(run), "ana", "demo")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        at = f"127.0.0.1:{listening.getsockname()[1]}"
        app = make_app({"key": desk}, Hosts(frozenset({at})))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, http=Hasty, ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield Served(None, {"ana": f"http://{at}/key/"})  # type: ignore[arg-type]
        finally:
            server.should_exit = True
            thread.join()


def put(served: Served, length: int) -> str:
    at = served.addresses["ana"].split("/")[2]
    what = f"Content-Type: application/json\r\nContent-Length: {length}"
    return f"PUT /key/lines HTTP/1.1\r\nHost: {at}\r\n{what}\r\n\r\n{{"


def test_whoever_does_not_go_on_is_dropped(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    with hasty(run) as served:
        nothing, headers, body = half(served, ""), half(served), half(served, put(served, 100))
        for one in (nothing, headers, body):
            with one:
                assert one.recv(100) in (b"", b"HTTP/1.1 400 Bad Request")
        gone = half(served, put(served, 100))
        gone.close()
        base = served.lines("ana")["aaaa"]
        assert served.say("ana", base, base | {"note": "a good word"}).status == 200
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR], caplog.text


def test_a_second_request_on_a_connection_has_its_own_time(run: Path) -> None:
    with hasty(run) as served:
        at = served.addresses["ana"].split("/")[2]
        with half(served, f"GET /nothing/ HTTP/1.1\r\nHost: {at}\r\n\r\n") as one:
            first = HTTPResponse(one)
            first.begin()
            assert first.status == 404 and first.read()
            one.sendall(b"GET /")
            assert one.recv(5000) == b""
