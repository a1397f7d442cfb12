"""The same training with other settings, measured and put side by side: one table, one figure.

    python -m ssui_train.sweep --config train/micro.yaml --run outputs/demo
    python -m ssui_train.sweep --config train/micro.yaml --run outputs/demo loss=srpo,sft,dpo seed=0,1,2

(`make sweep` runs the first, over λ.) Each cell is a training of `srpo` and a call of the evaluator,
`python -m EVALUATOR ADAPTER`, which writes `measured.json` into the adapter's folder: figures by name, each
with `before` and `after` (share, low, high), and under `headlines` which of them tell of safety, helpfulness,
over-refusal and sight. Seeds are put together: mean, least and most.

What is done already is not done again, if it is just this: `srpo` is always called and refuses a folder of
other settings or puts it aside for other data, a training by other code is refused here, and figures are
served only if they were made of this very adapter by this very evaluator; both stand in measured.json under
`made_of`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from rich.table import Table

from ssui_gen import provenance
from ssui_gen.commands import folder_word, run_folder
from ssui_gen.errors import ConfigError, SsuiError, TrainError
from ssui_gen.files import atomic_write
from ssui_gen.terminal import Terminal, forgive
from ssui_train.config import load
from ssui_train.evaluator import run_apart
from ssui_train.folder import CODE, MAKE, TRAINER
from ssui_train.model import FACTS

USUAL = ("lambda=0,0.1,0.3,0.5,0.7,0.9",)
"""The ablation that the paper reports, arXiv 2509.12060."""
EVALUATOR = "microworld.measure_adapter"
MEASURED, ROWS, FIGURE = "measured.json", "sweep.json", "sweep.png"
SEED = "seed"
Setting = tuple[str, ...]
"""`key=value` words."""


@dataclass(frozen=True)
class Line:
    """One setting, its seeds put together."""

    setting: Setting
    shares: dict[str, tuple[float, float, float]]
    """By headline: mean, and its ends: Wilson's of one seed, the least and most of several."""


def cells(grid: Sequence[str]) -> list[Setting]:
    """Every combination of `key=a,b,c`; raises ConfigError for a word that is none."""
    axes = []
    for word in grid:
        key, equals, values = word.partition("=")
        if not equals or not values:
            raise ConfigError(f"{word!r}: expected KEY=VALUE,VALUE,...")
        axes.append([f"{key}={value}" for value in values.split(",")])
    return list(itertools.product(*axes))


def measured(
    config: Path, folder: Path, setting: Setting, told: Sequence[str], evaluator: str
) -> dict[str, Any]:
    """Train and measure one cell, or what is left of it; raises TrainError or ConfigError."""
    adapter = folder / " ".join(setting).replace("/", "_")
    result = adapter / MEASURED
    run_apart("ssui_train.srpo", "--config", str(config), "--output", str(adapter), *told, *setting)
    made_of = made(adapter, evaluator)
    if known := provenance.kept(result, made_of):
        return known
    result.unlink(missing_ok=True)
    run_apart(evaluator, str(adapter))
    if not result.exists():
        raise TrainError(f"{result}: no such file: {evaluator} ended well and did not write it")
    found: dict[str, Any] = json.loads(result.read_text("utf-8"))
    atomic_write(result, provenance.as_kept(found, made_of))
    return found


def made(adapter: Path, evaluator: str) -> dict[str, Any]:
    """What the figures of a finished training are made of. Raises TrainError if other code trained it."""
    facts = json.loads((adapter / FACTS).read_text("utf-8"))
    if facts.get(CODE) != provenance.code(TRAINER):
        raise TrainError(
            f"{adapter}: was trained by other code than this ({FACTS}: {CODE}): remove that folder to train "
            "it anew, or name another --output"
        )
    return {
        "training": {key: facts[key] for key in MAKE},
        "adapter": provenance.files(adapter.glob("adapter_*")),
        "evaluator": provenance.code(evaluator),
    }


def together(found: dict[Setting, dict[str, Any]]) -> list[Line]:
    """A line for each setting, its seeds put together, and first one for the model as it was.

    A setting is named by what differs among them.
    """
    groups: dict[Setting, list[dict[str, Any]]] = {}
    for setting, one in found.items():
        groups.setdefault(_without_seed(setting), []).append(one)
    common = set.intersection(*map(set, groups)) if len(groups) > 1 else set()
    first = next(iter(found.values()))
    lines = [Line(("before",), _shares([first], "before"))]
    return lines + [
        Line(tuple(word for word in setting if word not in common), _shares(several, "after"))
        for setting, several in groups.items()
    ]


