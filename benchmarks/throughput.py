"""Ours beside the limit: `ssui dataset` and a bare asyncio loop (`bare.py`), by turns on one stub server.

    python benchmarks/throughput.py --seeds 1000 --rounds 3

Prints one line per run and the table of medians. Only ratios mean something: machine and stub are shared.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench import HERE, Used, count_rows, draw_seeds, measure, stub


def command(name: str, seeds: Path, url: str, run: Path) -> list[str]:
    if name == "bare":
        return [sys.executable, str(HERE / "bare.py"), str(seeds), url]
    asked = ["dataset", "--run", str(run), "--seeds", str(seeds), "--base-url", url, "--model", "stub"]
    return [sys.executable, "-m", "ssui_gen", *asked]


def one(name: str, seeds: Path, count: int, url: str, folder: Path) -> Used:
    """One run of one side; stops everything when it did not do the whole job."""
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    used = measure(command(name, seeds, url, run), url, folder / f"{name}.log")
    rows = len(count_rows(run / "reasoning_paths.jsonl")) if name == "ours" else count
    if used.code or used.calls != 7 * count or rows != count:
        words = (folder / f"{name}.log").read_text()[-2000:]
        sys.exit(f"{name}: exit {used.code}, {used.calls} calls, {rows} rows of {count}\n{words}")
    print(
        f"{name:5} {used.per_second(count):6.2f} items/s  {used.cpu_ms_per_call:5.2f} ms CPU/call  "
        f"{used.peak_mib:4.0f} MiB  {used.most_in_flight} in flight  {used.whole_seconds:.1f} s in all  "
        f"stub {used.server_cpu / used.seconds:.0%} of a core",
        flush=True,
    )
    return used


def main() -> None:
    """Both sides by turns, then the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ssui-benchmark")
    args = parser.parse_args()
    seeds = draw_seeds(args.folder, args.seeds)
    seen: dict[str, list[Used]] = {"bare": [], "ours": []}
    with stub("--latency", "0.2") as url:
        for turn in range(args.rounds):
            for name in ("bare", "ours") if turn % 2 == 0 else ("ours", "bare"):
                seen[name].append(one(name, seeds, args.seeds, url, args.folder))
    report(seen, args.seeds)


def report(seen: dict[str, list[Used]], items: int) -> None:
    rows = {
        "items/s": [median(u.per_second(items) for u in seen[side]) for side in ("bare", "ours")],
        "CPU ms per call": [median(u.cpu_ms_per_call for u in seen[side]) for side in ("bare", "ours")],
        "peak MiB": [median(u.peak_mib for u in seen[side]) for side in ("bare", "ours")],
    }
    pairs = zip(seen["bare"], seen["ours"], strict=True)
    shares = [ours.per_second(items) / bare.per_second(items) for bare, ours in pairs]
    print(f"\n| median of {len(shares)} rounds | bare loop | ours | ours / bare |\n| --- | --- | --- | --- |")
    for what, (bare, ours) in rows.items():
        print(f"| {what} | {bare:.1f} | {ours:.1f} | {ours / bare:.2f} |")
    print(f"\nitems/s, ours / bare, round by round: {', '.join(f'{share:.1%}' for share in shares)}")


if __name__ == "__main__":
    main()
