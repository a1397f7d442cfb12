"""What a usable pair costs: adaptive exploration, RPO's fixed k in one call, and RPO's k calls, by turns.

    .venv/bin/python benchmarks/explore.py outputs/demo

Takes the paths of a finished run of drawn scenes and explores them anew with the embedded micro VLM, each way
in a folder of its own. A usable pair is a cut with a good and a bad branch: one pair a cut.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench import ROOT

WAYS: dict[str, dict[str, object]] = {
    "k calls, fixed k = 10": {"explore": {"adaptive": False, "most_n": 1}},
    "n = k, fixed k = 10": {"explore": {"adaptive": False}},
    "adaptive": {},
}


def explore(run: Path, folder: Path, settings: dict[str, object], model: list[str]) -> Counter[str]:
    """Explore the paths of `run` in `folder`; what the calls took, and what came of them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reasoning_paths.jsonl").write_bytes((run / "reasoning_paths.jsonl").read_bytes())
    config = folder / "explore.yaml"
    config.write_text(json.dumps(settings))
    command = [sys.executable, "-m", "ssui_gen", "pairs", "--run", str(folder), "--uncurated"]
    command += ["--seeds", str(run / "seeds" / "seeds.jsonl"), "--config", str(config), *model]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return _spent(folder) + _found(folder)


def _spent(folder: Path) -> Counter[str]:
    spent: Counter[str] = Counter()
    with sqlite3.connect(folder / "calls.sqlite") as journal:
        for agent, completion in journal.execute("SELECT agent, completion FROM calls"):
            usage = json.loads(completion)["usage"]
            spent[f"{agent} requests"] += 1
            spent[f"{agent} prompt"] += usage["prompt_tokens"]
            spent[f"{agent} generated"] += usage["completion_tokens"]
    return spent


def _found(folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in (folder / "branches.jsonl").open():
        cut = json.loads(line)
        kinds = {branch["judgement"]["polarity"] for branch in cut["branches"]}
        found.update(cuts=1, draws=cut["draws"], pairs={"good", "bad"} <= kinds)
    return found


GOALS = "k calls, fixed k = 10", "n = k, fixed k = 10"


def table(got: dict[str, Counter[str]]) -> str:
    """What one usable pair takes, each way a row."""
    head = [
        "a usable pair takes",
        "pairs",
        "draws",
        "requests",
        "prompt tokens",
        "generated tokens",
        "judge calls",
    ]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' --: |' * (len(head) - 1)}"]
    for way, counts in got.items():
        keys = ("draws", "policy requests", "policy prompt", "policy generated", "judge requests")
        cells = [f"{counts[key] / max(counts['pairs'], 1):,.1f}" for key in keys]
        lines.append(f"| {way} | {counts['pairs']} of {counts['cuts']} cuts | {' | '.join(cells)} |")
    return "\n".join(lines)


def each(counts: Counter[str], key: str) -> float:
    return counts[key] / max(counts["pairs"], 1)


def main() -> None:
    """Every way, then the table and how many times fewer tokens the adaptive way takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.mkdtemp()))
    parser.add_argument("model", nargs="*", help="after --: options that name another server")
    args = parser.parse_args()
    got = {
        way: explore(args.run, args.folder / str(number), settings, args.model)
        for number, (way, settings) in enumerate(WAYS.items())
    }
    print(table(got))
    for way in GOALS:
        for key in ("policy prompt", "policy generated"):
            times = each(got[way], key) / each(got["adaptive"], key)
            print(f"adaptive takes {times:.1f} times fewer {key} tokens a pair than {way}")


if __name__ == "__main__":
    main()
