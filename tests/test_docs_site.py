"""The site of the docs: every page is in it, every link stays in it, the menu is the README's table."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "scripts"))
import docs_site  # noqa: E402


def test_every_page_is_in_it_and_links_lead_to_what_is_there(tmp_path: Path) -> None:
    docs_site.stage(tmp_path / "docs")
    pages = sorted((tmp_path / "docs").glob("*.md"))
    assert len(pages) == len(list((ROOT / "docs").glob("*.md"))) + 4
    for page in pages:
        for _, link in docs_site.LINK.findall(page.read_text("utf-8")):
            assert (tmp_path / "docs" / link).exists(), (page.name, link)


def test_the_menu_has_every_page_once() -> None:
    def names(menu: list[dict[str, Any]]) -> Iterator[str]:
        for entry in menu:
            for value in entry.values():
                yield from [value] if isinstance(value, str) else names(value)

    listed = list(names(docs_site.settings()["nav"]))
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} | {
        name for name in docs_site.ELSEWHERE.values() if name.endswith(".md")
    }
    assert sorted(listed) == sorted(pages)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The command, and a file of each name that a site takes in."""
    for name in ("docs/there.md", *docs_site.ELSEWHERE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Words.\n")
    (tmp_path / "scripts").mkdir()
    shutil.copy(docs_site.__file__, tmp_path / "scripts")
    return tmp_path


@pytest.mark.parametrize("page", ["docs/page.md", "benchmarks/README.md"])
@pytest.mark.parametrize("link", ["../ssui_gen/cli.py", "no_such_page.md", "../../elsewhere.md#there"])
def test_a_link_out_of_the_site_is_refused(checkout: Path, page: str, link: str) -> None:
    (checkout.parent / "elsewhere.md").write_text("Words.\n")
    (checkout / page).write_text(f"See [this](../docs/there.md) and [that]({link}).\n")
    made = [sys.executable, checkout / "scripts" / "docs_site.py"]
    end = subprocess.run(made, capture_output=True, text=True, check=False)
    target = link.partition("#")[0]
    assert end.returncode == 1
    assert end.stderr == f"{page}: {target}: expected a page or file of the site\n"
