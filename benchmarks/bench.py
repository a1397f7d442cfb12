"""What the benchmarks share: seeds with drawn pictures, a stub server, a child process and what it used."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
SIDE = 224
"""Pixels of a drawn picture, which makes it about 4 kB; every seed has its own."""


def draw_seeds(folder: Path, count: int) -> Path:
    """`count` risky seeds, each with a picture of its own; what is there already is kept.

    Drawn by a child: what this process holds at its peak would count as its children's.
    """
    seeds = folder / f"seeds-{count}.jsonl"
    if not seeds.exists():
        subprocess.run([sys.executable, __file__, str(seeds), str(count)], check=True)
    return seeds


def _draw(seeds: Path, count: int) -> None:
    from PIL import Image, ImageDraw

    (seeds.parent / "pictures").mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(count):
        name = f"pictures/{number:06}.png"
        dice = random.Random(number)
        picture = Image.new("RGB", (SIDE, SIDE), tuple(dice.randrange(160, 256) for _ in range(3)))
        pen = ImageDraw.Draw(picture)
        for _ in range(12):
            x, y, r = dice.randrange(SIDE), dice.randrange(SIDE), dice.randrange(8, 50)
            pen.ellipse((x - r, y - r, x + r, y + r), fill=tuple(dice.randrange(256) for _ in range(3)))
        picture.save(seeds.parent / name)
        rows.append(json.dumps({"id": f"seed-{number:06}", "image": name, "kind": "risky"}))
    seeds.write_text("\n".join(rows) + "\n", "utf-8")


@contextmanager
def stub(*options: str) -> Iterator[str]:
    """A stub server as a process of its own; yields its address, ending in /v1."""
    command = [sys.executable, str(HERE / "stub.py"), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def get(url: str, path: str) -> dict[str, float]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url.removesuffix("/v1") + path) as answer:
        return json.load(answer)


@dataclass(frozen=True)
class Used:
    """What one child, its own children included, did and used. `seconds`: from first call to last answer."""

    calls: int
    seconds: float
    whole_seconds: float
    """From start to exit, interpreter and imports included."""
    cpu_seconds: float
    peak_mib: float
    server_cpu: float
    most_in_flight: int
    code: int

    def per_second(self, items: int) -> float:
        return items / self.seconds

    @property
    def cpu_ms_per_call(self) -> float:
        return 1000 * self.cpu_seconds / self.calls


def start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """`command` as the leader of a process group of its own; its words go to `log`."""
    with log.open("ab") as words:
        return subprocess.Popen(command, cwd=ROOT, stdout=words, stderr=words, start_new_session=True)


def measure(command: Sequence[str], url: str, log: Path) -> Used:
    """Run `command` to its end and ask the kernel and the stub what it took."""
    get(url, "/reset")
    begun = time.monotonic()
    child = start(command, log)
    with _peak(child.pid) as peak:
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    whole = time.monotonic() - begun
    seen = get(url, "/stats")
    return Used(
        calls=int(seen["calls"]),
        seconds=seen["seconds"],
        whole_seconds=whole,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mib=max(usage.ru_maxrss / 1024, *peak),
        server_cpu=seen["server_cpu"],
        most_in_flight=int(seen["most_in_flight"]),
        code=child.returncode,
    )


def most_held(pid: int | str = "self") -> int:
    """Bytes that a process held at most; `ru_maxrss` would be what its parent held."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@contextmanager
def _peak(group: int) -> Iterator[list[float]]:
    """What the processes of `group` held together, in MiB, looked at twice a second."""
    seen, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            seen.append(sum(_held(pid) for pid in _members(group)) / 1024)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def _members(group: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if os.getpgid(int(entry.name)) == group:
                yield int(entry.name)


def _held(pid: int) -> int:
    """KiB in memory, with a share of what is shared."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return 0


def count_rows(path: Path) -> list[dict[str, Any]]:
    """The whole rows of a JSONL file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line.endswith(b"}")]


if __name__ == "__main__":
    _draw(Path(sys.argv[1]), int(sys.argv[2]))
