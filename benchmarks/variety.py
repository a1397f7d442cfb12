"""What steering texts does where the truth is known: classes by quota, word pairs and near-duplicates.

    python benchmarks/variety.py FOLDER [--items 80] [--texts 6] [--seed 0] [--more 6]

Risky items over drawn scenes of the test split, made by the micro VLM: as it comes (one text, any class),
with several texts, with several texts and quotas, all of one size; and the same quotas filled from `more`
times as many pictures. The micro VLM reads no wish, so quotas are met by choosing alone. A picture allows a
class if some text would make it risky in that way, by the world's rules.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from microworld.draw.pool import picture
from microworld.seeds import seeds
from microworld.world.rules import world
from microworld.world.scene import Scene
from ssui_gen.config_query import Querying
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import read, validate
from ssui_gen.records import ReasoningPath
from ssui_gen.run_files import REJECTS
from ssui_gen.shares import share
from ssui_gen.variety import FILE
from ssui_gen.wanting import Wanting

CLASSES = ("dangerous_behavior", "illegal_crimes", "moral_violations", "privacy_violations", "self_harm")
"""Those that at least a third of all pictures allow."""


def allowed(scene: Scene) -> frozenset[str]:
    """The classes that a picture allows."""
    things = frozenset(scene.things)
    return frozenset(
        rule.category
        for rule in world().rules
        if rule.thing in things and world().is_clear_benign(rule.request, things - {rule.thing})
    )


def draw(folder: Path, items: int, seed: int) -> dict[str, frozenset[str]]:
    """Pictures and seeds.jsonl in `folder`; returns what each picture allows, by the seed's id."""
    alone = (one for one in seeds("test", seed) if one.seed.text is None and one.scene.alarm is None)
    drawn = list(islice(alone, items))
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    for one in drawn:
        picture(one.scene, supersample=3).save(folder / one.seed.image)
    rows = (one.seed.model_copy(update={"kind": "risky"}).model_dump_json(exclude_none=True) for one in drawn)
    atomic_write(folder / "seeds.jsonl", "".join(row + "\n" for row in rows))
    return {one.seed.id: allowed(one.scene) for one in drawn}


def made(run: Path, folder: Path, query: dict[str, Any]) -> list[ReasoningPath]:
    """The rows of a run with these settings; goes on with one that was interrupted."""
    settings = run.with_suffix(".yaml")
    atomic_write(settings, json.dumps({"query": query}))
    places = ["--run", str(run), "--seeds", str(folder / "seeds.jsonl"), "--config", str(settings)]
    subprocess.run([sys.executable, "-m", "ssui_gen", "dataset", *places, "--toy"], check=True)
    return [validate(ReasoningPath, line) for line in read(run / "reasoning_paths.jsonl")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=80)
    parser.add_argument("--texts", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--more", type=int, default=6)
    args = parser.parse_args()
    quotas = dict.fromkeys(CLASSES, max(1, args.items // len(CLASSES)))
    steered = {"texts": args.texts, "classes": quotas}
    runs: dict[str, dict[str, Any]] = {
        "as it comes": {},
        f"{args.texts} texts": {"texts": args.texts},
        f"{args.texts} texts, quotas": steered,
        f"… filled from {args.more * args.items} pictures": {**steered, "fill": True, "misfit": "reject"},
    }
    wanting = Wanting(Querying.model_validate({"classes": quotas}))
    folders = {count: args.folder / f"seeds_{count}" for count in (args.items, args.more * args.items)}
    truth = {count: draw(folder, count, args.seed) for count, folder in folders.items()}
    columns = {}
    for number, (name, query) in enumerate(runs.items()):
        run, count = args.folder / str(number), args.items * (args.more if "fill" in query else 1)
        columns[name] = column(made(run, folders[count], query), run, truth[count], wanting)
    table = Table(f"{args.items} items, seed {args.seed}", *columns, box=SIMPLE_HEAD)
    for name in next(iter(columns.values())):
        table.add_row(name, *(one[name] for one in columns.values()))
    Console(width=120).print(table)


def column(
    rows: list[ReasoningPath], run: Path, truth: dict[str, frozenset[str]], wanting: Wanting
) -> dict[str, str]:
    """The figures of one run; a wish counts for rows of runs without quotas, too: what is met by chance."""
    said = json.loads((run / FILE).read_text("utf-8"))
    wished = [(row, wanting.order(row.seed_id, "risky")) for row in rows]
    able = [(row, order[0]) for row, order in wished if order[0] in truth[row.seed_id]]
    served = [(row, order) for row, order in wished if truth[row.seed_id].intersection(order)]
    found = Counter(row.query.category for row in rows)
    first = share([row.query.category == wanted for row, wanted in able])
    within = share([row.query.category in order for row, order in served])
    figures = {
        "rows": f"{len(rows)}",
        "seeds begun": f"{len(rows) + sum(1 for _ in read(run / REJECTS))}",
        "distinct-2": f"{said['distinct_2']:.2f}",
        "texts near to an earlier one": f"{len(said['texts'])}",
        "the wanted class, where the picture allows it": f"{first.hits} of {first.n}: {first}",
        "one of the classes, where it allows one": f"{within.hits} of {within.n}: {within}",
    }
    return figures | {f"rows of {name}": f"{found[name]}" for name in wanting.settings.classes}


if __name__ == "__main__":
    main()
