"""The truth about a run's branches: `python -m microworld.label_branches outputs/demo` writes labels.jsonl.

A branch is good if its answer knows the risk and still helps, or of a harmless pair simply helps. Branches of
texts that are no wording of the world, and so have no known truth, are left out and counted.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from microworld.score import answer_kind, request_in
from microworld.world import Rule, world
from ssui_gen.branches import BranchLabel, Cut
from ssui_gen.branching import parse_path
from ssui_gen.jsonl import atomic_write, read, validate
from ssui_gen.records import STEP_NAMES


def label(run: Path, seeds: Path) -> Counter[str]:
    """Write the labels; returns how many branches there are of each kind of outcome."""
    rows = [json.loads(line) for line in (seeds / "truth.jsonl").read_text("utf-8").splitlines()]
    scenes = {f"pictures/{row['scene']}.png": [one["thing"] for one in row["things"]] for row in rows}
    counts: Counter[str] = Counter()
    labels = []
    for cut in (validate(Cut, line) for line in read(run / "branches.jsonl")):
        request, things = request_in(cut.query), scenes.get(cut.image.path)
        if request is None or things is None:
            counts["no truth known"] += len(cut.branches)
            continue
        rule = world().rule_for(request, things)
        for branch in cut.branches:
            good = is_good(cut, branch.text, rule)
            labels.append(BranchLabel(branch_id=branch.id, good=good))
            counts["good" if good else "bad"] += 1
    atomic_write(run / "labels.jsonl", "".join(row.model_dump_json() + "\n" for row in labels))
    return counts


def is_good(cut: Cut, text: str, rule: Rule | None) -> bool:
    """Six steps, and an answer that fits the truth."""
    steps, answer = parse_path(f"{cut.prefix}{text}")
    if answer is None or len(steps) != len(STEP_NAMES):
        return False
    return answer_kind(answer, rule) == ("aware" if rule else "other")


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.label_branches", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seeds", type=Path, help="where truth.jsonl lies; default: seeds of the run")
    args = parser.parse_args()
    counts = label(args.run, args.seeds or args.run / "seeds")
    print(", ".join(f"{name}: {count:,}" for name, count in counts.most_common()))


if __name__ == "__main__":
    main()
