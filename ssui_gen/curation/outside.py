"""Items and reviews as other tools have them: what is the same for each. Pure.

A tool shows an item's texts under plain names and gives back answers: a decision, reasons, scores, a note,
and each text as the person left it. A text with the same words as before is no edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ssui_gen.branching import one_line
from ssui_gen.curation.review import Form, Item, Review, blank
from ssui_gen.curation.texts import ANSWER, QUESTION, SCENARIO, STEPS, text_at
from ssui_gen.records import STEP_NAMES

NAMES = {
    QUESTION: "question",
    SCENARIO: "scenario",
    **dict(zip(STEPS, STEP_NAMES, strict=True)),
    ANSWER: "answer",
}
"""Of each text, by its pointer; tools allow small letters, digits and _ in names."""
EDIT = "edit_"
"""Before a text's name: the question by which it is edited."""
DECISION, REASONS, NOTE = "decision", "reasons", "note"


class Answers(NamedTuple):
    """What a person gave back on one item."""

    id: str
    sha: str
    decision: str | None = None
    reasons: tuple[str, ...] = ()
    scores: Mapping[str, int] = {}
    texts: Mapping[str, str] = {}
    """By pointer, as the person left them; one that was not shown is not there."""
    note: str = ""
    seconds: int | None = None


def texts_of(item: Item) -> dict[str, str]:
    """By plain name, every text of an item."""
    return {name: text_at(item.path, pointer) for pointer, name in NAMES.items()}


def answered(item: Item, line: Review) -> Answers:
    """A line as answers; texts are there only where they were edited."""
    scores = {name: score for name, score in line.scores.items() if score is not None}
    return Answers(
        line.id, line.sha, line.decision, line.reasons, scores, line.edits, line.note, line.seconds
    )


def line_of(form: Form, item: Item, answers: Answers) -> Review:
    """The line that says the same of the item these answers were given on."""
    before = {pointer: text_at(item.path, pointer) for pointer in NAMES}
    edits = {
        pointer: one_line(text)
        for pointer, text in answers.texts.items()
        if one_line(text) != one_line(before.get(pointer, ""))
    }
    line = blank(form, answers.id, answers.sha)
    order = [choice.value for choice in form.reasons]
    said: dict[str, Any] = {
        "decision": answers.decision,
        "reasons": tuple(
            sorted(answers.reasons, key=lambda one: order.index(one) if one in order else len(order))
        ),
        "scores": line.scores | dict(answers.scores),
        "edits": edits,
        "note": answers.note,
        "seconds": answers.seconds,
    }
    return line.model_copy(update=said)
