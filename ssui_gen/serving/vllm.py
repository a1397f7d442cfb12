"""Starts and stops vLLM, under `supervise`, so that none is left however we end.

Covers neither where and with what it is started (`vllm_launch`), nor what its last words mean (`vllm_words`),
nor calls.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from ssui_gen.errors import ServerError
from ssui_gen.serving.process import ServerProcess
from ssui_gen.serving.vllm_launch import HOST, Launch
from ssui_gen.serving.vllm_words import why

LOOK_SECONDS, NOTICE_SECONDS = 0.5, 15.0


class VllmServers:
    """An asynchronous context manager; its launches answer once it is entered.

    Entering raises ServerError with vLLM's own words and what helps. `notice` hears how it goes.
    """

    def __init__(
        self, launches: Sequence[Launch], *, log: Path, start_seconds: float, notice: Callable[[str], None]
    ) -> None:
        self.launches = tuple(launches)
        self.urls = tuple(launch.url for launch in launches)
        self.processes: list[ServerProcess] = []
        self._log = log
        self._seconds = start_seconds
        self._notice = notice

    async def __aenter__(self) -> VllmServers:
        with ExitStack() as unless_up:
            unless_up.callback(self.close)
            for launch in self.launches:
                self.processes.append(_start(launch, self._log_of(launch)))
            self._notice(f"Starting vLLM; its log: {self._log_of(self.launches[0])}")
            await self._wait()
            unless_up.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """May be called twice."""
        for process in self.processes:
            process.ask_to_stop()
        for process in self.processes:
            process.close()

    def check(self) -> None:
        """Raises ServerError if one has ended."""
        for process in self.processes:
            if process.code is not None:
                raise ServerError(explain(process))

    def _log_of(self, launch: Launch) -> Path:
        first = launch is self.launches[0]
        return self._log if first else self._log.with_name(f"vllm-{launch.port}.log")

    async def _wait(self) -> None:
        began = told = time.monotonic()
        for launch in self.launches:
            while not await asyncio.to_thread(_healthy, launch):
                self.check()
                now = time.monotonic()
                if now - began > self._seconds:
                    raise ServerError(self._too_slow())
                if now - told > NOTICE_SECONDS:
                    told = now
                    self._notice(f"vLLM: {now - began:.0f} s, {_doing(self.processes[0])}")
                await asyncio.sleep(LOOK_SECONDS)
        self._notice(f"vLLM answers after {time.monotonic() - began:.0f} s.")

    def _too_slow(self) -> str:
        return (
            f"vLLM did not answer within {self._seconds:g} seconds {self.processes[0].last_words()}\n"
            "More time: serve: {start_seconds: ...} in run.yaml"
        )


def _start(launch: Launch, log: Path) -> ServerProcess:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, launch.port))
        except OSError as error:
            raise ServerError(
                f"port {launch.port}: {error.strerror}: choose another --port, or stop what listens there"
            ) from None
    command = [sys.executable, "-m", "ssui_gen.serving.supervise", *launch.command]
    return ServerProcess(command, log, env={**os.environ, **launch.env})


def _healthy(launch: Launch) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{launch.port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _doing(process: ServerProcess) -> str:
    """The last that it logged in its own form."""
    lines = (line.rpartition("] ")[2].strip() for line in reversed(process.words()) if " INFO " in line)
    return next((line[:100] for line in lines if line), "no word of it yet")


def explain(process: ServerProcess) -> str:
    """In one line why vLLM ended, by the last error that it logged, and what helps."""
    said = why(process.words(), process.code)
    return f"vLLM ended (exit code {process.code}): {said}" if said else f"vLLM ended {process.last_words()}"
