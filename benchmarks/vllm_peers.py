"""The same job on one real vLLM: a bare loop, ours and peers by turns; then each is killed twice.

    python benchmarks/vllm_peers.py --seeds 200 --peer data_designer=/path/to/its/venv/bin/python --peer ...

vLLM serves the micro VLM; `make vllm` installs it. Speeds are read from vLLM's own counters, as replies
differ between sides and with them the number of calls an item takes; its caches are emptied before each run.
Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import HERE, ROOT, start
from peers import Side, _peer

from ssui_gen.config_serve import Serve
from ssui_gen.serving.vllm import VllmServers
from ssui_gen.serving.vllm_launch import plan

MODEL = ROOT / "microworld" / "models" / "agents"
SAMPLE = re.compile(r"^(vllm:\w+)(\{.*?\})? (\S+)$", re.MULTILINE)
KILLS = (1 / 3, 2 / 3)
"""After which shares of an uninterrupted run's calls."""
HUNG = 120.0
"""Seconds without a finished call after which a side is given up."""


class Bare(Side):
    """The limit: no journal, no rows, so nothing to resume."""

    def command(self, seeds: Path, url: str, folder: Path) -> list[str]:
        return [self.python, str(HERE / "bare.py"), str(seeds), url]

    def ids(self, folder: Path) -> Counter[str]:
        return Counter()


class Ours(Side):
    """A seed is done when it is a path or a reject with a reason."""

    def ids(self, folder: Path) -> Counter[str]:
        files = [folder / "reasoning_paths.jsonl", folder / "rejects.jsonl"]
        return Counter(
            json.loads(line)["seed_id"] for file in files if file.exists() for line in file.open("rb")
        )


@dataclass(frozen=True)
class Seen:
    """What vLLM counted."""

    calls: float
    """Those that ended by themselves."""
    tokens: float
    """Generated."""
    looked_up: float
    """Prompt tokens."""
    found: float
    """Of these, in the prefix cache."""

    def __sub__(self, other: Seen) -> Seen:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Seen(*(a - b for a, b in pairs))


@dataclass(frozen=True)
class Used:
    """One run of one side."""

    seen: Seen
    seconds: float
    """From the first call to the last answer."""
    cpu_ms_per_call: float
    rows: int

    @property
    def tokens_per_second(self) -> float:
        return self.seen.tokens / self.seconds


def look(url: str) -> Seen:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/metrics") as answer:
        samples = SAMPLE.findall(answer.read().decode())
    sums: Counter[str] = Counter()
    for name, labels, value in samples:
        if 'finished_reason="abort"' not in labels:
            sums[name] += float(value)
    names = ("request_success", "generation_tokens", "prefix_cache_queries", "prefix_cache_hits")
    return Seen(*(sums[f"vllm:{name}_total"] for name in names))


class Watch:
    """Looks at vLLM ten times a second, for when the first and the last call ended."""

    def __init__(self, url: str) -> None:
        self.url, self.begin = url, look(url)
        self.last, self.first_at, self.last_at = self.begin, 0.0, 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def seen(self) -> Seen:
        return self.last - self.begin

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            self.look()

    def look(self) -> None:
        now = look(self.url)
        if now != self.last:
            self.first_at = self.first_at or time.monotonic()
            self.last, self.last_at = now, time.monotonic()

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.look()


def forget(url: str) -> None:
    """Empty vLLM's caches of prefixes, pictures and their encodings."""
    for cache in ("prefix", "mm", "encoder"):
        ask = urllib.request.Request(f"{url.removesuffix('/v1')}/reset_{cache}_cache", method="POST")
        urllib.request.urlopen(ask).close()


def run(side: Side, seeds: Path, url: str, folder: Path) -> Used:
    shutil.rmtree(folder, ignore_errors=True)
    forget(url)
    with Watch(url) as watch:
        child = start(side.command(seeds, url, folder), folder.with_suffix(".log"))
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if not watch.seen.calls:
        sys.exit(f"{side.name} made no call: see {folder.with_suffix('.log')}")
    cpu = 1000 * (usage.ru_utime + usage.ru_stime) / watch.seen.calls
    used = Used(watch.seen, watch.last_at - watch.first_at, cpu, len(side.ids(folder)))
    print(
        f"{side.name:14} {used.tokens_per_second:7.1f} tokens/s  {used}  exit {child.returncode}", flush=True
    )
    return used


