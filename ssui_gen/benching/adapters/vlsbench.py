"""VLSBench: harmless words under a picture that holds the danger; what is shown is the cluster.

Of its 2,241 rows one has no words and one is its neighbour again. Since March 2025 they say why they are
unsafe; rows of before then are read, without a danger.
"""

from __future__ import annotations

from collections.abc import Iterator

from ssui_gen.benching.adapters.classes import SIX, classed
from ssui_gen.benching.adapters.copy import Copy
from ssui_gen.benching.adapters.shape import About, Draft, Group, Row

ABOUT = About(
    name="vlsbench",
    title="VLSBench",
    version="AI45Lab/VLSBench@68f54de",
    licence="Apache-2.0, as its card says; none in the repository",
    layout="data.json and the pictures in imgs/",
    rows=2239,
    scenarios=1957,
)


class Shown(Row):
    instruction_id: int
    instruction: str
    image_path: str
    category: str
    sub_category: str = ""
    image_description: str = ""
    safety_reason: str = ""


def groups(copy: Copy) -> Iterator[Group]:
    path = copy.find("data.json", "data/data.json")
    base = path.parent

    def make(_: str, row: Shown) -> Iterator[Group]:
        key = f"instruction_id {row.instruction_id}"
        category, crosswalk = classed("vlsbench", row.category, SIX.get(row.category.lower()))
        draft = Draft(
            row=key,
            kind="risky",
            text=row.instruction,
            pictures=(copy.below(base, row.image_path),),
            category=category,
            crosswalk=crosswalk,
            danger=row.safety_reason,
            seen=(row.image_description,) if row.image_description else (),
            extra={"category": row.category},
        )
        yield Group(key, (draft,))

    return copy.groups(Shown, copy.listed(path), make)
