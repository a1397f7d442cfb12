"""`ssui review` over HTTP: what is confirmed is on the disk, no word is lost, nothing else is served."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from curating import curation, exported, put_paths, record, say
from jobs import rows, wait_for
from serving_reviews import SSUI, Served, reviewing, state_of

A, B, C = (record(letter * 4) for letter in "abc")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return exported(tmp_path / "demo", [A, B, C])


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A server, and its run, for tests that change nothing."""
    made = exported(tmp_path_factory.mktemp("still") / "demo", [A, B, C])
    with reviewing(made, "ana") as server:
        yield server, made


@pytest.fixture
def served(run: Path) -> Iterator[Served]:
    with reviewing(run, "ana", "ben") as server:
        yield server


def lines(run: Path, name: str = "ana") -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows(run / "curation" / f"{name}.jsonl")}


# --- words -------------------------------------------------------------------------------------------


def test_a_word_is_in_the_file_when_it_is_confirmed(served: Served, run: Path) -> None:
    before = served.lines("ana")["aaaa"]
    reply = served.say("ana", before, before | {"decision": "keep"})
    assert (reply.status, reply.body["line"]["decision"]) == (200, "keep")
    assert lines(run)["aaaa"]["decision"] == "keep"
    assert curation(run, "check").code == 0
    assert lines(run, "ben")["aaaa"]["decision"] is None


def test_two_pages_of_one_person_meet(served: Served, run: Path) -> None:
    base = served.lines("ana")["aaaa"]
    served.say("ana", base, base | {"note": "one"})
    both = served.say("ana", base, base | {"decision": "keep"}).body["line"]
    assert (both["note"], both["decision"]) == ("one", "keep")
    clash = served.say("ana", base, base | {"note": "two"})
    assert (clash.status, clash.body["fields"], clash.body["line"]["note"]) == (409, ["note"], "one")
    assert lines(run)["aaaa"]["note"] == "one"


def test_what_is_typed_into_the_file_meanwhile_stays(served: Served, run: Path) -> None:
    base = served.lines("ana")["aaaa"]
    say(run, "ana", aaaa={"note": "by hand"}, bbbb={"decision": "keep"})
    served.say("ana", base, base | {"decision": "keep"})
    assert (lines(run)["aaaa"]["note"], lines(run)["aaaa"]["decision"]) == ("by hand", "keep")
    assert lines(run)["bbbb"]["decision"] == "keep"


def test_a_file_with_a_fault_is_not_touched_and_said(served: Served, run: Path) -> None:
    base = served.lines("ana")["aaaa"]
    path = run / "curation" / "ana.jsonl"
    broken = path.read_bytes() + b"{cut"
    path.write_bytes(broken)
    for reply in (served.say("ana", base, base | {"decision": "keep"}), served.ask("ana")):
        assert reply.status == 423
        assert f"{path}:4:2: expected a key in double quotes" in reply.body["error"]
    assert path.read_bytes() == broken


def test_an_editor_with_an_older_copy_does_not_undo_what_was_said_here(served: Served, run: Path) -> None:
    path = run / "curation" / "ana.jsonl"
    old_copy = path.read_bytes()
    base = served.lines("ana")["aaaa"]
    kept = served.say("ana", base, base | {"decision": "keep"}).body["line"]
    path.write_bytes(old_copy)
    answer = served.ask("ana").body
    assert answer["set_back"] == {"aaaa": kept}
    theirs = {line["id"]: line for line in answer["lines"]}["aaaa"]
    assert served.say("ana", theirs, kept).status == 200
    assert (lines(run)["aaaa"]["decision"], served.ask("ana").body["set_back"]) == ("keep", {})
    path.write_bytes(old_copy)
    assert served.say("ana", theirs, theirs).status == 200
    assert served.ask("ana").body["set_back"] == {}, "the person meant it"


def test_what_was_set_back_is_known_after_a_new_start(run: Path) -> None:
    path = run / "curation" / "ana.jsonl"
    old_copy = path.read_bytes()
    with reviewing(run, "ana") as server:
        base = server.lines("ana")["aaaa"]
        server.say("ana", base, base | {"decision": "keep"})
    path.write_bytes(old_copy)
    with reviewing(run, "ana") as server:
        assert list(server.ask("ana").body["set_back"]) == ["aaaa"]


