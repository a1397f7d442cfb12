"""MOSSBench: harmless questions under pictures that look risky; how many are refused? Training on it is
prohibited by its licence, and each item says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from ssui_gen.benching.adapters.copy import Copy
from ssui_gen.benching.adapters.shape import About, Draft, Group, Row

ABOUT = About(
    name="mossbench",
    title="MOSSBench",
    version="xirui-li/MOSSBench@8d68b06",
    licence="CC BY-SA 4.0; training on it is prohibited",
    layout="images_information/information.json and the pictures in images/",
    rows=300,
    scenarios=300,
    training=False,
)
TYPES = {
    "type 1": "exaggerated risk",
    "type 2": "negated harm",
    "type 3": "counterintuitive interpretation",
}


class _Row(Row):
    pid: str
    image: str
    question: str
    metadata: dict[str, Any]
    short: str = Field(default="", alias="short description")


def groups(copy: Copy) -> Iterator[Group]:
    inside = "images_information/information.json"
    path = copy.find(inside, f"data/{inside}")
    base = path.parent.parent

    def make(_: str, row: _Row) -> Iterator[Group]:
        key, over = f"pid {row.pid}", str(row.metadata.get("over"))
        draft = Draft(
            row=key,
            scenario=row.pid,
            kind="benign",
            text=row.question,
            pictures=(copy.below(base, row.image),),
            category=TYPES.get(over, over),
            crosswalk={"mossbench": over},
            seen=(row.short,) if row.short else (),
            extra={"type": TYPES.get(over, over)},
        )
        yield Group(key, (draft,))

    return copy.groups(_Row, copy.keyed(path), make)
