"""Label Studio's tasks and labelling configuration.

The shapes: labelstud.io/guide/task_format (tasks, annotations, results) and labelstud.io/tags (Choices,
Rating, TextArea). Pictures go as data URLs inside the tasks, as local files are often not found there. Only
what is needed is modelled; whatever else an export holds is passed over. No server is asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from pydantic import Field

from ssui_gen.curation.asked.form import MOST, Choice, Form
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.formats.outside import (
    DECISION,
    EDIT,
    NAMES,
    NOTE,
    REASONS,
    Answers,
    Foreign,
    Sent,
    Tool,
    as_json,
    most_pictures,
    texts_of,
)
from ssui_gen.errors import RecordError

IMAGE = "image"
FLAT = {"annotator", "annotation_id", "sha"}
"""What tells an element of JSON-MIN: there a task's data stand beside what was said of it."""


class Result(Foreign):
    """What one control tag says."""

    from_name: str
    to_name: str
    type: str
    value: dict[str, Any]


class Annotation(Foreign):
    """What one person said of a task."""

    result: list[Result] = Field(default_factory=list)
    was_cancelled: bool = False
    """Skipped."""
    lead_time: float | None = None
    """Seconds."""
    completed_by: int | str | dict[str, Any] | None = None
    """A user's id, or a user with id and email."""

    @property
    def user(self) -> str:
        """Whose it is, as one may name them: the email where it is known."""
        by = self.completed_by
        return str(by.get("email") or by.get("id") or "") if isinstance(by, dict) else str(by or "")


class Task(Foreign):
    """One element of `tasks.json`."""

    data: dict[str, Any]
    annotations: list[Annotation] = Field(default_factory=list)


def task(item: Item, pictures: Sequence[str], answers: Answers | None, most: int) -> Task:
    """An item, with what a person has said of it; `most` as `config` has it."""
    known = {"kind": item.path.kind, "category": item.path.query.category, "risk": item.risk}
    data = {
        "id": item.id,
        "sha": item.sha,
        IMAGE: pictures[0] if most == 1 else list(pictures),
        **known,
        **texts_of(item),
    }
    said = [Annotation(result=list(_results(answers)), lead_time=answers.seconds)] if answers else []
    return Task(data=data, annotations=said)


def _results(answers: Answers) -> Iterable[Result]:
    if answers.decision:
        yield _choices(DECISION, [answers.decision])
    if answers.reasons:
        yield _choices(REASONS, list(answers.reasons))
    for name, score in answers.scores.items():
        yield Result(from_name=name, to_name=IMAGE, type="rating", value={"rating": score})
    for pointer, text in answers.texts.items():
        yield _text(f"{EDIT}{NAMES[pointer]}", NAMES[pointer], text)
    if answers.note:
        yield _text(NOTE, IMAGE, answers.note)


def _choices(name: str, values: list[str]) -> Result:
    return Result(from_name=name, to_name=IMAGE, type="choices", value={"choices": values})


def _text(name: str, of: str, text: str) -> Result:
    return Result(from_name=name, to_name=of, type="textarea", value={"text": [text]})


def users(tasks: Sequence[Task]) -> set[str]:
    """Everybody who has said anything."""
    return {one.user for task in tasks for one in task.annotations if not one.was_cancelled}


def answers_of(task: Task, user: str) -> Answers | None:
    """What a user said last; None where nothing. Raises RecordError for what no item of ours is."""
    said = [one for one in task.annotations if one.user == user and not one.was_cancelled]
    if not said:
        return None
    id, sha = task.data.get("id"), task.data.get("sha")
    if not isinstance(id, str) or not isinstance(sha, str):
        raise RecordError(f"data: expected id and sha as exported; got {_shown(id)} and {_shown(sha)}")
    found = {result.from_name: _value(result) for result in said[-1].result}
    pointers = {f"{EDIT}{name}": pointer for pointer, name in NAMES.items()}
    decision = found.get(DECISION)
    return Answers(
        id=id,
        sha=sha,
        decision=decision[0] if isinstance(decision, list) and len(decision) == 1 else decision or None,
        reasons=found.get(REASONS, []),
        scores={
            result.from_name: found[result.from_name] for result in said[-1].result if result.type == "rating"
        },
        texts={pointer: found[name] for name, pointer in pointers.items() if name in found},
        note=found.get(NOTE, ""),
        seconds=None if said[-1].lead_time is None else round(said[-1].lead_time),
    )


def _value(result: Result) -> Any:
    """What stands under the name of its type; several lines of a text area are one text."""
    if result.type != "textarea":
        return result.value.get(result.type)
    text = result.value.get("text", "")
    return "\n".join(text) if isinstance(text, list) and all(isinstance(one, str) for one in text) else text


def _shown(value: Any) -> str:
    return repr(value)[:40]


def refused(row: Any) -> str | None:
    """What keeps an element of a file from being a task, where the tool has other forms of export."""
    flat = isinstance(row, dict) and "data" not in row and bool(row.keys() & FLAT)
    return "this is Label Studio's JSON-MIN, which has no ids of items: export as JSON" if flat else None


def config(form: Form, most: int) -> str:
    """The labelling configuration: the picture, each text with an area to edit it, then the questions.
    `most` pictures are an item's at most; of more than one the tag leafs through a list.
    """
    parts = [
        f"<Header value={quoteattr(form.ask)}/>",
        f'<Image name="{IMAGE}" {"value" if most == 1 else "valueList"}="${IMAGE}"/>',
        *map(_text_tags, NAMES.values()),
        _choice_tags(DECISION, form.decisions, "single"),
        _choice_tags(REASONS, form.reasons, "multiple"),
        *map(_rating_tags, form.scores),
        f'<Header value="Note"/>\n  <TextArea name="{NOTE}" toName="{IMAGE}" rows="2" maxSubmissions="1"/>',
    ]
    return "<View>\n" + "".join(f"  {part}\n" for part in parts) + "</View>\n"


def _text_tags(name: str) -> str:
    header = f"<Header value={quoteattr(name.replace('_', ' ').capitalize())}/>"
    area = f'<TextArea name="{EDIT}{name}" toName="{name}" value="${name}" rows="2"'
    return f'{header}\n  <Text name="{name}" value="${name}"/>\n  {area} editable="true" maxSubmissions="1"/>'


def _rating_tags(choice: Choice) -> str:
    header = f"<Header value={quoteattr(f'{choice.title}: {choice.help}')}/>"
    return f'{header}\n  <Rating name="{choice.value}" toName="{IMAGE}" maxRating="{MOST}"/>'


def _choice_tags(name: str, choices: Sequence[Choice], how: str) -> str:
    options = "".join(f'    <Choice value="{one.value}" hint={quoteattr(one.help)}/>\n' for one in choices)
    return f'<Choices name="{name}" toName="{IMAGE}" choice="{how}">\n{options}  </Choices>'


def _files(form: Form, sent: Sequence[Sent], _: str) -> dict[str, str]:
    most = most_pictures(sent)
    return {"tasks.json": as_json([task(*one, most) for one in sent]), "config.xml": config(form, most)}


TOOL = Tool("label_studio", Task, _files, users, answers_of, refused, times=True)
