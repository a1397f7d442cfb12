"""Pages of a run in a real Chromium: one look, keys, filters, pictures that enlarge, narrow, dark, 200 %."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from browsing import Visit
from curating import curation, record, ssui
from looked_at import big_picture, explored, looked_at
from playwright.sync_api import BrowserContext

from ssui_gen.records import ImageRef

pytestmark = pytest.mark.browser
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LONG = "Averylongwordwithoutanyspaceinit" * 6
PAGES = ("dataset.html", "pairs.html", "trees/0001.html", "curation/gallery.html")
READY = "#theme"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("looked") / "demo"
    big_picture(folder.parent / "photo #1.png")
    sha = hashlib.sha256((folder.parent / "photo #1.png").read_bytes()).hexdigest()
    photo = ImageRef(path="photo #1.png", sha256=sha, width=1200, height=900)
    paths = [
        record("0000", "risky", question=f"May I? {LONG}", image=photo, twin_of="0001"),
        record("0001", "benign", image=photo, twin_of="0000"),
        *(record(f"{n:04x}", "risky" if n % 2 else "benign", made_by=("c",)) for n in range(2, 9)),
    ]
    made = looked_at(folder, paths=paths)
    (folder.parent / "photo #1.png").rename(made / "seeds" / "photo #1.png")
    explored(made, paths)
    assert curation(made, "export", "--as", "ana").code == 0
    assert ssui("page", "--run", str(made)).code == 0
    return made


def opened(context: BrowserContext, run: Path, name: str) -> Visit:
    before = "localStorage.clear()"
    if name.startswith("curation"):
        return Visit(context, (run / name).as_uri(), "ana", before)
    return Visit(context, (run / name).as_uri(), before=before, ready=READY)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wide_narrow_and_at_200_percent(
    context: BrowserContext, run: Path, name: str, theme: Any
) -> None:
    seen = opened(context, run, name)
    seen.page.emulate_media(color_scheme=theme)
    for width, height in ((1360, 860), (680, 430), (390, 800)):  # 680 is what 200 % leaves of 1360
        seen.page.set_viewport_size({"width": width, "height": height})
        assert seen.page.evaluate(OVER) <= 0, width
        assert seen.violations() == [], width
    seen.page.emulate_media(color_scheme=None)
    seen.page.set_viewport_size({"width": 1360, "height": 860})
    assert seen.wrong == []


@pytest.mark.parametrize("name", PAGES[:3])
def test_nothing_is_fetched_but_the_page_and_its_pictures(
    context: BrowserContext, run: Path, name: str
) -> None:
    seen = opened(context, run, name)
    seen.page.wait_for_load_state("load")
    asked = {url for url in seen.asked if not url.startswith("data:image/")}
    folder = run.parent.as_uri()
    assert all(url.startswith(folder) for url in asked), asked
    images = seen.page.evaluate("[...document.images].map(one => [one.naturalWidth > 0, one.alt])")
    assert all(there for there, _ in images), images


@pytest.mark.parametrize("name", ("dataset.html", "trees/0001.html", "curation/gallery.html"))
def test_a_picture_is_enlarged_by_click_wheel_and_keys(context: BrowserContext, run: Path, name: str) -> None:
    seen = opened(context, run, name)
    scale = "Number(document.getElementById('large').dataset.scale)"
    seen.page.locator(".frame img:visible").first.click()
    assert seen.page.is_visible("#large")
    shown = seen.page.locator("#large img").bounding_box()
    assert shown and shown["width"] > 1000, "it fills the window"
    assert seen.violations() == []
    seen.page.mouse.move(400, 300)
    seen.page.mouse.wheel(0, -200)
    seen.page.wait_for_selector("#large[data-scale='1.25']")
    seen.press("+")
    assert seen.page.evaluate(scale) == pytest.approx(1.56, abs=0.01)
    seen.press("-", "0")
    assert seen.page.evaluate(scale) == 1
    seen.press("Escape")
    assert not seen.page.is_visible("#large")
    seen.press("+")
    assert seen.page.is_visible("#large"), "a key opens it, too"
    seen.press("Escape")
    assert seen.wrong == []


def test_records_are_walked_through_filtered_and_named_by_the_address(
    context: BrowserContext, run: Path
) -> None:
    seen = opened(context, run, "dataset.html")
    current = "article.record:not([hidden])"
    assert seen.page.locator(current).count() == 1
    assert seen.text("[data-count]") == "1 of 9 that fit"
    seen.press("j", "ArrowRight")
    assert seen.page.get_attribute(current, "id") == "r-0002"
    assert seen.address + "#r-0002" == seen.page.url
    seen.press("k")
    assert seen.page.get_attribute(current, "id") == "r-0001"
    seen.page.select_option("[data-by=kind]", "risky")
    assert seen.text("[data-count]").endswith("of 4 that fit")
    seen.press("Escape", "/")
    seen.type("says of 0005")
    assert seen.text("[data-count]") == "1 of 1 that fit"
    assert seen.page.get_attribute(current, "id") == "r-0005"
    seen.type(" and nothing")
    assert seen.text("[data-count]") == "None fits: change the filter."
    assert seen.page.locator(current).count() == 0
    seen.page.click("[data-all]")
    seen.page.click("a[href='#r-0000']")
    seen.page.locator(f"{current} a", has_text="its benign twin").click()
    seen.page.wait_for_selector("#r-0001:not([hidden])")
    assert seen.page.locator(current).count() == 1
    assert seen.wrong == []


def test_trees_are_turned_like_leaves_and_lead_up(context: BrowserContext, run: Path) -> None:
    seen = opened(context, run, "trees/0001.html")
    assert seen.page.locator("details.fold.good > summary").first.inner_text().startswith("✓ good")
    assert seen.page.locator("details.fold.bad > summary").first.inner_text().startswith("✕ bad")
    seen.press("j")
    seen.page.wait_for_url("**/0002.html")
    seen.press("k")
    seen.page.wait_for_url("**/0001.html")
    seen.press("u")
    seen.page.wait_for_url("**/pairs.html")
    rows = seen.page.locator("tr[data-row]:visible")
    assert rows.count() == 9
    seen.page.select_option("[data-by=kind]", "benign")
    assert rows.count() == 5
    seen.page.click("nav.pages >> text=Dataset")
    seen.page.wait_for_url("**/dataset.html")
    assert seen.wrong == []


def test_a_theme_that_was_chosen_holds_on_every_page(context: BrowserContext, run: Path) -> None:
    seen = Visit(context, (run / "dataset.html").as_uri(), ready=READY)
    seen.page.evaluate("localStorage.clear()")
    seen.press("t", "t")
    assert seen.page.get_attribute("html", "data-theme") == "dark"
    other = Visit(context, (run / "pairs.html").as_uri(), ready=READY)
    assert other.page.get_attribute("html", "data-theme") == "dark"
    seen.press("?")
    assert "enlarge a picture" in seen.text("#keys")
    seen.press("Escape", "t")
    assert seen.wrong == other.wrong == []


def test_on_paper_every_record_stands_and_no_control(context: BrowserContext, run: Path) -> None:
    seen = opened(context, run, "dataset.html")
    seen.page.emulate_media(media="print")
    assert seen.page.locator("article.record:visible").count() == 9
    for control in (".filters", ".list", ".tools"):
        assert not seen.page.locator(control).first.is_visible()
    seen.page.emulate_media(media=None)
