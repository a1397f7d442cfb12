"""Items and reviews as other tools have them: what is the same for each, and what each is asked. Pure.

A tool shows an item's texts under plain names and gives back answers: a decision, reasons, scores, a note,
and each text as the person left it. A text with the same words as before is no edit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from ssui_gen.branching import one_line
from ssui_gen.curation.asked.form import Form
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.texts import ANSWER, QUESTION, SCENARIO, STEPS, text_at
from ssui_gen.curation.lines.review import Review, blank
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
    """What a person gave back on one item, as a tool's file has it, right or not: see `said`."""

    id: str
    sha: str
    decision: Any = None
    reasons: Any = ()
    scores: Mapping[str, Any] = {}
    texts: Mapping[str, Any] = {}
    """By pointer, as the person left them; one that was not shown is not there."""
    note: Any = ""
    seconds: int | None = None


class Sent(NamedTuple):
    """An item on its way out."""

    item: Item
    pictures: Sequence[str]
    """Data URLs in their order; empty for one that cannot be shown."""
    answers: Answers | None
    """What the person has said of it here."""


def most_pictures(sent: Sequence[Sent]) -> int:
    """Of any item."""
    return max((len(one.pictures) for one in sent), default=1)


class Foreign(BaseModel):
    """A part of a format that is not ours: unknown keys are none of our business."""

    model_config = ConfigDict(extra="ignore")


class Tool(NamedTuple):
    """A tool in which people look at items elsewhere."""

    name: str
    element: type[Foreign]
    """Of the list that its file is."""
    files: Callable[[Form, Sequence[Sent], str], dict[str, str]]
    """What is written for a person, by file."""
    users: Callable[[Sequence[Any]], set[str]]
    """Everybody who has said anything in these elements."""
    answers_of: Callable[[Any, str], Answers | None]
    """What a user said in an element; raises RecordError for what no item of ours is."""
    refused: Callable[[Any], str | None]
    """Why a JSON value is no element, where that can be said better than by its shape."""
    times: bool
    """Whether it keeps how long an item was looked at."""


def as_json(elements: Sequence[Foreign]) -> str:
    """The file of these."""
    rows = [one.model_dump(exclude_none=True) for one in elements]
    return json.dumps(rows, ensure_ascii=False) + "\n"


def texts_of(item: Item) -> dict[str, str]:
    """By plain name, every text of an item."""
    return {name: text_at(item.path, pointer) for pointer, name in NAMES.items()}


def answered(line: Review) -> Answers:
    """A line as answers; texts are there only where they were edited."""
    scores = {name: score for name, score in line.scores.items() if score is not None}
    return Answers(
        line.id, line.sha, line.decision, line.reasons, scores, line.edits, line.note, line.seconds
    )


def line_of(form: Form, item: Item, answers: Answers) -> Review:
    """The line that says the same of the item these answers were given on; they are of the right shape."""
    return Review.model_validate(said(form, item, answers))


def said(form: Form, item: Item, answers: Answers) -> dict[str, Any]:
    """Such a line as a JSON object, whatever the answers are: `shape` says what is wrong with it."""
    texts = {pointer: _in_one(text) for pointer, text in answers.texts.items()}
    was = {pointer: one_line(text_at(item.path, pointer)) for pointer in NAMES}
    line = blank(form, answers.id, answers.sha)
    return {
        "id": answers.id,
        "sha": answers.sha,
        "decision": answers.decision,
        "reasons": _in_order(form, answers.reasons),
        "scores": line.scores | dict(answers.scores),
        "edits": {pointer: text for pointer, text in texts.items() if text != was.get(pointer)},
        "note": answers.note,
        "seconds": answers.seconds,
    }


def _in_one(text: Any) -> Any:
    return one_line(text) if isinstance(text, str) else text


def _in_order(form: Form, reasons: Any) -> Any:
    """As the form has them; strangers last."""
    order = [choice.value for choice in form.reasons]
    if not isinstance(reasons, list | tuple):
        return reasons
    return sorted(reasons, key=lambda one: order.index(one) if one in order else len(order))
