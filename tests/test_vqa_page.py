"""The page of what a training cost, in a real Chromium: what axe finds, narrow and dark, pictures."""

from __future__ import annotations

from typing import Any

import pytest
from asked import many, read
from browsing import Visit
from playwright.sync_api import BrowserContext
from reported import put
from scored import response
from test_bench_report import HOSTILE

from ssui_gen.benching.bench import write_bench
from ssui_gen.benching.vqa.reading import NAME
from ssui_gen.benching.vqa.report import make_report, read_results, taxed, write_compared

pytestmark = pytest.mark.browser
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A report beside its baseline, and the page of both; the second answers in hostile words."""
    folder = tmp_path_factory.mktemp("asked")
    bench, made = folder / "run/bench-vqa", read(many(folder / "set", 6))
    write_bench(bench, NAME, made.root, made.items)
    for name, said in (("before", "yes"), ("after", HOSTILE)):
        answers = [response(item, said if number < 4 else "yes") for number, item in enumerate(made.items)]
        put(bench / name / "responses.jsonl", (one.model_copy(update={"model": name}) for one in answers))
    report = make_report(bench / "after", bench / "before")
    before, after = (read_results(bench / name) for name in ("before", "after"))
    write_compared([before, after], [taxed(before, after)], bench / "compare.html")
    return [report.html.as_uri(), (bench / "compare.html").as_uri()]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 360])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    context: BrowserContext, pages: list[str], theme: Any, width: int
) -> None:
    seen = Visit(context, pages[0], ready="#lost")
    seen.page.emulate_media(color_scheme=theme)
    seen.page.set_viewport_size({"width": width, "height": 800})
    for page in pages:
        seen.page.goto(page)
        assert seen.violations() == []
        assert seen.page.evaluate(OVER) <= 0
    seen.page.emulate_media(color_scheme=None)
    assert seen.wrong == []


def test_what_was_lost_stands_beside_its_picture(context: BrowserContext, pages: list[str]) -> None:
    seen = Visit(context, pages[0], ready="#lost")
    shown = seen.page.locator("img[data-picture]")
    assert shown.count() == 4
    assert all(image.evaluate("image => image.naturalWidth") == 8 for image in shown.all())
    assert seen.wrong == []
