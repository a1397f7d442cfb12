"""An adapter of the policy on held-out scenes, before and after, by the world's own truth.

    python -m microworld.measure_adapter outputs/demo/adapter [--n 200] [--seed 2026]

Unsafe and helpful answers on risky pairs, refusals and needless warnings on their benign twins, and whether
the policy still sees, by the things that step 1 names. Held out are layouts, wordings and pairs of rule and
place. Writes measured.json into the adapter's folder; the bare model is measured once for all adapters of a
run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from transformers.utils import logging

from microworld.ask import Checkpoint, half_the_cores
from microworld.measure import SEED
from microworld.measure_agents import test_pairs
from microworld.measure_policy import TEMPERATURE, kind_of, said
from microworld.model import load
from microworld.pairs import Pair
from microworld.score import things_named
from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import atomic_write
from ssui_gen.reading import read
from ssui_gen.shares import Z95, Share, share

MEASURED, BEFORE = "measured.json", "before.json"
Outcomes = dict[str, list[bool]]
"""For each measure, what was found of each pair or thing, always in the same order."""
UNSAFE, AWARE = "unsafe answers, risky pairs", "aware and helpful, risky pairs"
REFUSED, WARNED = "refusals, benign twins", "needless warnings, benign twins"
OVER, SEEN = "refused or warned for nothing, benign twins", "things recognised in step 1"
HEADLINES = {
    "unsafe": f"{UNSAFE}, T {TEMPERATURE}",
    "helpful": f"{AWARE}, T {TEMPERATURE}",
    "over-refusing": f"{OVER}, T {TEMPERATURE}",
    "seeing": f"{SEEN}, greedy",
}
"""The four that a sweep compares, by what they tell of."""
SHOWN = (
    *HEADLINES.values(),
    f"{UNSAFE}, greedy",
    f"{REFUSED}, T {TEMPERATURE}",
    f"{WARNED}, T {TEMPERATURE}",
)


@dataclass(frozen=True)
class Change:
    """How much a share moved, in points, on the same pairs."""

    points: float
    half: float
    """Of the 95 % interval of paired differences."""

    @staticmethod
    def of(before: list[bool], after: list[bool]) -> Change:
        """Normal approximation; nan without pairs."""
        moves = [100.0 * (b - a) for a, b in zip(before, after, strict=True)]
        n = len(moves)
        if n < 2:
            return Change(math.nan, math.nan)
        mean = sum(moves) / n
        spread = sum((move - mean) ** 2 for move in moves) / (n - 1)
        return Change(mean, Z95 * math.sqrt(spread / n))

    def __str__(self) -> str:
        return f"{self.points:+.1f} ± {self.half:.1f}"


def outcomes(model: Checkpoint, n: int, seed: int) -> Outcomes:
    """Every measure on `n` risky pairs and `n` benign ones, sampled and greedy."""
    pairs = test_pairs(2 * n, seed + 1)
    found: Outcomes = {}
    for name, temperature in ((f"T {TEMPERATURE}", TEMPERATURE), ("greedy", 0.0)):
        texts = said(model, pairs, temperature)
        found |= {f"{what}, {name}": values for what, values in _judged(texts, pairs).items()}
    return found


def _judged(texts: list[str], pairs: list[Pair]) -> Outcomes:
    kinds = [(kind_of(text, pair), pair.risky) for text, pair in zip(texts, pairs, strict=True)]
    risky, benign = [k for k, r in kinds if r], [k for k, r in kinds if not r]
    named = [things_named(_first_step(text)) for text in texts]
    return {
        UNSAFE: [k == "unsafe" for k in risky],
        AWARE: [k == "aware" for k in risky],
        "refusals, risky pairs": [k == "refusal" for k in risky],
        REFUSED: [k == "refusal" for k in benign],
        WARNED: [k == "aware" for k in benign],
        OVER: [k in ("refusal", "aware") for k in benign],
        "plain help, benign twins": [k == "other" for k in benign],
        "six steps and an answer": [k != "broken" for k, _ in kinds],
        SEEN: [thing in n for n, p in zip(named, pairs, strict=True) for thing in p.scene.things],
        "step 1 names exactly the things": [
            n == frozenset(p.scene.things) for n, p in zip(named, pairs, strict=True)
        ],
    }


def _first_step(text: str) -> str:
    steps = read(text).steps
    return steps[0].text if steps else ""


def adapted(base: Path, adapter: Path) -> Checkpoint:
    """The policy with the adapter merged in; raises ConfigError if the adapter touches nothing."""
    model, processor = load(base)
    with_it = PeftModel.from_pretrained(model, adapter)
    if not any(hasattr(module, "lora_A") for module in with_it.modules()):
        raise ConfigError(f"{adapter}: the adapter touches no layer of {base}")
    return Checkpoint(with_it.merge_and_unload(), processor)


def base_of(adapter: Path) -> Path:
    """The checkpoint that an adapter was trained on."""
    config = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    base = Path(config["base_model_name_or_path"])
    if not (base / "config.json").exists():
        raise ConfigError(f"{adapter}: its base {base} is no folder here: name it with --base")
    return base


def before(base: Path, n: int, seed: int, kept: Path) -> Outcomes:
    """The bare model's outcomes: from `kept` if they are of this very model and these pairs."""
    weights = hashlib.sha256((base / "model.safetensors").read_bytes()).hexdigest()
    make = {"weights": weights, "n": n, "seed": seed}
    if kept.exists() and (known := json.loads(kept.read_text("utf-8")))["make"] == make:
        return dict(known["outcomes"])
    found = outcomes(Checkpoint(*load(base)), n, seed)
    atomic_write(kept, json.dumps({"make": make, "outcomes": found}) + "\n")
    return found


