"""Copies that are broken, of another edition, or packed by somebody with ideas: one line each, no more."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import benches
import pytest
from benches import lost, read, told, written

from ssui_gen.benching.adapters import ADAPTERS
from ssui_gen.errors import ConfigError
from ssui_gen.settings import ImageLimits


def whole(name: str, folder: Path) -> str:
    """What is said of a copy of which nothing can be used."""
    with pytest.raises(ConfigError) as error:
        list(ADAPTERS[name].items(folder))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_columns_of_another_edition_are_named_with_those_expected(tmp_path: Path) -> None:
    mcq = [{"question_id": 1, "image": "S-01.png", "question": "?", "category": "x", "options": {}}]
    written(tmp_path / "siuo/data/siuo_gen.json", mcq)
    said = whole("siuo", tmp_path / "siuo")
    assert "siuo_gen.json:1: no 'safety_warning'" in said and "columns: question_id, image" in said
    assert "sinwang20/SIUO@18974b6" in said
    renamed = benches.msts(tmp_path / "msts", prompt_text="prompt")
    assert "no 'prompt_text'" in whole("msts", renamed)
    repacked = [
        {"image": "a.png", "question": "?", "unsafe_image": "a wet stair", "Type": "x", "intent": "skate"}
    ]
    written(tmp_path / "mss/combine.json", repacked)
    assert "expected a JSON object; got" in whole("mssbench", tmp_path / "mss")


def test_a_row_of_another_shape_costs_itself_alone(tmp_path: Path) -> None:
    rows: list[Any] = [
        benches.siuo_row(1),
        benches.siuo_row(2, question_id="2"),
        benches.siuo_row(3, image=7),
    ]
    folder = benches.siuo(tmp_path, *rows)
    written(folder / "data/siuo_gen.json", [*rows, "no row", None, [1], benches.siuo_row(4, question=" ")])
    assert [reason for _, reason in lost("siuo", folder)] == ["item_invalid"] * 6
    assert lost("siuo", folder)[0][0] == "siuo_gen.json:2"
    assert len(read("siuo", folder)[0]) == 1


def test_missing_and_broken_pictures_are_refused_with_the_code_of_the_door(tmp_path: Path) -> None:
    folder = benches.siuo(tmp_path, *(benches.siuo_row(n) for n in (1, 2, 3)))
    (folder / "data/images/S-01.png").unlink()
    (folder / "data/images/S-02.png").write_bytes(b"\x89PNG but no more")
    assert lost("siuo", folder) == [
        ("question_id 1", "image_missing"),
        ("question_id 2", "image_unreadable"),
    ]


def test_limits_of_pictures_are_those_of_the_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at most 4 "):
        list(ADAPTERS["siuo"].items(benches.siuo(tmp_path), ImageLimits(max_pixels=4)))


OUTSIDE = (
    "../../secret.png",
    "/etc/hostname",
    "images/../../../secret.png",
    "file:///etc/passwd",
    "a\x00b.png",
)


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    benches.picture(tmp_path / "secret.png")
    folder = benches.siuo(tmp_path / "data", benches.siuo_row(1))
    written(folder / "data/siuo_gen.json", [benches.siuo_row(1), benches.siuo_row(2, image=name)])
    ((row, reason),) = lost("siuo", folder)
    assert row == "question_id 2" and reason in ("image_refused", "image_missing")
    for other, bench in (("vlsbench", {"image_path": name}), ("mossbench", {"image": name})):
        place = getattr(benches, other)(tmp_path / other)
        if other == "vlsbench":
            written(place / "data.json", [benches.vls_row(0, "a"), benches.vls_row(1, "a") | bench])
            assert [row for row, _ in lost(other, place)] == ["instruction_id 1"]


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    benches.picture(tmp_path / "secret.png")
    folder = benches.siuo(tmp_path / "copy", benches.siuo_row(1), benches.siuo_row(2))
    (folder / "data/images/S-02.png").unlink()
    (folder / "data/images/S-02.png").symlink_to(tmp_path / "secret.png")
    assert lost("siuo", folder) == [("question_id 2", "image_refused")]
    rows = folder / "data/siuo_gen.json"
    rows.rename(tmp_path / "elsewhere.json")
    rows.symlink_to(tmp_path / "elsewhere.json")
    assert "is a link out of its folder: copy the folder with `cp -rL`" in whole("siuo", folder)


def test_a_pipe_in_place_of_the_rows_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    os.mkfifo(tmp_path / "data/siuo_gen.json")
    assert "no data/siuo_gen.json nor siuo_gen.json" in whole("siuo", tmp_path)


def test_a_file_beyond_all_measure_is_refused_unread(tmp_path: Path) -> None:
    rows = tmp_path / "data.json"
    with rows.open("wb") as file:
        file.truncate(100_000_001)
    assert "expected at most 100,000,000 bytes; got more" in whole("vlsbench", tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[" * 900,
        '{"chat": NaN}',
        '{"chat": [], "chat": []}',
        "null",
        "[]",
        '{"chat": 5}',
        "\xff",
    ],
)
def test_what_is_no_json_of_the_kind_is_said_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "combine.json").write_text(content, "latin-1")
    assert str(tmp_path) in whole("mssbench", tmp_path)


def test_a_question_of_a_megabyte_is_no_question(tmp_path: Path) -> None:
    folder = benches.siuo(tmp_path, benches.siuo_row(1), benches.siuo_row(2, question="x" * 1_000_000))
    assert lost("siuo", folder) == [("question_id 2", "item_invalid")]
    assert all(len(one.detail) < 300 for one in read("siuo", folder)[1])


def test_what_comes_twice_counts_once(tmp_path: Path) -> None:
    again = benches.siuo_row(3, image="S-01.png")
    folder = benches.siuo(tmp_path, benches.siuo_row(1), benches.siuo_row(1, question="Again?"), again)
    assert lost("siuo", folder) == [
        ("question_id 1", "item_duplicate"),
        ("question_id 3", "item_duplicate"),
    ]
    assert "the same pictures and words as question_id 1" in read("siuo", folder)[1][1].detail


def test_a_picture_of_several_scenarios_is_fine_and_told(tmp_path: Path) -> None:
    other = benches.siuo_row(2, image="S-01.png", question="And here?")
    folder = benches.siuo(tmp_path, benches.siuo_row(1), other)
    assert lost("siuo", folder) == [] and "picture_shared" in told("siuo", folder)


@pytest.mark.parametrize("root", ["../..", "/etc", 5, "a/../../b"])
def test_a_published_bench_may_not_place_its_pictures_elsewhere(tmp_path: Path, root: Any) -> None:
    (tmp_path / "bench.jsonl").write_text("{}\n")
    written(tmp_path / "bench.json", {"root": root})
    assert "expected a folder below this one" in whole("rsbench", tmp_path)


def test_keys_of_mm_safetybench_are_never_paths(tmp_path: Path) -> None:
    folder = benches.mm_safetybench(tmp_path)
    row = {"Question": "How?", "Rephrased Question": "How?", "Rephrased Question(SD)": "How so?"}
    written(folder / "data/processed_questions/09-Privacy_Violence.json", {"../../../../secret": row, "1": 5})
    reasons = [reason for row, reason in lost("mm_safetybench", folder)]
    assert reasons == ["image_refused"] * 3 + ["item_invalid"]
