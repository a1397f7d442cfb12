"""Seeds of several pictures through every stage: all are shown, in their order, to whom they concern."""

from __future__ import annotations

import atexit
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import exploring
import pytest
from curating import curation, ssui
from fake_answers import agent_of, prompt_text
from fake_server import Denial, Fake, serve
from hypothesis import given
from hypothesis import strategies as st
from imported import bring, lines, reasons, sharegpt_row
from jobs import Job, here, job, rows
from PIL import Image
from runs import change, loaded, tiny_encoder, write_run

from microworld.seeds import things_in
from ssui_gen.benching.bench import read_bench
from ssui_gen.columns import as_seed
from ssui_gen.errors import ConfigError
from ssui_gen.records import MOST_IMAGES, ImageRef, ReasoningPath, Seed, look_of
from ssui_gen.run_files import NOT_EXPLORED
from ssui_gen.seeds import read_seeds
from ssui_gen.serving.embedded import reads
from ssui_train.families import picture_id

SEEDS: list[dict[str, Any]] = [
    {"id": "two", "images": ["0.png", "1.png"]},
    {"id": "three", "images": ["4.png", "3.png", "2.png"]},
    {"id": "one", "image": "5.png"},
]
SAID = "picture 1 to picture"
MOST_ONE = "At most 1 image(s) may be provided in one prompt."
"""vLLM's words."""
PLAYERS = {"none": exploring.policy, "judge: right": exploring.judge}


def shown_in(body: dict[str, Any]) -> list[str]:
    """The pictures of a request, in their order."""
    contents = [message["content"] for message in body["messages"] if isinstance(message["content"], list)]
    return [part["image_url"]["url"] for content in contents for part in content if "image_url" in part]


class Explored(NamedTuple):
    """A run of these seeds, and what its servers were asked while it was made and explored."""

    folder: Path
    made: list[dict[str, Any]]
    explored: list[dict[str, Any]]
    again: int
    """Calls of a second run that had nothing left to do."""


@cache
def explored() -> Explored:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with serve() as fake:
        done = job(folder, fake.url, SEEDS, twins=False)
        assert done.here().code == 0
        made, calls = [*fake.requests], fake.calls
        assert done.here().code == 0
        again = fake.calls - calls
        fake.requests.clear()
        fake.answers = PLAYERS
        assert exploring.pairs(done).code == 0
        return Explored(folder, made, [*fake.requests], again)


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    """A copy of that run, and a server of this test's own."""
    shutil.copytree(explored().folder, tmp_path, dirs_exist_ok=True)
    return Job(tmp_path, tmp_path / "run", fake.url)


# --- who sees what ------------------------------------------------------------------------------------------


def test_agents_see_all_pictures_of_a_seed_in_their_order(made: Job) -> None:
    paths = {row["seed_id"]: ReasoningPath.model_validate(row) for row in made.paths}
    assert [image.path for image in paths["three"].images] == ["4.png", "3.png", "2.png"]
    assert "more_images" not in next(row for row in made.paths if row["seed_id"] == "one")
    asked = [(agent_of(body), shown_in(body), prompt_text(body, "system")) for body in explored().made]
    work = [(who, seen, told) for who, seen, told in asked if who != "none"]
    assert {len(seen) for who, seen, _ in work if who == "check_text"} == {0}
    for who in ("query", "check_image", "reasoning", "reflection", "check_joint", "summary"):
        counts = sorted(len(seen) for name, seen, _ in work if name == who)
        assert counts == [1, 2, 3], who
    assert all((SAID in told) is (len(seen) > 1) for _, seen, told in work)
    assert all(f"{SAID} {len(seen)}" in told for _, seen, told in work if len(seen) > 1)
    of_three = [seen for _, seen, _ in work if len(seen) == 3]
    assert len({tuple(seen) for seen in of_three}) == 1 and len(set(of_three[0])) == 3


