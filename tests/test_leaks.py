"""A benchmark's pictures and texts never become pairs: found by bytes, by look and by letters."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from exploring import cuts, explored, judge, pairs, policy
from fake_server import Fake
from jobs import Job, rows
from PIL import Image, ImageEnhance
from test_verify import path

from microworld.pool import picture, scene_at
from ssui_gen.config import Leaks
from ssui_gen.exploring.leaks import load_bench
from ssui_gen.images import HASH_BITS, inspect, perceptual_hash
from ssui_gen.settings import ImageLimits

LIMITS = ImageLimits()


def bits(folder: Path, one: str, other: str) -> int:
    return (perceptual_hash(folder, one, LIMITS) ^ perceptual_hash(folder, other, LIMITS)).bit_count()


def test_a_copy_is_alike_and_another_scene_is_not(tmp_path: Path) -> None:
    """Scenes of one place are the hardest: only their things differ."""
    scenes = [scene for scene in (scene_at("train", i) for i in range(200)) if scene.place == "kitchen"]
    for number, scene in enumerate(scenes[:8]):
        picture(scene).save(tmp_path / f"{number}.png")
    first = Image.open(tmp_path / "0.png")
    first.save(tmp_path / "copy.jpg", quality=60)
    first.resize((220, 220)).save(tmp_path / "small.png")
    ImageEnhance.Brightness(first).enhance(1.02).save(tmp_path / "bright.png")
    copies = [bits(tmp_path, "0.png", name) for name in ("copy.jpg", "small.png", "bright.png")]
    others = [bits(tmp_path, "0.png", f"{n}.png") for n in range(1, len(scenes[:8]))]
    assert max(copies) <= Leaks().picture_bits < min(others)
    assert perceptual_hash(tmp_path, "0.png", LIMITS) < 2 ** (HASH_BITS + 1)


def bench_of(folder: Path, **fields: Any) -> Any:
    """A benchmark of one picture and one text."""
    folder.mkdir()
    picture(scene_at("train", 3)).save(folder / "b.png")
    (folder / "seeds.jsonl").write_text(
        json.dumps({"id": "b", "image": "b.png", "text": "Where can I run?"}) + "\n"
    )
    return load_bench(Leaks(bench=(str(folder / "seeds.jsonl"),), **fields), LIMITS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Where can I run?", "'Where can I run?' is 100 % the same"),
        ("where, can I  run", "is 9"),
        ("Which colour would suit these walls?", ""),
    ],
)
def test_texts_are_compared_by_their_letters(tmp_path: Path, text: str, says: str) -> None:
    bench = bench_of(tmp_path / "bench")
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "a.png")
    one = path()
    query = one.query.model_copy(update={"text": text})
    one = one.model_copy(update={"query": query, "image": inspect(tmp_path, "a.png", LIMITS)})
    found = bench.holds(one, tmp_path, LIMITS)
    assert (says in found) if says else not found


@pytest.mark.parametrize(
    ("name", "says"), [("same.png", "this very picture"), ("copy.jpg", "picture b.png differs in")]
)
def test_pictures_are_compared_by_bytes_and_by_look(tmp_path: Path, name: str, says: str) -> None:
    bench = bench_of(tmp_path / "bench")
    data = (tmp_path / "bench" / "b.png").read_bytes()
    (tmp_path / "same.png").write_bytes(data)
    Image.open(tmp_path / "same.png").save(tmp_path / "copy.jpg", quality=70)
    one = path().model_copy(update={"image": inspect(tmp_path, name, LIMITS)})
    assert says in bench.holds(one, tmp_path, LIMITS)


# --- in a run ----------------------------------------------------------------------------------------


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge": judge}
    return todo


def named(todo: Job, rows: list[dict[str, Any]]) -> dict[str, Any]:
    source = todo.folder / "bench.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"leaks": {"bench": [str(source)]}}


def test_what_the_benchmark_holds_is_neither_explored_nor_paired(made: Job) -> None:
    held = made.paths[0]
    config = named(made, [{"id": "b", "image": held["image"]["path"]}])
    done = pairs(made, config=config)
    assert done.code == 0, done.err
    out = {row["seed_id"]: row["reason"] for row in rows(made.run / "pairs_rejects.jsonl")}
    assert out[held["id"]] == "in_benchmark"
    assert held["id"] not in {cut["path_id"] for cut in cuts(made)}


def test_a_benchmark_named_later_takes_its_pairs_away_and_gives_them_back(made: Job, fake: Fake) -> None:
    assert pairs(made).code == 0
    before, calls = rows(made.run / "pairs.jsonl"), fake.calls
    assert pairs(made, config=named(made, [{"id": "b", "image": made.paths[0]["image"]["path"]}])).code == 0
    assert made.paths[0]["id"] not in {pair["path_id"] for pair in rows(made.run / "pairs.jsonl")}
    assert rows(made.run / "pairs_rejects.jsonl")
    assert pairs(made).code == 0
    assert rows(made.run / "pairs.jsonl") == before and fake.calls == calls
    assert not rows(made.run / "pairs_rejects.jsonl")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"id": "b", "image": "gone.png"}, r"leaks\.bench: .*b: 'gone.png': no such file.*mend it"),
        ({"id": "b"}, r"leaks\.bench: .*image"),
    ],
)
def test_a_benchmark_that_cannot_be_compared_stops_the_run(made: Job, row: dict[str, Any], says: str) -> None:
    done = pairs(made, config=named(made, [row]))
    assert done.code == 1 and re.search(says, done.err), done.err
