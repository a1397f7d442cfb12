"""A benchmark on disk: what is read, what is left out and why, and which folder is whose."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benching import PLAYED, Run, benched, item, items, picture
from fake_server import Fake
from jobs import rows

from ssui_gen.benching.bench import Bench, read_bench, write_bench
from ssui_gen.benching.records import Item, Twin
from ssui_gen.benching.sources import Source, find, folder_in
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.records import Reason
from ssui_gen.settings import ImageLimits

Row = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bench(tmp_path, "invented", tmp_path, items(tmp_path), version="1", licence="CC0")
    return tmp_path


def change(folder: Path, edit: Callable[[list[Row]], object]) -> Bench:
    """Read it with other rows, as if they had been written so."""
    file = folder / "bench.jsonl"
    found = rows(file)
    edit(found)
    file.write_text("".join(json.dumps(row) + "\n" for row in found))
    (folder / "bench.json").unlink()
    return read_bench(folder)


def reasons(bench: Bench) -> Counter[str]:
    return Counter(reject.reason for reject in bench.rejects)


def test_what_was_written_is_read(folder: Path) -> None:
    bench = read_bench(folder)
    assert (bench.name, bench.root, len(bench.items), bench.rejects) == ("invented", folder, 6, ())
    assert (bench.about.version, bench.about.licence, bench.shared) == ("1", "CC0", 0)
    assert json.loads((folder / "bench.json").read_text())["root"] == "."
    assert [bench.items[0].id, *bench.items[0].images] == [items(folder)[0].id, *items(folder)[0].images]


FAULTS: dict[str, tuple[Callable[[list[Row]], object], dict[str, int]]] = {
    "no danger": (lambda found: found[0].update(danger=" "), {"danger_missing": 1, "twin_unknown": 1}),
    "another version's columns": (lambda found: found[1].update(query="?"), {"item_invalid": 1}),
    "another schema": (lambda found: found[1].update(schema=2), {"item_invalid": 1}),
    "an id twice": (lambda found: found[3].update(id=found[1]["id"]), {"item_duplicate": 1}),
    "the same under another id": (
        lambda found: found.append({**found[1], "id": "another"}),
        {"item_duplicate": 1},
    ),
    "a picture that lacks": (
        lambda found: found[1]["images"][0].update(path="pictures/gone.png"),
        {"image_missing": 1},
    ),
    "a picture outside": (
        lambda found: found[1]["images"][0].update(path="../secret.png"),
        {"image_refused": 1},
    ),
    "an address": (
        lambda found: found[1]["images"][0].update(path="http://example.com/a.png"),
        {"image_refused": 1},
    ),
    "another picture": (lambda found: found[1]["images"][0].update(sha256="0" * 64), {"image_changed": 1}),
    "nine pictures": (lambda found: found[1].update(images=found[1]["images"] * 9), {"item_invalid": 1}),
    "a twin of nobody": (lambda found: found[1]["twin"].update(of="nobody"), {"twin_unknown": 1}),
    "a twin of another scenario": (
        lambda found: found[1]["twin"].update(of=found[2]["id"]),
        {"twin_unknown": 1},
    ),
    "nothing to ask": (lambda found: found[1].update(text=" ", images=[]), {"item_invalid": 1}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_with_an_item_costs_it_and_what_needs_it(folder: Path, fault: str) -> None:
    edit, expected = FAULTS[fault]
    bench = change(folder, edit)
    assert reasons(bench) == expected
    assert len(bench.items) == len(rows(folder / "bench.jsonl")) - sum(expected.values())
    assert all(reject.detail and reject.stage == "bench" for reject in bench.rejects)


def test_a_line_that_is_no_json_is_located(folder: Path) -> None:
    (folder / "bench.json").unlink()
    with (folder / "bench.jsonl").open("a") as file:
        file.write('{"id": "x", \n')
    (reject,) = read_bench(folder).rejects
    assert (reject.reason, reject.seed_id) == (Reason.ITEM_INVALID, "line 7")
    assert f"{folder / 'bench.jsonl'}:7:" in reject.detail


def test_where_nothing_is_left_the_first_fault_is_told(folder: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"no item is left: 6 item_invalid; the first: .*bench\.jsonl:1: kind"
    ):
        change(folder, lambda found: [row.update(kind="strange") for row in found])
    with pytest.raises(ConfigError, match="no item is left: the file is empty"):
        (folder / "bench.jsonl").write_text("")
        read_bench(folder)


def test_a_file_that_was_changed_behind_its_description_is_refused(folder: Path) -> None:
    with (folder / "bench.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(ConfigError, match=r"is not the file that bench\.json describes"):
        read_bench(folder)


def test_a_description_that_is_none_is_located(folder: Path) -> None:
    (folder / "bench.json").write_text('{"name": "x", "colour": 1}')
    with pytest.raises(RecordError, match=r"bench\.json: colour: .*known: "):
        read_bench(folder)


def test_the_pictures_place_is_told_without_a_way_up(folder: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    write_bench(beside, "invented", folder, items(folder))
    assert ".." in json.loads((beside / "bench.json").read_text())["root"]
    found = read_bench(beside)
    assert (found.root, len(found.items)) == (folder.resolve(), 6)


def test_what_was_run_is_found_again_by_every_name_it_has(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    kept, _ = find(Source(run, str(folder), None, ImageLimits()))
    assert kept == run / "bench-invented"
    for named in ("invented", str(folder), str(kept), kept.name):
        assert folder_in(run, named).resolve() == kept.resolve(), named
    assert folder_in(run, None) == run / "bench"
    (tmp_path / "siuo").mkdir()
    assert folder_in(run, "siuo") == run / "bench-siuo"


def test_pictures_that_stand_in_several_scenarios_are_told(tmp_path: Path) -> None:
    shown = picture(tmp_path, "one.png", (1, 2, 3))
    write_bench(tmp_path, "x", tmp_path, [item("A?", "s1", shown), item("B?", "s2", shown)])
    assert read_bench(tmp_path).shared == 1


# --- which benchmark is run --------------------------------------------------------------------------


def test_a_folder_is_run_beside_the_runs_own(fake: Fake, tmp_path: Path) -> None:
    fake.answers = PLAYED
    brought = benched(tmp_path / "elsewhere", "").bench
    made = Run(tmp_path / "run", fake.url)
    done = made.here("--bench", str(brought))
    assert done.code == 0, done.err
    folder = made.run / "bench-invented"
    assert len(rows(folder / "fake-vlm" / "responses.jsonl")) == 6
    assert json.loads((folder / "bench.json").read_text())["root"] == str(brought.resolve())
    write_bench(brought, "invented", brought, items(brought, 2))
    done = made.here("--bench", str(brought))
    assert done.code == 1 and "holds other items than are there now, and fake-vlm have answered" in done.err


def test_a_brought_folder_chooses_no_pictures_outside_of_it(fake: Fake, tmp_path: Path) -> None:
    brought = tmp_path / "brought"
    write_bench(brought, "invented", tmp_path, items(tmp_path / "private", 1))
    about = json.loads((brought / "bench.json").read_text())
    for root in (str(tmp_path / "private"), "../private"):
        (brought / "bench.json").write_text(json.dumps({**about, "root": root}))
        done = Run(tmp_path / "run", fake.url).here("--bench", str(brought))
        assert done.code == 1 and "its pictures lie outside of it" in done.err and not fake.calls
    (brought / "inside").symlink_to(tmp_path / "private")
    (brought / "bench.json").write_text(json.dumps({**about, "root": "inside"}))
    assert "its pictures lie outside" in Run(tmp_path / "run", fake.url).here("--bench", str(brought)).err
    told = Run(tmp_path / "run", fake.url).here("--bench", str(brought), "--data", str(tmp_path / "private"))
    assert told.code == 0, told.err


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ((), "run/bench/bench.jsonl: no such file: `make bench` draws the microworld's"),
        (("--bench", "nosuch"), "no such benchmark or folder: 'nosuch'"),
        (("--bench", "."), "bench.jsonl: no such file"),
    ],
)
def test_no_benchmark_is_told_before_anything_is_asked(
    fake: Fake, tmp_path: Path, more: tuple[str, ...], says: str
) -> None:
    done = Run(tmp_path / "run", fake.url).here(*more)
    assert done.code == 1 and says in done.err
    assert not fake.calls and not fake.probes


def test_a_models_folder_is_one_part_of_a_path_whatever_it_is_called(fake: Fake, tmp_path: Path) -> None:
    fake.models = ("../../evil/..",)
    fake.answers = PLAYED
    made = benched(tmp_path, fake.url, 1)
    assert made.here().code == 0
    assert {path.parent.name for path in made.bench.glob("*/responses.jsonl")} == {"evil"}
    assert not (tmp_path / "evil").exists()


def test_twins_of_a_lost_twin_are_lost_too(tmp_path: Path) -> None:
    found: list[Item] = items(tmp_path, 1)
    twin = Twin(of=found[1].id, changed="text")
    third = item("Other?", "s0", picture(tmp_path, "third.png", (9, 9, 9)), kind="benign", twin=twin)
    (tmp_path / "pictures" / "0-1.png").unlink()
    write_bench(tmp_path, "x", tmp_path, [*found, third, item("Alone?", "s1")])
    bench = read_bench(tmp_path)
    assert reasons(bench) == {"image_missing": 1, "twin_unknown": 2} and len(bench.items) == 1
