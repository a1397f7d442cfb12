"""Seeds from every source, and what becomes of those that are none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ssui_gen.errors import ConfigError
from ssui_gen.records import Reject, Seed
from ssui_gen.seeds import passed_over, read_seeds, root_of


def seeds(source: Path, run: Path) -> list[Seed | Reject]:
    known: set[str] = set()
    return list(read_seeds(source, lambda i: i not in known and not known.add(i), run))  # type: ignore[func-returns-value]


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "teal").save(path)


def test_a_file_gives_its_good_lines_and_a_reject_for_each_other(tmp_path: Path) -> None:
    source = tmp_path / "seeds.jsonl"
    source.write_text(
        '{"id":"a","image":"a.png"}\n'
        '{"id":"b","image":"b.png","text":"Where can I sit?","kind":"benign"}\n'
        '{"id":"c"}\n'
        '{"id":"a","image":"c.png"}\n'
        '{"id":"d","image":"d.png","note":"x"}\n'
        "not json\n"
        '{"id":"e","image":"e.png"}',
        "utf-8",
    )
    found = seeds(source, tmp_path)
    assert [s.id for s in found if isinstance(s, Seed)] == ["a", "b", "e"]
    rejects = [(r.seed_id, r.reason) for r in found if isinstance(r, Reject)]
    assert rejects == [
        ("seeds.jsonl:3", "seed_invalid"),
        ("seeds.jsonl:4:a", "seed_duplicate"),
        ("seeds.jsonl:5", "seed_invalid"),
        ("seeds.jsonl:6", "seed_invalid"),
    ]
    assert root_of(source, tmp_path / "run") == tmp_path


def test_a_folder_gives_its_pictures_in_order(tmp_path: Path) -> None:
    for name in ("b.png", "a/z.JPG", "a/y.webp"):
        picture(tmp_path / "photos" / name)
    (tmp_path / "photos" / "notes.txt").write_text("no picture", "utf-8")
    found = seeds(tmp_path / "photos", tmp_path)
    assert [s.image for s in found if isinstance(s, Seed)] == ["a/y.webp", "a/z.JPG", "b.png"]
    assert root_of(tmp_path / "photos", tmp_path) == tmp_path / "photos"


def test_no_picture_of_a_folder_vanishes_without_a_reason(tmp_path: Path) -> None:
    album = tmp_path / "album"
    picture(album / "deep" / ("d" * 120) / ("n" * 100 + ".png"))
    Path(os.fsdecode(bytes(album) + b"/\xff.png")).touch()
    (album / "phone.HEIC").touch()
    (album / "gone.png").symlink_to(tmp_path / "none.png")
    (album / "again").symlink_to(album)
    found = seeds(album, tmp_path)
    assert [s.id for s in found if isinstance(s, Seed)] == ["gone.png", "phone.HEIC"]
    long, odd = (r for r in found if isinstance(r, Reject))
    assert odd.seed_id == "\\xff.png"
    assert long.reason == odd.reason == "seed_invalid"
    assert "at most 200 characters, in UTF-8; rename the file" in long.detail
    assert odd.model_dump_json()


def test_what_is_no_picture_in_an_album_is_counted(tmp_path: Path) -> None:
    album = tmp_path / "album"
    for name in ("a.png", "b.heic", "clip.mov", "deep/other.MOV", "notes", "metadata.jsonl", ".DS_Store"):
        (album / name).parent.mkdir(parents=True, exist_ok=True)
        (album / name).touch()
    assert passed_over(album) == ".mov 2, without an ending 1"
    assert passed_over(album / "deep").startswith(".mov")
    (album / "clip.mov").unlink()
    assert passed_over(album / "a.png") == passed_over(tmp_path / "none") == ""


def test_a_source_that_is_no_file_of_rows_is_refused(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    with pytest.raises(ConfigError, match=r"expected a file of rows ending in \.jsonl, .*each row such as"):
        seeds(tmp_path / "a.png", tmp_path)


def test_a_source_that_is_not_there_stops_before_the_first_call(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or folder: SEEDS= names a JSONL file, a folder"):
        seeds(tmp_path / "none", tmp_path)


MAKE = """
import sys
from datasets import Dataset, DatasetDict, Features, Image, Value
pictures, out = sys.argv[1:]
rows = {"id": ["one", "two"], "image": [f"{pictures}/a.png", f"{pictures}/b.png"], "text": ["Where?", None]}
features = Features({"id": Value("string"), "image": Image(), "text": Value("string")})
data = Dataset.from_dict(rows, features=features).map(lambda row: row)
data.save_to_disk(f"{out}/with_bytes")
DatasetDict({"train": data}).save_to_disk(f"{out}/splits")
data.remove_columns("image").save_to_disk(f"{out}/without")
Dataset.from_dict({"image": ["a.png", "b/c.png"], "id": [None, 2]}).save_to_disk(f"{out}/paths")
masks = data.to_dict() | {"mask": [{"bytes": b"no picture", "path": None}] * 2}
Dataset.from_dict(masks, features=Features(**features, mask=Image())).save_to_disk(f"{out}/masks")
"""


@pytest.mark.slow
def test_a_dataset_on_disk_gives_its_rows_and_its_pictures_are_written_once(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    subprocess.run([sys.executable, "-c", MAKE, tmp_path, tmp_path], capture_output=True, check=True)
    run = tmp_path / "run"
    first, second = seeds(tmp_path / "with_bytes", run)
    assert isinstance(first, Seed)
    assert isinstance(second, Seed)
    assert (first.id, first.text, second.id, second.text) == ("one", "Where?", "two", None)
    root = root_of(tmp_path / "with_bytes", run)
    assert (root / first.image).read_bytes() == (tmp_path / "a.png").read_bytes()
    assert len(list(root.iterdir())) == 1
    assert seeds(tmp_path / "masks", run) == [first, second]
    paths = seeds(tmp_path / "paths", run)
    assert [(s.id, s.image) for s in paths if isinstance(s, Seed)] == [
        ("paths-00000000", "a.png"),
        ("2", "b/c.png"),
    ]
    assert root_of(tmp_path / "paths", run) == tmp_path / "paths"
    with pytest.raises(ConfigError, match=r"several splits \(train\)"):
        seeds(tmp_path / "splits", run)
    with pytest.raises(ConfigError, match=r"no column 'image' \(columns: id, text\)"):
        seeds(tmp_path / "without", run)
    arrow = next((tmp_path / "with_bytes").glob("*.arrow"))
    arrow.write_bytes(arrow.read_bytes()[:40])
    with pytest.raises(ConfigError, match=r"the dataset cannot be opened: .*; save it again"):
        seeds(tmp_path / "with_bytes", run)
