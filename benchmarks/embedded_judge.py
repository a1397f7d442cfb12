"""How many calls of a judge a second the embedded server answers, and what a call costs both sides.

    .venv/bin/python benchmarks/embedded_judge.py --responses 40 [--model FOLDER]

Seven questions about each response in both orders of their options, one token each, by the real client.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

from bench import ROOT
from judging import Rate, as_it_is, ask, materials

from ssui_gen.serving.embedded import EmbeddedServer

WARMING = 2
"""Responses asked about before the clock runs, so that the model is loaded."""


def worked(pid: int | None) -> float:
    """Seconds of processors that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(folder: Path, model: Path, count: int) -> tuple[Rate, float, float]:
    """How it went, and the CPU seconds of server and client."""
    shown = materials(folder, count + WARMING)
    with EmbeddedServer(log=folder / "log", models={"judge": model}) as server:
        asyncio.run(ask(server.url, "judge", folder, shown[count:], as_it_is))
        before, mine = worked(server.pid), time.process_time()
        rate = asyncio.run(ask(server.url, "judge", folder, shown[:count], as_it_is))
        return rate, worked(server.pid) - before, time.process_time() - mine


def main() -> None:
    """One line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=int, default=40)
    parser.add_argument("--model", type=Path, default=ROOT / "microworld" / "models" / "judge")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rate, server, client = measure(Path(folder), args.model, args.responses)
    calls, tally = rate.calls, rate.tally
    print(
        f"{calls} calls, {calls / rate.seconds:.0f} a second; CPU a call: "
        f"server {1000 * server / calls:.1f} ms, "
        f"client {1000 * client / calls:.1f} ms; {tally.prompt_tokens / calls:.0f} prompt tokens a call, "
        f"{tally.cached_tokens / tally.prompt_tokens:.0%} of them cached"
    )


if __name__ == "__main__":
    main()
