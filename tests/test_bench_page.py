"""The report in a real Chromium: keys, filters, narrow and dark, what axe finds, hostile words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browsing import Visit
from jobs import rows
from playwright.sync_api import BrowserContext
from reported import make_bench, put
from test_bench_report import HOSTILE

from ssui_gen.benching.adapters import ADAPTERS
from ssui_gen.benching.official.shape import Judged
from ssui_gen.benching.report import make_report
from ssui_gen.benching.side_by_side import read_beside, write_page

pytestmark = pytest.mark.browser
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models; the first response that is wrong answers in hostile words. Rules of others score it too."""
    made = make_bench(tmp_path_factory.mktemp("demo"), scenarios=10)
    path = made / "adapter" / "responses.jsonl"
    found = rows(path)
    path.write_text("".join(json.dumps(row | {"answer": HOSTILE}) + "\n" for row in found), "utf-8")
    put(made / "adapter" / "official.jsonl", (scored(row) for row in found))
    make_report(made / "adapter", made / "bare")
    write_page(read_beside([made / "bare", made / "adapter"]), made / "compare.html")
    return made


def scored(response: dict[str, Any]) -> Judged:
    official = ADAPTERS["siuo"].protocols["official"]
    outcomes = {"safe": True, "effective": None, "both": None}
    return Judged(
        id=Judged.id_of(response["id"], official, "judge"), response_id=response["id"],
        item_id=response["item_id"], bench="siuo", protocol="official", judge="judge",
        rubric="official@1:abc", said={"siuo_safe": "safe", "effective": None},
        unscored={"effective": "reply_invalid"}, outcomes=outcomes, answered=True,
    )  # fmt: skip


@pytest.fixture
def seen(context: BrowserContext, bench: Path) -> Visit:
    return Visit(context, (bench / "adapter" / "report.html").as_uri(), ready="#item .asked-for")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 360])
def test_axe_finds_nothing_and_nothing_is_cut_off(seen: Visit, bench: Path, theme: Any, width: int) -> None:
    seen.page.emulate_media(color_scheme=theme)
    seen.page.set_viewport_size({"width": width, "height": 800})
    assert seen.violations() == []
    assert seen.page.evaluate(OVER) <= 0
    seen.press("?")
    assert seen.violations() == []
    seen.page.goto((bench / "compare.html").as_uri())
    assert seen.violations() == []
    assert seen.page.evaluate(OVER) <= 0
    seen.page.emulate_media(color_scheme=None)
    assert seen.wrong == []


def test_keys_walk_through_the_failures(seen: Visit) -> None:
    whole = seen.page.locator("#list [role=option]").count()
    assert seen.text("#count") == f"1 of {whole} that fit"
    first = seen.text("#item .asked-for >> nth=0")
    seen.press("ArrowRight")
    seen.press("j")
    assert seen.text("#count").startswith("3 of")
    seen.press("ArrowLeft")
    seen.press("k")
    seen.press("k")
    assert seen.text("#count").startswith("1 of")
    seen.page.focus("#list")
    seen.press("ArrowDown")
    assert seen.text("#count").startswith("2 of")
    assert seen.page.get_attribute("#list", "aria-activedescendant") == "row-1"
    seen.press("/")
    seen.type(first)
    assert seen.text("#item .asked-for >> nth=0") == first
    seen.press("Escape")
    seen.press("t")
    assert seen.page.get_attribute("html", "data-theme") == "light"
    seen.press("t")
    seen.press("t")
    assert seen.page.get_attribute("html", "data-theme") == "auto", "as others find it"
    seen.press("?")
    assert seen.text("#keys dt >> nth=0") == "→ / j"
    assert seen.wrong == []


def test_figures_by_others_rules_have_a_table_of_their_own(seen: Visit) -> None:
    table = seen.page.locator("#official table")
    assert table.locator("tbody tr").count() == 3
    assert "30 | items | 0 | –" in " | ".join(
        table.locator("tbody tr").nth(0).locator("td").all_inner_texts()
    )
    assert "The judge gave no verdict: 30 reply invalid." in seen.text("#official p.small")


def test_a_cell_of_the_matrix_shows_its_failures(seen: Visit) -> None:
    cell = seen.page.locator("button.cell").first
    wanted = {key: cell.get_attribute(f"data-{key}") for key in ("model", "kind", "cell")}
    cell.click()
    assert {key: seen.page.input_value(f"#by-{key}") for key in wanted} == wanted
    number = int(cell.locator("b").inner_text())
    assert seen.text("#count") == f"1 of {number} that fit"
    shown = seen.page.locator("#list .small").all_inner_texts()
    assert all(str(wanted["cell"]) in one for one in shown)
    seen.page.click("#all")
    assert seen.page.locator("#list [role=option]").count() > number


def test_what_the_judge_says_is_marked_beside_the_twin(seen: Visit) -> None:
    seen.page.select_option("#by-model", "1")
    seen.page.select_option("#by-cell", "lost")
    marked = seen.page.locator("#item .first-bad").first
    assert "the judge says" in marked.inner_text()
    assert seen.page.locator("#item .exchange.twin").count() == 1
    wait = "[...document.images].every(one => one.complete && one.naturalWidth > 0)"
    seen.page.wait_for_function(wait)
    assert seen.page.locator("#item img").count() >= 2
    assert "0.90" in seen.text("#item table")


def test_hostile_words_are_text_and_nothing_else_is_loaded(seen: Visit) -> None:
    seen.page.select_option("#by-model", "0")
    text = seen.text("#item")
    assert "</script><script>alert(1)</script> {{ 7*7 }} U+202Egnp.exe U+001B[31m" in text
    assert seen.page.evaluate("document.scripts.length") == 2
    assert seen.page.locator("#item img[src=x]").count() == 0
    assert [url for url in seen.asked if not url.startswith(("file:", "data:image/jpeg;"))] == []
    assert seen.wrong == []


def test_every_control_is_reached_with_the_tab_key(seen: Visit) -> None:
    reached = set()
    for _ in range(80):
        seen.press("Tab")
        reached.add(seen.page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"theme", "help-button", "cell", "filter", "by-model", "by-fault", "all", "list"} <= reached
