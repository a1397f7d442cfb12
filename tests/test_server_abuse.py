"""The embedded server and whoever means it harm: refused in time and in memory, while others are answered."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("torch")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jobs import wait_for
from PIL import Image
from test_server import FORMAT, body, png, texts, user, work
from tiny_llava import CONTEXT, make_tiny_llava

from microworld.serving import door, pictures, protocol
from ssui_gen.serving.embedded import EmbeddedServer

HEAVY = 300
"""Megabytes that no request may make the server grow by."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "server.log"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, log: Path) -> Iterator[EmbeddedServer]:
    folder = make_tiny_llava(tmp_path_factory.mktemp("tiny"))
    with EmbeddedServer(log=log, models={"tiny": folder}) as running:
        httpx.post(f"{running.url}/chat/completions", json=body(user("hi", png())), timeout=60)
        yield running


@pytest.fixture(scope="module")
def http(server: EmbeddedServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module", autouse=True)
def idlers(http: httpx.Client) -> Iterator[list[socket.socket]]:
    """Connections that send nothing, half a head, and half a head behind a whole one, from the beginning."""
    address = ("127.0.0.1", http.base_url.port or 0)
    whole = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection(address, 60)) for _ in range(3)]
        for idler, words in zip(opened, (b"", whole[:30], whole + whole[:30]), strict=True):
            idler.sendall(words)
        yield opened


