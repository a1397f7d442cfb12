"""A hub on this computer: the endpoints that `huggingface_hub` needs to make a repository and send a commit.

Real HTTP on 127.0.0.1. Small files come in the commit itself, tables and weights by LFS' basic transfer. It
knows one token, and keeps what it was sent.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jobs import SSUI, Ended

TOKEN = "hf_" + "t" * 30
LARGE = (".parquet", ".safetensors")


@dataclass
class Repo:
    """What one holds."""

    kind: str
    private: bool
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Hub:
    """Its repositories, and every request as `METHOD path`."""

    url: str = ""
    large: tuple[str, ...] = LARGE
    """Endings of files that do not come in the commit; a client with Xet on would send them by that."""
    repos: dict[str, Repo] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def env(self, home: Path, token: str = TOKEN) -> dict[str, str]:
        """The environment of a client of it."""
        told = {"HF_ENDPOINT": self.url, "HF_TOKEN": token, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
        return {**os.environ, **told, "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

    def ssui(self, home: Path, *arguments: str, token: str = TOKEN) -> Ended:
        """`ssui` in a process of its own, which sends to it."""
        done = subprocess.run(
            [SSUI, *arguments], capture_output=True, text=True, check=False, env=self.env(home, token)
        )
        return Ended(done.returncode, done.stdout, done.stderr)


class _Refused(Exception):
    def __init__(self, status: int, words: str, **more: Any) -> None:
        super().__init__(words)
        self.status, self.body = status, {"error": words, **more}


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0]
        self.hub.asked.append(f"{self.command} {path}")
        try:
            if not path.startswith("/lfs/") and self.headers.get("Authorization") != f"Bearer {TOKEN}":
                raise _Refused(401, "Invalid username or password.")
            status, found = 200, self._route(path, body)
        except _Refused as refused:
            status, found = refused.status, refused.body
        content = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _answer

    def _route(self, path: str, body: bytes) -> Any:
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return {"errors": [], "warnings": []}
        if path.startswith("/lfs/"):
            self.hub.objects[path.removeprefix("/lfs/")] = body
            return {}
        if found := re.fullmatch(r"/(?:datasets/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch", path):
            return self._batch(json.loads(body))
        found = re.fullmatch(
            r"/api/(dataset|model)s/([^/]+/[^/]+?)(?:/(revision|tree|preupload|commit)/main)?", path
        )
        repo = self.hub.repos.get(found[2]) if found else None
        if not found or not repo or repo.kind != found[1]:
            raise _Refused(404, "Repository not found")
        order = {"tree": self._tree, "preupload": self._modes, "commit": self._commit}
        return order.get(found[3], self._info)(found[2], repo, body)

    def _create(self, told: dict[str, Any]) -> dict[str, str]:
        name, kind = f"{told['organization']}/{told['name']}", told.get("type", "model")
        url = f"{self.hub.url}/{'datasets/' if kind == 'dataset' else ''}{name}"
        if name in self.hub.repos:
            raise _Refused(409, "You already created this repo", url=url)
        self.hub.repos[name] = Repo(kind, told.get("visibility") == "private" or bool(told.get("private")))
        return {"url": url}

    def _info(self, name: str, repo: Repo, _: bytes) -> dict[str, Any]:
        return {"id": name, "private": repo.private, "sha": "0" * 40, "siblings": [], "tags": []}

    def _tree(self, _: str, repo: Repo, __: bytes) -> list[dict[str, Any]]:
        return [
            {"type": "file", "path": path, "size": len(data), "oid": "0" * 40}
            for path, data in repo.files.items()
        ]

    def _modes(self, _: str, __: Repo, body: bytes) -> dict[str, Any]:
        files = json.loads(body)["files"]
        return {
            "files": [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if one["path"].endswith(self.hub.large) else "regular",
                    "shouldIgnore": False,
                }
                for one in files
            ]
        }

    def _batch(self, told: dict[str, Any]) -> dict[str, Any]:
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.hub.url}/lfs/{one['oid']}"}}}
            for one in told["objects"]
        ]
        return {"transfer": "basic", "objects": objects}

    def _commit(self, name: str, repo: Repo, body: bytes) -> dict[str, Any]:
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repo.files[value["path"]] = self.hub.objects[value["oid"]]
            elif line["key"] == "deletedFile":
                del repo.files[value["path"]]
        place = f"{self.hub.url}/{'datasets/' if repo.kind == 'dataset' else ''}{name}"
        return {
            "success": True,
            "commitUrl": f"{place}/commit/{'1' * 40}",
            "commitOid": "1" * 40,
            "hookOutput": "",
        }


@contextmanager
def local_hub() -> Iterator[Hub]:
    """One that runs until the end of the block."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
