"""What the checkpoints can do on held-out scenes: `python -m microworld.measure` prints and writes it.

Held out are layouts, wordings and pairs of rule and place. `--pictures 2` measures the checkpoints that read
two pictures together, into `figures-two.json`; `--only policy` one of the others, beside the figures that are
there. Grammars are not used: JSON must be right alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from rich.table import Table

from microworld.learning.ask import Checkpoint
from microworld.learning.model import load
from microworld.measuring.agents import Facts, measure_agents, test_pairs
from microworld.measuring.albums import ROLES
from microworld.measuring.bench import benched
from microworld.measuring.judge import judging
from microworld.measuring.looking import looking
from microworld.measuring.policy import measure_policy
from microworld.pretrain import MODELS
from ssui_gen.terminal import Terminal, forgive

SEED = 2026
"""Of the held-out scenes; none was looked at with it before the figures were taken."""


def measure_judge(model: Checkpoint, n: int, seed: int) -> Facts:
    pairs = test_pairs(n, seed)
    return judging(model, pairs) | looking(model, pairs) | benched(model, pairs)


def measure_two(role: str, model: Checkpoint, n: int, seed: int) -> Facts:
    """`n` families of a risky pair and its twins."""
    return {_of_two(name): one for name, one in ROLES[role](model, n, seed).items() if one.n}


ONE: dict[str, Callable[[Checkpoint, int, int], Facts]] = {
    "agents": measure_agents, "judge": measure_judge,
    "policy": measure_policy, "untidy": measure_policy, "drifting": measure_policy,
}  # fmt: skip
TWO = {role: partial(measure_two, role) for role in ROLES}


def figures(models: Path, roles: Iterable[str], n: int, seed: int) -> dict[str, Facts]:
    """All shares, by checkpoint and name; of the checkpoints that are there."""
    return {
        role: (ONE | TWO)[role](Checkpoint(*load(models / role)), n, seed)
        for role in roles
        if (models / role).exists()
    }


def _of_two(name: str) -> str:
    return name if name.startswith("one picture: ") else f"two pictures: {name}"


def as_table(found: dict[str, Facts]) -> Table:
    """The figures for people."""
    table = Table("checkpoint", "measure", "share", "95 % interval", "n")
    for checkpoint, shares in found.items():
        for name, one in shares.items():
            low, high = one.interval
            table.add_row(checkpoint, name, f"{one.value:.1%}", f"{low:.1%} to {high:.1%}", str(one.n))
    return table


def as_json(found: dict[str, Facts], seed: int, seconds: float, before: Path) -> str:
    """The figures for programs, with the versions they were measured with; those that stand in `before` of
    other checkpoints stay, where they were measured on the same scenes.
    """
    known: dict[str, Any] = json.loads(before.read_text()) if before.exists() else {"seed": None}
    rows: dict[str, Any] = (known["figures"] if known["seed"] == seed else {}) | {
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
    parser.add_argument("--only", choices=tuple(ONE | TWO), help="one checkpoint")
    parser.add_argument("--threads", type=int, default=2)
    forgive()
    args = parser.parse_args()
    start = time.monotonic()
    torch.set_num_threads(args.threads)
    two = args.pictures == 2 or args.only in TWO
    file = args.models / ("figures-two.json" if two else "figures.json")
    roles = (args.only,) if args.only else TWO if two else ONE
    found = figures(args.models, roles, args.n, args.seed)
    if not found:
        parser.error(f"{args.models}: no checkpoint of {', '.join(roles)} there: `make micro` trains them")
    Terminal().print(as_table(found))
    file.write_text(as_json(found, args.seed, time.monotonic() - start, file))


if __name__ == "__main__":
    main()