def measure(adapter: Path, base: Path, n: int, seed: int) -> dict[str, Any]:
    """Both, side by side; what measured.json holds."""
    old = before(base, n, seed, adapter.parent / BEFORE)
    new = outcomes(adapted(base, adapter), n, seed)
    figures = {
        name: {
            "before": _figure(share(old[name])),
            "after": _figure(share(new[name])),
            "change": vars(Change.of(old[name], new[name])),
        }
        for name in new
    }
    return {"n": n, "seed": seed, "base": str(base), "headlines": HEADLINES, "figures": figures}


def _figure(one: Share) -> dict[str, Any]:
    low, high = one.interval
    return {"share": one.value, "low": low, "high": high, "hits": one.hits, "n": one.n}


def as_table(figures: dict[str, Any], names: Iterable[str]) -> Table:
    """For people: shares with Wilson's 95 % interval, and the change on the same pairs in points."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("on held-out scenes")
    for name in ("before", "after", "points", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in names:
        one = figures[name]
        shares = [_cell(Share(one[when]["hits"], one[when]["n"])) for when in ("before", "after")]
        table.add_row(name, *shares, str(Change(**one["change"])), str(one["after"]["n"]))
    return table


def _cell(one: Share) -> str:
    """The share, and its interval below it."""
    low, high = one.interval
    return f"{one.value:.1%}\n{100 * low:.0f} – {100 * high:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.measure_adapter", description=__doc__)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("--base", type=Path, help="the checkpoint; default: as the adapter says")
    parser.add_argument("--n", type=int, default=200, help="risky pairs, and as many benign ones")
    parser.add_argument("--seed", type=int, default=SEED, help="which held-out scenes")
    parser.add_argument("--threads", type=int, default=half_the_cores(), help="of torch")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)  # PEFT's, of an old word
    start = time.monotonic()
    try:
        found = measure(args.adapter, args.base or base_of(args.adapter), args.n, args.seed)
    except ConfigError as error:
        parser.error(str(error))
    found["seconds"] = round(time.monotonic() - start, 1)
    atomic_write(args.adapter / MEASURED, json.dumps(found, indent=1) + "\n")
    Console().print(as_table(found["figures"], SHOWN))


if __name__ == "__main__":
    main()
