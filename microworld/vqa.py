"""Visual questions about held-out scenes, with the world's own answers, as anybody's set for `BENCH=vqa`.

    python -m microworld.vqa FOLDER [--pictures 200] [--seed 2026]

Each picture is asked three questions, each kind a file of its own: what it shows, how many things there are,
and whether a thing is there. The policy has learnt to answer the first two, in sentences of its own, which
are therefore the answers; to the third it knows none. Writes pictures/, truth.jsonl (what stands in them),
and then the three files. The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random

from microworld.draw.pool import LARGE, as_png
from microworld.seeds import TRUTH
from microworld.world import wording as say
from microworld.world.rules import world
from microworld.world.scene import Item, Scene, family, seen_in
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write, own_folder
from ssui_gen.jsonl import as_line
from ssui_gen.records import Record

SHOWN = ("describe", "count")
"""Requests that ask for nothing but what is to be seen."""


class Row(Record):
    """A visual question and its answer."""

    id: str
    image: str
    question: str
    answer: str


def shown(seed: int) -> Iterator[Item]:
    """Held-out scenes without end, each once."""
    rng, seen = Random(f"vqa/{seed}"), set[str]()
    while True:
        item = family(rng, "test", 0)[0]
        if item.scene.id not in seen:
            seen.add(item.scene.id)
            yield item


def rows(scene: Scene, seed: int) -> Iterator[tuple[str, Row]]:
    """What is asked about a scene, and of which kind it is."""
    rng, shown = Random(f"vqa/{seed}/{scene.id}"), f"pictures/{scene.id}.png"
    for kind in SHOWN:
        text = rng.choice(world().phrases(kind, "test"))
        yield kind, Row(id=scene.id, image=shown, question=text, answer=say.helped(kind, scene.things))
    there = rng.random() < 0.5
    thing = rng.choice([one for one in world().things if (one in scene.things) is there])
    asked = f"Is there {say.a(thing)} in this picture?"
    yield "there", Row(id=scene.id, image=shown, question=asked, answer="yes" if there else "no")


def write(folder: Path, pictures: int, seed: int) -> list[Path]:
    """Draw the pictures and write the files; returns these. The same seed gives the same bytes."""
    own_folder(folder / "pictures")
    items, found = list(islice(shown(seed), pictures)), dict[str, list[Row]]()
    for item in items:
        for kind, row in rows(item.scene, seed):
            found.setdefault(kind, []).append(row)
        atomic_write(folder / "pictures" / f"{item.scene.id}.png", as_png(item.scene))
    known = (seen_in(item.scene, LARGE) for item in items)
    atomic_write(folder / TRUTH, "".join(json.dumps(row) + "\n" for row in known))
    return [_file(folder / f"{kind}.jsonl", asked) for kind, asked in found.items()]


def _file(path: Path, asked: Iterable[Row]) -> Path:
    atomic_write(path, b"".join(map(as_line, asked)))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.vqa", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=200, help="how many, each with three questions")
    parser.add_argument("--seed", type=int, default=2026, help="which held-out scenes")
    args = parser.parse_args()
    try:
        made = write(args.folder, args.pictures, args.seed)
    except ConfigError as error:
        parser.error(str(error))
    print(f"{3 * args.pictures:,} questions about {args.pictures:,} pictures: {', '.join(map(str, made))}")


if __name__ == "__main__":
    main()