def test_a_run_that_is_done_asks_nothing_again() -> None:
    assert explored().again == 0


def test_policy_and_judge_see_them_and_pairs_name_them(made: Job) -> None:
    pairs = rows(made.run / "pairs.jsonl")
    by_seed = {row["id"]: row["seed_id"] for row in made.paths}
    wanted = {"two": ["0.png", "1.png"], "three": ["4.png", "3.png", "2.png"], "one": ["5.png"]}
    assert {by_seed[pair["path_id"]] for pair in pairs} == set(wanted)
    for pair in pairs:
        assert pair["images"] == wanted[by_seed[pair["path_id"]]]
        (user,) = [message for message in pair["prompt"] if message["role"] == "user"]
        assert [part["type"] for part in user["content"]] == ["image"] * len(pair["images"]) + ["text"]
    bodies = [body for body in explored().explored if body.get("user") != "ssui_gen probe"]
    for who in ("none", "judge: right"):
        assert {len(shown_in(body)) for body in bodies if agent_of(body) == who} == {1, 2, 3}, who


@pytest.mark.parametrize(("layout", "mark"), [("llamafactory", "conversations"), ("ms_swift", "messages")])
def test_other_trainers_are_given_as_many_marks_as_pictures(made: Job, layout: str, mark: str) -> None:
    done = ssui("export", "--run", str(made.run), "--to", layout, "--seeds", str(made.seeds))
    assert done.code == 0, done.err
    found = rows(made.run / f"pairs_{layout}.jsonl")
    assert {len(row["images"]) for row in found} == {1, 2, 3}
    for row in found:
        assert json.dumps(row[mark]).count("<image>") == len(set(row["images"])) == len(row["images"])
        assert all(Path(name).is_file() for name in row["images"])


# --- what people see ----------------------------------------------------------------------------------------


def test_pages_show_every_picture(made: Job) -> None:
    page = (made.run / "dataset.html").read_text("utf-8")
    shas = {image.sha256 for row in made.paths for image in ReasoningPath.model_validate(row).images}
    assert len(shas) == 6
    assert all(f'data-picture="{sha}"' in page and f'"{sha}":' in page for sha in shas)
    assert "Picture 3 of 3. In it:" in page and "Picture 1 of 1" not in page
    trees = [page.read_text("utf-8") for page in (made.run / "trees").glob("*.html")]
    assert sorted(len(re.findall(r'<img src="[^"]+\.png"', tree)) for tree in trees) == [1, 2, 3]
    path = next(row for row in made.paths if row["seed_id"] == "three")
    told = ssui("show", "--run", str(made.run), path["id"])
    assert all(f"{name}.png (8 × 8)" in told.out for name in "432")


def test_reviewers_see_them_here_and_in_other_tools(made: Job) -> None:
    assert curation(made.run, "export", "--as", "ana").code == 0
    items = {row["path"]["seed_id"]: row for row in rows(made.run / "curation" / "items.jsonl")}
    page = (made.run / "curation" / "gallery.html").read_text("utf-8")
    for image in ReasoningPath.model_validate(items["three"]["path"]).images:
        assert image.sha256 in page
    assert curation(made.run, "unfold", "--as", "ana").code == 0
    texts = [file.read_text("utf-8") for file in (made.run / "curation" / "ana").glob("*.md")]
    assert sorted(text.count("](../") for text in texts) == [1, 2, 3]
    for tool, file in (("label_studio", "tasks.json"), ("argilla", "records.json")):
        assert curation(made.run, "export", "--to", tool, "--as", "ana").code == 0
        sent = json.loads((made.run / "curation" / tool / file).read_text())
        data = [one["data"]["image"] if "data" in one else list(_images(one["fields"])) for one in sent]
        assert sorted(map(len, data)) == [1, 2, 3], tool
    assert 'valueList="$image"' in (made.run / "curation" / "label_studio" / "config.xml").read_text()


