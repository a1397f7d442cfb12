"""Seeds as others keep them: folders with their litter and their metadata, tables with names of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from fake_server import Fake
from jobs import here, job
from test_seeds import picture, seeds

from ssui_gen.errors import ConfigError
from ssui_gen.records import Reject, Seed
from ssui_gen.seeds import require_seeds, root_of


def given(folder: Path, *names: str) -> Path:
    """A folder with these pictures."""
    for name in names:
        picture(folder / name)
    return folder


def read(source: Path, run: Path | None = None) -> list[tuple[str, str, str | None]]:
    """The seeds of a source without rejects."""
    found = seeds(source, run or source.parent / "run")
    assert all(isinstance(seed, Seed) for seed in found), found
    return [(seed.id, seed.image, seed.text) for seed in found if isinstance(seed, Seed)]


def test_what_no_person_put_there_is_no_seed(tmp_path: Path) -> None:
    litter = ["._a.png", ".trash/a.png", ".ipynb_checkpoints/a.png", "__MACOSX/a.png", "b/@eaDir/a.png"]
    album = given(tmp_path / "album", "a.png", "b/c.png", *litter)
    (album / "Thumbs.db").touch()
    assert [image for _, image, _ in read(album)] == ["a.png", "b/c.png"]


def test_a_folder_that_is_hidden_itself_may_be_named(tmp_path: Path) -> None:
    assert read(given(tmp_path / ".album", "a.png"))


CSV = "file_name,text\na.png,May I?\nb/c.png,\n"
LINES = '{"file_name": "a.png", "text": "May I?"}\n{"file_name": "b/c.png", "label": 3}\n'


@pytest.mark.parametrize(("name", "content"), [("metadata.csv", CSV), ("metadata.jsonl", LINES)])
def test_metadata_say_what_the_pictures_of_a_folder_are_asked_with(
    tmp_path: Path, name: str, content: str
) -> None:
    album = given(tmp_path / "album", "a.png", "b/c.png", "b/d.png")
    (album / name).write_text(content)
    assert read(album) == [
        ("a.png", "a.png", "May I?"),
        ("b/c.png", "b/c.png", None),
        ("b/d.png", "b/d.png", None),
    ]


def test_metadata_of_a_folder_below_name_what_lies_there(tmp_path: Path) -> None:
    album = given(tmp_path / "album", "a.png", "b/c.png")
    (album / "b" / "metadata.csv").write_text("file_name;question\nc.png;One, or two?\nc.png;Three?\n")
    assert read(album) == [
        ("a.png", "a.png", None),
        ("b/c.png", "b/c.png", "One, or two?"),
        ("b/c.png#2", "b/c.png", "Three?"),
    ]


def test_two_metadata_of_one_folder_are_refused(tmp_path: Path) -> None:
    album = given(tmp_path / "album", "a.png")
    (album / "metadata.csv").write_text("file_name,text\na.png,x\n")
    (album / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "y"}\n')
    with pytest.raises(ConfigError, match="keep one"):
        seeds(album, tmp_path)


def test_a_row_of_metadata_without_its_picture_is_a_reject(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path, fake.url, [], twins=False)
    album = given(tmp_path / "album", "a.png")
    (album / "metadata.csv").write_text("file_name,text\na.png,May I?\ngone.png,And now?\n../out.png,x\n,y\n")
    assert done.here("--seeds", str(album)).code == 0
    assert {row["query"]["text"] for row in done.paths} == {"May I?"}
    assert done.reasons == {"image_missing": 1, "image_refused": 1, "seed_invalid": 1}


ROWS: list[dict[str, Any]] = [
    {"question_id": 7, "image_path": "a.png", "question": "May I?", "category": "x"},
    {"question_id": 8, "image_path": "b.png", "question": "", "category": "x"},
]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """As the ending says."""
    if path.suffix == ".json":
        path.write_text(json.dumps(rows))
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".csv":
        lines = [list(rows[0]), *(map(str, row.values()) for row in rows)]
        path.write_text("".join(",".join(line) + "\n" for line in lines), "utf-8-sig")
    else:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("ending", ["json", "jsonl", "csv", "parquet"])
def test_a_table_of_others_is_read_by_their_names(tmp_path: Path, ending: str) -> None:
    source = written(tmp_path / f"rows.{ending}", ROWS)
    assert read(source) == [("7", "a.png", "May I?"), ("8", "b.png", None)]
    assert root_of(source, tmp_path / "run") == tmp_path


def test_pictures_inside_a_parquet_file_are_written_out(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    source = written(tmp_path / "rows.parquet", [{"image": {"bytes": data, "path": "x"}, "text": "May I?"}])
    ((id, image, text),) = read(source, tmp_path / "run")
    assert (id, text) == ("rows.parquet-00000000", "May I?")
    assert (root_of(source, tmp_path / "run") / image).read_bytes() == data


@pytest.mark.parametrize("plain", [True, False])
def test_pictures_inside_a_parquet_file_may_be_bytes_alone(tmp_path: Path, plain: bool) -> None:
    picture(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    source = written(tmp_path / "rows.parquet", [{"image": data if plain else [data], "text": "May I?"}])
    ((_, image, _),) = read(source, tmp_path / "run")
    assert (root_of(source, tmp_path / "run") / image).read_bytes() == data


@pytest.mark.parametrize(
    "kind",
    [
        pyarrow.list_(pyarrow.string()),
        pyarrow.large_list(pyarrow.large_string()),
        pyarrow.list_(pyarrow.string(), 1),
    ],
)
def test_names_in_a_parquet_file_are_seen_from_where_it_lies_however_lists_are_kept(
    tmp_path: Path, kind: pyarrow.DataType
) -> None:
    table = pyarrow.table({"images": pyarrow.array([["a.png"]], kind)})
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    assert [image for _, image, _ in read(tmp_path / "rows.parquet")] == ["a.png"]
    assert root_of(tmp_path / "rows.parquet", tmp_path / "run") == tmp_path


def test_a_broken_one_of_a_folder_of_parquet_files_is_told_of_before_the_first_row(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in "ac":
        written(tmp_path / "in" / f"{name}.parquet", [{"id": name, "image": "a.png"}])
    (tmp_path / "in" / "b.parquet").write_bytes((tmp_path / "in" / "a.parquet").read_bytes()[:-9])
    with pytest.raises(ConfigError, match=r"b\.parquet: cannot be read as parquet"):
        require_seeds(tmp_path / "in", tmp_path / "run")
    (tmp_path / "in" / "b.parquet").unlink()
    assert [id for id, _, _ in read(tmp_path / "in")] == ["a", "c"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"id": "1", "image": "a.png", "note": "x"}, "known: licence, source, id, image, more_images, "),
        ({"id": "1", "imgae": "a.png"}, 'a row of seeds looks like {"id"'),
        ({"id": "1", "img": "a.png", "filename": "b.png"}, "img and filename could each be the image"),
        ({"image": "a.png"}, "id: Field required"),
    ],
)
def test_a_line_of_which_it_is_not_clear_is_a_reject(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    (reject,) = seeds(written(tmp_path / "rows.jsonl", [row]), tmp_path)
    assert isinstance(reject, Reject) and reject.reason == "seed_invalid" and says in reject.detail


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("notes.txt", "a.png", "each row such as"),
        ("rows.json", '"a.png"', "expected an array of objects"),
        ("rows.json", "[1, 2", "cannot be read as json"),
        ("rows.csv", "name,answer\na.png,x\n", r"no column 'image' \(columns: name, answer\)"),
        ("rows.csv", "", "not one row"),
        ("rows.jsonl", "\n", "not one row"),
        ("rows.parquet", "PAR1", "cannot be read as parquet"),
    ],
)
def test_a_source_of_no_rows_is_told_in_one_line(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=says) as error:
        seeds(tmp_path / name, tmp_path)
    assert "\n" not in str(error.value)


# --- nothing made --------------------------------------------------------------------------------------

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ({}, "(no file at all)"),
        ({"a.heic": HEIC, "b.HEIC": HEIC, "c.mov": b""}, "(.heic 2, .mov 1): save pictures as JPEG"),
        ({"train.parquet": b"PAR1"}, "train.parquet: cannot be read as parquet"),
    ],
)
def test_a_folder_without_pictures_is_an_error_that_says_what_is_there(
    tmp_path: Path, names: dict[str, bytes], says: str
) -> None:
    album = tmp_path / "album"
    album.mkdir()
    for name, content in names.items():
        (album / name).write_bytes(content)
    closed = "http://127.0.0.1:9/v1"
    run = ["--run", str(tmp_path / "run"), "--seeds", str(album), "--base-url", closed]
    end = here(["dataset", *run])
    assert (end.code, end.err.count("\n")) == (1, 1) and says in end.err


def test_a_run_that_keeps_no_record_is_an_error_with_the_reasons(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path, fake.url, [{"id": str(n), "image": "gone.png"} for n in range(3)])
    end = done.here()
    assert (end.code, end.err.count("\n")) == (1, 1)
    assert "no record was made (image_missing 3)" in end.err and "Next:" not in end.out
