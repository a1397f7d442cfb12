"""What the temperature does to branches: how different they are, and how often a cut has both kinds.

    .venv/bin/python benchmarks/temperature.py outputs/demo docs/temperature.png

Explores all paths of a finished run of drawn scenes anew with the embedded micro VLM, ten draws a cut, once
for each temperature; the world says which branches are good. Figures are given of all cuts, and of those of
risky and of benign paths apart; 95 % intervals take a path as a cluster. Prints a table and draws the figure.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

from explore import explore
from matplotlib.figure import Figure

from microworld.label_branches import label
from ssui_gen.exploring.diversity import self_bleu
from ssui_gen.shares import Share, share

TEMPERATURES = (0.3, 0.5, 0.7, 1.0)
KINDS = {"all": ("risky", "benign"), "risky": ("risky",), "benign": ("benign",)}
LABELS = {
    **{f"both, {kind}": f"cuts with both kinds, {kind}" for kind in KINDS},
    "distinct": "distinct of drawn",
    **{f"good, {kind}": f"good of drawn, {kind}" for kind in KINDS},
}
LINES = (
    ("both, all", "#4a6fa5", "o-"), ("both, risky", "#4a6fa5", "o--"), ("both, benign", "#4a6fa5", "o:"),
    ("distinct", "#c2410c", "o-"), ("good, risky", "#2e8b57", "o--"), ("good, benign", "#2e8b57", "o:"),
)  # fmt: skip
"""What is drawn, its colour and its line."""


def measured(run: Path, folder: Path, temperature: float) -> dict[str, Any]:
    """Explore at one temperature; the shares of good branches, distinct ones and cuts with both kinds."""
    how = {"adaptive": False, "temperature": temperature}
    explore(run, folder, {"explore": how, "verify": {"by": ["label"]}}, [])
    label(folder, run / "seeds")
    return _shares(folder)


def _shares(run: Path) -> dict[str, Any]:
    """Of a cut both kinds are looked for among the branches whose truth is known; a path is a cluster."""
    truth = {row["branch_id"]: row["good"] for row in map(json.loads, (run / "labels.jsonl").open())}
    cuts = [json.loads(line) for line in (run / "branches.jsonl").open()]
    drawn = [(branch, cut) for cut in cuts for branch in cut["branches"]]
    bleus = [bleu for cut in cuts if (bleu := self_bleu([b["text"] for b in cut["branches"]])) is not None]
    return {
        "distinct": Share(len(drawn), sum(branch["times"] for branch, _ in drawn)),
        "self-BLEU": mean(bleus),
        **{f"both, {kind}": _both(cuts, truth, kinds) for kind, kinds in KINDS.items()},
        **{f"good, {kind}": _good(drawn, truth, kinds) for kind, kinds in KINDS.items()},
    }


def _both(cuts: list[dict[str, Any]], truth: dict[str, bool], kinds: tuple[str, ...]) -> Share:
    """Cuts with a good and a bad branch."""
    found = [
        ({truth[b["id"]] for b in cut["branches"] if b["id"] in truth}, cut["path_id"])
        for cut in cuts
        if cut["kind"] in kinds
    ]
    known = [(len(polarities) == 2, path) for polarities, path in found if polarities]
    return share((both for both, _ in known), [path for _, path in known])


def _good(drawn: list[tuple[Any, Any]], truth: dict[str, bool], kinds: tuple[str, ...]) -> Share:
    """Good ones of all draws: right by the truth, so of a risky pair aware and helpful."""
    rows = [
        (truth[branch["id"]], cut["path_id"])
        for branch, cut in drawn
        if cut["kind"] in kinds and branch["id"] in truth
        for _ in range(branch["times"])
    ]
    return share((good for good, _ in rows), [path for _, path in rows])


def draw(found: dict[float, dict[str, Any]], path: Path) -> None:
    """The paper's trade-off: with the temperature branches differ more, and more of them are broken."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for name, colour, style in LINES:
        shares = [one[name] for one in found.values()]
        below, above = ([abs(s.value - s.interval[side]) for s in shares] for side in (0, 1))
        values = [s.value for s in shares]
        axes.errorbar(
            list(found), values, [below, above], fmt=style, capsize=2, color=colour, label=LABELS[name]
        )
    axes.plot(
        list(found), [one["self-BLEU"] for one in found.values()], "s--", color="0.5", label="self-BLEU"
    )
    axes.set(xlabel="temperature", ylim=(0, 1.02))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    axes.grid(alpha=0.25)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Every temperature, the table, the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("picture", type=Path)
    args = parser.parse_args()
    found = {}
    columns = [*LABELS, "self-BLEU"]
    print(f"| temperature | {' | '.join(LABELS.get(name, name) for name in columns)} |")
    print(f"| --: |{' --: |' * len(columns)}")
    with tempfile.TemporaryDirectory() as folder:
        for temperature in TEMPERATURES:
            one = found[temperature] = measured(args.run, Path(folder) / str(temperature), temperature)
            cells = [f"{cell:.2f}" if isinstance(cell := one[name], float) else str(cell) for name in columns]
            print(f"| {temperature} | {' | '.join(cells)} |", flush=True)
    draw(found, args.picture)


if __name__ == "__main__":
    main()