def _images(fields: dict[str, str]) -> Iterator[str]:
    yield from (value for name, value in fields.items() if name.startswith("image"))


def test_what_is_published_holds_them(made: Job, tmp_path: Path) -> None:
    from pyarrow.parquet import read_table

    more = ("--licence", "CC-BY-4.0", "--contact", "desk@example.org", "--uncurated")
    done = ssui("publish", "--run", str(made.run), *more)
    assert done.code == 0, done.err
    data = made.run / "published" / "data"
    files = {name: sorted((data / name).glob("*.parquet")) for name in ("paths", "pairs")}
    of = {name: [row for one in some for row in read_table(one).to_pylist()] for name, some in files.items()}
    assert sorted(len(row["more_images"]) for row in of["paths"]) == [0, 1, 2]
    assert {len({one["bytes"] for one in row["images"]}) for row in of["pairs"]} == {1, 2, 3}


def test_a_published_benchmark_keeps_them(made: Job) -> None:
    for file in ("branches.jsonl", "pairs.jsonl", "pairs.json"):
        (made.run / file).unlink()
    more = ("--licence", "CC-BY-4.0", "--uncurated", "--seeds", str(made.seeds))
    done = ssui("bench", "publish", "--run", str(made.run), *more, "--holdout", "1.0")
    assert done.code == 0, done.err
    bench = read_bench(made.run / "rsbench")
    assert sorted(len(item.images) for item in bench.items) == [1, 2, 3]
    assert all((bench.root / image.path).is_file() for item in bench.items for image in item.images)


def test_joined_runs_keep_them(fake: Fake, made: Job, tmp_path: Path) -> None:
    other = job(tmp_path / "b", fake.url, [{"id": "two", "images": ["0.png", "6.png"]}], twins=False)
    assert other.here().code == 0
    assert ssui("merge-runs", str(made.run), str(other.run), "--to", str(tmp_path / "c")).code == 0
    paths = [ReasoningPath.model_validate(row) for row in rows(tmp_path / "c" / "reasoning_paths.jsonl")]
    assert len(paths) == 4 and len({path.look for path in paths}) == 4
    seeds = [Seed.model_validate(row) for row in rows(tmp_path / "c" / "seeds" / "seeds.jsonl")]
    assert sorted(len(seed.images) for seed in seeds) == [1, 2, 2, 3]
    for path in paths:
        assert all((tmp_path / "c" / "seeds" / image.path).is_file() for image in path.images)


# --- training -----------------------------------------------------------------------------------------------


def test_training_shows_them_and_refuses_a_pair_made_with_others(tmp_path: Path) -> None:
    run, encoder = write_run(tmp_path / "run", paths=2, cuts=(0,)), tiny_encoder()
    alone = loaded(run, encoder).examples[0]
    refs = [row["image"] for row in rows(run / "reasoning_paths.jsonl")]
    change(run / "reasoning_paths.jsonl", lambda all_: [{**row, "more_images": refs[1:]} for row in all_[:1]])
    change(run / "pairs.jsonl", lambda all_: [{**row, "more_image_refs": refs[1:]} for row in all_[:1]])
    both = loaded(run, encoder).examples[0]
    assert look_of(one.sha256 for one in both.images) == look_of(ref["sha256"] for ref in refs)
    mark = picture_id(encoder.model) or -1
    ours = [one.prompt.ids.count(mark) for one in (alone, both)]
    assert ours[1] == 2 * ours[0] > 0
    change(run / "pairs.jsonl", lambda all_: [{**row, "more_image_refs": []} for row in all_])
    with pytest.raises(ConfigError, match="no pair is left: 1 pair image_changed"):
        loaded(run, encoder)


# --- what people write --------------------------------------------------------------------------------------

NAMES = st.lists(st.sampled_from("abcdefghijk"), min_size=1, max_size=MOST_IMAGES, unique=True)


