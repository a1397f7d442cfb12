"""Seeds of the microworld on disk: drawn pictures, a seeds file and the ground truth beside it.

    python -m microworld.seeds FOLDER [--count 48] [--split test] [--seed 0] [--pictures 2]

Of every eight seeds five are pictures alone (the Query agent writes both a risky and a benign text), one
comes with its risky text, one with the same text under a picture that makes it harmless, one with a
harmless text under the risky picture. One in 24 shows something that is unsafe in the picture alone.

With `--pictures 2` each seed shows two. Of every eight two are pictures alone, in one of 24 one of them
alarms; six are two risky pairs with their twins, and in one of the two the danger takes two things, one in
each picture: it can be seen in neither picture alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from microworld.draw.pool import LARGE, as_png
from microworld.world.album import bound, go_together, pictures_of
from microworld.world.album_items import album_family, album_truth
from microworld.world.entities import Split
from microworld.world.rules import world
from microworld.world.scene import Item, Scene, family, make_item, make_scene, truth
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write, own_folder
from ssui_gen.jsonl import read, validate
from ssui_gen.records import ImageRef, Kind, ReasoningPath, Seed
from ssui_gen.run_files import PATHS

ALARMING_EVERY = 24
TRUTH = "truth.jsonl"
LICENCE, SOURCE = "Apache-2.0", "drawn by ssui_gen"
"""Of every picture."""


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


def album_seeds(split: Split, seed: int) -> Iterator[Drawn]:
    """As `seeds`, each of two pictures."""
    rng = Random(f"album seeds/{split}/{seed}")
    while True:
        for number in range(ALARMING_EVERY // 8):
            rules = (rng.choice(world().rules), rng.choice(world().couples))
            alone = album_family(rng, split, rules[number % 2])[0]
            yield Drawn(_seed(alone.scene, alone.scene.id), alone.scene, alone)
            yield _alarming_two(rng, split) if number == 0 else _harmless_two(rng, split)
            for rule in rules:
                for item in album_family(rng, split, rule):
                    yield Drawn(_seed(item.scene, item.id, item.text, item.kind), item.scene, item)


def _alarming_two(rng: Random, split: Split) -> Drawn:
    """One of the two pictures alarms."""
    scenes = [_alarming(rng, split).scene, make_item(rng, split, "benign").scene]
    if not go_together(*scenes):
        return _alarming_two(rng, split)
    album = bound(rng.sample(scenes, 2))
    return Drawn(_seed(album, album.id), album, None)


def _harmless_two(rng: Random, split: Split) -> Drawn:
    """Pictures alone, in which some texts are risky and some are not."""
    item = album_family(rng, split, rng.choice(world().taught_rules))[1]
    return Drawn(_seed(item.scene, item.scene.id), item.scene, item)


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
    first, *more = (f"pictures/{one.id}.png" for one in pictures_of(scene))
    return Seed(
        id=name, image=first, more_images=tuple(more), text=text, kind=kind, licence=LICENCE, source=SOURCE
    )


def write(folder: Path, count: int, split: Split, seed: int, pictures: int = 1) -> None:
    """Draw `count` seeds; the seeds file comes last, so its being there means that all of them are."""
    own_folder(folder / "pictures")
    drawn = list(islice(STREAMS[pictures](split, seed), count))
    for scene in {one.id: one for d in drawn for one in pictures_of(d.scene)}.values():
        atomic_write(folder / f"pictures/{scene.id}.png", as_png(scene, supersample=3))
    tell = truth if pictures == 1 else album_truth
    known = [{"seed_id": d.seed.id, **tell(d.item, LARGE)} for d in drawn if d.item]
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
        for scene in line.value.get("pictures", [line.value]):
            found[f"pictures/{scene['scene']}.png"] = scene
    return found


def things_in(scenes: Mapping[str, dict[str, Any]], images: Iterable[ImageRef]) -> list[str] | None:
    """What stands in these pictures together; None where one of them is no drawn scene."""
    found = [scenes.get(image.path) for image in images]
    return None if None in found else [one["thing"] for scene in found if scene for one in scene["things"]]


STREAMS = {1: seeds, 2: album_seeds}
"""By how many pictures a seed shows."""


def shown_by(run: Path) -> int:
    """How many pictures the run's first path that can be read shows; 1 where there is none. Raises
    RecordError where the file cannot be.
    """
    for line in read(run / PATHS):
        with suppress(RecordError):
            return len(validate(ReasoningPath, line).images)
    return 1


def from_one(text: str) -> int:
    """A number of things to be drawn, one at least. Raises ArgumentTypeError."""
    return _number(text, 1)


def from_zero(text: str) -> int:
    """The same, or none."""
    return _number(text, 0)


def _number(text: str, least: int) -> int:
    try:
        found = int(text)
    except ValueError:
        found = least - 1
    if found < least:
        raise argparse.ArgumentTypeError(f"expected a number from {least}; got {text!r}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.seeds", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=from_one, default=48)
    parser.add_argument("--split", choices=("train", "test"), default="test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=int, choices=tuple(STREAMS), default=1, help="of each seed")
    args = parser.parse_args()
    write(args.folder, args.count, args.split, args.seed, args.pictures)


if __name__ == "__main__":
    main()
