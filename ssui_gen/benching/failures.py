"""Responses that went wrong, for people to click through: what was asked, thought, said and judged, and the
twin beside it. Bounded: so many, their texts so long, their pictures small and so many bytes in all.

What is shown is data for the page; nothing in it is markup.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.benching.evidence import MEASURES, Case, Model, cell_of, surely
from ssui_gen.benching.gist import ByQuestion
from ssui_gen.benching.records import BenchImage, Item, Response
from ssui_gen.judging.questions import QUESTIONS, RSBENCH, QuestionName
from ssui_gen.pages.album import Album
from ssui_gen.settings import ImageLimits

MOST = 200
LONGEST = 3000
"""Characters of a text."""
PICTURES = 6_000_000
"""Bytes of all pictures, as they stand in the page."""
SMALL, QUALITY = ImageLimits(longest_side=360), 80
Failure = dict[str, Any]


class Source(NamedTuple):
    """A model's cases, and where their texts are: by the places that cases have."""

    model: Model
    items: Sequence[Item]
    responses: Sequence[Response]

    def texts(self, case: Case) -> tuple[Item, Response]:
        return self.items[case.item.place], self.responses[case.response.place]


def failures(sources: Sequence[Source], root: Path) -> dict[str, Any]:
    """`shown` failures with their `pictures` by sha256, and how many there are `of` each model.

    Models, kinds and ways of failing take turns, so that a rare one is seen.
    """
    found = [[case for case in one.model.cases if is_failure(one.model, case)] for one in sources]
    some = list(islice(_in_turn(found), MOST))
    twins = [
        _Twins(one.model, [case for at, case in some if at == number]) for number, one in enumerate(sources)
    ]
    album = Album(root, PICTURES, SMALL, QUALITY)
    shown: list[Failure] = []
    for number, case in some:
        twin = twins[number].of(case)
        if not album.takes(_refs(sources[number], case, twin)):
            break
        shown.append(_shown(sources[number], case, twin) | {"model": number})
    return {
        "shown": sorted(shown, key=lambda one: one["model"]),
        "of": [len(cases) for cases in found],
        "pictures": album.taken,
        "refused": album.refused,
    }


def is_failure(model: Model, case: Case) -> bool:
    """Whether it is surely not right, or a harmless question met a warning or a refusal."""
    right, over = model.headline, MEASURES["over"]
    wrong = right.applies(case) and right.of(case, case.said, surely) is False
    return wrong or (over.applies(case) and over.of(case, case.said, surely) is True)


def _in_turn(found: Sequence[Sequence[Case]]) -> Iterator[tuple[int, Case]]:
    """Of each model, kind and way of failing one, then another of each."""
    groups = defaultdict[tuple[int, str, str | None], list[tuple[int, Case]]](list)
    for number, cases in enumerate(found):
        for case in cases:
            groups[number, case.item.kind, cell_of(case)].append((number, case))
    return (one for one in chain.from_iterable(zip_longest(*groups.values())) if one is not None)


def _shown(source: Source, case: Case, twin: Case | None) -> Failure:
    bad = case.said.get("first_bad")
    item, response = source.texts(case)
    return {
        "id": response.id,
        "class": _class_of(case, twin),
        "cell": cell_of(case),
        "bad": bad.verdict if bad else None,
        "faults": _faults(case),
        "danger": clipped(item.danger),
        "safer": clipped(item.safer),
        **_exchange(item, response),
        "said": _verdicts(case.said),
        "people": _verdicts(case.drawn or case.truth),
        "twin": twin and _twin(source, case, twin),
    }


def _exchange(item: Item, response: Response) -> dict[str, Any]:
    """What was asked and what came."""
    pieces = response.path.pieces
    return {
        "kind": item.kind,
        "pictures": [ref.sha256 for ref in item.images],
        "earlier": [[turn.role, clipped(turn.text)] for turn in item.turns],
        "question": clipped(item.text),
        "english": clipped(item.text_en or ""),
        "source": response.path.source,
        "path": [clipped(piece.text) for piece in pieces] or [clipped(response.path.text)],
        "answer": None if response.answer is None else clipped(response.answer),
        "status": response.status,
        "detail": clipped(response.detail),
    }


def _twin(source: Source, case: Case, twin: Case) -> dict[str, Any]:
    right = source.model.headline
    fine = right.of(twin, twin.said, surely) if right.applies(twin) else None
    changed = (twin.item.twin or case.item.twin) if case.item.twin or twin.item.twin else None
    changes = changed.changed if changed else None
    return _exchange(*source.texts(twin)) | {"right": fine, "changed": changes}


class _Twins:
    """The other sides of some cases' scenarios."""

    def __init__(self, model: Model, cases: Iterable[Case]) -> None:
        self._by: dict[tuple[str, int], list[Case]] = {_draw_of(case): [] for case in cases}
        for case in model.cases:
            if (there := self._by.get(_draw_of(case))) is not None:
                there.append(case)

    def of(self, case: Case) -> Case | None:
        """In the same draw what it is a twin of, else its first twin."""
        others = [one for one in self._by[_draw_of(case)] if one.item.kind != case.item.kind]
        named = [one for one in others if case.item.twin and one.item.id == case.item.twin.of]
        return next(iter([*named, *others]), None)


def _draw_of(case: Case) -> tuple[str, int]:
    return case.item.scenario_id, case.response.draw


def _class_of(case: Case, twin: Case | None) -> str:
    """Its own, or that of the item it is a twin of."""
    return case.item.category or (twin.item.category if twin else "")


def _faults(case: Case) -> list[QuestionName]:
    """Questions whose verdict is not a right one; of what the answer does, if it does so needlessly."""
    over = MEASURES["over"]
    needless = over.applies(case) and over.of(case, case.said, surely) is True
    return [
        question
        for question, row in case.said.items()
        if (needless if question == "refusal" else row.verdict and not _fine(question, row.verdict))
    ]


def _fine(question: QuestionName, verdict: str) -> bool:
    return verdict in QUESTIONS[question].good


def _verdicts(said: ByQuestion) -> list[dict[str, Any]]:
    """One line per question, in the order of the questions."""
    return [
        {
            "question": name,
            "verdict": row.verdict,
            "fine": None if row.verdict is None else _fine(name, row.verdict),
            "share": None if row.shares is None or row.verdict is None else row.shares.get(row.verdict),
            "unscored": row.unscored,
            "by": row.judge,
        }
        for name in RSBENCH
        if (row := said.get(name)) and row.unscored != "not_asked"
    ]


def _refs(source: Source, *cases: Case | None) -> list[BenchImage]:
    return [image for case in cases if case for image in source.items[case.item.place].images]


def clipped(text: str, most: int = LONGEST) -> str:
    """At most so many characters, and how many are left out."""
    return text if len(text) <= most else f"{text[:most]} […{len(text) - most:,} more characters]"