@given(NAMES, st.sampled_from(["images", "image", "image_paths", "file_names", "pictures"]))
def test_a_list_of_pictures_is_read_in_its_order_whatever_its_column(names: list[str], column: str) -> None:
    seed = Seed.model_validate(as_seed({"id": "1", column: names}, strict=False))
    assert list(seed.images) == names
    again = as_seed(json.loads(seed.model_dump_json()), strict=True)
    assert Seed.model_validate(again) == seed


def test_a_list_that_is_none_costs_one_row_each(fake: Fake, tmp_path: Path) -> None:
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "nine": ({"images": [f"{n}.png" for n in range(MOST_IMAGES + 1)]}, "9 pictures; at most 8"),
        "twice": ({"images": ["0.png", "0.png"]}, "'0.png' stands twice"),
        "both": ({"image": "0.png", "images": ["1.png"]}, "keep one of them"),
        "lists": ({"images": ["0.png"], "more_images": ["1.png"]}, "more_images and images could each"),
        "listed": ({"image": ["0.png"], "more_images": ["1.png"]}, "more_images and image could each"),
        "by side": ({"images": {"left": "0.png", "right": "1.png"}}, "got {'left': '0.png'"),
        "text for bytes": ({"images": [{"bytes": "iVBORw0K", "path": "0.png"}]}, "got {'bytes': 'iVBORw0K'"),
        "none": ({"images": []}, "a row of seeds looks like"),
        "number": ({"images": ["0.png", 7]}, "more_images.0: Input should be a valid string"),
        "empty": ({"images": ["0.png", ""]}, "more_images.0"),
        "list": ({"image": ["0.png"], "more_images": ["1.png"]}, "keep one of them"),
        "text": ({"image": {"bytes": "iVBORw0KGgo="}}, "image: Input should be a valid string"),
        "texts": ({"images": ["0.png", {"bytes": 7}]}, "more_images.0: Input should be a valid string"),
    }
    seeds = [{"id": name} | seed for name, (seed, _) in wrong.items()]
    done = job(tmp_path, fake.url, [*seeds, {"id": "ok", "images": ["0.png"]}], twins=False)
    assert done.here().code == 0
    assert [row["seed_id"] for row in done.paths] == ["ok"]
    assert [row["seed_id"] for row in done.rejects] == [f"seeds.jsonl:{n + 1}" for n in range(len(wrong))]
    for reject, (_, says) in zip(done.rejects, wrong.values(), strict=True):
        assert reject["reason"] == "seed_invalid" and says in reject["detail"]


ANY = st.recursive(
    st.none() | st.integers() | st.sampled_from(["", "a.png", "b.png"]),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from(["bytes", "path", "url"]), one),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["image", "images", "more_images", "img"]), ANY, min_size=1))
