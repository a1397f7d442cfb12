"""The same job in ours and in peers, by turns on one stub server; then each is killed at half and resumed.

    python benchmarks/peers.py --seeds 300 --peer data_designer=/path/to/its/venv/bin/python --peer ...

A peer NAME runs `peers/NAME_job.py` in its own environment (`README.md` says how to make one). Linux only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import HERE, Used, count_rows, draw_seeds, get, measure, start, stub

CALLS = 7
"""Per seed, in every side's version of the job."""
HUNG = 120.0
"""Seconds without a call after which a resumed run is given up."""


@dataclass(frozen=True)
class Side:
    """One program that can do the job; `python` is that of its environment."""

    name: str
    python: str

    def command(self, seeds: Path, url: str, folder: Path) -> list[str]:
        if self.name == "ours":
            asked = ["dataset", "--run", str(folder), "--seeds", str(seeds), "--base-url", url]
            return [self.python, "-m", "ssui_gen", *asked, "--model", "stub"]
        return [self.python, str(HERE / "peers" / f"{self.name}_job.py"), str(seeds), url, str(folder)]

    def ids(self, folder: Path) -> Counter[str]:
        """How often each seed has a complete row in the output."""
        if self.name == "ours":
            return Counter(row["seed_id"] for row in count_rows(folder / "reasoning_paths.jsonl"))
        rows = count_rows(folder / "rows.jsonl")
        return Counter(row["id"] for row in rows if row.get("id") and None not in row.values())


@dataclass(frozen=True)
class Killed:
    """What a SIGKILL at half of the calls cost, after the same command was run once more."""

    completed: int
    """Calls that had been answered when the kill came."""
    repeated: int
    """Of these, asked again."""
    lost: int
    """Seeds without a row at the end."""
    twice: int
    """Seeds with more than one row at the end."""
    ended: str
    """How the second run ended: its exit code, or that it hung."""


def _peer(argument: str) -> Side:
    """A peer as the command line names it."""
    known = sorted(path.name.removesuffix("_job.py") for path in (HERE / "peers").glob("*_job.py"))
    name, _, python = argument.partition("=")
    if name not in known or not Path(python).is_file():
        sys.exit(f"--peer {argument}: expected NAME=PYTHON with NAME one of {', '.join(known)}")
    return Side(name, python)


def run(side: Side, seeds: Path, count: int, url: str, folder: Path) -> Used:
    shutil.rmtree(folder, ignore_errors=True)
    used = measure(side.command(seeds, url, folder), url, folder.with_suffix(".log"))
    rows = len(side.ids(folder))
    if not used.calls:
        sys.exit(f"{side.name} made no call: see {folder.with_suffix('.log')}")
    print(
        f"{side.name:14} {used.per_second(count):6.2f} items/s  {used.cpu_ms_per_call:6.2f} ms CPU/call  "
        f"{used.peak_mib:5.0f} MiB  {used.most_in_flight} in flight  {used.calls} calls  {rows} rows  "
        f"exit {used.code}  {used.whole_seconds:.1f} s in all",
        flush=True,
    )
    return used


def kill_at_half(side: Side, seeds: Path, count: int, folder: Path) -> Killed:
    """A server of its own, whose log tells what was asked again."""
    shutil.rmtree(folder, ignore_errors=True)
    log = folder.with_suffix(".calls")
    log.unlink(missing_ok=True)
    with stub("--latency", "0.2", "--log", str(log)) as url:
        words = folder.with_suffix(".log")
        child = start(side.command(seeds, url, folder), words)
        while get(url, "/stats")["calls"] < CALLS * count / 2:
            if child.poll() is not None:
                sys.exit(f"{side.name} ended before half of the calls: see {words}")
            time.sleep(0.02)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        before = log.read_text()
        ended = _waited_for(start(side.command(seeds, url, folder), words), url)
        after = log.read_text()[len(before) :]
    answered = {line.split()[1] for line in before.splitlines() if line.startswith("- ")}
    asked = Counter(line.split()[1] for line in after.splitlines() if line.startswith("+ "))
    made = side.ids(folder)
    killed = Killed(
        completed=len(answered),
        repeated=len(answered & set(asked)),
        lost=count - len(made),
        twice=sum(times > 1 for times in made.values()),
        ended=ended,
    )
    print(f"{side.name:14} {killed}", flush=True)
    return killed


def _waited_for(child: subprocess.Popen[bytes], url: str) -> str:
    """Wait until `child` ends, or has made no call for so long that it never will."""
    calls, since = 0.0, time.monotonic()
    while child.poll() is None and time.monotonic() - since < HUNG:
        now = get(url, "/stats")["calls"]
        if now > calls:
            calls, since = now, time.monotonic()
        time.sleep(0.5)
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return f"hung for {HUNG:.0f} s"
    return f"exit {child.returncode}"


def main() -> None:
    """Every side by turns, then the kills, then the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3, help="0: only the kills")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ssui-benchmark")
    args = parser.parse_args()
    sides = [Side("ours", sys.executable), *map(_peer, args.peer)]
    seeds = draw_seeds(args.folder, args.seeds)
    seen: dict[str, list[Used]] = {side.name: [] for side in sides}
    with stub("--latency", "0.2") as url:
        for turn in range(args.rounds):
            for side in sides[:: 1 if turn % 2 == 0 else -1]:
                seen[side.name].append(run(side, seeds, args.seeds, url, args.folder / side.name))
    kills = {side.name: kill_at_half(side, seeds, args.seeds, args.folder / side.name) for side in sides}
    report(seen, kills, args.seeds)


def report(seen: dict[str, list[Used]], kills: dict[str, Killed], items: int) -> None:
    print(
        f"\n| {items} seeds, median of {len(seen['ours'])} | items/s, ours = 1 | CPU ms per call | peak MiB |"
    )
    print("| --- | --- | --- | --- |")
    for name, runs in seen.items() if seen["ours"] else ():
        speeds = [u.per_second(items) / o.per_second(items) for u, o in zip(runs, seen["ours"], strict=True)]
        cpu, peak = median(u.cpu_ms_per_call for u in runs), median(u.peak_mib for u in runs)
        print(f"| {name} | {median(speeds):.2f} | {cpu:.1f} | {peak:.0f} |")
    print("\n| killed at half, run again | answered calls repeated | rows lost | rows twice | second run |")
    print("| --- | --- | --- | --- | --- |")
    for name, kill in kills.items():
        print(f"| {name} | {kill.repeated} of {kill.completed} | {kill.lost} | {kill.twice} | {kill.ended} |")


if __name__ == "__main__":
    main()
