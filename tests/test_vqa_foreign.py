"""Sets of visual questions that nobody here made: what a table, a number or a text in them may be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from asked import only, read, row, sets, shown, written
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.benching.vqa.reading import key_of
from ssui_gen.benching.vqa.rows import options_in
from ssui_gen.benching.vqa.scoring import Key
from ssui_gen.errors import ConfigError

SECOND = '"image": "2.png", "question": "Q2?"'


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ('"answer": "yes", "answer": "no"', "the key 'answer' stands twice"),
        ('"answer": NaN', "no answers"),
        ('"answer": 1e999', "no answers"),
        ('"answer": "\\ud800"', "lone surrogate"),
        ('"answer": "yes", "id": "\\udfff"', "lone surrogate"),
        (f'"answer": {"[" * 99}{"]" * 99}', "nested too deeply"),
    ],
)
def test_a_row_of_an_array_is_read_as_strictly_as_a_line(tmp_path: Path, fields: str, said: str) -> None:
    file = shown(tmp_path, "1.png", "2.png") / "set.json"
    file.write_text(f"[{json.dumps(row(1))}, {{{SECOND}, {fields}}}]")
    made = read(file, tmp_path / "home")
    assert [item.source.row for item in made.items] == ["1"]
    (left,) = made.refused
    assert "set.json:2: " in left.detail and said in left.detail


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.json", "a.jsonl"])
def test_nobody_waits_for_a_pipe_among_tables(tmp_path: Path, name: str) -> None:
    (tmp_path / "set").mkdir()
    os.mkfifo(tmp_path / "set" / name)
    with pytest.raises(ConfigError):
        read(tmp_path / "set", tmp_path / "home")


def test_a_parquet_file_whose_texts_are_no_utf_8_is_refused_in_words(tmp_path: Path) -> None:
    ends, text = b"\0\0\0\0\4\0\0\0\6\0\0\0", b"Q\xff\xfe?R?"
    asked = pyarrow.StringArray.from_buffers(2, pyarrow.py_buffer(ends), pyarrow.py_buffer(text))
    table = pyarrow.table({"question": asked, "image": ["1.png", "2.png"], "answer": ["yes", "no"]})
    pyarrow.parquet.write_table(table, shown(tmp_path, "1.png", "2.png") / "set.parquet")
    with pytest.raises(ConfigError, match="cannot be read as parquet"):
        read(tmp_path / "set.parquet", tmp_path / "home")


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"answer": 2.0}, Key(("2",))),
        ({"answer": 2.5}, Key(("2.5",))),
        ({"answers": [3.0] * 10}, Key(("3",) * 10)),
        ({"options": ["x", "y"], "answer": 1.0}, Key(("B",), ("x", "y"))),
        ({"options": ["x", "y"], "answer": None, "correct_choice_idx": 1.0}, Key(("B",), ("x", "y"))),
        ({"options": {"A": "x", "B": "y", "C": None}, "answer": "B"}, Key(("B",), ("x", "y"))),
        ({"options": {"b": "y", "a": "x"}, "answer": "y"}, Key(("B",), ("x", "y"))),
        ({"options": {}, "answer": "b"}, Key(("b",))),
    ],
)
def test_numbers_with_gaps_and_options_by_letter_are_read(
    tmp_path: Path, fields: dict[str, Any], key: Key
) -> None:
    assert key_of(only(tmp_path / "set", **fields)) == key


def test_gaps_of_a_table_are_no_answers_and_its_ids_and_pictures_are_whole_numbers(tmp_path: Path) -> None:
    asked = [
        {"id": 1.0, "image_id": 1.0, "question": "Q1?", "answer": 2.0},
        {"id": 2.0, "image_id": 2.0, "question": "Q2?", "answer": float("nan")},
        {"id": None, "image_id": 1.0, "question": "Q3?", "answer": None},
    ]
    file = shown(tmp_path, "1.png", "2.png") / "set.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(asked), file)
    made = read(file, tmp_path / "home")
    assert [(item.source.row, key_of(item)) for item in made.items] == [("1", Key(("2",)))]
    assert ["no answers" in one.detail for one in made.refused] == [True, True]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"options": [{"text": "x"}, {"text": "y"}], "answer": "B"}, "options: expected a list of texts"),
        ({"options": {"1": "x", "2": "y"}, "answer": "2"}, "options: expected a list of texts"),
        ({"options": 5, "answer": "B"}, "options: expected a list of texts"),
        ({"answer": "y" * 20_001}, "what is right has 20,001 characters"),
        ({"answers": ["y" * 3_000] * 10}, "what is right has 30,000 characters"),
        ({"question": "A. x" + "(" * 500_000, "answer": "A"}, "the question has 500,004 characters"),
        ({"answers": "[" * 100_000}, "no answers"),
    ],
)
def test_what_cannot_be_read_costs_its_row(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    data = written(shown(tmp_path, "1.png", "2.png") / "set.json", [row(2), row(1, **fields)])
    made = read(data, tmp_path / "home")
    assert len(made.items) == 1 and [said in one.detail for one in made.refused] == [True]


@given(
    st.lists(st.text("abc ", min_size=1).filter(str.strip), min_size=2, max_size=6), st.sampled_from(" ,;(")
)
def test_options_in_a_question_are_found_behind_any_run_of_marks(texts: list[str], mark: str) -> None:
    said = f"{mark * 9} ".join(
        f"{letter}. {text.strip()}" for letter, text in zip("ABCDEF", texts, strict=False)
    )
    assert options_in(f"Which? {said}") == tuple(text.strip() for text in texts)


def test_ids_that_begin_alike_are_two(tmp_path: Path) -> None:
    long = "x" * 300
    made = read(sets(tmp_path / "set", row(1, id=f"{long}1"), row(2, id=f"{long}2")))
    assert len(made.items) == 2 and not made.refused
