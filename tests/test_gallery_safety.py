"""Whatever a model wrote is text on the page, and the page runs and loads nothing that is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import visit
from curating import ROUND, exported, record
from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.browser

TRIES = """async () => {
    const blocked = [], body = document.body;
    const make = (tag, words) => Object.assign(document.createElement(tag), words);
    document.addEventListener('securitypolicyviolation', event => blocked.push(event.effectiveDirective));
    const script = document.createElement('script');
    try { script.text = 'window.ran = 1'; } catch { blocked.push('trusted types'); }
    try { body.innerHTML = '<b>x</b>'; } catch { blocked.push('trusted types'); }
    const outside = { src: 'https://example.org/x.png' };
    body.append(script, make('img', outside), make('iframe', outside));
    await fetch('https://example.org/').catch(() => {});
    await new Promise(done => setTimeout(done, 300));
    return [window.ran ?? null, [...new Set(blocked)].sort()];
}"""
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "javascript:alert(1)",
    "{{7*7}} ${alert(1)} <%= 1 %>",
    "]]>",
    "\u202egnp.exe",
    "a\u200bb\ufeff",
    "\x1b[31mred",
    "&lt;b&gt;",
    '"><svg onload=alert(1)>',
    "'",
    "\\u003cscript\\u003e",
    "line\u2028break",
    "https://example.org/x.png",
]


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    paths = []
    for number, text in enumerate(HOSTILE):
        path = record(f"{number:04d}", question=text, synthesis=text, answer=text, reflection=(ROUND, ROUND))
        query = path.query.model_copy(update={"scenario": text, "category": "violence"})
        paths.append(path.model_copy(update={"query": query}))
    return exported(tmp_path / "<img src=x onerror=alert(1)>", paths)


def test_hostile_texts_are_text_and_nothing_else(context: BrowserContext, hostile: Path) -> None:
    seen = visit(context, hostile)
    for text in HOSTILE:
        shown = seen.text("[data-pointer='/answer'] .text")
        for sign in "\u202e\u200b\ufeff\x1b\u2028":
            assert sign not in shown
            text = text.replace(sign, f"U+{ord(sign):04X}")
        assert shown == text
        seen.press("e", "End")
        seen.type(" <b>mine</b>")
        seen.press("Enter", "n")
        seen.type("<img src=x onerror=alert(1)>")
        seen.press("Escape", "j")
    assert seen.wrong == []
    assert [url for url in seen.asked if not url.startswith(("file:", "data:image/png;"))] == []
    assert seen.page.evaluate("document.scripts.length") == 2
    assert seen.page.locator("b, svg, .text img").count() == 0
    assert seen.page.title() == hostile.name


def test_the_policy_lets_nothing_else_run_or_load(context: BrowserContext, hostile: Path) -> None:
    seen = visit(context, hostile)
    ran, blocked = seen.page.evaluate(TRIES)
    assert ran is None
    assert {"img-src", "connect-src", "frame-src", "trusted types"} <= set(blocked)
