"""The README and the pages of docs/ as a site: `python scripts/docs_site.py` (what `make docs` runs).

Every page stays plain Markdown that GitHub shows as it is. Here they are copied into `build/docs`, the README
as the first page and what lies elsewhere beside them, links turned to where each page lies now, and Zensical
makes `build/site` of them. The menu is the README's table of documentation.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "how_benchmarks_ran.md",
    "outputs/README.md": "files_of_a_run.md",
    "LICENSE": "LICENSE.txt",
    "CITATION.cff": "CITATION.cff",
}
"""What does not lie in docs/, and what it is called in the site."""
LINK = re.compile(r'(\]\(|srcset="|src=")((?!https?:|#|data:)[^)"#\s]+)')
ROW = re.compile(r"^\| (\w+) \| (\[.+) \|$", re.MULTILINE)
ENTRY = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
FILE = "build/mkdocs.yml"
ZENSICAL = (sys.executable, "-m", "zensical", "build", "--clean", "--strict")


def main() -> None:
    stage(BUILD / "docs")
    (ROOT / FILE).write_text(json.dumps(settings(), indent=1), "utf-8")
    sys.exit(subprocess.run([*ZENSICAL, "--config-file", FILE], cwd=ROOT, check=False).returncode)


def stage(to: Path) -> None:
    """All pages and pictures in `to`, anew; raises SystemExit for a link that leads out of them."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for source in [ROOT / name for name in ELSEWHERE] + sorted((ROOT / "docs").rglob("*")):
        place = to / placed(source)
        if source.is_dir():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            place.write_text(turned(source), "utf-8")
        else:
            shutil.copyfile(source, place)


def placed(source: Path) -> str:
    """Where a file of the checkout lies in the site."""
    name = source.relative_to(ROOT).as_posix()
    return ELSEWHERE.get(name) or name.removeprefix("docs/")


def turned(source: Path) -> str:
    """A page with its links as they lead within the site; raises SystemExit for one that leads out of it."""

    def turn(found: re.Match[str]) -> str:
        leads = (source.parent / found[2]).resolve()
        inside = leads.is_relative_to(ROOT / "docs") or leads in [ROOT / name for name in ELSEWHERE]
        if not (inside and leads.exists()):
            sys.exit(f"{source.relative_to(ROOT)}: {found[2]}: expected a page or file of the site")
        return found[1] + placed(leads)

    return LINK.sub(turn, source.read_text("utf-8"))


def settings() -> dict[str, object]:
    """Of Zensical, which reads what MkDocs reads."""
    table = (ROOT / "README.md").read_text("utf-8")
    menu = [
        {group: [{name: placed((ROOT / page).resolve())} for name, page in ENTRY.findall(entries)]}
        for group, entries in ROW.findall(table)
        if ENTRY.fullmatch(entries.split(" · ")[0])
    ]
    return {
        "site_name": "ssui_gen",
        "docs_dir": "docs",
        "site_dir": "site",
        "theme": {"features": ["content.code.copy"], "palette": PALETTE},
        "markdown_extensions": ["attr_list", "md_in_html", {"toc": {"permalink": True}}, FENCES],
        "nav": [{"ssui_gen": "index.md"}, *menu],
    }


PALETTE = [
    {"media": "(prefers-color-scheme: light)", "scheme": "default"},
    {"media": "(prefers-color-scheme: dark)", "scheme": "slate"},
]
FENCES = {"pymdownx.superfences": {"custom_fences": [{"name": "mermaid", "class": "mermaid"}]}}


if __name__ == "__main__":
    main()
