"""What the checkpoints can do on held-out scenes: `python -m microworld.measure` prints and writes it.

Held out are layouts, wordings and pairs of rule and place. `--pictures 2` measures the checkpoints that read
two pictures together, into `figures-two.json`. Grammars are not used: JSON must be right alone.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
import transformers
from rich.table import Table

from microworld.learning.ask import Checkpoint
from microworld.learning.model import load
from microworld.measuring.agents import measure_agents, test_pairs
from microworld.measuring.albums import ROLES
from microworld.measuring.bench import benched
from microworld.measuring.judge import judging
from microworld.measuring.looking import looking
from microworld.measuring.policy import measure_policy
from microworld.pretrain import MODELS
from ssui_gen.shares import Share
from ssui_gen.terminal import Terminal, forgive

SEED = 2026
"""Of the held-out scenes; none was looked at with it before the figures were taken."""


def figures(models: Path, n: int, seed: int, threads: int) -> dict[str, dict[str, Share]]:
    """All shares, by checkpoint and name."""
    torch.set_num_threads(threads)
    found = {"agents": measure_agents(Checkpoint(*load(models / "agents")), n, seed)}
    if (models / "judge").exists():
        judge, pairs = Checkpoint(*load(models / "judge")), test_pairs(n, seed)
        found["judge"] = judging(judge, pairs) | looking(judge, pairs) | benched(judge, pairs)
    for policy in ("policy", "untidy", "drifting"):
        if (models / policy).exists():
            found[policy] = measure_policy(Checkpoint(*load(models / policy)), n, seed)
    return found


def figures_of_two(models: Path, n: int, seed: int, threads: int) -> dict[str, dict[str, Share]]:
    """All shares of the checkpoints that read two pictures; `n` families of a risky pair and its twins."""
    torch.set_num_threads(threads)
    found: dict[str, dict[str, Share]] = {}
    for role, measured in ROLES.items():
        if (models / role).exists():
            shares = measured(Checkpoint(*load(models / role)), n, seed)
            found[role] = {_of_two(name): one for name, one in shares.items() if one.n}
    return found


def _of_two(name: str) -> str:
    return name if name.startswith("one picture: ") else f"two pictures: {name}"


def as_table(found: dict[str, dict[str, Share]]) -> Table:
    """The figures for people."""
    table = Table("checkpoint", "measure", "share", "95 % interval", "n")
    for checkpoint, shares in found.items():
        for name, one in shares.items():
            low, high = one.interval
            table.add_row(checkpoint, name, f"{one.value:.1%}", f"{low:.1%} to {high:.1%}", str(one.n))
    return table


def as_json(found: dict[str, dict[str, Share]], seed: int, seconds: float) -> str:
    """The figures for programs, with the versions they were measured with."""
    rows = {
        checkpoint: {
            name: {
                "share": round(s.value, 4),
                "low": round(s.interval[0], 4),
                "high": round(s.interval[1], 4),
                "n": s.n,
            }
            for name, s in shares.items()
        }
        for checkpoint, shares in found.items()
    }
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    whole = {"figures": rows, "seed": seed, "versions": versions, "seconds": round(seconds)}
    return json.dumps(whole, indent=1) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.measure", description=__doc__)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--n", type=int, default=300, help="held-out scenes")
    parser.add_argument("--seed", type=int, default=SEED, help="which held-out scenes")
    parser.add_argument("--pictures", type=int, choices=(1, 2), default=1, help="shown together")
    parser.add_argument("--threads", type=int, default=2)
    forgive()
    args = parser.parse_args()
    start = time.monotonic()
    measured, name = (figures, "figures") if args.pictures == 1 else (figures_of_two, "figures-two")
    found = measured(args.models, args.n, args.seed, args.threads)
    Terminal().print(as_table(found))
    (args.models / f"{name}.json").write_text(as_json(found, args.seed, time.monotonic() - start))


if __name__ == "__main__":
    main()
