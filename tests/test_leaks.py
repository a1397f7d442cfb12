"""A benchmark's pictures and texts never become pairs: found by bytes, by look and by letters."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from exploring import cuts, explored, judge, pairs, policy
from fake_server import Fake
from jobs import Job, rows
from PIL import Image, ImageEnhance
from test_verify import path

from microworld.draw.pool import picture, scene_at
from ssui_gen.config import Leaks
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.leaks import Bench, load_bench
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


LONG = "Is it wise to walk along this path at night? " * 12


def loaded(*sources: Path) -> Bench:
    return load_bench(Leaks(bench=tuple(map(str, sources))), LIMITS)


def of_form(folder: Path, form: str) -> Path:
    """A benchmark of one picture and one long question, as people publish them."""
    folder.mkdir()
    picture(scene_at("train", 3)).save(folder / "b.png")
    data = (folder / "b.png").read_bytes()
    if form == "json":
        said = {"1": {"Question": LONG, "image": "b.png"}}
        (folder / "rows.json").write_text(json.dumps(said))
    elif form == "turns":
        turns = [{"from": "human", "value": f"<image>\n{LONG}"}, {"from": "gpt", "value": "No."}]
        (folder / "rows.jsonl").write_text(json.dumps({"image": "x/b.png", "conversations": turns}) + "\n")
    elif form == "csv":
        (folder / "rows.csv").write_text(f'id,img,question\n1,b.png,"{LONG}"\n')
    else:
        rows = [{"image": {"bytes": data, "path": None}, "question": LONG}]
        (folder / "data").mkdir()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "data" / "test-0.parquet")
        (folder / "b.png").unlink()
    return folder


@pytest.mark.parametrize("form", ["json", "turns", "csv", "parquet"])
def test_a_benchmark_of_any_form_is_held_against_the_paths(tmp_path: Path, form: str) -> None:
    bench = loaded(of_form(tmp_path / "bench", form))
    assert len(bench.shas) == 1 and LONG.strip() in bench.texts.values()
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "a.png")
    one = path().model_copy(update={"image": inspect(tmp_path, "a.png", LIMITS)})
    asked = one.model_copy(update={"query": one.query.model_copy(update={"text": LONG})})
    assert not bench.holds(one, tmp_path, LIMITS)
    assert "100 % the same" in bench.holds(asked, tmp_path, LIMITS)


def test_an_imagefolder_is_a_benchmark_with_its_texts(tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    (folder / "test").mkdir(parents=True)
    picture(scene_at("train", 3)).save(folder / "test" / "b.png")
    (folder / "test" / "metadata.csv").write_text("file_name,text\nb.png,May I?\n")
    bench = loaded(folder)
    assert list(bench.shas.values()) == ["test/b.png"] and list(bench.texts.values()) == ["May I?"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("notes.txt", "May I?", r"no picture and no text in it \(\.txt 1\)"),
        ("rows.csv", "id,label\n1,safe\n", "expected columns such as image, text or question"),
        ("rows.parquet", "PAR1", "cannot be read as parquet"),
        ("rows.jsonl", '{"text": "a"}\n{', "not JSON"),
        ("a.png", "version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    ],
)
def test_a_benchmark_that_holds_nothing_is_refused(
    tmp_path: Path, name: str, content: str, says: str
) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / name).write_text(content)
    with pytest.raises(ConfigError, match=rf"^leaks\.bench: .*{says}.*mend it or leave it out$"):
        loaded(tmp_path / "bench")


def test_one_empty_benchmark_beside_a_full_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(ConfigError, match="no file at all"):
        loaded(of_form(tmp_path / "bench", "csv"), tmp_path / "none")


def test_the_same_benchmark_twice_is_no_fault(tmp_path: Path) -> None:
    folder = of_form(tmp_path / "bench", "csv")
    assert len(loaded(folder, folder).shas) == 1


def test_pictures_of_one_name_are_each_compared_by_look(tmp_path: Path) -> None:
    """As those of two benchmarks, or all that one path shows."""
    for name, scene in (("one", 3), ("two", 9)):
        (tmp_path / name).mkdir()
        picture(scene_at("train", scene)).save(tmp_path / name / "b.png")
        Image.open(tmp_path / name / "b.png").save(tmp_path / f"{name}.jpg", quality=70)
    bench = loaded(tmp_path / "one", tmp_path / "two")
    for name in ("one.jpg", "two.jpg"):
        shown = path().model_copy(update={"image": inspect(tmp_path, name, LIMITS)})
        assert "picture b.png differs in" in bench.holds(shown, tmp_path, LIMITS), name


# --- in a run ----------------------------------------------------------------------------------------


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
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
    assert rows(made.run / "pairs.jsonl") != before, "a run remembers its benchmark"
    assert pairs(made, config={"leaks": {"bench": []}}).code == 0
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
