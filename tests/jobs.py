"""Jobs for tests of the dataset stage: tiny seeds, `ssui` run in this process or apart, rows read back."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import logging
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from ssui_gen.cli import main
from ssui_gen.records import digest

SSUI = Path(sys.executable).with_name("ssui")
LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""
PICTURES = 8
"""As many as there are different ones; seeds share them."""


class Ended(NamedTuple):
    """How a command ended, and what a person saw."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Job:
    """One run of `ssui dataset`."""

    folder: Path
    """Holds the seeds, their pictures and the settings."""
    run: Path
    url: str
    """Of the model server."""

    @property
    def seeds(self) -> Path:
        return self.folder / "seeds.jsonl"

    @property
    def paths(self) -> list[dict[str, Any]]:
        return rows(self.run / "reasoning_paths.jsonl")

    @property
    def rejects(self) -> list[dict[str, Any]]:
        return rows(self.run / "rejects.jsonl")

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reject["reason"] for reject in self.rejects)

    @property
    def content(self) -> list[str]:
        """Hashes of all rows, sorted: equal for two runs that hold the same, in any order."""
        return sorted(map(digest, [*self.paths, *self.rejects]))

    def command(self, *more: str) -> list[str]:
        """The arguments of `ssui`; those of `more` win."""
        config = self.folder / "run.yaml"
        places = ["--run", str(self.run), "--seeds", str(self.seeds), "--config", str(config)]
        return ["dataset", *places, "--base-url", self.url, *more]

    def here(self, *more: str) -> Ended:
        """Run in this process."""
        return here(self.command(*more))

    def start(self, *more: str, disk: int | None = None) -> subprocess.Popen[str]:
        """Start in a process of its own; on a `disk` of so many bytes no file can grow beyond them."""
        small = [sys.executable, "-c", LIMITED, str(disk)] if disk is not None else []
        command, pipe = [*small, str(SSUI), *self.command(*more)], subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)

    def apart(self, *more: str, disk: int | None = None) -> Ended:
        """Run in a process of its own."""
        return ended(self.start(*more, disk=disk))


def here(arguments: list[str], *, asks: bool = True) -> Ended:
    """`ssui` in this process, which costs no start; stderr has what asyncio would have logged there, unless
    the command asks no server.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _logged(err):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        if asks:
            gc.collect()
    assert isinstance(end.value.code, int)
    return Ended(end.value.code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _logged(stream: io.StringIO) -> Iterator[None]:
    handler = logging.StreamHandler(stream)
    logging.getLogger("asyncio").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("asyncio").removeHandler(handler)


def ended(process: subprocess.Popen[str], seconds: float = 120) -> Ended:
    """Wait for the end of a process."""
    out, err = process.communicate(timeout=seconds)
    return Ended(process.returncode, out, err)


def job(
    folder: Path,
    url: str,
    seeds: list[dict[str, Any]],
    *,
    twins: bool = True,
    models: dict[str, Any] | None = None,
    **limits: float,
) -> Job:
    """A job with `seeds`; pictures `0.png`, … lie beside them. `models` and `limits` are of the config."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(PICTURES):
        Image.new("RGB", (8, 8), (30 * number, 90, 160)).save(folder / f"{number}.png")
    settings = {"twins": twins, "limits": limits, "models": models or {}}
    (folder / "run.yaml").write_text(json.dumps(settings))
    made = Job(folder, folder / "run", url)
    made.seeds.write_text("".join(json.dumps(seed) + "\n" for seed in seeds), "utf-8")
    return made


def plain(count: int, **fields: str) -> list[dict[str, Any]]:
    """So many seeds with nothing wrong."""
    return [{"id": f"s{number}", "image": f"{number % PICTURES}.png", **fields} for number in range(count)]


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    """Look every few milliseconds until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def rows(path: Path) -> list[dict[str, Any]]:
    """Every whole line of a file as JSON; a file that is not there has none."""
    content = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in content.split(b"\n")[:-1] if line.strip()]
