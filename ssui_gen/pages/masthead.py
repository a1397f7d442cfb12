"""What stands at the head of a run's pages: which run, by which models, when, judged by what F; its sisters.

Covers no figure of any page. Pages that are not there (yet) are not linked.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from ssui_gen.manifest import PAIRS, RUN, TOLD, Manifest, read_manifest, title_of

SISTERS = (
    ("Dataset", "dataset.html"),
    ("Review", "curation/gallery.html"),
    ("Branches and pairs", "pairs.html"),
)
"""Pages below a run's folder, in the order in which they are made."""


REPORTS = 4
"""Of benchmarked models, at most."""


class Masthead(NamedTuple):
    """The head of one page."""

    title: str
    made: str
    pages: tuple[tuple[str, str, bool], ...]
    """Name, address from the page, whether it is the page itself."""

    def of(self, title: str) -> dict[str, Any]:
        """As a template takes it, with the page's own title."""
        return {"title": title, "made": self.made, "pages": self.pages, "run": self.title}


def masthead(run: Path, here: str, *coming: str) -> Masthead:
    """Of the page at `here`, below the run's folder; the pages `coming` will be there in a moment."""
    up = "../" * here.count("/")
    reports = sorted((run / "bench").glob("*/report.html"))[:REPORTS]
    measured = ((f"Bench: {path.parent.name}", path.relative_to(run).as_posix()) for path in reports)
    there = tuple(
        (name, up + quote(os.fsencode(address)), address == here)
        for name, address in (*SISTERS, *measured)
        if address in (here, *coming) or (run / address).is_file()
    )
    return Masthead(title_of(run), " · ".join(_facts(run)), there if len(there) > 1 else ())


def _facts(run: Path) -> list[str]:
    made, told, explored = (read_manifest(run / name) for name in (RUN, TOLD, PAIRS))
    found = [*_roles(made), *_roles(told), *_roles(explored)]
    if explored.settings:
        found.append(f"F: {' and '.join(explored.config.verify.by)}")
    if since := next((one.since for one in made.editions if one.since), ""):
        found.append(f"begun {since[:10]}")
    if made.ssui_gen:
        found.append(f"ssui_gen {made.ssui_gen}{f' at {made.git}' if made.git else ''}")
    return list(dict.fromkeys(found))


def _roles(manifest: Manifest) -> list[str]:
    return [f"{role}: {name}" for role, name in manifest.last.models.items()] if manifest.last else []
