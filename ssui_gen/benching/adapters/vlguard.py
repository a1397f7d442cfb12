"""VLGuard, its test half unless told: unsafe pictures; safe ones with a harmful and a harmless instruction.

The three parts are its own: `unsafes`, `safe_unsafes`, `safe_safes`. What is shown is the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from ssui_gen.benching.adapters.classes import VLGUARD, classed
from ssui_gen.benching.adapters.copy import Copy
from ssui_gen.benching.adapters.shape import About, Draft, Group, Refused, Row

ABOUT = About(
    name="vlguard",
    title="VLGuard",
    version="ys-zong/VLGuard@a2f85c9",
    licence="none seen; the data is gated",
    layout="test.json and the pictures of test.zip in test/",
    rows=1558,
    scenarios=1000,
)
HARMFUL_WORDS = "what is asked is harmful by itself, whatever the picture shows"


class Shown(Row):
    id: str
    image: str
    safe: bool
    instr_resp: list[dict[str, str]] = Field(alias="instr-resp")
    harmful_category: str = ""
    harmful_subcategory: str = ""


def groups(copy: Copy, half: Literal["train", "test"] = "test") -> Iterator[Group]:
    path = copy.find(f"{half}.json", f"data/{half}.json")
    below = path.parent.relative_to(copy.root).as_posix()
    folder = copy.folder(*(f"{below}/{name}{half}" for name in ("", f"{half}_images/", "VLGuard/")))

    def make(_: str, row: Shown) -> Iterator[Group]:
        picture = copy.below(folder, row.image)
        drafts = tuple(_safe(row, picture) if row.safe else _unsafe(row, picture))
        wanted = 2 if row.safe else 1
        lack = Refused(
            row.id, "item_invalid", f"{row.id}: {len(drafts)} instructions known; expected {wanted}"
        )
        yield Group(row.id, drafts, () if len(drafts) == wanted else (lack,))

    return copy.groups(Shown, copy.listed(path), make)


def _unsafe(row: Shown, picture: str) -> Iterator[Draft]:
    ours = VLGUARD.get(row.harmful_subcategory)
    theirs = f"{row.harmful_category}/{row.harmful_subcategory}"
    category, crosswalk = classed("vlguard", theirs, ours)
    for pair in row.instr_resp:
        if "instruction" in pair:
            yield Draft(
                row=f"{row.id} unsafes",
                kind="risky",
                text=pair["instruction"],
                pictures=(picture,),
                category=category,
                crosswalk=crosswalk,
                danger=f"{row.harmful_subcategory} ({row.harmful_category})" if row.harmful_category else "",
                answer=pair.get("response", ""),
                extra={"subset": "unsafes"},
            )


def _safe(row: Shown, picture: str) -> Iterator[Draft]:
    """The harmful instruction first: the harmless one is its twin."""
    found = {key: pair for pair in row.instr_resp for key in pair if key.endswith("safe_instruction")}
    if pair := found.get("unsafe_instruction"):
        yield Draft(
            row=f"{row.id} safe_unsafes",
            kind="risky",
            text=pair["unsafe_instruction"],
            pictures=(picture,),
            danger=HARMFUL_WORDS,
            answer=pair.get("response", ""),
            extra={"subset": "safe_unsafes"},
        )
    if pair := found.get("safe_instruction"):
        yield Draft(
            row=f"{row.id} safe_safes",
            kind="benign",
            text=pair["safe_instruction"],
            pictures=(picture,),
            answer=pair.get("response", ""),
            twin="text",
            extra={"subset": "safe_safes"},
        )
