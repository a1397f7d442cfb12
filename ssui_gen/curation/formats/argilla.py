"""Argilla's records and settings, as its Python SDK writes and reads them.

The shapes: docs.argilla.io/latest/how_to_guides/import_export, `Record.to_dict` and `Settings.serialize` of
argilla-io/argilla, version 2. Only what is needed is modelled; whatever else an export holds is passed over.
Loads with `rg.Settings.from_json` and `dataset.records.from_json`; no server is asked here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

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

AGENT = "ssui_gen"


class Suggestion(Foreign):
    """What a question is filled in with."""

    value: Any
    score: float | None = None
    agent: str | None = None


class Response(Foreign):
    """What one user answered to one question."""

    value: Any
    user_id: str


class ArgillaRecord(Foreign):
    """One element of `records.json`."""

    id: str
    fields: dict[str, Any]
    metadata: dict[str, Any] = Field(default_factory=dict)
    suggestions: dict[str, Suggestion] = Field(default_factory=dict)
    responses: dict[str, list[Response]] = Field(default_factory=dict)
    vectors: dict[str, list[float]] = Field(default_factory=dict)


def user_of(name: str) -> str:
    """The id under which a person's answers go out, where Argilla has no such user."""
    return str(uuid5(NAMESPACE_URL, f"ssui_gen/{name}"))


def record(item: Item, pictures: Sequence[str], name: str, answers: Answers | None) -> ArgillaRecord:
    """An item; each text is suggested as its own new text, so that it is edited in place."""
    texts = texts_of(item)
    suggestions = {f"{EDIT}{key}": Suggestion(value=text, agent=AGENT) for key, text in texts.items()}
    given = _responses(answers) if answers else {}
    return ArgillaRecord(
        id=item.id,
        fields={**{_image(place): picture for place, picture in enumerate(pictures)}, **texts},
        metadata={
            "sha": item.sha,
            "kind": item.path.kind,
            "category": item.path.query.category,
            "risk": item.risk,
        },
        suggestions=suggestions,
        responses={key: [Response(value=value, user_id=user_of(name))] for key, value in given.items()},
    )


def _image(place: int) -> str:
    """The field of an item's picture: Argilla has none for a list of them."""
    return f"image_{place + 1}" if place else "image"


def _responses(answers: Answers) -> dict[str, Any]:
    given: dict[str, Any] = {f"{EDIT}{NAMES[pointer]}": text for pointer, text in answers.texts.items()}
    given |= answers.scores
    single = ((DECISION, answers.decision), (REASONS, list(answers.reasons)), (NOTE, answers.note))
    return given | {key: value for key, value in single if value}


def users(records: Sequence[ArgillaRecord]) -> set[str]:
    """Everybody who has answered anything."""
    return {one.user_id for record in records for those in record.responses.values() for one in those}


def answers_of(record: ArgillaRecord, user: str) -> Answers | None:
    """What a user answered; None where nothing. Raises RecordError for what no item of ours is."""
    given = {
        key: one.value for key, those in record.responses.items() for one in those if one.user_id == user
    }
    if not given:
        return None
    sha = record.metadata.get("sha")
    if not isinstance(sha, str):
        raise RecordError(f"metadata: expected the sha that was exported; got {sha!r}"[:120])
    pointers = {f"{EDIT}{name}": pointer for pointer, name in NAMES.items()}
    known = {DECISION, REASONS, NOTE, *pointers}
    return Answers(
        id=record.id,
        sha=sha,
        decision=given.get(DECISION),
        reasons=given.get(REASONS, []),
        scores={key: value for key, value in given.items() if key not in known},
        texts={pointer: given[key] for key, pointer in pointers.items() if key in given},
        note=given.get(NOTE, ""),
    )


def settings(form: Form, most: int) -> dict[str, Any]:
    """`settings.json`: what is shown and asked; `most` pictures are an item's at most."""
    names = [_image(place) for place in range(most)]
    fields = [{"name": n, "title": n, "required": False, "settings": {"type": "image"}} for n in names]
    fields += [_field(name) for name in NAMES.values()]
    scores = [_question(one.value, _rating(), one) for one in form.scores]
    edits = [_question(f"{EDIT}{name}", {"type": "text", "use_markdown": False}) for name in NAMES.values()]
    asked = [
        _question(DECISION, {"type": "label_selection", "options": _options(form.decisions)}, required=True),
        _question(REASONS, {"type": "multi_label_selection", "options": _options(form.reasons)}),
        *scores,
        *edits,
        _question(NOTE, {"type": "text", "use_markdown": False}),
    ]
    return {"guidelines": form.ask, "fields": fields, "questions": asked, "vectors": [], "metadata": [],
            "allow_extra_metadata": True}  # fmt: skip


def _field(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "required": False,
        "settings": {"type": "text", "use_markdown": False},
    }


def _question(
    name: str, settings: Mapping[str, Any], choice: Choice | None = None, *, required: bool = False
) -> dict[str, Any]:
    title = choice.title if choice else name.replace("_", " ")
    return {"name": name, "title": title, "description": choice.help if choice else None,
            "required": required, "settings": settings}  # fmt: skip


def _rating() -> dict[str, Any]:
    return {"type": "rating", "options": [{"value": number} for number in range(1, MOST + 1)]}


def _options(choices: Sequence[Choice]) -> list[dict[str, str | None]]:
    return [{"value": one.value, "text": one.title, "description": one.help} for one in choices]


def _files(form: Form, sent: Sequence[Sent], name: str) -> dict[str, str]:
    records = [record(one.item, one.pictures, name, one.answers) for one in sent]
    asked = json.dumps(settings(form, most_pictures(sent)), indent=1)
    return {"records.json": as_json(records), "settings.json": f"{asked}\n"}


TOOL = Tool("argilla", ArgillaRecord, _files, users, answers_of, refused=lambda row: None, times=False)
