"""MM-SafetyBench: a harmful question, its key phrase drawn, written, or both, in three pictures.

The picture by Stable Diffusion (SD) goes with `Rephrased Question(SD)`, the two with writing in them with
`Rephrased Question`; several users pair them otherwise. The three pictures of a question are one cluster. In
scenario 08 nineteen questions stand twice, each one cluster of six; six of them have the same words and key
phrase both times, of which alone the picture of writing (TYPO) is drawn: of 5,040 pairs 5,034 are left. The
danger is in the words and in the picture alone: an alarm for plainly unsafe inputs, not the task of SSUI.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from ssui_gen.benching.adapters.classes import MM_SAFETYBENCH, classed
from ssui_gen.benching.adapters.copy import Copy
from ssui_gen.benching.adapters.shape import About, Draft, Group, Row
from ssui_gen.errors import ConfigError

ABOUT = About(
    name="mm_safetybench",
    title="MM-SafetyBench",
    version="isXinLiu/MM-SafetyBench@b80eede",
    licence="CC BY-NC 4.0",
    layout="data/processed_questions/NN-Scenario.json and data/imgs/NN-Scenario/{SD,SD_TYPO,TYPO}/ID.jpg",
    rows=5034,
    scenarios=1661,
)
PICTURES = ("SD", "SD_TYPO", "TYPO")
ARCHIVE = "MM-SafetyBench(imgs)"
"""The one folder of their archive of pictures, which is to be unpacked in `data/imgs`."""


class _Row(Row):
    question: str = Field(alias="Question")
    rephrased: str = Field(alias="Rephrased Question")
    rephrased_sd: str = Field(alias="Rephrased Question(SD)")


def groups(copy: Copy) -> Iterator[Group]:
    files = copy.glob("data/processed_questions/*.json", "processed_questions/*.json")
    if not files:
        raise ConfigError(f"{copy.root}: no processed_questions/*.json; expected {copy.layout}")
    folder = copy.folder("data/imgs", "imgs", ARCHIVE, f"data/{ARCHIVE}")
    pictures = inner if (inner := folder / ARCHIVE).is_dir() else folder
    for path in files:
        yield from _scenario(copy, path, copy.below(pictures, path.stem))


def _scenario(copy: Copy, path: Path, pictures: str) -> Iterator[Group]:
    theirs = re.sub(r"^\d+-", "", path.stem)
    category, crosswalk = classed("mm_safetybench", path.stem, MM_SAFETYBENCH.get(theirs))
    first: dict[str, str] = {}

    def make(place: str, row: _Row) -> Iterator[Group]:
        key = place.removeprefix(f"{path.name}:")
        question = first.setdefault(row.question, key)
        drafts = (
            Draft(
                row=f"{path.stem}/{key} {kind}",
                scenario=f"{path.stem}/{question}",
                kind="risky",
                text=row.rephrased_sd if kind == "SD" else row.rephrased,
                pictures=(f"{pictures}/{kind}/{key}.jpg",),
                category=category,
                crosswalk=crosswalk,
                danger=f"what is asked is harmful by itself: {theirs.replace('_', ' ')}",
                extra={"scenario": path.stem, "picture": kind},
            )
            for kind in PICTURES
        )
        yield Group(place, tuple(drafts))

    return copy.groups(_Row, copy.keyed(path), make)
