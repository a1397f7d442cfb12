"""What a run remembers: where its pictures lie, who made it; and what else may stand in its run.json."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from exploring import judge, policy
from fake_server import Fake
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import Job, here, job, plain, rows

from ssui_gen.errors import RecordError
from ssui_gen.manifest import Manifest, pictures_of, read_manifest, seeds_of, title_of


def manifest(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "run.json").read_text("utf-8"))
    return content


def remembered(todo: Job, *command: str) -> list[str]:
    """A later stage that is told the run and nothing of its seeds."""
    return [*command, "--run", str(todo.run)]


def test_seeds_named_by_a_relative_path_are_found_from_another_folder(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = job(tmp_path / "my photos", fake.url, plain(2))
    monkeypatch.chdir(tmp_path)
    assert made.here("--seeds", "my photos/seeds.jsonl").code == 0
    monkeypatch.chdir("/")
    end = here(remembered(made, "curation", "export", "--as", "ana"))
    assert (end.code, "not shown" in end.out) == (0, False)
    assert len(list((made.run / "curation/pictures").glob("*.png"))) == 2


def test_pairs_need_not_be_told_where_the_pictures_lie(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(1, kind="risky"))
    made.here()
    fake.answers = {"none": policy, "judge: right": judge}
    end = here([*remembered(made, "pairs", "--uncurated"), "--base-url", fake.url])
    assert (end.code, rows(made.run / "pairs_rejects.jsonl")) == (0, [])
    assert rows(made.run / "pairs.jsonl") and "--model fake-vlm" in end.out.splitlines()[-1]


def test_models_are_those_of_the_run_where_nothing_else_is_said(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(1, kind="risky"))
    made.here()
    fake.answers = {"none": policy, "judge: right": judge}
    end = here(remembered(made, "pairs", "--uncurated"))
    assert (end.code, rows(made.run / "pairs_rejects.jsonl")) == (0, []), end.err
    other = here([*remembered(made, "pairs", "--uncurated"), "--base-url", "http://127.0.0.1:1/v1"])
    assert other.code == 1 and "127.0.0.1:1" in other.err


def test_the_dataset_goes_on_with_the_seeds_it_began_with(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(3, kind="risky"))
    made.here("--limit", "1")
    told = [word for word in made.command() if word not in ("--seeds", str(made.seeds))]
    assert here(told).code == 0
    assert sorted(row["seed_id"] for row in made.paths) == ["s0", "s1", "s2"]
    assert not (made.run / "seeds").exists()


def test_a_run_that_was_moved_finds_what_lies_in_it(tmp_path: Path) -> None:
    run = tmp_path / "a" / "run"
    (run / "seeds").mkdir(parents=True)
    (run / "seeds/seeds.jsonl").touch()
    known = Manifest(seeds=seeds_of(run / "seeds/seeds.jsonl", run))
    (run / "run.json").write_text(known.model_dump_json())
    shutil.move(tmp_path / "a", tmp_path / "b")
    assert pictures_of(tmp_path / "b/run", None) == tmp_path / "b/run/seeds"


def test_seeds_below_another_root_are_refused_while_the_first_is_there(fake: Fake, tmp_path: Path) -> None:
    made, other = job(tmp_path / "one", fake.url, plain(1)), job(tmp_path / "two", fake.url, plain(2))
    made.here()
    end = made.here("--seeds", str(other.seeds))
    assert end.code == 1 and "use a new RUN, or --mix" in end.err
    assert len(made.paths) == 2
    made.folder.rename(tmp_path / "moved")
    run = tmp_path / "moved/run"
    config = str(tmp_path / "moved/run.yaml")
    again = here(other.command("--run", str(run), "--config", config))
    assert (again.code, len(rows(run / "reasoning_paths.jsonl"))) == (0, 4), again.err


def test_pictures_that_are_nowhere_are_an_error_and_not_a_blind_page(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path / "photos", fake.url, plain(2))
    elsewhere = tmp_path / "run"
    made.here("--run", str(elsewhere))
    shutil.rmtree(made.folder)
    for command in (["curation", "export"], ["pairs", "--uncurated"]):
        end = here([*command, "--run", str(elsewhere)])
        assert end.code == 1 and "SEEDS=" in end.err and end.err.count("\n") == 1
    assert not (elsewhere / "curation/gallery.html").exists()


WRONG = [
    "", "{", "[]", "null", "1", '"x"', '{"editions": {}}', '{"editions": [1]}', '{"editions": [{}]}',
    '{"editions": [{"from_row": "x", "since": 1, "edition": []}]}', '{"seeds": []}', '{"seeds": {"root": 1}}',
    '{"features": []}', '{"settings": null}', '{"schema": "x"}', '{"toy": "maybe"}', '{"later": 1}',
    '{"toy": true, "toy": false}', "[" * 100_000, "1" * 6000, '{"toy": NaN}', "\xff",
]  # fmt: skip


@pytest.mark.parametrize("content", WRONG, ids=range(len(WRONG)))
def test_a_run_json_of_another_shape_is_one_line_that_says_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "reasoning_paths.jsonl").touch()
    (tmp_path / "run.json").write_text(content, "latin-1")
    end = here(["curation", "export", "--run", str(tmp_path)])
    assert end.code == 1 and end.err.count("\n") == 1, end.err
    assert "run.json" in end.err and "move it away: mv " in end.err


def test_a_run_json_that_is_enormous_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "run.json").open("wb") as file:
        file.truncate(10**11)
    with pytest.raises(
        RecordError, match=r"run\.json: expected at most 20,000,000 bytes; got more; put it back"
    ):
        read_manifest(tmp_path / "run.json")


@settings(max_examples=60)
@given(st.binary(max_size=60) | st.recursive(st.none() | st.integers() | st.text(max_size=4), st.lists))
def test_no_content_of_run_json_is_worse_than_a_record_error(tmp_path_factory: Any, content: object) -> None:
    path = tmp_path_factory.mktemp("run") / "run.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    try:
        read_manifest(path)
    except RecordError as error:
        assert str(path) in str(error)


def test_the_toy_refuses_other_pictures_than_drawn_scenes_unless_it_is_told_to(tmp_path: Path) -> None:
    made = job(tmp_path, "", plain(1))
    for stage in ("dataset", "pairs"):
        (made.run).mkdir(exist_ok=True)
        (made.run / "reasoning_paths.jsonl").touch()
        uncurated = ["--uncurated"] if stage == "pairs" else []
        end = here([stage, "--run", str(made.run), "--seeds", str(made.seeds), *uncurated])
        assert end.code == 1 and "TOY=1 (--toy)" in end.err and end.err.count("\n") == 1
    (tmp_path / "truth.jsonl").write_text('{"seed_id": "x"}\n')
    assert here(["dataset", "--run", str(made.run), "--seeds", str(made.seeds)]).code == 1


@pytest.mark.parametrize("name", ["run.json", "pairs.json"])
def test_pages_say_that_a_toy_made_it(tmp_path: Path, name: str) -> None:
    assert title_of(tmp_path / "demo") == "demo"
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / name).write_text('{"toy": true}')
    assert title_of(tmp_path / "demo") == "demo (made by a toy model)"


def test_a_changed_taxonomy_makes_another_edition(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(2))
    made.here("--limit", "1")
    known = manifest(made.run)
    blob = known["editions"][0]["edition"]["rendered"]["taxonomy.yaml"]
    assert (made.run / "used/1/taxonomy.yaml").is_file()
    text = (made.run / "run.json").read_text()
    (made.run / "run.json").write_text(text.replace(blob, "00000000"))
    end = made.here()
    assert end.code == 1 and f"taxonomy.yaml 00000000 → {blob}" in end.err
    del known["editions"][0]["edition"]["rendered"]
    (made.run / "run.json").write_text(json.dumps(known))
    assert made.here().code == 0
