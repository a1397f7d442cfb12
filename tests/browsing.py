"""A real Chromium on our pages: opened, looked at by axe, listened to for anything that goes wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
PATIENCE_MS = 60_000


@contextmanager
def chromium(profile: Path, **settings: Any) -> Iterator[BrowserContext]:
    """A browser with a profile of its own, which remembers what pages keep, as a person's does."""
    with sync_playwright() as playwright:
        found = _start(playwright, profile, settings)
        try:
            yield found
        finally:
            found.close()


def _start(playwright: Playwright, profile: Path, settings: dict[str, Any]) -> BrowserContext:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert path, "no Chromium on the PATH: run `python scripts/install_chromium.py`"
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=path, args=FLAGS, accept_downloads=True,
        **{"viewport": {"width": 1360, "height": 860}, **settings},
    )  # fmt: skip
    context.set_default_timeout(PATIENCE_MS)
    return context


class Visit:
    """One open page, and everything that should not have happened on it."""

    def __init__(
        self,
        context: BrowserContext,
        address: str,
        name: str | None = None,
        before: str | None = None,
        ready: str = "#panel .decision",
    ) -> None:
        """`before` is a script that runs ahead of the page's own; `ready` what is there once it has run."""
        self.page: Page = context.new_page()
        if before:
            self.page.add_init_script(before)
        self.address = address
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.wrong.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)
        if name:
            self.page.fill("#who-name", name)
            self.page.keyboard.press("Enter")
        self.page.wait_for_selector(ready)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def at(self) -> str:
        """Id of the item that is shown."""
        return self.text("#about").rpartition(" ")[2]

    def pressed(self) -> list[str]:
        """What is pressed down in the panel: decision, reasons, scores."""
        found = self.page.eval_on_selector_all(
            "#panel [aria-pressed=true]", "all => all.map(one => one.dataset.value ?? one.ariaLabel)"
        )
        return cast(list[str], found)

    def download(self, to: Path) -> bytes:
        with self.page.expect_download() as download:
            self.page.click("#download")
        to.mkdir(parents=True, exist_ok=True)
        path = to / download.value.suggested_filename
        download.value.save_as(path)
        return path.read_bytes()

    def violations(self) -> list[str]:
        """What axe finds wrong, each with the elements."""
        self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
        found = self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        return [f"{one['id']}: {[node['html'][:90] for node in one['nodes']]}" for one in found]


def visit(context: BrowserContext, run: Path, name: str | None = "ana", before: str | None = None) -> Visit:
    """The page of a run, opened by a person; without a name by whoever was here before."""
    return Visit(context, (run / "curation" / "gallery.html").as_uri(), name, before)
