"""MIS's test half: a question that is safe alone about two pictures that are; three files by difficulty.

Questions about the same two pictures are one cluster. A picture is named from the folder of its file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ssui_gen.benching.adapters.classes import SIX, classed
from ssui_gen.benching.adapters.copy import Copy
from ssui_gen.benching.adapters.shape import About, Draft, Group, Row
from ssui_gen.errors import ConfigError

ABOUT = About(
    name="mis",
    title="MIS",
    version="DripNowhy/MIS@9cd94ec",
    licence="Apache-2.0, as the card of its data says; none in the repository",
    layout="mis_test/mis_{easy,hard,real}.json and beside them easy_image/, hard_image/, real_image/",
    rows=2285,
)
PARTS = ("easy", "hard", "real")


class Shown(Row):
    question: str
    image_path1: str
    image_path2: str
    category: str
    sub_category: str = ""


def groups(copy: Copy) -> Iterator[Group]:
    known = {f"mis_{part}.json": part for part in PARTS}
    files = [path for path in copy.glob("mis_test/mis_*.json", "mis_*.json") if path.name in known]
    if not files:
        raise ConfigError(f"{copy.root}: no {', '.join(known)}; expected {copy.layout}")
    for path in files:
        yield from _part(copy, path, known[path.name])


def _part(copy: Copy, path: Path, part: str) -> Iterator[Group]:
    def make(place: str, row: Shown) -> Iterator[Group]:
        category, crosswalk = classed("mis", row.category, SIX.get(row.category.lower()))
        draft = Draft(
            row=place,
            kind="risky",
            text=row.question,
            pictures=tuple(copy.below(path.parent, name) for name in (row.image_path1, row.image_path2)),
            category=category,
            crosswalk=crosswalk,
            extra={"part": part, "sub_category": row.sub_category},
        )
        yield Group(place, (draft,))

    return copy.groups(Shown, copy.listed(path), make)
