"""Sources that are broken, of another edition, or packed by somebody with ideas; an import that is killed."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benches import picture, siuo, siuo_row, written
from hypothesis import example, given, settings
from hypothesis import strategies as st
from imported import (
    ASKED,
    bring,
    lines,
    llava,
    llava_row,
    prism_row,
    read,
    reasons,
    rows_of,
    safetag_row,
    sharegpt_row,
    sherlock_row,
)
from jobs import wait_for
from PIL import Image
from test_importing import content

from ssui_gen.calling.journal import Seen
from ssui_gen.cli import main
from ssui_gen.config import Leaks
from ssui_gen.exploring.leaks import Bench
from ssui_gen.importing import LAYOUTS
from ssui_gen.importing.making import Making, Rules
from ssui_gen.importing.pictures import Pictures
from ssui_gen.importing.shape import Left, Source, What
from ssui_gen.settings import ImageLimits

MIT = ("--licence", "MIT")


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("gone.png", "image_missing"),
        ("../secret.png", "image_refused"),
        ("/etc/hostname", "image_refused"),
        ("https://example.org/a.png", "image_refused"),
        ("a\0b.png", "image_refused"),
        ("link.png", "image_refused"),
        ("page.png", "image_unreadable"),
        ("street", "image_refused"),
        ("", "picture_unnamed"),
        (None, "picture_unnamed"),
        (["street/1.png", "street/1.png"], "row_invalid"),
        (["street/1.png", "gone.png"], "image_missing"),
        ([f"street/{n}.png" for n in range(9)], "pictures_several"),
        (7, "row_invalid"),
    ],
)
def test_a_picture_that_must_not_or_cannot_be_read_costs_its_row(
    tmp_path: Path, image: Any, reason: str
) -> None:
    picture(tmp_path / "secret.png")
    source = llava(tmp_path / "data", llava_row(1))
    written(source, [llava_row(1), llava_row(2, image=image)])
    (source.parent / "link.png").symlink_to(tmp_path / "secret.png")
    (source.parent / "page.png").write_text("<!DOCTYPE html><title>Log in</title>")
    assert bring("llava", source, tmp_path / "ours", *MIT).code == 0
    assert reasons(tmp_path / "ours") == [("rows.json:2", reason)]
    assert len(list((tmp_path / "ours/pictures").iterdir())) == 1


TURN = {"from": "human", "value": ASKED}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (llava_row(1, conversations=[TURN | {"value": "x" * 1_000_000}]), "text_too_long"),
        (llava_row(1, conversations=[TURN | {"value": "<image>\n"}]), "text_missing"),
        (llava_row(1, conversations=[TURN | {"value": "<video> What now?"}]), "row_invalid"),
        (llava_row(1, conversations=[TURN | {"value": "half \ud83d"}]), "row_invalid"),
        (llava_row(1, conversations=[TURN | {"value": 7}]), "row_invalid"),
        (llava_row(1, conversations=[TURN | {"from": "bystander"}]), "row_invalid"),
        (llava_row(1, conversations=[{"from": "gpt", "value": "Yes."}]), "row_invalid"),
        (llava_row(1, conversations=["hello"]), "row_invalid"),
        (llava_row(1, conversations={}), "row_invalid"),
        ({"id": "1", "image": "street/1.png", "turns": []}, "row_invalid"),
        ("no row", "row_invalid"),
        (None, "row_invalid"),
        (llava_row(0), "duplicate"),
    ],
)
def test_a_row_of_another_shape_costs_itself_alone(tmp_path: Path, row: Any, reason: str) -> None:
    source = llava(tmp_path / "data", llava_row(0), llava_row(1))
    source.write_text(json.dumps([llava_row(0), row]))
    assert bring("llava", source, tmp_path / "ours", *MIT).code == 0
    assert reasons(tmp_path / "ours") == [("rows.json:2", reason)]
    detail = read(tmp_path / "ours/rejects.jsonl")[0]["detail"]
    assert detail.startswith("rows.json:2: ") and len(detail) <= 600


def test_ids_that_stand_twice_are_no_fault_where_the_rows_differ(tmp_path: Path) -> None:
    source = llava(tmp_path / "data", llava_row(1, id="7"), llava_row(2, id="7"), llava_row(1, id="8"))
    assert bring("llava", source, tmp_path / "ours", *MIT).code == 0
    ids = [row["id"] for row in read(tmp_path / "ours/seeds.jsonl")]
    assert len(set(ids)) == len(ids) == 2
    assert reasons(tmp_path / "ours") == [("rows.json:3", "duplicate")]


@pytest.mark.parametrize(
    ("layout", "row", "says"),
    [
        ("prism_dpo", prism_row(1, type="jailbreak"), "type"),
        ("prism_dpo", {"prompt": ASKED, "chosen": "a", "rejected": "b"}, "no 'chosen_is_terminal', "),
        ("safetag", safetag_row(1, "safe", "safe", "safe") | {"category": 3}, "category"),
        (
            "safetag",
            {"prompt": ASKED, "images": ["1.png"], "extra_info": {}},
            "no 'combine_tag', 'image_tag'",
        ),
        (
            "guardtrace",
            {"image_name": "1.png", "question": ASKED, "response": "No."},
            "no 'evaluation_result', 'thinking'",
        ),
        ("sherlock", {"conversations": [TURN], "images": ["1.png"]}, "no 'chosen', 'prefix', 'prefix_l'"),
        ("llava", {"image": "1.png", "question": ASKED}, "no 'conversations' (columns: image, question)"),
        (
            "sharegpt",
            {"instruction": ASKED, "images": ["1.png"]},
            "no 'conversations' or 'messages' (columns: instruction, images)",
        ),
    ],
)
def test_columns_of_another_edition_are_refused_in_words(
    tmp_path: Path, layout: str, row: dict[str, Any], says: str
) -> None:
    source, _ = rows_of(layout, tmp_path)
    told = () if LAYOUTS[layout].licence else MIT
    done = bring(layout, written(tmp_path / "one.json", [row]), tmp_path / "ours", *told)
    assert done.code == 1 and "row_invalid 1" in done.err and source.exists()
    assert says in read(tmp_path / "ours/rejects.jsonl")[0]["detail"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("rows.json", "<!DOCTYPE html><title>Log in</title>", "cannot be read as json"),
        ("rows.json", '"one text"', "expected an array of objects"),
        ("rows.txt", "a", "expected a file of rows ending in"),
        ("rows.parquet", "version https://git-lfs.github.com/spec/v1", "cannot be read as parquet"),
        ("rows.jsonl", "", "there is no row"),
    ],
)
def test_a_source_that_holds_no_rows_is_refused_in_words(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    (tmp_path / name).write_text(text)
    done = bring("sharegpt", tmp_path / name, tmp_path / "ours", *MIT)
    assert done.code == 1 and says in done.err and "Traceback" not in done.err


def test_several_files_of_rows_are_not_guessed_between(tmp_path: Path) -> None:
    lines(tmp_path / "data/a.jsonl", [sharegpt_row(1)])
    lines(tmp_path / "data/b.jsonl", [sharegpt_row(2)])
    done = bring("sharegpt", tmp_path / "data", tmp_path / "ours", *MIT)
    assert done.code == 1 and "2 files of rows (a.jsonl, b.jsonl): name one of them" in done.err
    assert "no such file" in bring("sharegpt", tmp_path / "gone", tmp_path / "ours", *MIT).err


def test_pictures_may_lie_elsewhere_and_never_beyond(tmp_path: Path) -> None:
    source = lines(tmp_path / "rows/rows.jsonl", [sharegpt_row(1), sharegpt_row(2, images=["../b/2.png"])])
    picture(tmp_path / "a/1.png")
    picture(tmp_path / "b/2.png")
    told = ("--pictures", str(tmp_path / "a"), *MIT)
    assert bring("sharegpt", source, tmp_path / "ours", *told).code == 0
    assert reasons(tmp_path / "ours") == [("rows.jsonl:2", "image_refused")]


def test_pictures_of_a_table_further_down_are_named_from_there(tmp_path: Path) -> None:
    picture(tmp_path / "data/train/1.png")
    lines(tmp_path / "data/train/rows.jsonl", [sharegpt_row(1)])
    assert bring("sharegpt", tmp_path / "data", tmp_path / "ours", *MIT).code == 0
    assert read(tmp_path / "ours/seeds.jsonl")[0]["source"] == "data, train/rows.jsonl:1"


def test_nothing_of_anybodys_is_written_over(tmp_path: Path) -> None:
    source = llava(tmp_path / "data")
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / "thesis.txt").write_text("precious")
    done = bring("llava", source, ours, *MIT)
    assert done.code == 1 and "holds 'thesis.txt', which no import wrote" in done.err
    (ours / "thesis.txt").rename(ours / "seeds.jsonl")
    done = bring("llava", source, ours, *MIT)
    assert done.code == 1 and "holds 'seeds.jsonl', which no import wrote" in done.err
    assert (ours / "seeds.jsonl").read_text() == "precious"
    (ours / "seeds.jsonl").unlink()
    assert bring("llava", source, ours, *MIT).code == 0
    shutil.rmtree(ours / "pictures")
    (ours / "seeds.jsonl").unlink()
    (tmp_path / "elsewhere").mkdir()
    (ours / "pictures").symlink_to(tmp_path / "elsewhere")
    assert "is a link" in bring("llava", source, ours, *MIT).err
    (ours / "pictures").unlink()
    (ours / "seeds.jsonl").symlink_to(tmp_path / "victim")
    (tmp_path / "victim").write_text("precious")
    assert bring("llava", source, ours, *MIT).code == 0
    assert (tmp_path / "victim").read_text() == "precious"
    other = bring("llava", source, ours, *MIT, "--name", "another set")
    assert other.code == 1 and "name another folder for this import" in other.err


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image", "../escaped.png"),
        ("image", "/escaped.png"),
        ("image", "pictures/../../escaped.png"),
        ("image", "seeds.jsonl"),
        ("hash", "no number"),
        ("sha256", "../x"),
    ],
)
def test_what_a_brought_folder_says_of_its_pictures_leads_nowhere_else(
    tmp_path: Path, field: str, value: str
) -> None:
    source, ours = llava(tmp_path / "data"), tmp_path / "ours"
    assert bring("llava", source, ours, *MIT).code == 0
    shutil.rmtree(ours / "pictures")
    looked = read(ours / "looked.jsonl")
    lines(ours / "looked.jsonl", [{**looked[0], field: value}, *looked[1:]])
    before = content(tmp_path)
    done = bring("llava", source, ours, *MIT)
    assert done.code == 1 and f"looked.jsonl:1: {field}: " in done.err and "Traceback" not in done.err
    assert content(tmp_path) == before


def test_rows_of_a_benchmark_that_are_broken_are_rejects_too(tmp_path: Path) -> None:
    copy = siuo(tmp_path / "copy", siuo_row(1), siuo_row(2), siuo_row(3))
    (copy / "data/images/S-02.png").unlink()
    written(copy / "data/siuo_gen.json", [siuo_row(1), siuo_row(2), siuo_row(3, image=7), "x", siuo_row(1)])
    assert bring("siuo", copy, tmp_path / "ours").code == 0
    assert [reason for _, reason in reasons(tmp_path / "ours")] == [
        *("image_missing", "row_invalid", "row_invalid", "duplicate")
    ]


# --- no row vanishes ------------------------------------------------------------------------------------

GOOD: dict[str, list[dict[str, Any]]] = {
    "llava": [llava_row(1), llava_row(2)],
    "sharegpt": [sharegpt_row(1), sharegpt_row(2)],
    "sherlock": [sherlock_row(1), sherlock_row(2)],
    "prism_dpo": [prism_row(1), prism_row(2)],
    "safetag": [safetag_row(1, "safe", "safe", "unsafe"), safetag_row(2, "safe", "unsafe", "unsafe")],
    "hf": [{"image": "1.png", "text": ASKED}, {"img": "2.png", "question": ASKED}],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def sources(draw: st.DrawFn) -> tuple[str, What, list[Any]]:
    """Rows of a layout, some with a column that is gone or holds anything; and some that are no rows."""
    layout = draw(st.sampled_from(sorted(GOOD)))
    rows: list[Any] = []
    for _ in range(draw(st.integers(1, 5))):
        row = dict(draw(st.sampled_from(GOOD[layout])))
        for column in draw(st.lists(st.sampled_from(sorted(row)), max_size=2, unique=True)):
            if draw(st.booleans()):
                row[column] = draw(JSON)
            else:
                del row[column]
        rows.append(row if draw(st.integers(0, 5)) else draw(JSON))
    return layout, draw(st.sampled_from(LAYOUTS[layout].makes)), rows


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    for name in ("1.png", "2.png", "street/1.png", "street/2.png"):
        picture(folder / name)
    return folder


@settings(max_examples=40)
@given(found=sources())
@example(found=("llava", "seeds", [llava_row(1), llava_row(1), float("nan")]))
@example(found=("hf", "seeds", [{"image": "1.png", "text": "\ud800"}]))
def test_each_row_is_in_one_place(drawn: Path, found: tuple[str, What, list[Any]]) -> None:
    layout, makes, rows = found
    path = drawn / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (drawn / "ours").mkdir(exist_ok=True)
    source = Source(path, ImageLimits(), drawn)
    pictures, seen = Pictures(drawn / "ours", source), Seen()
    making = Making(Rules(makes, "x", "MIT", False, False), pictures, Bench(Leaks()), seen.add)
    drafts = list(LAYOUTS[layout].read(source))
    made = [one if isinstance(one, Left) else making.of(one) for one in drafts]
    pictures.close()
    places = Counter(one.row if isinstance(one, Left) else one.source.split(", ")[1] for one in made)  # type: ignore[attr-defined]
    assert places == {f"rows.jsonl:{number}": 1 for number in range(1, len(rows) + 1)}
    for one in made:
        assert one.model_dump_json()


# --- an import that is killed -----------------------------------------------------------------------------


def noisy(folder: Path, count: int) -> Path:
    """Rows with a picture each, large enough that looking at it takes a while."""
    folder.mkdir()
    rng = np.random.default_rng(7)
    for number in range(count):
        pixels = rng.integers(0, 256, (160, 160, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png", compress_level=0)
    return lines(folder / "rows.jsonl", [sharegpt_row(number) for number in [*range(count), 0]])


def test_an_import_that_is_killed_goes_on_and_ends_alike(tmp_path: Path) -> None:
    source = noisy(tmp_path / "data", 40)
    assert bring("sharegpt", source, tmp_path / "whole", *MIT).code == 0
    ours = tmp_path / "ours"
    command = ["import", str(source), "--from", "sharegpt", "--to", str(ours), *MIT]
    context = get_context("forkserver")
    context.set_forkserver_preload(["ssui_gen.cli", "ssui_gen.stages.importing"])
    looked = ours / "looked.jsonl"
    killed = 0
    for goal in (5, 25):
        process = context.Process(target=main, args=(command,))
        process.start()
        wait_for(lambda: not process.is_alive() or (looked.exists() and len(read_whole(looked)) >= goal))  # noqa: B023
        killed += process.is_alive()
        process.kill()
        process.join()
        time.sleep(0.01)
    assert killed, "no kill came in time"
    before = read_whole(looked)
    done = bring("sharegpt", source, ours, *MIT)
    assert done.code == 0, done.err
    assert content(ours) == content(tmp_path / "whole"), (
        "rows, rejects, pictures: nothing lost, nothing twice"
    )
    assert read_whole(looked)[: len(before)] == before, "what was looked at is not looked at again"
    assert not list(ours.rglob(".*.tmp"))


def read_whole(path: Path) -> list[str]:
    """The lines that are whole."""
    return path.read_text("utf-8").split("\n")[:-1] if path.exists() else []
