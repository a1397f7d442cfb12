"""The site of the docs: every page is in it, every link stays in it, the menu is the README's table."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def site() -> ModuleType:
    made = importlib.util.spec_from_file_location("docs_site", ROOT / "scripts" / "docs_site.py")
    assert made and made.loader
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


def test_every_page_is_in_it_and_links_lead_to_what_is_there(site: ModuleType, tmp_path: Path) -> None:
    site.stage(tmp_path / "docs")
    pages = sorted((tmp_path / "docs").glob("*.md"))
    assert len(pages) == len(list((ROOT / "docs").glob("*.md"))) + 4
    for page in pages:
        for _, link in site.LINK.findall(page.read_text("utf-8")):
            assert (tmp_path / "docs" / link).exists(), (page.name, link)


def test_the_menu_has_every_page_once(site: ModuleType) -> None:
    def names(menu: list[dict[str, Any]]) -> Iterator[str]:
        for entry in menu:
            for value in entry.values():
                yield from [value] if isinstance(value, str) else names(value)

    listed = list(names(site.settings()["nav"]))
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} | {
        name for name in site.ELSEWHERE.values() if name.endswith(".md")
    }
    assert sorted(listed) == sorted(pages)


@pytest.mark.parametrize("link", ["../ssui_gen/cli.py", "no_such_page.md", "../../elsewhere.md"])
def test_a_link_out_of_the_site_is_refused(
    site: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    monkeypatch.setattr(site, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(f"See [there]({link}).")
    with pytest.raises(SystemExit, match=r"page\.md: .*: expected a page or file of the site"):
        site.turned(tmp_path / "docs" / "page.md")