def kill_twice(side: Side, seeds: Path, url: str, folder: Path, calls: float) -> tuple[float, int, int, str]:
    """Calls that ended more than once, rows lost, rows twice, how the last run ended."""
    shutil.rmtree(folder, ignore_errors=True)
    words = folder.with_suffix(".log")
    total, ended = 0.0, ""
    for share in (*KILLS, None):
        with Watch(url) as watch:
            child = start(side.command(seeds, url, folder), words)
            ended = _until(child, watch, calls * share - total if share else None)
        total += watch.seen.calls
    probes = _probes(side, seeds, url, folder)
    made = side.ids(folder)
    needed = calls - probes
    return total - 3 * probes - needed, _count(seeds) - len(made), sum(n > 1 for n in made.values()), ended


def _until(child: subprocess.Popen[bytes], watch: Watch, calls: float | None) -> str:
    """Wait for so many calls and kill; for the end, or until none ends any more, without a number."""
    seen, since = 0.0, time.monotonic()
    while child.poll() is None and time.monotonic() - since < HUNG:
        if watch.seen.calls > seen:
            seen, since = watch.seen.calls, time.monotonic()
        if calls is not None and seen >= calls:
            break
        time.sleep(0.02)
    else:
        if child.poll() is not None:
            return f"exit {child.returncode}"
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    time.sleep(2)
    return "killed" if calls is not None else f"hung for {HUNG:.0f} s"


def _probes(side: Side, seeds: Path, url: str, folder: Path) -> float:
    """Calls that each start of a side makes whatever is left to do."""
    if side.name != "ours":
        return 0.0
    with Watch(url) as watch:
        start(side.command(seeds, url, folder), folder.with_suffix(".log")).wait()
    return watch.seen.calls


def _count(seeds: Path) -> int:
    return seeds.read_bytes().count(b"\n")


def draw(folder: Path, count: int) -> Path:
    """Seeds of the microworld without texts, every one asked for a risky pair."""
    seeds = folder / f"risky-{count}.jsonl"
    if not seeds.exists():
        command = [sys.executable, "-m", "microworld.seeds", str(folder), "--count", str(count)]
        subprocess.run(command, check=True, cwd=ROOT)
        rows = [json.loads(line) for line in (folder / "seeds.jsonl").open()]
        lines = (json.dumps({"id": r["id"], "image": r["image"], "kind": "risky"}) + "\n" for r in rows)
        seeds.write_text("".join(lines))
    return seeds


@contextmanager
def vllm(folder: Path) -> Iterator[str]:
    """The micro VLM served under the name that every side asks for."""
    os.environ["VLLM_SERVER_DEV_MODE"] = "1"
    launches = plan(str(MODEL), [], folder, Serve(), flags={"served-model-name": "stub"}, notice=print)
    servers = VllmServers(launches, log=folder / "vllm.log", start_seconds=300, notice=print)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(servers.__aenter__())
    try:
        yield servers.urls[0]
    finally:
        servers.close()


def main() -> None:
    """Every side by turns, then the kills, then the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ssui-vllm-benchmark")
    args = parser.parse_args()
    sides = [Bare("bare", sys.executable), Ours("ours", sys.executable), *map(_peer, args.peer)]
    args.folder.mkdir(parents=True, exist_ok=True)
    seeds = draw(args.folder, args.seeds)
    runs: dict[str, list[Used]] = {side.name: [] for side in sides}
    with vllm(args.folder) as url:
        for turn in range(args.rounds):
            for side in sides[:: 1 if turn % 2 == 0 else -1]:
                runs[side.name].append(run(side, seeds, url, args.folder / side.name))
        speeds(runs)
        print(
            "\n| killed twice, run again | calls that vLLM ended twice | rows lost | rows twice | last run |"
        )
        print("| --- | --- | --- | --- | --- |")
        for side in sides[1:]:
            calls = median(used.seen.calls for used in runs[side.name])
            cells = kill_twice(side, seeds, url, args.folder / side.name, calls)
            print(f"| {side.name} | {' | '.join(map(str, cells))} |", flush=True)


def speeds(runs: dict[str, list[Used]]) -> None:
    print("\n| side | tokens/s, bare = 1 | calls | rows | CPU ms per call | prompt tokens found cached |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, made in runs.items():
        pairs = zip(made, runs["bare"], strict=True)
        speed = median(used.tokens_per_second / bare.tokens_per_second for used, bare in pairs)
        calls, rows = (median(used.seen.calls for used in made), median(u.rows for u in made))
        cpu = median(used.cpu_ms_per_call for used in made)
        found = median(used.seen.found / used.seen.looked_up for used in made)
        print(f"| {name} | {speed:.2f} | {calls:.0f} | {rows:.0f} | {cpu:.1f} | {found:.0%} |")


if __name__ == "__main__":
    main()
