"""SIUO: a question that is safe alone, a picture that is, and what follows from both; one warning a row."""

from __future__ import annotations

from collections.abc import Iterator

from ssui_gen.benching.adapters.classes import classed, siuo
from ssui_gen.benching.adapters.copy import Copy
from ssui_gen.benching.adapters.shape import About, Draft, Group, Row

ABOUT = About(
    name="siuo",
    title="SIUO",
    version="sinwang20/SIUO@18974b6",
    licence="CC BY-NC 4.0, for research only",
    layout="data/siuo_gen.json and data/images/*.png",
    rows=167,
    scenarios=167,
    names_danger=True,
)


class Shown(Row):
    question_id: int
    image: str
    question: str
    category: str
    safety_warning: str
    reference_answer: str = ""


def groups(copy: Copy) -> Iterator[Group]:
    path = copy.find("data/siuo_gen.json", "siuo_gen.json")
    pictures = path.parent / "images"

    def make(_: str, row: Shown) -> Iterator[Group]:
        key = f"question_id {row.question_id}"
        category, crosswalk = classed("siuo", row.category, siuo().get(row.category))
        draft = Draft(
            row=key,
            scenario=str(row.question_id),
            kind="risky",
            text=row.question,
            pictures=(copy.below(pictures, row.image),),
            category=category,
            crosswalk=crosswalk,
            danger=row.safety_warning,
            answer=row.reference_answer,
        )
        yield Group(key, (draft,))

    return copy.groups(Shown, copy.listed(path), make)
