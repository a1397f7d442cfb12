"""The report in a real Chromium: keys, filters, narrow and dark, what axe finds, hostile words."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jobs import rows
from playwright.sync_api import BrowserContext, Page
from reported import make_bench
from test_bench_report import HOSTILE

from ssui_gen.benching.report import make_report
from ssui_gen.benching.side_by_side import read_beside, write_page

pytestmark = pytest.mark.browser
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models; the first response that is wrong answers in hostile words."""
    made = make_bench(tmp_path_factory.mktemp("demo"), scenarios=10)
    path = made / "adapter" / "responses.jsonl"
    found = rows(path)
    path.write_text("".join(json.dumps(row | {"answer": HOSTILE}) + "\n" for row in found), "utf-8")
    make_report(made / "adapter", made / "bare")
    write_page(read_beside([made / "bare", made / "adapter"]), made / "compare.html")
    return made


class Seen:
    """An open page, and everything that should not have happened on it."""

    def __init__(self, context: BrowserContext, path: Path) -> None:
        self.page: Page = context.new_page()
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.wrong.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def count(self) -> str:
        return self.page.inner_text("#count")

    def violations(self) -> list[str]:
        self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
        found = self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        return [f"{one['id']}: {[node['html'][:90] for node in one['nodes']]}" for one in found]


@pytest.fixture
def seen(context: BrowserContext, bench: Path) -> Seen:
    return Seen(context, bench / "adapter" / "report.html")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 360])
def test_axe_finds_nothing_and_nothing_is_cut_off(seen: Seen, bench: Path, theme: Any, width: int) -> None:
    seen.page.emulate_media(color_scheme=theme)
    seen.page.set_viewport_size({"width": width, "height": 800})
    assert seen.violations() == []
    assert seen.page.evaluate(OVER) <= 0
    seen.page.keyboard.press("?")
    assert seen.violations() == []
    seen.page.goto((bench / "compare.html").as_uri())
    assert seen.violations() == []
    assert seen.page.evaluate(OVER) <= 0
    seen.page.emulate_media(color_scheme=None)
    assert seen.wrong == []


def test_keys_walk_through_the_failures(seen: Seen) -> None:
    whole = seen.page.locator("#list [role=option]").count()
    assert seen.count() == f"1 of {whole} that fit"
    first = seen.page.inner_text("#item .asked-for >> nth=0")
    seen.page.keyboard.press("ArrowRight")
    seen.page.keyboard.press("j")
    assert seen.count().startswith("3 of")
    seen.page.keyboard.press("ArrowLeft")
    seen.page.keyboard.press("k")
    seen.page.keyboard.press("k")
    assert seen.count().startswith("1 of")
    seen.page.focus("#list")
    seen.page.keyboard.press("ArrowDown")
    assert seen.count().startswith("2 of")
    assert seen.page.get_attribute("#list", "aria-activedescendant") == "row-1"
    seen.page.keyboard.press("/")
    seen.page.keyboard.type(first)
    assert seen.page.inner_text("#item .asked-for >> nth=0") == first
    seen.page.keyboard.press("Escape")
    seen.page.keyboard.press("t")
    assert seen.page.get_attribute("html", "data-theme") == "light"
    seen.page.keyboard.press("t")
    seen.page.keyboard.press("t")
    assert seen.page.get_attribute("html", "data-theme") == "auto", "as others find it"
    seen.page.keyboard.press("?")
    assert seen.page.inner_text("#keys dt >> nth=0") == "→ / j"
    assert seen.wrong == []


def test_a_cell_of_the_matrix_shows_its_failures(seen: Seen) -> None:
    cell = seen.page.locator("button.cell").first
    wanted = {key: cell.get_attribute(f"data-{key}") for key in ("model", "kind", "cell")}
    cell.click()
    assert {key: seen.page.input_value(f"#by-{key}") for key in wanted} == wanted
    number = int(cell.locator("b").inner_text())
    assert seen.count() == f"1 of {number} that fit"
    shown = seen.page.locator("#list .small").all_inner_texts()
    assert all(str(wanted["cell"]) in one for one in shown)
    seen.page.click("#all")
    assert seen.page.locator("#list [role=option]").count() > number


def test_what_the_judge_says_is_marked_beside_the_twin(seen: Seen) -> None:
    seen.page.select_option("#by-model", "1")
    seen.page.select_option("#by-cell", "lost")
    marked = seen.page.locator("#item .first-bad").first
    assert "the judge says" in marked.inner_text()
    assert seen.page.locator("#item .exchange.twin").count() == 1
    wait = "[...document.images].every(one => one.complete && one.naturalWidth > 0)"
    seen.page.wait_for_function(wait)
    assert seen.page.locator("#item img").count() >= 2
    assert "0.90" in seen.page.inner_text("#item table")


def test_hostile_words_are_text_and_nothing_else_is_loaded(seen: Seen) -> None:
    seen.page.select_option("#by-model", "0")
    text = seen.page.inner_text("#item")
    assert "</script><script>alert(1)</script> {{ 7*7 }} U+202Egnp.exe U+001B[31m" in text
    assert seen.page.evaluate("document.scripts.length") == 2
    assert seen.page.locator("#item img[src=x]").count() == 0
    assert [url for url in seen.asked if not url.startswith(("file:", "data:image/jpeg;"))] == []
    assert seen.wrong == []


def test_every_control_is_reached_with_the_tab_key(seen: Seen) -> None:
    reached = set()
    for _ in range(80):
        seen.page.keyboard.press("Tab")
        reached.add(seen.page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"theme", "help-button", "cell", "filter", "by-model", "by-fault", "all", "list"} <= reached
