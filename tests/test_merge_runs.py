"""`ssui merge-runs`: one run of several, on which later stages work; what is left out is told."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import exploring
import pytest
from curating import curation, record, review, say, ssui
from fake_server import Fake
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import SSUI, Ended, here, job, plain, rows
from looked_at import big_picture, explored, looked_at, reject, write
from PIL import Image

from ssui_gen.branches import BranchLabel, Correction
from ssui_gen.curation.lines.review import Earlier
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.joining.known import Known
from ssui_gen.joining.people import both
from ssui_gen.manifest import pictures_of, read_manifest
from ssui_gen.records import row_id


def merge(to: Path, *runs: Path, more: tuple[str, ...] = ()) -> Ended:
    return ssui("merge-runs", *map(str, runs), "--to", str(to), *more)


def two(folder: Path, first: list[Any], second: list[Any]) -> tuple[Path, Path]:
    return looked_at(folder / "a", paths=first), looked_at(
        folder / "b", paths=second, rejects=[reject("late")]
    )


def test_later_stages_go_on_where_the_joined_runs_were(fake: Fake, tmp_path: Path) -> None:
    """Two jobs on a real server, one of them explored; then pairs, curation and dataset on the joined run."""
    made = [
        job(tmp_path / name, fake.url, [one | {"id": name + one["id"]} for one in plain(1)], twins=False)
        for name in ("a", "b")
    ]
    assert all(one.here().code == 0 for one in made)
    a, b, c = made[0].run, made[1].run, tmp_path / "c"
    fake.answers = {"none": exploring.policy, "judge: right": exploring.judge}
    told = ["--base-url", fake.url, "--uncurated"]
    end = here(["pairs", "--run", str(a), *told])
    assert end.code == 0, end.err
    cuts_of_a, pairs_of_a = rows(a / "branches.jsonl"), rows(a / "pairs.jsonl")
    assert cuts_of_a and pairs_of_a
    assert curation(a, "export", "--as", "ana").code == 0
    ids = [row["id"] for row in rows(a / "reasoning_paths.jsonl")]
    say(a, "ana", **{ids[0]: {"decision": "keep", "note": "fine"}})
    before = {path: path.read_bytes() for run in (a, b) for path in run.glob("*.jsonl")}

    done = merge(c, a, b)
    assert done.code == 0, done.err
    assert "2 records and 0 rejects" in done.out and "1 words of people" in done.out
    assert {path: path.read_bytes() for path in before} == before, "they are not changed"
    assert rows(c / "pairs.jsonl") == pairs_of_a

    fake.requests.clear()
    end = here(["pairs", "--run", str(c), *told])
    assert end.code == 0, end.err
    cuts = rows(c / "branches.jsonl")
    assert cuts[: len(cuts_of_a)] == cuts_of_a and len(cuts) == 2 * len(cuts_of_a)
    assert len({row["path_id"] for row in cuts}) == 2
    assert {row["id"] for row in pairs_of_a} <= {row["id"] for row in rows(c / "pairs.jsonl")}

    end = curation(c, "export")
    assert end.code == 0, end.err
    lines = {row["id"]: row for row in rows(c / "curation" / "ana.jsonl")}
    assert len(lines) == 2 and (lines[ids[0]]["decision"], lines[ids[0]]["note"]) == ("keep", "fine")
    assert curation(c, "check").code == 0 and curation(c, "apply").code == 0
    assert [row["id"] for row in rows(c / "curated.jsonl")] == [ids[0]]

    calls = fake.calls
    config = str(made[0].folder / "run.yaml")
    end = here(["dataset", "--run", str(c), "--base-url", fake.url, "--config", config])
    assert end.code == 0 and fake.calls == calls, "nothing is left to be done, and nothing is asked twice"


def test_duplicates_are_left_out_with_a_reason(tmp_path: Path) -> None:
    same, other = record("aaaa"), record("bbbb")
    copied = record("cccc").model_copy(update={**dict(same), "id": "cccc", "seed_id": "seed-cccc"})
    redone = other.model_copy(update={"answer": "Another answer."})
    a, b = two(tmp_path, [same, other], [same, copied, redone, record("dddd")])
    done = merge(tmp_path / "c", a, b)
    assert done.code == 0 and "3 duplicates were left out" in done.out
    assert [row["id"] for row in rows(tmp_path / "c" / "reasoning_paths.jsonl")] == ["aaaa", "bbbb", "dddd"]
    left = rows(tmp_path / "c" / "merge_rejects.jsonl")
    assert {row["reason"] for row in left} == {"path_duplicate"}
    assert [row["detail"] for row in left] == [
        "b: aaaa: the same record is there",
        "b: cccc: the record aaaa says the same of the same picture",
        "b: bbbb: another record of the seed 'seed-bbbb' is there: bbbb",
    ]
    seeds = [row["seed_id"] for row in rows(tmp_path / "c" / "rejects.jsonl")]
    assert seeds == ["burnt-1", "burnt-2", "gone", "late"]


def test_one_name_for_two_pictures_becomes_two_seeds(tmp_path: Path) -> None:
    """As where two cameras both wrote IMG_1.jpg."""

    def of(seed: str) -> Any:
        return record(row_id(seed, "risky"), seed_id=seed, question="How?", twin_of=row_id(seed, "benign"))

    a, b = two(tmp_path, [of("IMG_1")], [])
    picture = b / "seeds" / "a.png"
    Image.new("RGB", (96, 64), (1, 2, 3)).save(picture)
    sha = hashlib.sha256(picture.read_bytes()).hexdigest()
    other = of("IMG_1")
    other = other.model_copy(update={"image": other.image.model_copy(update={"sha256": sha})})
    write(b / "reasoning_paths.jsonl", [other])
    explored(b, [other])
    (b / "seeds" / "seeds.jsonl").write_text('{"id": "IMG_1", "image": "a.png"}\n', "utf-8")
    done = merge(tmp_path / "c", a, b)
    assert done.code == 0, done.err
    assert "1 seeds had a name that another picture has" in done.out
    first, second = rows(tmp_path / "c" / "reasoning_paths.jsonl")
    assert second["seed_id"] == f"IMG_1~{sha[:8]}" and second["id"] == row_id(second["seed_id"], "risky")
    assert second["twin_of"] == row_id(second["seed_id"], "benign")
    assert second["image"] == {**first["image"], "path": f"{sha[:12]}-a.png", "sha256": sha}
    root = pictures_of(tmp_path / "c", None)
    assert hashlib.sha256((root / second["image"]["path"]).read_bytes()).hexdigest() == sha
    cuts = rows(tmp_path / "c" / "branches.jsonl")
    assert {cut["path_id"] for cut in cuts} == {second["id"]}
    assert ssui("page", "--run", str(tmp_path / "c")).code == 0
    assert len(list((tmp_path / "c" / "trees").iterdir())) == 1, "its branches are its own"


def test_seeds_of_one_name_that_begin_with_one_picture_stay_apart() -> None:
    with closing(Known()) as known:
        found = [known.seed(run, "IMG_1", f"aaaaaaaa+{run}") for run in range(4)]
    assert len({name for name, _ in found}) == 4 and all(new for _, new in found)


EDITION = {"prompts": {}, "cards": {}, "models": {"vlm": "m-1"}}


def make(run: Path, part: str, model: str, *later: tuple[int, str]) -> None:
    known = json.loads((run / part).read_text("utf-8")) if (run / part).exists() else {"schema": 1}
    known["editions"] = [
        {"from_row": row, "edition": EDITION | {"models": {"vlm": name}}, "since": "2026-01-01"}
        for row, name in ((0, model), *later)
    ]
    (run / part).write_text(json.dumps(known), "utf-8")


@pytest.mark.parametrize("part", ["run.json", "pairs.json"])
def test_other_editions_are_refused_unless_that_is_said(tmp_path: Path, part: str) -> None:
    first, both_ = [record("aaaa")], [record("aaaa"), record("bbbb")]
    a, b = two(tmp_path, first, both_)
    explored(a, first)
    explored(b, both_)
    make(a, part, "m-1")
    make(b, part, "m-2")
    done = merge(tmp_path / "c", a, b)
    assert done.code == 1
    assert "made with something else than" in done.err and "vlm m-1 → m-2" in done.err
    assert "--across-editions" in done.err and not (tmp_path / "c").exists()
    assert merge(tmp_path / "c", a, b, more=("--across-editions",)).code == 0
    made = read_manifest(tmp_path / "c" / part).editions
    assert [one.edition.models["vlm"] for one in made] == ["m-1", "m-2"]
    file, name = ("reasoning_paths.jsonl", "id") if part == "run.json" else ("branches.jsonl", "path_id")
    assert {row[name] for row in rows(tmp_path / "c" / file)[: made[1].from_row]} == {"aaaa"}
    assert {row[name] for row in rows(tmp_path / "c" / file)[made[1].from_row :]} == {"bbbb"}
    assert read_manifest(tmp_path / "c" / "run.json").merged == ("a", "b")


def test_editions_of_a_run_begin_where_their_rows_are_and_not_where_they_were(tmp_path: Path) -> None:
    """Two of one run, the second of which has no row yet; rows before it are duplicates."""
    a, b = two(tmp_path, [record("aaaa"), record("bbbb")], [record("aaaa"), record("cccc"), record("bbbb")])
    c = looked_at(tmp_path / "late", paths=[record("dddd")])
    make(a, "run.json", "m-1")
    make(b, "run.json", "m-2", (1, "m-3"), (3, "m-4"))
    make(c, "run.json", "m-5")
    assert merge(tmp_path / "c", a, b, c, more=("--across-editions",)).code == 0
    made = read_manifest(tmp_path / "c" / "run.json").editions
    assert [row["id"] for row in rows(tmp_path / "c" / "reasoning_paths.jsonl")] == [
        *("aaaa", "bbbb", "cccc", "dddd")
    ]
    begins = [(one.from_row, one.edition.models["vlm"]) for one in made]
    assert begins == [(0, "m-1"), (2, "m-2"), (2, "m-3"), (3, "m-4"), (3, "m-5")]


def test_runs_of_one_edition_are_of_one_edition_together(tmp_path: Path) -> None:
    a, b = two(tmp_path, [record("aaaa")], [record("bbbb")])
    make(a, "run.json", "m-1")
    make(b, "run.json", "m-1")
    assert merge(tmp_path / "c", a, b).code == 0
    assert len(read_manifest(tmp_path / "c" / "run.json").editions) == 1


def test_what_people_said_in_both_is_kept_in_both_their_words(tmp_path: Path) -> None:
    a, b = two(tmp_path, [record("aaaa")], [record("aaaa"), record("bbbb")])
    for run, name in ((a, "ana"), (b, "ana"), (b, "ben")):
        assert curation(run, "export", "--as", name).code == 0
    say(a, "ana", aaaa={"decision": "keep", "note": "first"})
    say(b, "ana", aaaa={"decision": "drop", "reasons": ["private"]}, bbbb={"decision": "keep"})
    say(b, "ben", aaaa={"decision": "keep"})
    done = merge(tmp_path / "c", a, b)
    assert done.code == 0, done.err
    ana = {row["id"]: row for row in rows(tmp_path / "c" / "curation" / "ana.jsonl")}
    assert (ana["aaaa"]["decision"], ana["aaaa"]["note"]) == ("keep", "first")
    assert [(one["decision"], one["reasons"]) for one in ana["aaaa"]["before"]] == [("drop", ["private"])]
    assert ana["bbbb"]["decision"] == "keep"
    assert curation(tmp_path / "c", "check").code == 0
    assert (tmp_path / "c" / "curation" / "gallery.html").exists()


def test_what_the_first_run_dropped_does_not_come_back_by_another(tmp_path: Path) -> None:
    a, b = two(tmp_path, [record("aaaa"), record("cccc")], [record("aaaa"), record("bbbb")])
    drop = {"decision": "drop", "reasons": ["private"]}
    keep = {"decision": "keep"}
    for run, name, said in (
        (a, "ana", {"aaaa": drop, "cccc": keep}),
        (b, "ben", {"aaaa": keep, "bbbb": keep}),
    ):
        assert curation(run, "export", "--as", name).code == 0
        say(run, name, **said)
        assert curation(run, "apply").code == 0
    assert merge(tmp_path / "c", a, b).code == 0
    assert [row["id"] for row in rows(tmp_path / "c" / "curated.jsonl")] == ["cccc", "bbbb"]


@settings(max_examples=60)
@given(
    st.sampled_from(["keep", "drop", None]),
    st.sampled_from(["keep", "drop", None]),
    st.text("ab", max_size=2),
)
def test_no_word_is_lost_between_two_lines(first: str | None, second: str | None, note: str) -> None:
    path = record("aaaa")
    one, two_ = review(path, first), review(path, second, note=note)
    met = both(one, two_)
    said = [met.words, *(earlier.words for earlier in met.before)]
    for line in (one, two_):
        assert not line.said or line.words in said
    assert all(isinstance(earlier, Earlier) for earlier in met.before)


def test_a_file_of_people_with_a_fault_stops_before_anything_is_written(tmp_path: Path) -> None:
    a, b = two(tmp_path, [record("aaaa")], [record("bbbb")])
    assert curation(b, "export", "--as", "ana").code == 0
    with (b / "curation" / "ana.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "bbbb", ')
    done = merge(tmp_path / "c", a, b)
    assert done.code == 1 and "ana.jsonl:2:" in done.err and "ssui curation check --run" in done.err
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("fault", ["once", "no run", "there", "locked", "torn"])
def test_bad_input_is_told_and_nothing_is_written(tmp_path: Path, fault: str) -> None:
    a, b = two(tmp_path, [record("aaaa")], [record("bbbb")])
    c = tmp_path / "c"
    runs, words = (a, b), ""
    match fault:
        case "once":
            runs, words = (a, a), "expected two runs or more, each once"
        case "no run":
            runs, words = (a, tmp_path), "no reasoning_paths.jsonl"
        case "there":
            c.mkdir()
            (c / "thesis.txt").write_text("precious", "utf-8")
            words = "is there already"
        case "torn":
            with (b / "reasoning_paths.jsonl").open("a", encoding="utf-8") as file:
                file.write('{"id": ')
            words = "reasoning_paths.jsonl:2:"
    if fault == "locked":
        with RunDir(b):
            done = merge(c, *runs)
        words = "in use by another process"
    else:
        done = merge(c, *runs)
    assert done.code == 1 and words in done.err
    assert not c.exists() or [path.name for path in c.iterdir()] == ["thesis.txt"]
    if fault in ("locked", "torn"):
        write(b / "reasoning_paths.jsonl", [record("bbbb")])
        assert merge(c, *runs).code == 0, "and what was left of it is no hindrance"


def test_a_kill_leaves_no_half_run_and_no_hindrance(tmp_path: Path) -> None:
    a, b = two(tmp_path, [record(f"{n:04x}") for n in range(150)], [record(f"b{n:04x}") for n in range(150)])
    command = [SSUI, "merge-runs", str(a), str(b), "--to", str(tmp_path / "c")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not (tmp_path / ".c.part" / "reasoning_paths.jsonl").exists() and time.monotonic() < end:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "c").exists()
    assert merge(tmp_path / "c", a, b).code == 0
    assert len(rows(tmp_path / "c" / "reasoning_paths.jsonl")) == 300
    assert not (tmp_path / ".c.part").exists()


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from("xyz"), st.sampled_from("pq"), st.sampled_from("mn"))
    )
)
def test_every_record_is_in_the_joined_run_once_or_told_of(told: list[tuple[int, str, str, str]]) -> None:
    """Runs, seeds, pictures and words at random: ids are unique, and what says the same is there once."""
    kept: list[Any] = []
    with closing(Known()) as known:
        done: set[tuple[int, str]] = set()
        for run, seed, picture, words in sorted(told, key=lambda one: one[0]):
            if (run, seed) in done:
                continue
            done.add((run, seed))
            base = record(row_id(seed, "risky"), question="How?", answer=f"Say {words}.", seed_id=seed)
            steps = record("same").steps
            image = base.image.model_copy(update={"sha256": picture * 64})
            query = record("same", question="How?").query
            path = base.model_copy(update={"image": image, "steps": steps, "query": query})
            placed = known.place(run, path)
            if placed.why:
                assert placed.stands in ("", *(one.id for one in kept))
            else:
                kept.append(placed.path)
                assert known.became(run, path.id) == placed.path.id
    assert len({one.id for one in kept}) == len(kept)
    assert len({(one.image.sha256, one.answer) for one in kept}) == len(kept)


def test_large_pictures_are_copied_once_and_shared_roots_not_at_all(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    big_picture(photos / "a.png")
    a, b = two(tmp_path, [record("aaaa")], [record("bbbb")])
    for run in (a, b):
        manifest = {"schema": 1, "seeds": {"source": str(photos), "root": str(photos)}}
        (run / "run.json").write_text(json.dumps(manifest), "utf-8")
    assert merge(tmp_path / "c", a, b).code == 0
    assert pictures_of(tmp_path / "c", None) == photos
    assert not list((tmp_path / "c").rglob("*.png"))


def pictured(run: Path, id: str, name: str, colour: tuple[int, int, int]) -> str:
    """One record, of a picture of that name and colour; returns its sha256."""
    picture = run / "seeds" / name
    picture.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (96, 64), colour).save(picture)
    sha = hashlib.sha256(picture.read_bytes()).hexdigest()
    path = record(id)
    image = path.image.model_copy(update={"path": name, "sha256": sha})
    write(run / "reasoning_paths.jsonl", [path.model_copy(update={"image": image})])
    return sha


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.png", "a.png"),
        ("n" * 196 + ".png", "n" * 196 + ".png"),
        ("ñ" * 100 + ".png", "ñ" * 100 + ".png"),
        ("IMG.png", "img.png"),
        ("x.png", "x.png/y.png"),
        ("x.png/y.png", "x.png"),
        ("a.png", "./a.png"),
    ],
)
def test_a_picture_never_lies_under_the_name_of_another(tmp_path: Path, first: str, second: str) -> None:
    a, b = two(tmp_path, [record("aaaa")], [record("bbbb")])
    shas = [pictured(a, "aaaa", first, (1, 2, 3)), pictured(b, "bbbb", second, (9, 9, 9))]
    done = merge(tmp_path / "c", a, b)
    assert done.code == 0, done.err
    root = pictures_of(tmp_path / "c", None)
    images = [row["image"] for row in rows(tmp_path / "c" / "reasoning_paths.jsonl")]
    assert [image["sha256"] for image in images] == shas
    assert [hashlib.sha256((root / one["path"]).read_bytes()).hexdigest() for one in images] == shas
    assert len({one["path"].casefold() for one in images}) == 2, "where names differ by case alone, too"
    assert images[0]["path"] == first


def test_a_picture_that_a_seed_names_by_its_whole_path_comes_along(tmp_path: Path) -> None:
    a, b = two(tmp_path, [record("aaaa")], [record("bbbb")])
    whole = json.dumps({"id": "seed-bbbb", "image": str(b.resolve() / "seeds" / "a.png")})
    (b / "seeds" / "seeds.jsonl").write_text(f"{whole}\n", "utf-8")
    assert merge(tmp_path / "c", a, b).code == 0
    assert {row["image"] for row in rows(tmp_path / "c" / "seeds" / "seeds.jsonl")} == {"a.png"}


def test_what_was_said_of_branches_comes_along_and_of_each_the_first_runs(tmp_path: Path) -> None:
    a, b = two(tmp_path, [record("aaaa")], [record("bbbb")])

    def label(branch: str, good: bool) -> BranchLabel:
        return BranchLabel(branch_id=branch, good=good)

    write(a / "labels.jsonl", [label("x", True)])
    write(b / "labels.jsonl", [label("x", False), label("y", False)])
    corrections = [Correction(branch_id="y", step=2, text="There is a lit candle.", by="ben")]
    write(b / "corrections.jsonl", corrections)
    assert merge(tmp_path / "c", a, b).code == 0
    said = [(row["branch_id"], row["good"]) for row in rows(tmp_path / "c" / "labels.jsonl")]
    assert said == [("x", True), ("y", False)]
    assert rows(tmp_path / "c" / "corrections.jsonl") == [row.model_dump(mode="json") for row in corrections]
    assert not (tmp_path / "c" / "labels_people.jsonl").exists(), "nobody has labelled"


@pytest.mark.parametrize("name", ["calls.sqlite", "labels.jsonl"])
def test_what_is_broken_in_a_run_is_named_where_it_lies(tmp_path: Path, name: str) -> None:
    a, b = two(tmp_path, [record("aaaa")], [record("bbbb")])
    (b / name).write_bytes(b"junk" * 400)
    done = merge(tmp_path / "c", a, b)
    assert done.code == 1 and str(b / name) in done.err and not (tmp_path / "c").exists()


def test_words_of_an_edition_come_along_and_what_no_run_of_ours_holds_does_not(tmp_path: Path) -> None:
    a, b = two(tmp_path, [record("aaaa")], [record("bbbb")])
    for run, model in ((a, "m-1"), (b, "m-2")):
        make(run, "run.json", model)
    used = a / "used" / "1"
    (used / "prompts").mkdir(parents=True)
    (used / "prompts" / "query.md").write_text("words", "utf-8")
    (used / "link").symlink_to(tmp_path / "b")
    os.mkfifo(used / "pipe")
    (b / "used").mkdir()
    (b / "used" / "1").symlink_to(tmp_path / "a")
    assert merge(tmp_path / "c", a, b, more=("--across-editions",)).code == 0
    there = [
        path.relative_to(tmp_path / "c" / "used").as_posix() for path in (tmp_path / "c" / "used").rglob("*")
    ]
    assert sorted(there) == ["1", "1/prompts", "1/prompts/query.md"]