def send(http: httpx.Client, content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    headers = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return http.post("/chat/completions", content=content, headers=headers)


def refused(answer: httpx.Response, status: int, says: str) -> None:
    assert answer.status_code == status, answer.text[:500]
    message = answer.json()["error"]["message"]
    assert says in message and len(message) <= 2000


def peak(server: EmbeddedServer) -> int:
    """Megabytes that the server has ever held."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def flat(width: int, height: int) -> bytes:
    """A picture of many pixels in few bytes."""
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    return file.getvalue()


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def asking(schema: Any) -> bytes:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    return json.dumps(body(response_format=form)).encode()


def said(text: str, **fields: Any) -> bytes:
    return json.dumps(body({"role": "user", "content": text}, **fields, max_tokens=500)).encode()


def showing(*shown: bytes) -> bytes:
    return json.dumps(body(user("look", *shown))).encode()


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "more bytes than a body has": (b" " * (door.LONGEST_BODY + 1), 413, "at most 32,000,000 bytes"),
    "text that cannot fit": (said("x" * 8_000_000), 400, f"maximum context length is {CONTEXT} tokens"),
    "text in many parts": (
        json.dumps(body({"role": "user", "content": [{"type": "text", "text": "x"}] * 65})).encode(),
        400,
        "at most 64 items",
    ),
    "many messages": (json.dumps(body(*[user("x")] * 257)).encode(), 400, "at most 256 items"),
    "a million unknown fields": (
        b"{" + b",".join(b'"k%d":0' % n for n in range(1_000_000)) + b"}",
        400,
        "at most 100,000 commas",
    ),
    "many pictures": (showing(*[png()] * (pictures.MAX_PICTURES + 1)), 400, "at most 16 pictures"),
    "large pictures together": (showing(*[flat(6300, 6300)] * 6), 400, "at most 40,000,000 pixels"),
    "a picture like a thread": (showing(flat(1, 201)), 400, "at most 200 to 1"),
    "half a character": (said("x").replace(b'"x"', b'"\\ud800"'), 400, "Invalid JSON"),
    "half a character in a schema": (asking({"enum": ["X"]}).replace(b"X", b"\\udfff"), 400, "Invalid JSON"),
    "bytes that are no text": (said("x").replace(b'"x"', b'"\xff"'), 400, "Invalid JSON"),
    "a schema 900 deep": (asking(nested(900)), 400, "recursion limit"),
    "a schema 190 deep": (asking(nested(90)), 200, ""),
    "a long schema": (asking({"enum": ["x" * 70_000]}), 400, "at most 64,000 characters"),
    "a schema that is its own": (asking({"$ref": "#"}), 400, "cannot be enforced: nothing can be said"),
    "a loop of two": (
        asking({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
        400,
        "cannot be enforced: nothing can be said",
    ),
    "reports without end": (said("x", n=64, logprobs=True, top_logprobs=20), 400, "at most 500,000"),
    "a number without bounds in a schema": (asking({"maximum": 7}).replace(b"7", b"1e999"), 400, "cannot be"),
    "numbers of 5,000 digits": (said("x").replace(b"500", b"9" * 5000), 400, "Invalid JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "status", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_too_much_is_refused_without_growing(
    http: httpx.Client, server: EmbeddedServer, content: bytes, status: int, says: str
) -> None:
    before = peak(server)
    answer = send(http, content)
    if status == 200:
        assert answer.status_code == 200, answer.text
    else:
        refused(answer, status, says)
        assert not {"<state>", "Parser"} & set(answer.text.split())
    assert peak(server) - before < HEAVY


def test_a_body_of_untold_length_is_cut_where_it_is_too_long(http: httpx.Client) -> None:
    refused(send(http, iter([b" " * 1_000_000] * 40)), 413, "at most 32,000,000 bytes")


OTHERS = ("evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}")


@pytest.mark.parametrize("host", OTHERS)
def test_only_its_own_host_is_answered(http: httpx.Client, host: str) -> None:
    answer = http.get("/models", headers={"host": host.format(port=http.base_url.port)})
    refused(answer, 421, "host: expected 127.0.0.1:")


def test_its_own_names_are_answered(http: httpx.Client) -> None:
    for host in (f"localhost:{http.base_url.port}", f"LOCALHOST:{http.base_url.port}"):
        assert http.get("/models", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
def test_nothing_else_is_there(http: httpx.Client, path: str) -> None:
    assert http.get(str(http.base_url).replace("/v1/", path)).status_code == 404


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_page_of_another_site_may_send_is_refused(http: httpx.Client, kind: str) -> None:
    refused(send(http, said("x"), content_type=kind), 415, "expected application/json")


def test_long_headers_are_refused(http: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", http.base_url.port or 0), 60) as caller:
        caller.sendall(b"GET /health HTTP/1.1\r\nX: ")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(100):
                caller.sendall(b"x" * 10_000)
            assert b" 200 " not in caller.recv(1000)


def test_a_client_that_leaves_takes_its_rows_along(
    http: httpx.Client, server: EmbeddedServer, log: Path
) -> None:
    """Otherwise all its rows would be written to their ends, and everybody would wait for them."""
    endless = json.dumps(body(user("go on"), n=64, max_tokens=CONTEXT - 100)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{http.base_url.port}\r\n".encode()
    head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(endless)
    with socket.create_connection(("127.0.0.1", http.base_url.port or 0)) as caller:
        worked = work(server.pid)
        caller.sendall(head + endless)
        wait_for(lambda: work(server.pid) > worked + 0.5)
    wait_for(lambda: "client_left" in log.read_text())
    assert send(http, said("hello", n=2)).status_code == 200
    assert "n=2 " in log.read_text() and "n=64 " not in log.read_text()


def test_honest_answers_are_the_same_beside_hostile_requests(http: httpx.Client) -> None:
    honest = [body(user(f"what is {n}?", png()), seed=n, max_tokens=40) for n in range(3)]
    honest += [body(user("judge"), seed=9, max_tokens=300, response_format=FORMAT)]
    alone = [texts(http.post("/chat/completions", json=one).json()) for one in honest]
    stop = threading.Event()

    def harm(content: bytes) -> None:
        with httpx.Client(base_url=http.base_url, timeout=60) as mine:
            while not stop.is_set():
                send(mine, content)

    hostile = [threading.Thread(target=harm, args=(one[0],)) for one in list(REFUSED.values())[1::2]]
    for thread in hostile:
        thread.start()
    try:
        assert [texts(http.post("/chat/completions", json=one).json()) for one in honest] == alone
    finally:
        stop.set()
        for thread in hostile:
            thread.join()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(protocol.ChatRequest.model_fields)), JSON)
def test_no_value_of_any_field_is_the_servers_fault(http: httpx.Client, field: str, value: Any) -> None:
    answer = send(http, json.dumps({**body(max_tokens=2), field: value}).encode())
    assert answer.status_code in (200, 400, 404), answer.text


@settings(max_examples=25)
@given(JSON)
def test_no_schema_is_the_servers_fault(http: httpx.Client, schema: Any) -> None:
    assert send(http, asking(schema)).status_code in (200, 400)


def test_a_picture_url_is_shown_in_part_only(http: httpx.Client) -> None:
    part = {"type": "image_url", "image_url": {"url": "http://" + "x" * 5000}}
    refused(
        send(http, json.dumps(body({"role": "user", "content": [part]})).encode()), 400, "nothing is fetched"
    )


def test_who_does_not_ask_is_hung_up_on(idlers: list[socket.socket]) -> None:
    """The last test, as they have to have been idle for a while."""
    for idler in idlers:
        wait_for(lambda idler=idler: not idler.recv(1000))
