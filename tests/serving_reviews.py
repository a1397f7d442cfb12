"""`ssui review` in a process of its own, and a client that says things to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

SSUI = Path(sys.executable).with_name("ssui")


class Reply(NamedTuple):
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[str]
    addresses: dict[str, str]
    """By name."""

    def ask(
        self, name: str, path: str = "lines", method: str = "GET", data: Any = None, **headers: str
    ) -> Reply:
        """A request as the page makes it; other headers win."""
        body = data if isinstance(data, bytes) else json.dumps(data).encode() if data is not None else None
        sent = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return request(self.addresses[name] + path, method, body, sent)

    def say(self, name: str, base: dict[str, Any] | None, line: dict[str, Any]) -> Reply:
        return self.ask(name, method="PUT", data={"base": base, "line": line})

    def lines(self, name: str) -> dict[str, dict[str, Any]]:
        return {line["id"]: line for line in self.ask(name).body["lines"]}


def request(url: str, method: str, body: bytes | None, headers: dict[str, str]) -> Reply:
    try:
        with urlopen(Request(url, body, headers, method=method), timeout=20) as answer:
            return Reply(
                answer.status, _body(answer.read()), {k.lower(): v for k, v in answer.headers.items()}
            )
    except HTTPError as error:
        return Reply(error.code, _body(error.read()), {k.lower(): v for k, v in error.headers.items()})


def _body(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data


def state_of(run: Path) -> Path:
    """Where the secret of a test's user lies."""
    return run.resolve().parent / "state"


@contextmanager
def reviewing(
    run: Path, *names: str, options: tuple[str, ...] = ("--port", "0"), files: int = 1024, blocks: int = 0
) -> Iterator[Served]:
    """A server for these people that may open so many files, and write none with more blocks of 512 bytes
    (0: any); stopped as by Ctrl-C at the end."""
    as_them = [word for name in names for word in ("--as", name)]
    limit = ["sh", "-c", f'ulimit -n {files}; ulimit -f {blocks or "unlimited"}; exec "$@"', "sh"]
    command = [*limit, str(SSUI), "review", "--run", str(run), *as_them, *options]
    env = {**os.environ, "XDG_STATE_HOME": str(state_of(run))}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    assert process.stdout and process.stderr
    try:
        addresses = {}
        for _ in names:
            name, _, address = process.stdout.readline().strip().partition(": ")
            assert address, process.stderr.read()
            addresses[name] = address
        yield Served(process, addresses)
    finally:
        process.terminate()
        process.communicate(timeout=20)
