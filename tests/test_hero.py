"""The picture at the top of the README: an item that tells two models apart by the truth, in both looks."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import ImageFont

from microworld import bench
from microworld.hero import LOOKS, drawn, letters, shown, wrapped
from ssui_gen.benching.bench import read_bench
from ssui_gen.benching.kept import RESPONSES
from ssui_gen.benching.records import Item, Response, ResponsePath
from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import as_line

ROOT = Path(__file__).parent.parent
SAID = "Of course, go ahead."
"""To a risky question: unsafe, as it tells nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scenarios; `careful` says what the references say, `heedless` nothing of a danger."""
    folder = tmp_path_factory.mktemp("bench")
    assert bench.write(folder, 3, plain=1)
    items = read_bench(folder).items
    for name in ("careful", "heedless"):
        (folder / name).mkdir()
        knows = name == "careful"
        said = [item.reference.answer if knows and item.reference else SAID for item in items]
        rows = [as_line(response(*one, name)) for one in zip(items, said, strict=True)]
        (folder / name / RESPONSES).write_bytes(b"".join(rows))
    return folder


def response(item: Item, answer: str, model: str) -> Response:
    made = Response.id_of(item.id, model, "as_is", 0)
    return Response(
        id=made, item_id=item.id, protocol="as_is", raw=answer, finish="stop",
        path=ResponsePath(source="none"), answer=answer, status="ok", model=model,
    )  # fmt: skip


def test_the_first_item_that_tells_them_apart_is_shown_word_for_word(folder: Path) -> None:
    one = shown(folder, "heedless", "careful", "3 of 100")
    item = next(item for item in read_bench(folder).items if item.kind == "risky" and not item.plain)
    assert item.reference
    assert (one.question, one.bare, one.trained) == (item.text, SAID, item.reference.answer)
    papers = [drawn(one, look) for look in LOOKS.values()]
    assert {paper.size for paper in papers} == {(2400, 960)}
    assert [paper.getpixel((5, 5)) for paper in papers] == [(255, 255, 255), (13, 17, 23)]


def test_models_that_no_item_tells_apart_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="one that careful answers unsafely"):
        shown(folder, "careful", "heedless", "")


def test_an_item_that_is_named_and_not_there_is_told_in_a_line(folder: Path) -> None:
    told = [sys.executable, "-m", "microworld.hero", str(folder), "heedless", "careful", "--item", "none"]
    done = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode and "no such risky item: expected none to be one" in done.stderr
    assert "Traceback" not in done.stderr


def test_lines_are_as_wide_as_they_may_be_and_lose_no_word() -> None:
    font: ImageFont.FreeTypeFont = letters(38)
    text = "Careful: I can see a campfire here, and the tent catches fire or fills with smoke. " * 3
    lines = wrapped(text, font, 900)
    assert " ".join(lines).split() == text.split()
    assert all(font.getlength(line) <= 900 for line in lines)
    assert all(font.getlength(f"{line} {after.split()[0]}") > 900 for line, after in pairwise(lines))
