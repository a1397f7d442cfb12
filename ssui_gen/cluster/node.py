"""What works on one node: the model's replicas, which outlive shards, and beside them shards as processes.

A shard is the command that anybody may start by hand, with the address of these replicas. Where the job names
a server, none is started. Knows nothing of Ray, nor of other nodes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from ssui_gen.config_serve import Serve
from ssui_gen.errors import ConfigError, SsuiError
from ssui_gen.serving.vllm import VllmServers
from ssui_gen.serving.vllm_launch import plan

AT_ONCE = 2
"""Shards of a node: while one starts or drains, the other has the replicas busy."""
ELSEWHERE, WRONG = 75, 1
"""Exit codes of a shard's command, as docs/scale.md has them."""
SHOWN_NOTICES = 5
"""Of what was guessed and left out as the replicas were started, where they did not start."""
SHOWN_BYTES = 2000
"""Of a shard's last words."""


class Model(NamedTuple):
    """What a node starts before it does a shard."""

    name: str
    adapters: tuple[str, ...]
    """Served beside it, by their folders."""
    how: Serve


class Order(NamedTuple):
    """The job, as every node is told it; paths hold on all of them."""

    arguments: tuple[str, ...]
    """Of `ssui`, all but which shard and whose servers."""
    of: int
    """How many shards there are."""
    model: Model | None
    """None: servers are named."""
    media: Path
    """The folder whose pictures servers read."""
    scratch: Path | None


class Ending(NamedTuple):
    """How something ended: an exit code, and the last that it said."""

    code: int
    words: str


class NodeWorker:
    """Of one node. Methods may be called by several threads at a time."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._servers: VllmServers | None = None
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._ending = False
        self._said: deque[str] = deque(maxlen=SHOWN_NOTICES)
        self._starting, self._lock = Lock(), Lock()
        if order.scratch:
            order.scratch.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="ssui-worker-", dir=order.scratch))

    def ready(self) -> Ending:
        """Start the replicas, or start them anew where one has ended; 0 when all of them answer."""
        if not self._order.model:
            return Ending(0, "")
        try:
            with self._starting:
                self._serve(self._order.model)
        except SsuiError as error:
            code = WRONG if isinstance(error, ConfigError) else ELSEWHERE
            return Ending(code, "\n".join([*self._said, str(error)]))
        return Ending(0, "")

    def shard(self, number: int) -> Ending:
        """Do a shard, to its end."""
        if (ready := self.ready()).code:
            return ready
        log = self.folder / f"shard-{number:05}.log"
        with log.open("wb") as words:
            with self._lock:
                if self._ending:
                    return Ending(128 + signal.SIGINT, "")
                child = self._children[number] = subprocess.Popen(
                    self._command(number), stdin=subprocess.DEVNULL, stdout=words, stderr=words
                )
            code = child.wait()
        self._children.pop(number, None)
        return Ending(code if code >= 0 else 128 - code, _last_words(log))

    def drain(self) -> None:
        """Let shards finish what is in flight; none begins any more."""
        with self._lock:
            self._ending = True
            for child in self._children.values():
                child.terminate()

    def stop(self) -> None:
        """End all that was started; shards that still run lose their calls in flight."""
        with self._lock:
            self._ending = True
            for child in self._children.values():
                child.kill()
        with self._starting:
            if self._servers:
                self._servers.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _command(self, number: int) -> list[str]:
        bound = [sys.executable, "-m", "ssui_gen.serving.bound", str(os.getpid())]
        told = ["--shard", f"{number}/{self._order.of}", "--scratch", str(self.folder)]
        if self._servers:
            told += ["--base-url", ",".join(self._servers.urls), "--own-servers"]
        return [*bound, sys.executable, "-m", "ssui_gen", *self._order.arguments, *told]

    def _serve(self, model: Model) -> None:
        if self._servers:
            try:
                self._servers.check()
                return
            except SsuiError:
                self._servers.close()
                self._servers = None
        if self._ending:
            return
        launches = plan(
            model.name, model.adapters, self._order.media, model.how, flags={}, notice=self._said.append
        )
        servers = VllmServers(
            launches,
            log=self.folder / "vllm.log",
            start_seconds=model.how.start_seconds,
            notice=self._said.append,
        )
        self._servers = asyncio.run(servers.__aenter__())


def _last_words(log: Path) -> str:
    """Of a command that ends with its error, that."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - SHOWN_BYTES))
        lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("ssui ")]
    return (said or lines or [""])[-1]
