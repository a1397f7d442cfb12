"""How long a run needs before its next row when almost all of it is done, and what it holds at most.

    .venv/bin/python benchmarks/resume.py [--seeds 1000 10000 100000 1000000]

A small run is really made, by the tests' fake server. Then its seeds become so many, and its rows those of
the first 99 in 100, each under a name of its own: nineteen records to one reject, some of the last of which
are tried again. `ssui dataset` starts on that as anybody would; its clock stops at its first new record, and
it is stopped. Last, the journal: so many answers are put, and some looked up. Memory is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from bench import ROOT, most_held

sys.path.insert(0, str(ROOT / "tests"))

FIRST = 20
"""Seeds of the run that is really made."""
DONE, REJECTED = 0.99, 0.05
PASSING = 0.98
"""From here on rejects are those that are tried again."""
ANSWER = 1000
"""Characters of an answer in the journal."""
LOOKED = 2000
"""Answers that are looked up."""
HEAD = "| seeds | MB of rows | s to the next row | s of CPU | MB at most | journal: µs a put | µs a lookup |"


def grow(todo: Any, count: int) -> int:
    """Make the run one of `count` seeds, all but one in a hundred done; bytes of its rows."""
    from jobs import plain

    from ssui_gen.records import row_id

    path, done = todo.paths[0], round(count * DONE)
    seeds = plain(count)
    files = [todo.run / name for name in ("reasoning_paths.jsonl", "rejects.jsonl")]
    with files[0].open("w") as paths, files[1].open("w") as rejects:
        for number, seed in enumerate(seeds[:done]):
            if number % round(1 / REJECTED) == 0:
                passing = number > PASSING * count
                row = {"seed_id": seed["id"], "kind": "risky", "stage": "reflect", "detail": "look again"}
                row["reason"] = "call_failed" if passing else "reflection_rejected"
                rejects.write(json.dumps(row) + "\n")
            else:
                row = path | {"id": row_id(seed["id"], "risky"), "seed_id": seed["id"]}
                paths.write(json.dumps(row) + "\n")
    with todo.seeds.open("w") as file:
        file.writelines(json.dumps(seed) + "\n" for seed in seeds)
    return sum(file.stat().st_size for file in todo.run.glob("*.jsonl"))


def first_row(todo: Any) -> tuple[float, float, float]:
    """Seconds, seconds of CPU and bytes until a new row is there."""
    paths = todo.run / "reasoning_paths.jsonl"
    before, began, process = paths.stat().st_size, time.monotonic(), todo.start()
    while paths.stat().st_size == before and process.poll() is None:
        seconds, cpu, most = time.monotonic() - began, *_used(process.pid)
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    if process.returncode not in (0, 130):
        raise SystemExit(out + err)
    return seconds, cpu, most


def _used(pid: int) -> tuple[float, float]:
    """Seconds of CPU and most bytes of a process that runs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), most_held(pid)


def journal(folder: Path, count: int) -> Iterator[float]:
    """Microseconds of CPU a put, then a lookup, of a journal of so many answers."""
    from ssui_gen.calling.journal import Journal
    from ssui_gen.completions import Choice, Completion, Usage
    from ssui_gen.records import row_id

    said = Completion(
        model="m", choices=(Choice(text="x" * ANSWER, finish_reason="stop"),), usage=Usage(), seconds=0.1
    )
    with closing(Journal(folder / "calls.sqlite")) as calls:
        began = time.process_time()
        for number in range(count):
            calls.put(row_id(str(number)), "agent", {"model": "m"}, said)
        yield 1e6 * (time.process_time() - began) / count
        some = [row_id(str(random.Random(n).randrange(count))) for n in range(LOOKED)]
        began = time.process_time()
        assert all(calls.get(one) for one in some)
        yield 1e6 * (time.process_time() - began) / LOOKED


def line(seeds: int) -> str:
    """A run of so many seeds, as a line of the table."""
    from fake_server import serve
    from jobs import job, plain

    with tempfile.TemporaryDirectory() as folder, serve() as fake:
        todo = job(Path(folder), fake.url, plain(FIRST), twins=False)
        done = todo.apart()
        if done.code:
            raise SystemExit(done.err)
        size = grow(todo, seeds)
        seconds, cpu, most = first_row(todo)
        put, get = journal(Path(folder), seeds)
    return (
        f"| {seeds:,} | {size / 1e6:,.0f} | {seconds:.1f} | {cpu:.1f} | {most / 1e6:,.0f} | {put:.0f} "
        f"| {get:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1000, 10_000, 100_000])
    args = parser.parse_args()
    print(f"{HEAD}\n|{'---|' * (HEAD.count('|') - 1)}")
    for seeds in args.seeds:
        print(line(seeds), flush=True)


if __name__ == "__main__":
    main()
