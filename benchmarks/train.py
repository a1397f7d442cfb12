"""What a question with its pairs costs to train: as a tree, as single sequences, in TRL's DPOTrainer.

    .venv/bin/python benchmarks/train.py [--rounds 3] [--image 300 1000] [--pairs one all] [--ways tree mask]

The same random Qwen2.5-VL, the same LoRA, the same pairs, the same loss (DPO, since TRL has no SRPO for
pictures), each in a process of its own with one thread. A question has 60 tokens, its path six steps of 60, a
branch 150; from every cut there are one good and one bad branch and their pair (`one`), or five and five and
all 25 pairs (`all`). Of TRL and of single sequences every 25th pair of `all` is timed and multiplied. `tree`
is the product's way, attention by paths and execution by parts; `mask` is the same tree whole, under a mask.
Beside them stands the bound: the least FLOPs for these tokens, at this machine's own speed in large products,
read before and after the step; once without any attention, once with what the tree and the tower need of it.
All seconds are the process's CPU time, as a machine may be shared.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from bench import ROOT

GRIDS = {300: (15, 20), 1000: (25, 40)}
"""Rows and columns of merged patches that make a picture cost so many tokens."""
WAYS = ("tree", "mask", "sequences", "trl")
TREES = ("tree", "mask")
EACH = {"one": 1, "all": 5}
"""Good branches of a cut, and as many bad ones."""
THINNED = 25
"""Of `all` every so manieth pair is timed where each pair costs the same."""
HEAD = (
    "| image tokens | pairs | way | tokens a question | CPU seconds | times the tree's | peak MB "
    "| bound / seconds | bound with attention / seconds |"
)


def child(way: str, image: int, which: str) -> dict[str, float]:
    """Time one way, in this process, which alone loads torch; figures of all pairs."""
    from train_bound import linear, scores, speed
    from train_question import Question

    question = Question(*GRIDS[image], EACH[which])
    times = THINNED if which == "all" and way not in TREES else 1
    with tempfile.TemporaryDirectory() as folder:
        step = step_of(way, question, question.pairs()[::times], Path(folder))
        step.run()
        step.model.zero_grad()
        before = speed()
        start = time.process_time()
        loss = step.run()
        seconds = time.process_time() - start
    found = {
        "tokens": step.tokens * times,
        "seconds": seconds * times,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "loss": loss,
    }
    if way in TREES:
        each = 2 / (before + speed())
        found |= {"bound": linear(question, step) * each, "attention": scores(question, step) * each}
    return found


def step_of(way: str, question: Any, pairs: Any, folder: Path) -> Any:
    """One of `WAYS`."""
    from train_steps import as_sequences, as_tree, as_trl

    if way in TREES:
        return as_tree(question, pairs, by_paths=way == "tree")
    return as_trl(question, pairs, folder) if way == "trl" else as_sequences(question, pairs)


def once(way: str, image: int, which: str) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", __file__, "--child", way, str(image), which]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(image: int, which: str, rounds: int, ways: list[str]) -> None:
    """Rows of the table, one a way: medians, and ratios within each round."""
    by_round = [{way: once(way, image, which) for way in ways} for _ in range(rounds)]
    if which == "one":
        losses = [found["loss"] for found in by_round[0].values()]
        assert max(losses) - min(losses) < 1e-3, "the same loss on the same pairs"

    def middle(way: str, name: str, by: str | None = None, of: str | None = None) -> float:
        return statistics.median(one[way][name] / (one[of or way][by] if by else 1) for one in by_round)

    for way in ways:
        known = by_round[0][way]
        cells = [f"{known['tokens']:,.0f}", f"{middle(way, 'seconds'):.2f}"]
        cells.append(f"{middle(way, 'seconds', 'seconds', 'tree'):.1f}" if "tree" in ways else "")
        cells.append(f"{middle(way, 'megabytes'):,.0f}")
        if way in TREES:
            needed = [(one[way]["bound"] + one[way]["attention"]) / one[way]["seconds"] for one in by_round]
            cells += [f"{middle(way, 'bound', 'seconds'):.0%}", f"{statistics.median(needed):.0%}"]
        else:
            cells += ["", ""]
        print("|", " | ".join([str(image), which, way, *cells]), "|", flush=True)


def main() -> None:
    """Every row, or one child."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--image", type=int, nargs="+", default=list(GRIDS), choices=list(GRIDS))
    parser.add_argument("--pairs", nargs="+", default=list(EACH), choices=list(EACH))
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--child", nargs=3, metavar=("WAY", "IMAGE", "PAIRS"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        warnings.simplefilter("ignore")
        way, image, which = args.child
        print(json.dumps(child(way, int(image), which)))
        return
    print(HEAD, "| --- " * 9 + "|", sep="\n")
    for image in args.image:
        for which in args.pairs:
            report(image, which, args.rounds, args.ways)


if __name__ == "__main__":
    main()
