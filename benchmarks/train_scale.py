"""What a training's data needs as a run grows: CPU until it is ready, and memory at most. No model learns.

    .venv/bin/python benchmarks/train_scale.py [--branches 10000 100000 1000000]

A run is written with six cuts a path, five branches a cut, their token ids as a server reports them, and
pairs by the product's own rules. Then a process of its own does what `make train` does before its first
step: every row is checked and made tokens, what is left out is written, tokens are counted. Last, rows are
drawn by chance as an epoch draws them. The model, whose size does not hang on the rows, is a tiny LLaVA's
processor. Memory is read from /proc.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import ROOT, most_held

sys.path.insert(0, str(ROOT / "tests"))

CUTS, GOOD, BAD = 6, 2, 3
PICTURES = 64
DRAWN = 300
"""Rows that are drawn by chance at the end."""
HEAD = "| branches | paths | pairs | MB of rows | seconds of CPU | ms a branch | MB at most | MB on disk |"


def write(folder: Path, branches: int, encoder: Any) -> None:
    """A run's files, row by row."""
    from runs import PROMPT, path_of
    from trees import picture

    from ssui_gen.config_pairs import Pairing
    from ssui_gen.exploring.pairs import pair_up
    from ssui_gen.jsonl import as_line
    from ssui_gen.prompts import policy_prompt
    from ssui_gen.records import ImageRef

    (folder / "seeds").mkdir(parents=True)
    refs = []
    for number in range(PICTURES):
        file = folder / "seeds" / f"{number}.png"
        picture(number, side=48).save(file)
        sha = hashlib.sha256(file.read_bytes()).hexdigest()
        refs.append(ImageRef(path=file.name, sha256=sha, width=48, height=48))
    system, _ = policy_prompt(PROMPT, "")
    names = ("reasoning_paths.jsonl", "branches.jsonl", "pairs.jsonl")
    paths, cuts, pairs = ((folder / name).open("wb") for name in names)
    for number in range(branches // (CUTS * (GOOD + BAD))):
        path = path_of(number, refs[number % PICTURES])
        own = [_cut(path, cut, encoder) for cut in range(CUTS)]
        paths.write(as_line(path))
        cuts.writelines(map(as_line, own))
        pairs.writelines(map(as_line, pair_up(own, Pairing(), system)))
    for file in (paths, cuts, pairs):
        file.close()
    edition = {"prompts": {"policy": PROMPT.id}, "cards": {}, "models": {"policy": "tiny"}}
    (folder / "pairs.json").write_text(json.dumps({"editions": [{"edition": edition}]}))


def _cut(path: Any, cut: int, encoder: Any) -> Any:
    """One cut, its branches' words unlike each other, their ids told."""
    from runs import branch, cut_of

    made = [branch(path, cut, n < GOOD, n + 1) for n in range(GOOD + BAD)]
    told = [b.model_copy(update={"token_ids": (*encoder.ids(b.text), encoder.end)}) for b in made]
    return cut_of(path, cut).model_copy(update={"branches": tuple(told), "draws": GOOD + BAD})


def child(run: Path) -> dict[str, float]:
    """All that a training does before its first step, but for its model."""
    from rich.console import Console
    from runs import tiny_encoder

    from ssui_train.config import SrpoConfig
    from ssui_train.data import Reader
    from ssui_train.job import account, load_examples, row_maker, split_of
    from ssui_train.source import Source

    encoder = tiny_encoder()
    config = SrpoConfig.model_validate({"model": "tiny", "run": run})
    before = most_held()
    loaded = load_examples(Reader(Source(config), encoder), Console(quiet=True))
    split = split_of(config, loaded)
    maker = row_maker(config, "tree", loaded.pairs_of(split.trained), encoder)
    loaded.write_rejects(run)
    account(loaded, split, maker)
    drawn = random.Random(0).choices(range(len(split.trained)), k=DRAWN)
    tokens = sum(maker([split.trained[number]]).tokens for number in drawn)
    return {
        "pairs": loaded.pairs,
        "examples": len(loaded.examples),
        "tokens": tokens,
        "seconds": time.process_time(),
        "before": before,
        "most": most_held(),
        "disk": loaded.examples.size,
    }


def line(branches: int) -> str:
    """A run of so many branches, as a line of the table."""
    from runs import tiny_encoder

    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        write(run, branches, tiny_encoder())
        size = sum(file.stat().st_size for file in run.glob("*.jsonl"))
        command = [sys.executable, __file__, "--child", str(run)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    each = 1000 * found["seconds"] / branches
    return (
        f"| {branches:,} | {found['examples']:,} | {found['pairs']:,} | {size / 1e6:,.0f} "
        f"| {found['seconds']:,.0f} | {each:.2f} | {found['most'] / 1e6:,.0f} | {found['disk'] / 1e6:,.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--branches", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--child", type=Path)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(args.child)))
        return
    print(f"{HEAD}\n|{'---|' * (HEAD.count('|') - 1)}")
    for branches in args.branches:
        print(line(branches), flush=True)


if __name__ == "__main__":
    main()
