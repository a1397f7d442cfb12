"""Sets of visual questions as others publish them, and what is wrong with rows, pictures and files."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from asked import TEN, only, png, read, refused, row, sets, shown, written

from ssui_gen.benching.vqa.reading import key_of
from ssui_gen.benching.vqa.rows import options_in
from ssui_gen.benching.vqa.scoring import Key
from ssui_gen.config_vqa import Vqa
from ssui_gen.errors import ConfigError

PEOPLE = Key(tuple(TEN))
SHAPES: dict[str, tuple[dict[str, Any], Key]] = {
    "VQA v2": (
        {"answer": None, "answers": [{"answer": one, "answer_id": n} for n, one in enumerate(TEN)],
         "multiple_choice_answer": "yes", "answer_type": "yes/no"},
        PEOPLE,
    ),
    "OK-VQA, TextVQA": ({"answer": None, "answers": TEN}, PEOPLE),
    "a struct of lists": ({"answer": None, "answers": {"answer": TEN, "answer_id": [*range(10)]}}, PEOPLE),
    "A-OKVQA without its choices": ({"answer": None, "direct_answers": json.dumps(TEN)}, PEOPLE),
    "a list as Python writes it": ({"answer": None, "answers": str(TEN)}, PEOPLE),
    "GQA": ({"answer": "a red car", "fullAnswer": "It is a red car."}, Key(("a red car",))),
    "a number": ({"answer": 3}, Key(("3",))),
    "a list of one": ({"answer": ["two"]}, Key(("two",))),
    "ScienceQA": ({"choices": ["x", "y", "z"], "answer": 2, "hint": "Up."}, Key(("C",), ("x", "y", "z"))),
    "A-OKVQA": ({"choices": ["x", "y"], "correct_choice_idx": 1, "answer": None}, Key(("B",), ("x", "y"))),
    "AI2D": ({"options": ["x", "y"], "answer": "1"}, Key(("B",), ("x", "y"))),
    "MMBench": ({"A": "x", "B": "y", "C": None, "D": "", "answer": "B"}, Key(("B",), ("x", "y"))),
    "the option's text": ({"options": "['x', 'y']", "answer": "Y"}, Key(("B",), ("x", "y"))),
    "MMStar": (
        {"question": "Which?\nOptions: A: a red car, B: two, C: the sea", "answer": "C"},
        Key(("C",), ("a red car", "two", "the sea")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_rows_of_each_published_shape_are_read(tmp_path: Path, name: str) -> None:
    fields, key = SHAPES[name]
    assert key_of(only(tmp_path / "set", **fields)) == key


def test_a_question_shows_its_hint_its_options_and_how_it_is_to_be_answered(tmp_path: Path) -> None:
    choices = row(1, choices=["x", "y"], answer=0, hint="Look up.", type="sky")
    items = read(sets(tmp_path / "set", choices, row(2)), asking=Vqa()).items
    ask = Vqa()
    assert [item.text for item in items] == [f"Look up.\nQ1?\nA. x\nB. y\n{ask.letter}", f"Q2?\n{ask.short}"]
    assert (items[0].category, items[0].kind, items[0].danger) == ("sky", "benign", "")
    sha = hashlib.sha256((tmp_path / "set/1.png").read_bytes()).hexdigest()
    assert items[0].scenario_id == f"vqa:{sha[:16]}" and items[0].images[0].sha256 == sha


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ("Which?\n(A) x\n(B) y z\n(C) w", ("x", "y z", "w")),
        ("Which? A. x B. y", ("x", "y")),
        ("Is A. Smith here?", ()),
        ("What is at B: the tree or C: the car?", ()),
    ],
)
def test_options_are_found_in_a_question_s_own_words_from_a_on(asked: str, options: tuple[str, ...]) -> None:
    assert options_in(asked) == options


# --- what is wrong with a row ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"answer": None}, "no answers: expected `answers`, `answer`"),
        ({"answer": "", "answers": []}, "no answers"),
        ({"answer": None, "answers": ["", ""]}, "no answers: the list is empty"),
        ({"answer": None, "answers": TEN[:9]}, "9 answers: expected 10, of which VQA accuracy is made"),
        ({"answer": None, "answers": [*TEN, "x"]}, "11 answers: expected 10"),
        ({"choices": ["x", "y"], "answer": 2}, "place 2, counted from 0 is none of 2 options (A to B)"),
        ({"choices": ["x", "y"], "answer": -1}, "place -1"),
        ({"choices": ["x", "y"], "answer": "C"}, "the letter C is none of 2 options (A to B)"),
        ({"choices": ["x", "y"], "answer": "z z"}, "'z z' is the text of none of the options"),
        ({"choices": ["x", "x"], "answer": "x"}, "answer"),
        ({"choices": ["x", "y"], "answer": None}, "no answers: which of 2 options is right?"),
        ({"choices": ["x"], "answer": 0}, "options: expected 2 to 26"),
        ({"choices": ["x", "", "y"], "answer": 0}, "options: expected 2 to 26, each with a text"),
        ({"choices": ["B", "A"], "answer": "B"}, "the letter of one option and the text of another"),
        ({"choices": ["0", "2", "1"], "answer": "1"}, "the place of one option and the text of another"),
        ({"question": " "}, "no question: expected one of the columns question, query"),
        ({"question": "Which? A. x B. y", "answer": "C"}, "the letter C is none of 2 options"),
        ({"image": [f"{n % 4 + 1}.png" for n in range(9)]}, "9 pictures; at most 8"),
        ({"question": "Q" * 20_001}, "20,001 characters"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_scored_costs_itself_alone_and_says_why(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    found = refused(tmp_path / "set", **fields)
    assert (found.reason, found.lost, found.row) == ("item_invalid", True, "mine.jsonl:2")
    assert said in found.detail and found.detail.startswith("mine.jsonl:2: ")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"image": "none.png"}, "image_missing"),
        ({"image": None}, "image_missing"),
        ({"image": "../1.png"}, "image_refused"),
        ({"image": "mine.jsonl"}, "image_unreadable"),
        ({"image": base64.b64encode(png(7) + bytes(200)).decode()}, "image_refused"),
        ({"image": {"bytes": None, "path": None}}, "image_missing"),
    ],
)
def test_a_picture_that_cannot_be_shown_costs_its_row(
    tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    assert refused(tmp_path / "set", **fields).reason == reason


def test_an_id_that_came_before_and_the_same_question_under_the_same_picture_are_told(tmp_path: Path) -> None:
    made = read(sets(tmp_path / "set", row(1), row(2, id="1"), row(1, id="3"), row(3, id=None)))
    assert [item.source.row for item in made.items] == ["1", ""]
    assert [one.reason for one in made.refused] == ["item_duplicate"] * 2
    assert "the id '1' came before, in mine.jsonl:1; the first is kept" in made.refused[0].detail
    assert "the same picture and words as mine.jsonl:1" in made.refused[1].detail


def test_a_line_that_is_no_json_costs_itself(tmp_path: Path) -> None:
    file = sets(tmp_path / "set", row(1))
    file.write_text("{broken\n" + file.read_text())
    made = read(file)
    assert len(made.items) == 1 and made.refused[0].row == "mine.jsonl:1"


# --- what is wrong with a set ------------------------------------------------------------------------


def test_a_set_without_pictures_is_refused(tmp_path: Path) -> None:
    file = sets(tmp_path / "set", *({"question": f"Q{n}?", "answer": "yes"} for n in range(3)))
    with pytest.raises(
        ConfigError, match=r"not one of 3 rows can be asked; the first: .*no picture in the row"
    ):
        read(file)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.jsonl", None, "no such file or folder"),
        ("empty.jsonl", b"", "not one row; a row"),
        ("a.txt", b"x", "no rows: expected a file"),
        ("a.json", b"{", "cannot be read as json"),
        ("a.parquet", b"PAR1", "cannot be read as parquet"),
    ],
)
def test_a_file_that_is_none_is_told_in_a_line(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=said) as error:
        read(tmp_path / name)
    assert "\n" not in str(error.value)


# --- where pictures and answers lie ------------------------------------------------------------------


def test_vqa_s_questions_and_annotations_are_joined_and_coco_s_pictures_found_by_number(
    tmp_path: Path,
) -> None:
    folder = shown(
        tmp_path / "set", "val2014/COCO_val2014_000000000042.jpg", "val2014/COCO_val2014_000000000139.jpg"
    )
    questions = [{"image_id": 42, "question": "Is it?", "question_id": 42000}]
    questions += [{"image_id": 7, "question": "Is it?", "question_id": 7000}]
    answers = [{"answer": one, "answer_id": n} for n, one in enumerate(TEN)]
    notes = [
        {"question_id": one["question_id"], "answers": answers, "answer_type": "yes/no"} for one in questions
    ]
    written(folder / "annotations.json", {"info": {}, "annotations": notes})
    written(folder / "questions.json", {"info": {}, "questions": questions})
    made = read(folder)
    (item,) = made.items
    assert item.images[0].path == "val2014/COCO_val2014_000000000042.jpg" and made.root == folder
    assert key_of(item) == PEOPLE and item.category == "yes/no" and item.source.version == "questions"
    assert (
        made.refused[0].reason == "image_missing" and "no pictures of this number" in made.refused[0].detail
    )


def test_a_picture_is_found_by_its_name_without_an_ending(tmp_path: Path) -> None:
    folder = shown(tmp_path / "set", "images/n161313.png", "images/other.png")
    written(folder / "gqa.json", {"201": {"imageId": "n161313", "question": "Which?", "answer": "left"}})
    assert read(folder / "gqa.json").items[0].images[0].path == "images/n161313.png"


def test_pictures_out_of_parquet_are_kept_once_in_the_run(tmp_path: Path) -> None:
    file, home = tmp_path / "set.parquet", tmp_path / "run/bench-vqa"
    found = [
        {"image": {"bytes": png(n % 2), "path": "x.png"}, "question": f"Q{n}?", "answers": TEN}
        for n in range(4)
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(found), file)
    made = read(file, home)
    assert made.root == home and len(made.items) == 4
    kept = sorted(path.name for path in (home / "pictures").iterdir())
    assert kept == sorted(f"{hashlib.sha256(png(n)).hexdigest()}.png" for n in range(2))
    assert {item.images[0].path for item in made.items} == {f"pictures/{name}" for name in kept}


def test_parquet_files_alone_are_one_set_whose_rows_are_told_by_their_file(tmp_path: Path) -> None:
    found = [{"image": {"bytes": png(1), "path": None}, "question": "Q?", "answer": "yes"}]
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(2):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(found), folder / f"part-{number}.parquet")
    made = read(folder, tmp_path / "home")
    assert [item.extra["vqa"]["set"] for item in made.items] == ["set"]
    assert made.refused[0].detail == "part-1.parquet:1: the same picture and words as part-0.parquet:1"


def test_pictures_in_base64_of_a_table_are_read(tmp_path: Path) -> None:
    data = png(5) + bytes(200)  # what stands behind a PNG's end is no part of it
    lines = ["index\timage\tquestion\tA\tB\tanswer", f"1\t{base64.b64encode(data).decode()}\tWhich?\tx\ty\tB"]
    (tmp_path / "set.tsv").write_text("\n".join(lines) + "\n")
    (item,) = read(tmp_path / "set.tsv", tmp_path / "home").items
    assert key_of(item) == Key(("B",), ("x", "y")) and (tmp_path / "home" / item.images[0].path).is_file()


def test_files_of_a_folder_are_sets_of_their_own_with_ids_of_their_own(tmp_path: Path) -> None:
    folder = sets(tmp_path / "set", row(1)).parent
    written(folder / "other.jsonl", [row(2, id="1")])
    assert [item.extra["vqa"]["set"] for item in read(folder).items] == ["mine", "other"]


def test_the_same_set_gives_the_same_items_wherever_it_lies(tmp_path: Path) -> None:
    one, other = (read(sets(tmp_path / name, row(1), row(2))).items for name in ("a", "b"))
    assert [item.model_dump() for item in one] == [item.model_dump() for item in other]
