"""How much of exploration's prompts a real vLLM answers from its prefix cache.

    .venv/bin/python benchmarks/vllm_explore.py outputs/demo

Explores the paths of a finished run of drawn scenes anew, on vLLM's CPU build serving the micro policy, both
ways of drawing. Prints the share that vLLM's `/metrics` tells, and that of the answers' own usage.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import ROOT

SETTINGS = {"models": {"policy": {"name": "microworld/models/policy"}}, "verify": {"by": ["label"]}}
"""`label` asks no judge, so that all calls are the policy's."""
WAYS = {"adaptive": {}, "n = k, fixed k = 10": {"adaptive": False}}
TOLD = re.compile(r"found in their prefix caches │ +([\d.]+)%")


def shares(run: Path, folder: Path, explore: dict[str, object]) -> tuple[float, float]:
    """Of prompt tokens found cached: by `/metrics`, and by the answers."""
    folder.mkdir()
    (folder / "reasoning_paths.jsonl").write_bytes((run / "reasoning_paths.jsonl").read_bytes())
    (folder / "settings.yaml").write_text(json.dumps(SETTINGS | {"explore": explore}))
    command = [sys.executable, "-m", "ssui_gen", "pairs", "--run", str(folder), "--uncurated"]
    command += ["--seeds", str(run / "seeds" / "seeds.jsonl"), "--config", str(folder / "settings.yaml")]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    found = TOLD.search(done.stdout)
    assert found, done.stdout
    return float(found[1]) / 100, _of_answers(folder)


def _of_answers(folder: Path) -> float:
    with sqlite3.connect(folder / "calls.sqlite") as journal:
        rows = journal.execute("SELECT completion FROM calls").fetchall()
    usages = [json.loads(row[0])["usage"] for row in rows]
    cached, prompt = (sum(usage[key] for usage in usages) for key in ("cached_tokens", "prompt_tokens"))
    return float(cached / prompt)


def main() -> None:
    """Both ways, a row each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    args = parser.parse_args()
    print("| exploration on vLLM | cached by /metrics | cached by the answers |\n| --- | --: | --: |")
    with tempfile.TemporaryDirectory() as folder:
        for number, (way, explore) in enumerate(WAYS.items()):
            told, answered = shares(args.run, Path(folder) / str(number), explore)
            print(f"| {way} | {told:.1%} | {answered:.1%} |", flush=True)


if __name__ == "__main__":
    main()
