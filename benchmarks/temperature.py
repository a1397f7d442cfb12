"""What the temperature does to branches: how different they are, and how often a cut has both kinds.

    .venv/bin/python benchmarks/temperature.py outputs/demo docs/temperature.png

Explores the risky paths of a finished run of drawn scenes anew with the embedded micro VLM, ten draws a cut,
once for each temperature; the world says which branches are good. Prints a table and draws the figure.
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


def measured(run: Path, folder: Path, temperature: float) -> dict[str, Any]:
    """Explore at one temperature; the shares of good branches, distinct ones and cuts with both kinds."""
    folder.mkdir(parents=True)
    risky = [line for line in (run / "reasoning_paths.jsonl").open() if json.loads(line)["kind"] == "risky"]
    source = folder / "source"
    source.mkdir()
    (source / "reasoning_paths.jsonl").write_text("".join(risky))
    (source / "seeds").symlink_to((run / "seeds").resolve())
    how = {"adaptive": False, "temperature": temperature}
    explore(source, folder / "run", {"explore": how, "verify": {"by": ["label"]}}, [])
    label(folder / "run", run / "seeds")
    return _shares(folder / "run")


def _shares(run: Path) -> dict[str, Any]:
    truth = {row["branch_id"]: row["good"] for row in map(json.loads, (run / "labels.jsonl").open())}
    cuts = [json.loads(line)["branches"] for line in (run / "branches.jsonl").open()]
    known = [[b for b in branches if b["id"] in truth] for branches in cuts]
    drawn = [(truth[b["id"]], b["times"]) for branches in known for b in branches]
    bleus = [bleu for branches in cuts if (bleu := self_bleu([b["text"] for b in branches])) is not None]
    return {
        "good": Share(sum(times for good, times in drawn if good), sum(times for _, times in drawn)),
        "distinct": Share(sum(map(len, cuts)), sum(b["times"] for branches in cuts for b in branches)),
        "self-BLEU": mean(bleus),
        "both": share(len({truth[b["id"]] for b in branches}) == 2 for branches in known if branches),
    }


def draw(found: dict[float, dict[str, Any]], path: Path) -> None:
    """The paper's trade-off: with the temperature branches differ more, and more of them are broken."""
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    for name, colour in (("both", "#4a6fa5"), ("distinct", "#c2410c"), ("good", "#2e8b57")):
        shares = [one[name] for one in found.values()]
        below, above = ([abs(s.value - s.interval[side]) for s in shares] for side in (0, 1))
        label = {"both": "cuts with both kinds", "distinct": "distinct of drawn", "good": "good of drawn"}[
            name
        ]
        axes.errorbar(
            list(found),
            [s.value for s in shares],
            [below, above],
            fmt="o-",
            capsize=2,
            color=colour,
            label=label,
        )
    axes.plot(
        list(found), [one["self-BLEU"] for one in found.values()], "s--", color="0.5", label="self-BLEU"
    )
    axes.set(xlabel="temperature", ylim=(0, 1.02))
    axes.legend()
    axes.grid(alpha=0.25)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Every temperature, the table, the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("picture", type=Path)
    args = parser.parse_args()
    found = {}
    print("| temperature | cuts with both kinds | distinct of drawn | self-BLEU | good of drawn |")
    print("| --: | --: | --: | --: | --: |")
    with tempfile.TemporaryDirectory() as folder:
        for temperature in TEMPERATURES:
            one = found[temperature] = measured(args.run, Path(folder) / str(temperature), temperature)
            cells = (str(one["both"]), str(one["distinct"]), f"{one['self-BLEU']:.2f}", str(one["good"]))
            print(f"| {temperature} | {' | '.join(cells)} |", flush=True)
    draw(found, args.picture)


if __name__ == "__main__":
    main()
