"""Two nodes of a Ray cluster beside one process, on one stub server, with as many calls in flight in all.

    python benchmarks/cluster.py --seeds 400 --rounds 1

Prints calls per second of both, from the first call to the last answer, and their ratio. Nodes are processes
of this machine, so that they share its cores: only the ratio means something. Needs `make cluster`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from bench import HERE, Used, draw_seeds, measure, stub

sys.path.insert(0, str(HERE.parent / "tests"))
from ray_nodes import nodes

NODES, EACH = 2, 2
"""Nodes, and the shards that each does at a time."""
CALLS = 16
"""In flight in all."""


def command(seeds: Path, url: str, run: Path, calls: int, *more: str) -> list[str]:
    """`ssui dataset`, with so many calls in flight a process."""
    config = run.with_suffix(".yaml")
    config.write_text(json.dumps({"limits": {"calls_in_flight": calls, "steer": False}}))
    places = ["--run", str(run), "--seeds", str(seeds), "--config", str(config)]
    served = ["--base-url", url, "--model", "stub"]
    return [sys.executable, "-m", "ssui_gen", "dataset", *places, *served, *more]


def one(name: str, told: list[str], count: int, url: str, folder: Path) -> float:
    """Calls per second of a run; stops everything when it did not do the whole job."""
    log = folder / f"{name}.log"
    used: Used = measure(told, url, log)
    if used.code or used.calls != 7 * count:
        sys.exit(f"{name}: exit {used.code}, {used.calls} calls of {7 * count}\n{log.read_text()[-2000:]}")
    rate = used.calls / used.seconds
    print(
        f"{name:8} {rate:6.2f} calls/s  {used.seconds:5.1f} s, {used.whole_seconds:.1f} s in all", flush=True
    )
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--latency", default="0.4")
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="ssui-benchmark-") as scratch,
        stub("--latency", args.latency) as url,
        nodes(NODES) as cluster,
    ):
        folder = Path(scratch)
        seeds = draw_seeds(folder, args.seeds)
        for _ in range(args.rounds):
            for run in (folder / "alone", folder / "cluster"):
                shutil.rmtree(run, ignore_errors=True)
            alone = one("alone", command(seeds, url, folder / "alone", CALLS), args.seeds, url, folder)
            more = ("--cluster", cluster.address, "--shards", str(args.shards))
            told = command(seeds, url, folder / "cluster", CALLS // (NODES * EACH), *more)
            print(f"cluster / alone: {one('cluster', told, args.seeds, url, folder) / alone:.1%}")


if __name__ == "__main__":
    main()