def test_a_page_of_an_earlier_export_loses_nothing(served: Served, run: Path) -> None:
    base = served.lines("ana")["aaaa"]
    export = served.ask("ana").body["export"]
    put_paths(run, [record("aaaa", answer="Another."), B, C])
    curation(run, "export")
    assert served.ask("ana").body["export"] != export
    reply = served.say("ana", base, base | {"note": "of the old texts"})
    assert reply.status == 200
    assert (lines(run)["aaaa"]["note"], lines(run)["aaaa"]["before"][0]["note"]) == ("", "of the old texts")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"decision": "kep"}, "line.decision: expected keep, fix, drop or null; got 'kep'"),
        ({"decision": "drop"}, "line.reasons: expected a reason"),
        ({"edits": {"/answer": "a\nb"}}, "line.edits./answer: expected one line of plain characters"),
        ({"id": "other"}, "line.id: expected an item of this run; got 'other'"),
        ({"more": 1}, "line.more: expected the field"),
    ],
)
def test_what_is_no_line_is_refused(still: tuple[Served, Path], change: dict[str, Any], says: str) -> None:
    served, run = still
    base = served.lines("ana")["aaaa"]
    reply = served.say("ana", base, base | change)
    assert (reply.status, says in reply.body["error"]) == (400, True), reply.body
    assert lines(run)["aaaa"]["decision"] is None


def test_an_answer_that_has_not_changed_is_not_sent_again(served: Served, run: Path) -> None:
    tag = served.ask("ana").headers["etag"]
    assert served.ask("ana", If_None_Match=tag).status == 304
    say(run, "ana", aaaa={"note": "x"})
    assert served.ask("ana", If_None_Match=tag).status == 200


# --- nothing else ------------------------------------------------------------------------------------


def test_the_page_and_its_pictures_are_served_with_care(still: tuple[Served, Path]) -> None:
    served, _ = still
    reply = served.ask("ana", "")
    assert reply.status == 200
    assert reply.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert b"connect-src 'self'" in reply.body and b"img-src 'self'" in reply.body
    assert (reply.headers["x-content-type-options"], reply.headers["cache-control"]) == (
        "nosniff",
        "no-store",
    )
    picture = served.ask("ana", f"pictures/{A.image.sha256}.png")
    assert (picture.status, picture.headers["content-type"]) == (200, "image/png")
    small = served.ask("ana", f"pictures/{A.image.sha256}.small.jpeg")
    assert (small.status, small.headers["content-type"]) == (200, "image/jpeg")


