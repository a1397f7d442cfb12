"""Seeds of the microworld on disk: drawn pictures, a seeds file and the ground truth beside it.

    python -m microworld.seeds FOLDER [--count 48] [--split test] [--seed 0]

Of every eight seeds five are pictures alone (the Query agent writes both a risky and a benign text), one
comes with its risky text, one with the same text under a picture that makes it harmless, one with a
harmless text under the risky picture. One in 24 shows something that is unsafe in the picture alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from microworld.draw.pool import LARGE, picture
from microworld.world.rules import Split, world
from microworld.world.scene import Item, Scene, family, make_scene, truth
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write, own_folder
from ssui_gen.jsonl import read
from ssui_gen.records import ImageRef, Kind, Seed

ALARMING_EVERY = 24
TRUTH = "truth.jsonl"


@dataclass(frozen=True)
class Drawn:
    """A seed, the scene its picture shows and, for an item of the world, the truth about it."""

    seed: Seed
    scene: Scene
    item: Item | None


def seeds(split: Split, seed: int) -> Iterator[Drawn]:
    """An endless stream that depends on its arguments alone."""
    rng = Random(f"seeds/{split}/{seed}")
    while True:
        for number in range(ALARMING_EVERY // 8):
            alone = [family(rng, split, 0)[0] for _ in range(4 if number == 0 else 5)]
            yield from (_picture(item) for item in alone)
            if number == 0:
                yield _alarming(rng, split)
            yield from _family(rng, split)


def _family(rng: Random, split: Split) -> Iterator[Drawn]:
    """A risky pair and both its twins, each with its text."""
    for item in family(rng, split, 2):
        yield Drawn(_seed(item.scene, item.id, item.text, item.kind), item.scene, item)


def _picture(item: Item) -> Drawn:
    return Drawn(_seed(item.scene, item.scene.id), item.scene, item)


def _alarming(rng: Random, split: Split) -> Drawn:
    scene = make_scene(
        rng.getrandbits(48), split, rng.choice(list(world().places)), rng.choice(world().alarming).id
    )
    return Drawn(_seed(scene, scene.id), scene, None)


def _seed(scene: Scene, name: str, text: str | None = None, kind: Kind | None = None) -> Seed:
    return Seed(id=name, image=f"pictures/{scene.id}.png", text=text, kind=kind)


def write(folder: Path, count: int, split: Split, seed: int) -> None:
    """Draw `count` seeds; the seeds file comes last, so its being there means that all of them are."""
    own_folder(folder / "pictures")
    drawn = list(islice(seeds(split, seed), count))
    for one in drawn:
        buffer = BytesIO()
        picture(one.scene, supersample=3).save(buffer, "png")
        atomic_write(folder / one.seed.image, buffer.getvalue())
    known = [{"seed_id": d.seed.id, **truth(d.item, LARGE)} for d in drawn if d.item]
    atomic_write(folder / TRUTH, "".join(json.dumps(row) + "\n" for row in known))
    rows = (d.seed.model_dump_json(exclude_none=True) for d in drawn)
    atomic_write(folder / "seeds.jsonl", "".join(row + "\n" for row in rows))


def scenes_of(folder: Path) -> dict[str, dict[str, Any]]:
    """What stands in each picture, by its name among the seeds. Raises SsuiError where that is not told."""
    path, found = folder / TRUTH, dict[str, dict[str, Any]]()
    if not path.exists():
        raise ConfigError(
            f"{path}: no such file: expected a run over drawn scenes, as `make dataset` makes it (--seeds "
            "names the folder of its seeds)"
        )
    for line in read(path):
        if line.value is None:
            raise RecordError(line.error)
        found[f"pictures/{line.value['scene']}.png"] = line.value
    return found


def things_in(scenes: Mapping[str, dict[str, Any]], images: Iterable[ImageRef]) -> list[str] | None:
    """What stands in these pictures together; None where one of them is no drawn scene."""
    found = [scenes.get(image.path) for image in images]
    return None if None in found else [one["thing"] for scene in found if scene for one in scene["things"]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.seeds", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--split", choices=("train", "test"), default="test")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    write(args.folder, args.count, args.split, args.seed)


if __name__ == "__main__":
    main()
