"""Jobs in shards for tests: commands in this process or in processes of their own, and their logs."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from jobs import Ended, Job, here
from test_kill import ANSWERS, SEEDS

from ssui_gen.cli import main

__all__ = ["ANSWERS", "SEEDS", "Sharded"]


@dataclass(frozen=True)
class Sharded:
    """A job that is done in shards."""

    job: Job
    of: int
    run: Path

    def command(self, shard: int | str, *more: str) -> list[str]:
        which = shard if isinstance(shard, str) else f"{shard}/{self.of}"
        return replace(self.job, run=self.run).command("--shard", which, *more)

    def here(self, shard: int | str, *more: str) -> Ended:
        return here(self.command(shard, *more))

    def all(self, *more: str) -> list[Ended]:
        return [self.here(number, *more) for number in range(self.of)]

    def start(self, shard: int | str, *more: str, **circumstances: Any) -> BaseProcess:
        """In a process of its own."""
        return start(self.command(shard, *more), **circumstances)

    def told(self, order: str, *more: str) -> Ended:
        return here(["shards", order, "--run", str(self.run), *more])

    def folder(self, shard: int) -> Path:
        return self.run / "shards" / f"{shard:05}"

    def log(self, shard: int, attempt: int = 1) -> Path:
        return self.folder(shard) / f"a{attempt:04}.log"

    def events(self, shard: int, attempt: int = 1) -> list[tuple[str, Any]]:
        """Those of one log, whole lines only."""
        path = self.log(shard, attempt)
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [next(iter(json.loads(line).items())) for line in lines]

    def count(self, kind: str, shard: int, attempt: int = 1) -> int:
        return sum(one == kind for one, _ in self.events(shard, attempt))

    @property
    def merged(self) -> list[str]:
        """The rows of the whole, to be compared with those of a run on one machine."""
        end = self.told("merge")
        assert end.code == 0, end.err
        return replace(self.job, run=self.run).content


def start(
    arguments: list[str],
    hours: float = 0.0,
    disk: int | None = None,
    environment: dict[str, str] | None = None,
) -> BaseProcess:
    """`ssui` in a process of its own, ready in milliseconds; its clock is `hours` ahead of ours, and no file
    grows beyond `disk` bytes.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(["ssui_gen.cli", "ssui_gen.stages.dataset", "ssui_gen.stages.shard"])
    process = context.Process(target=_main, args=(arguments, hours, disk, environment or {}))
    process.start()
    return process


def _main(arguments: list[str], hours: float, disk: int | None, environment: dict[str, str]) -> None:
    os.environ.update({"LANGSMITH_TRACING": "false"} | environment)
    clock = time.time
    time.time = lambda: clock() + 3600 * hours
    if disk is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (disk, disk))
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - until the process ends
    main(arguments)
