"""The page for everybody: what axe finds, at 200 %, with the Tab key, with thousands of items."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from browsing import visit
from curating import a_run, curation, exported, put_paths, record
from jobs import wait_for
from PIL import Image
from playwright.sync_api import BrowserContext

from ssui_gen.config import ImageLimits
from ssui_gen.images import inspect

pytestmark = pytest.mark.browser
FOCUSED = """() => {
    const one = document.activeElement, body = one === document.body;
    const name = body ? null : one.id || one.dataset.value || one.ariaLabel || one.textContent.trim();
    return [name, getComputedStyle(one).outlineStyle];
}"""
SCROLLING = """() => new Promise(done => {
    const list = document.getElementById('list'), times = [];
    let last = performance.now();
    const step = now => {
        times.push(now - last);
        [last, list.scrollTop] = [now, list.scrollTop - 400];
        if (times.length < 120) requestAnimationFrame(step);
        else done(times.sort((a, b) => a - b));
    };
    requestAnimationFrame(step);
})"""
"""Milliseconds of 120 frames, sorted."""
A, B, C, D = (record(letter * 4) for letter in "abcd")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return exported(tmp_path / "demo", [A, B, C, D])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 680])
def test_axe_finds_nothing(context: BrowserContext, run: Path, theme: Any, width: int) -> None:
    """680 pixels are 1360 at 200 %."""
    seen = visit(context, run)
    seen.page.emulate_media(color_scheme=theme)
    seen.page.set_viewport_size({"width": width, "height": 860})
    assert seen.violations() == []
    seen.press("e", "End")
    seen.type(" More")
    assert seen.violations() == []
    seen.press("Enter", "3", "p")
    assert seen.violations() == []
    seen.press("Enter", "?")
    assert seen.violations() == []
    for opened in ("g", "+"):
        seen.press("Escape", opened)
        assert seen.violations() == []
    seen.press("Escape")
    seen.page.click("#finish-button")
    assert seen.violations() == []
    seen.page.emulate_media(color_scheme=None)


def test_nothing_is_cut_off_at_200_percent(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run)
    seen.page.set_viewport_size({"width": 640, "height": 430})
    over = seen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert over <= 0
    seen.page.click("#fold")
    for selector in ("#picture", "[data-pointer='/answer']", ".decision >> nth=2", "#note", "#download"):
        seen.page.locator(selector).scroll_into_view_if_needed()
        assert seen.page.locator(selector).is_visible()


@pytest.mark.parametrize("size", [(800, 700), (640, 430)])
def test_whoever_edits_sees_what_they_type(context: BrowserContext, run: Path, size: tuple[int, int]) -> None:
    seen = visit(context, run)
    seen.page.set_viewport_size({"width": size[0], "height": size[1]})
    seen.press("ArrowDown", "ArrowDown", "e")
    seen.page.wait_for_selector("#editor:focus")
    place = "document.querySelector('{}').getBoundingClientRect()"
    seen.page.wait_for_function(
        f"{place.format('#editor')}.bottom <= {place.format('#panel-place')}.top"
        f" && {place.format('#editor')}.top >= 0"
    )


def test_every_control_is_reached_with_the_tab_key_and_is_seen_to_be(
    context: BrowserContext, run: Path
) -> None:
    seen = visit(context, run)
    seen.page.focus("#item")
    reached = set()
    for _ in range(70):
        seen.press("Tab")
        name, outline = seen.page.evaluate(FOCUSED)
        reached.add(name)
        assert outline != "none" or name in ("item", "open", None), name
    wanted = {
        "download",
        "open",
        "help-button",
        "codebook-button",
        "finish-button",
        "shot",
        "filter",
        "show",
        "list",
        "keep",
        "fix",
        "drop",
        "redundant",
        "note",
    }
    assert wanted | {"Safety 1 of 5", "Edit: answer"} <= reached


def test_two_thousand_items_cost_no_more_than_those_in_sight(context: BrowserContext, tmp_path: Path) -> None:
    made = a_run(tmp_path / "demo", [record(f"{number:06d}") for number in range(2000)])
    curation(made, "export", "--as", "ana")
    seen = visit(context, made)
    assert seen.text("#count") == "0 of 2,000 decided"
    assert seen.page.locator(".row").count() < 40
    took = seen.page.evaluate("performance.getEntriesByType('navigation')[0].domComplete")
    seen.page.evaluate("document.getElementById('list').scrollTop = 1e9")
    seen.page.wait_for_selector("#row-1999")
    assert seen.page.locator(".row").count() < 40
    frames = seen.page.evaluate(SCROLLING)
    print(f"2,000 items: open in {took:.0f} ms; scrolling, 95 of 100 frames under {frames[114]:.1f} ms")
    seen.page.fill("#filter", "001999")
    assert seen.page.locator(".row").count() == 1
    assert seen.wrong == []


def test_pictures_lie_beside_the_page_where_they_are_large(context: BrowserContext, tmp_path: Path) -> None:
    rng = Random(1)
    made = a_run(tmp_path / "demo", [])
    paths = []
    for number in range(18):
        path = made / "seeds" / f"{number}.png"
        Image.frombytes("RGB", (500, 500), rng.randbytes(750_000)).save(path)
        paths.append(record(f"{number:04d}", image=inspect(made / "seeds", path.name, ImageLimits())))
    put_paths(made, paths)
    assert curation(made, "export", "--as", "ana").code == 0
    page = made / "curation" / "gallery.html"
    assert page.stat().st_size < 1_000_000
    assert len([*(made / "curation" / "pictures").glob("*.small.jpeg")]) == 18
    assert len([*(made / "curation" / "pictures").glob("*g")]) == 36
    seen = visit(context, made)
    wait_for(lambda: seen.page.evaluate("document.getElementById('picture').naturalWidth") == 500)
    assert seen.wrong == []


def test_a_picture_that_cannot_be_shown_is_said(context: BrowserContext, tmp_path: Path) -> None:
    made = a_run(tmp_path / "demo", [])
    for name, colour in (("gone.png", "teal"), ("here.png", "pink")):
        Image.new("RGB", (64, 64), colour).save(made / "seeds" / name)
    gone, here = (inspect(made / "seeds", name, ImageLimits()) for name in ("gone.png", "here.png"))
    put_paths(made, [record("aaaa", image=gone), record("bbbb", image=here)])
    (made / "seeds" / "gone.png").unlink()
    done = curation(made, "export", "--as", "ana")
    assert (done.code, "gone.png: not shown: " in done.out) == (0, True)
    assert visit(context, made).text("#no-picture") == "There is no picture to show."