@pytest.mark.parametrize(
    "path",
    [
        "pictures/../ana.jsonl", "pictures/%2e%2e/ana.jsonl", "pictures/..%2fana.jsonl",
        "pictures/ana.jsonl", "pictures/" + "0" * 64 + ".small.jpeg", "pictures/" + "0" * 64 + ".small.png",
        "pictures/", "pictures/" + "0" * 64 + ".png", "../ana.jsonl", "ana.jsonl", "items.jsonl",
        "../../run.json",
        "pictures//etc/passwd", "%00", "pictures/" + "0" * 64 + ".png%00.jsonl", "../cleo/", "../cleo/lines",
        "../docs", "../openapi.json", "../", "../..", "..%5c..%5crun.json",
    ],
)  # fmt: skip
def test_nothing_else_is_served(still: tuple[Served, Path], path: str) -> None:
    served, run = still
    secret = run / "curation" / "pictures" / ("0" * 64 + ".png")
    secret.write_bytes(b"of no item")
    address = served.addresses["ana"]
    host, port = address.split("/")[2].split(":")
    with socket.create_connection((host, int(port))) as raw:  # as it stands: no client tidies the path
        key = address.split("/")[3]
        raw.sendall(
            f"GET /{key}/{path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.split(b" ")[1] in (b"404", b"405", b"400"), answer[:200]
    assert b"of no item" not in answer and b'"sha"' not in answer


def test_a_picture_that_no_item_names_any_more_is_not_served(served: Served, run: Path) -> None:
    put_paths(run, [])
    curation(run, "export")
    for end in ("png", "small.jpeg"):
        assert served.ask("ana", f"pictures/{A.image.sha256}.{end}").status == 404


def test_a_port_that_is_taken_is_said(run: Path) -> None:
    import subprocess

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [SSUI, "review", "--run", run, "--as", "ana", "--port", port]
        env = {**os.environ, "XDG_STATE_HOME": str(state_of(run))}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert (done.returncode, "choose another --port" in done.stderr) == (1, True)


# --- many at once, and killed -------------------------------------------------------------------------


def speak(server: Served, name: str, count: int, confirmed: dict[str, str], rng: random.Random) -> None:
    """Say things one after another until there is no answer; `confirmed` has what was confirmed, by item."""
    for number in range(count):
        id = rng.choice(["aaaa", "bbbb", "cccc"])
        try:
            base = server.lines(name)[id]
            line = base | {"note": f"{name} {number}", "decision": "keep"}
            if server.say(name, base, line).status == 200:
                confirmed[id] = line["note"]
        except (OSError, HTTPException, ValueError):
            return


def test_two_people_at_once_lose_nothing(served: Served, run: Path) -> None:
    confirmed: dict[str, dict[str, str]] = {"ana": {}, "ben": {}}
    people = [
        threading.Thread(target=speak, args=(served, name, 40, confirmed[name], random.Random(name)))
        for name in confirmed
    ]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    for name, words in confirmed.items():
        assert {id: line["note"] for id, line in lines(run, name).items() if line["note"]} == words


@pytest.mark.slow
def test_an_editor_that_saves_meanwhile_and_the_page_both_keep_their_words(served: Served, run: Path) -> None:
    """The editor reads and saves the second item; the page says things of the first."""
    path, stop = run / "curation" / "ana.jsonl", threading.Event()
    typed: list[str] = []

    def editor() -> None:
        while not stop.is_set():
            content = path.read_bytes()
            parts = [json.loads(row) for row in content.splitlines()]
            parts[1]["note"] = f"typed {len(typed)}"
            beside = path.with_suffix(".swp")
            beside.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in parts))
            if path.read_bytes() == content:
                beside.replace(path)
                typed.append(parts[1]["note"])
            time.sleep(0.002)

    thread = threading.Thread(target=editor)
    thread.start()
    said = None
    for number in range(60):
        base = served.lines("ana")["aaaa"]
        reply = served.say("ana", base, base | {"note": f"said {number}"})
        said = f"said {number}" if reply.status == 200 else said
    stop.set()
    thread.join()
    answer = served.ask("ana").body
    now = {line["id"]: line["note"] for line in answer["lines"]}
    assert now["bbbb"] == typed[-1]
    assert said in (now["aaaa"], answer["set_back"].get("aaaa", {}).get("note")), "there, or told"


@pytest.mark.slow
def test_a_server_killed_at_any_moment_has_written_what_it_confirmed(run: Path) -> None:
    rng = random.Random(5)
    for _ in range(25):
        confirmed: dict[str, str] = {}
        with reviewing(run, "ana") as server:
            thread = threading.Thread(target=speak, args=(server, "ana", 500, confirmed, rng))
            thread.start()
            wait_for(lambda confirmed=confirmed: confirmed, 20)  # type: ignore[misc]
            time.sleep(rng.random() * 0.2)
            os.kill(server.process.pid, signal.SIGKILL)
            thread.join()
        found = {id: line["note"] for id, line in lines(run).items()}
        for id, note in confirmed.items():
            number = int(note.split()[1])
            assert int(found[id].split()[1]) >= number, "what was confirmed, or what was in flight after it"
        assert curation(run, "check").code == 0


def test_whoever_ends_it_reads_what_is_undecided(run: Path) -> None:
    with reviewing(run, "ana", "ben") as server:
        for id, base in server.lines("ana").items():
            server.say("ana", base, base | ({"decision": "keep"} if id != "aaaa" else {"note": "later"}))
        server.process.send_signal(signal.SIGINT)
        out, _ = server.process.communicate(timeout=30)
    items = len(rows(run / "curation" / "items.jsonl"))
    assert f"ana: 1 of {items} items undecided: what nobody decides is left out." in out
    assert f"ben: {items} of {items} items undecided" in out