def _without_seed(setting: Setting) -> Setting:
    return tuple(word for word in setting if not word.startswith(f"{SEED}="))


def _shares(several: list[dict[str, Any]], when: str) -> dict[str, tuple[float, float, float]]:
    return {
        headline: _put_together([one["figures"][name][when] for one in several])
        for headline, name in several[0]["headlines"].items()
    }


def _put_together(figures: list[dict[str, float]]) -> tuple[float, float, float]:
    shares = [one["share"] for one in figures]
    if len(figures) == 1:
        return shares[0], figures[0]["low"], figures[0]["high"]
    return mean(shares), min(shares), max(shares)  # exact: a sum of floats can leave the range


def as_table(lines: Iterable[Line]) -> Table:
    """For people, in percent."""
    rows = list(lines)
    table = Table("setting", *rows[0].shares)
    for line in rows:
        cells_ = [
            f"{100 * m:.1f} ({100 * low:.1f} – {100 * high:.1f})" for m, low, high in line.shares.values()
        ]
        table.add_row(" ".join(line.setting), *cells_)
    return table


def draw(lines: list[Line], path: Path) -> None:
    """Every headline over the settings: a curve where they are numbers, points otherwise; dashed: before."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    before, rest = lines[0], _in_order(lines[1:])
    places, labels = _places([line.setting for line in rest])
    figure, axis = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
    for number, headline in enumerate(before.shares):
        middle, low, high = zip(*(line.shares[headline] for line in rest), strict=True)
        ends = [
            [m - a for m, a in zip(middle, low, strict=True)],
            [b - m for m, b in zip(middle, high, strict=True)],
        ]
        style = "-o" if labels is None else "o"
        axis.errorbar(places, middle, ends, fmt=style, color=f"C{number}", capsize=3, label=headline)
        axis.axhline(before.shares[headline][0], color=f"C{number}", linestyle="--", linewidth=0.8, alpha=0.6)
    if labels is not None:
        axis.set_xticks(places, labels, rotation=20)
    axis.set(xlabel=rest[0].setting[0].partition("=")[0], ylabel="share of answers", ylim=(-0.03, 1.03))
    axis.grid(alpha=0.25)
    axis.legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _in_order(lines: list[Line]) -> list[Line]:
    """By the number where all have one; else as they were asked for."""
    places, labels = _places([line.setting for line in lines])
    if labels is not None:
        return lines
    return [line for _, line in sorted(zip(places, lines, strict=True), key=lambda pair: pair[0])]


def _places(settings: list[Setting]) -> tuple[list[float], list[str] | None]:
    """Where on the axis; with names where the one key is no number."""
    try:
        (values,) = ([word.partition("=")[2] for word in words] for words in zip(*settings, strict=True))
        return [float(value) for value in values], None
    except ValueError:
        return [float(i) for i in range(len(settings))], ["\n".join(setting) for setting in settings]


def main(argv: Sequence[str] | None = None) -> None:
    """Every cell, then the table and the figure."""
    parser = argparse.ArgumentParser(
        prog="ssui_train.sweep", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--run", type=run_folder, help="the run, by name or folder")
    parser.add_argument("--model")
    parser.add_argument("--seeds", type=Path, help="where the pictures lie; default: as `ssui_train.srpo`")
    parser.add_argument("--output", type=Path, help="default: `sweep` of the run")
    parser.add_argument("--evaluator", default=EVALUATOR, help="a module that measures an adapter")
    parser.add_argument("grid", nargs="*", metavar="KEY=A,B,...", help=f"default: {' '.join(USUAL)}")
    forgive()
    args = parser.parse_args(argv)
    console = Terminal()
    try:
        config = load(args.config, run=args.run, model=args.model)
        folder = args.output or config.run / "sweep"
        told = [
            w
            for name in ("run", "model", "seeds")
            if (v := getattr(args, name))
            for w in (f"--{name}", folder_word(v) if name == "run" else str(v))
        ]
        found = {
            cell: measured(args.config, folder, cell, told, args.evaluator)
            for cell in cells(args.grid or USUAL)
        }
    except SsuiError as error:
        Terminal(stderr=True).print(f"sweep: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    lines = together(found)
    atomic_write(folder / ROWS, json.dumps([vars(line) for line in lines], indent=1) + "\n")
    draw(lines, folder / FIGURE)
    console.print(as_table(lines))
    console.print(f"Table in {folder / ROWS}, figure in {folder / FIGURE}.", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