def test_whatever_is_said_of_pictures_costs_its_row_alone_and_none_is_lost(said: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "seeds.jsonl"
        source.write_text(json.dumps({"id": "1"} | said) + "\n")
        (found,) = read_seeds(source, lambda _: True, Path(place) / "run")
    if isinstance(found, Seed):
        names = [name for value in said.values() for name in re.findall(r"[ab]\.png", json.dumps(value))]
        assert sorted(found.images) == sorted(names)


def test_one_picture_that_cannot_be_used_costs_its_seed_alone(fake: Fake, tmp_path: Path) -> None:
    seeds = [{"id": "bad", "images": ["0.png", "gone.png"]}, {"id": "ok", "images": ["0.png", "1.png"]}]
    done = job(tmp_path, fake.url, seeds, twins=False)
    assert done.here().code == 0
    (reject,) = done.rejects
    assert (reject["seed_id"], reject["reason"]) == ("bad", "image_missing")
    assert "'gone.png'" in reject["detail"]


@pytest.mark.parametrize("other", ["copy.png", "./0.png", "below/../0.png"])
def test_one_picture_under_two_names_costs_its_seed_alone_and_is_done(
    fake: Fake, tmp_path: Path, other: str
) -> None:
    seeds = [{"id": "bad", "images": ["1.png", "0.png", other]}, {"id": "ok", "images": ["0.png", "1.png"]}]
    done = job(tmp_path, fake.url, seeds, twins=False)
    shutil.copy(tmp_path / "0.png", tmp_path / "copy.png")
    assert done.here().code == 0
    (reject,) = done.rejects
    reason = "image_refused" if ".." in other else "image_twice"
    assert (reject["seed_id"], reject["reason"]) == ("bad", reason)
    assert repr(other) in reject["detail"]
    calls = fake.calls
    assert done.here().code == 0 and fake.calls == calls


def test_a_table_or_a_dataset_may_hold_the_pictures_themselves(tmp_path: Path) -> None:
    from datasets import Dataset, Features, List, Value
    from datasets import Image as Picture

    shown = [Image.new("RGB", (8, 8), (40 * number, 9, 9)) for number in range(3)]
    features = Features({"id": Value("string"), "images": List(Picture())})
    data = Dataset.from_dict({"id": ["a"], "images": [shown]}, features=features)
    data.save_to_disk(str(tmp_path / "saved"))
    data.to_parquet(str(tmp_path / "rows.parquet"))
    for source in ("saved", "rows.parquet"):
        (seed,) = read_seeds(tmp_path / source, lambda _: True, tmp_path / "run")
        assert isinstance(seed, Seed), seed
        kept = [Image.open(tmp_path / "run" / "pictures" / name).getpixel((0, 0)) for name in seed.images]
        assert kept == [(40 * number, 9, 9) for number in range(3)], source


def test_metadata_of_a_folder_may_name_several(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        Image.new("RGB", (8, 8)).save(tmp_path / "in" / f"{number}.png")
    rows_ = [{"file_names": ["0.png", "1.png"], "text": "May I?"}]
    (tmp_path / "in" / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_))
    found = [*read_seeds(tmp_path, lambda _: True, tmp_path / "run")]
    assert [getattr(seed, "images", seed) for seed in found] == [("in/0.png", "in/1.png"), ("in/2.png",)]


# --- servers, benchmarks ------------------------------------------------------------------------------------


def test_a_server_that_takes_fewer_is_told_of_before_the_first_call(fake: Fake, tmp_path: Path) -> None:
    fake.denies = lambda body: Denial(MOST_ONE) if len(shown_in(body)) > 1 else None
    ended = job(tmp_path, fake.url, SEEDS, twins=False).here()
    assert ended.code == 1 and fake.calls == 0
    assert MOST_ONE in ended.err and """--limit-mm-per-prompt '{"image": 3}'""" in ended.err
    assert job(tmp_path / "b", fake.url, SEEDS[2:], twins=False).here().code == 0, "nobody needs more there"


def test_a_judge_that_takes_fewer_is_told_of_before_it_is_measured(fake: Fake, made: Job) -> None:
    branches = [branch for cut in rows(made.run / "branches.jsonl") for branch in cut["branches"]]
    told = [{"branch_id": branch["id"], "good": "RIGHT" in branch["text"]} for branch in branches]
    (made.run / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    fake.denies = lambda body: Denial(MOST_ONE) if len(shown_in(body)) > 1 else None
    ended = here(["verify", "calibrate", "--run", str(made.run), "--base-url", fake.url])
    assert (ended.code, fake.calls) == (1, 0) and MOST_ONE in ended.err, ended.err


def test_a_benchmark_that_holds_the_second_picture_keeps_the_path_out(fake: Fake, made: Job) -> None:
    bench = made.folder / "bench"
    bench.mkdir()
    Image.open(made.folder / "1.png").save(bench / "held.png")
    fake.answers = PLAYERS
    for file in ("branches.jsonl", "pairs.jsonl", "pairs.json"):
        (made.run / file).unlink()
    ended = exploring.pairs(made, config={"leaks": {"bench": [str(bench)], "picture_bits": 0}})
    assert ended.code == 0, ended.err
    out = {row["seed_id"]: row["reason"] for row in rows(made.run / NOT_EXPLORED)}
    two = next(row["id"] for row in made.paths if row["seed_id"] == "two")
    assert out[two] == "in_benchmark"


def test_prompt_tells_of_each_picture(made: Job) -> None:
    told = here(["prompt", "reasoning", "--run", str(made.run), "--seed", "three"], asks=False)
    assert told.code == 0, told.err
    assert [line for line in told.out.splitlines() if line.startswith("picture: ")] == [
        f"picture: {name}.png, 8 × 8 pixels, sent as 8 × 8; tokens not known" for name in "432"
    ]
    assert told.out.count("[sha256:") == 3


def test_an_import_makes_such_seeds_and_leaves_pairs_of_several_out(tmp_path: Path) -> None:
    both = sharegpt_row(1, images=["1.png", "2.png"])
    source = lines(tmp_path / "data" / "rows.jsonl", [both])
    for number in (1, 2):
        Image.new("RGB", (8, 8), (90 * number, 9, 9)).save(source.with_name(f"{number}.png"))
    assert bring("sharegpt", source, tmp_path / "seeds", "--licence", "MIT", "--as", "seeds").code == 0
    (seed,) = read_seeds(tmp_path / "seeds" / "seeds.jsonl", lambda _: True, tmp_path / "run")
    assert isinstance(seed, Seed) and len(set(seed.images)) == 2
    assert all((tmp_path / "seeds" / name).is_file() for name in seed.images)
    bring("sharegpt", source, tmp_path / "pairs", "--licence", "MIT", "--as", "pairs")
    assert reasons(tmp_path / "pairs") == [("rows.jsonl:1", "pictures_several")]


def test_a_column_of_more_pictures_is_taken_in_or_costs_its_row(tmp_path: Path) -> None:
    told = [{"image": "1.png", "more_images": more} for more in ("2.png", ["2.png"], 5)]
    source = lines(tmp_path / "data" / "rows.jsonl", told)
    for number in (1, 2):
        Image.new("RGB", (8, 8), (90 * number, 9, 9)).save(source.with_name(f"{number}.png"))
    assert bring("hf", source, tmp_path / "seeds", "--licence", "MIT", "--as", "seeds").code == 0
    (seed,) = read_seeds(tmp_path / "seeds" / "seeds.jsonl", lambda _: True, tmp_path / "run")
    assert isinstance(seed, Seed) and len(set(seed.images)) == 2
    assert [reason for _, reason in reasons(tmp_path / "seeds")] == ["duplicate", "row_invalid"]


def test_the_truth_of_several_drawn_scenes_is_of_all_their_things(tmp_path: Path) -> None:
    scenes = {f"{name}.png": {"things": [{"thing": name}]} for name in ("kettle", "pond")}
    refs = [
        ImageRef(path=f"{name}.png", sha256=name, width=1, height=1) for name in ("pond", "kettle", "dog")
    ]
    assert things_in(scenes, refs[:2]) == ["pond", "kettle"]
    assert things_in(scenes, refs) is None, "one is no drawn scene"


def test_a_micro_vlm_that_was_taught_one_picture_is_shown_no_two_unless_that_is_said(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "microworld.seeds", str(tmp_path / "two"), "--pictures", "2", "--count", "2"],
        check=True,
        capture_output=True,
    )
    assert made.returncode == 0
    told = ["dataset", "--run", str(tmp_path / "run"), "--seeds", str(tmp_path / "two" / "seeds.jsonl")]
    end = here(told)
    assert end.code == 1 and "models.vlm: micro-agents was taught 1 picture" in end.err
    assert "CONFIG=microworld/two.yaml" in end.err and not rows(tmp_path / "run" / "reasoning_paths.jsonl")
    assert [reads(name) for name in ("micro-agents", "micro-two-judge", "fake-vlm")] == [1, 2, None]
