"""What people said of responses, as rows that a rate can be corrected by. Pure.

Each person's words are rows of their own. Where two differ and a third settled it, the third's alone count as
drawn. Who could not tell gives a row without a verdict: it was drawn, and has no label.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, cast

from ssui_gen.benching.records import PERSON, TRUTH, BenchJudgement, Drawn
from ssui_gen.curation.asked.form import DONE
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.people import RESOLVED
from ssui_gen.curation.lines.review import Review
from ssui_gen.curation.lines.sheet import Fault, Sheet
from ssui_gen.curation.workspace.board import Board
from ssui_gen.judging.questions import QuestionName


class Heard(NamedTuple):
    """Labels, and what keeps others from being any."""

    rows: list[BenchJudgement]
    faults: list[Fault]
    undrawn: int
    """Items that people labelled and that no draw knows: kept, and corrected by nothing."""


def heard(board: Board, drawn: Mapping[str, Drawn]) -> Heard:
    """The rows of everybody's lines that hold; of a line with a fault there are none."""
    faults = [*board.folder.misnamed(), *board.all_faults]
    wrong = {(fault.path, fault.line) for fault in faults}
    sheets = {**board.sheets, RESOLVED: board.resolved}
    lines = {name: dict(_holding(board, sheet, wrong)) for name, sheet in sheets.items()}
    settled = lines.get(RESOLVED, {})
    rows = list[BenchJudgement]()
    for name, said in lines.items():
        overruled = settled if name != RESOLVED else {}
        for id, line in said.items():
            rows += _rows(name, board.items[id], line, None if id in overruled else drawn.get(id))
    known = {id for said in lines.values() for id in said}
    return Heard(rows, faults, len(known - drawn.keys()))


def _holding(
    board: Board, sheet: Sheet, wrong: Collection[tuple[object, int]]
) -> Iterator[tuple[str, Review]]:
    """Lines that decide something of the item's own texts, and in which nothing is wrong."""
    for row in sheet.rows:
        line, item = row.review, board.items.get(row.review.id)
        if item and line.sha == item.sha and line.decision and (sheet.path, row.number) not in wrong:
            yield line.id, line


def _rows(name: str, item: Item, line: Review, drawn: Drawn | None) -> Iterator[BenchJudgement]:
    assert item.exhibit is not None
    for question in cast("Iterable[QuestionName]", item.exhibit.asked):
        said = line.scores.get(question) if line.decision == DONE else None
        judge = f"{PERSON}{name}"
        yield BenchJudgement(
            id=BenchJudgement.id_of(item.id, question, judge),
            response_id=item.id,
            item_id=item.exhibit.item_id,
            question=question,
            rubric=item.exhibit.edition,
            judge=judge,
            verdict=None if said is None else str(said),
            unscored="undecided" if said is None else None,
            shown=item.sha,
            drawn=drawn,
            detail=line.note,
        )


def together(
    rows: Iterable[BenchJudgement], before: Iterable[BenchJudgement], names: Collection[str]
) -> list[BenchJudgement]:
    """With the rows that are there already of the truth, and of people without a file here."""
    ours = {f"{PERSON}{name}" for name in (*names, RESOLVED)}
    return [*(row for row in before if row.judge not in ours), *rows]


class Label(NamedTuple):
    """What counts as true of one question about one response."""

    verdict: str
    weight: float
    """One over the probability with which it was drawn; 1 of a world that knows every row."""


def settled(rows: Iterable[BenchJudgement]) -> dict[tuple[str, QuestionName], Label]:
    """By response and question: the truth where a world knows it, else what all say whose word was drawn.

    Where they differ, or could not tell, there is no label.
    """
    found: dict[tuple[str, QuestionName], dict[str, BenchJudgement]] = defaultdict(dict)
    for row in rows:
        if row.drawn or row.judge == TRUTH:
            found[row.response_id, row.question][row.judge] = row
    labels = ((key, _agreed(said)) for key, said in found.items())
    return {key: label for key, label in labels if label}


def _agreed(said: Mapping[str, BenchJudgement]) -> Label | None:
    rows = [said[TRUTH]] if TRUTH in said else list(said.values())
    first = rows[0]
    if first.verdict is None or any(row.verdict != first.verdict for row in rows):
        return None
    return Label(first.verdict, 1 / first.drawn.probability if first.drawn else 1.0)
