"""What people say: a line of a person's file, bound to the exact texts of its item by `sha`. Shapes only.

Covers neither what makes a line valid (`check`) nor what becomes of its item (`settle`).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ssui_gen.curation.asked.form import MOST, Form
from ssui_gen.records import Record, is_empty, is_none

LONGEST_LOOK = 10_000_000
"""Seconds that an item may have been on the screen: sixteen weeks."""
Score = Annotated[int, Field(ge=1, le=MOST)]
Seconds = Annotated[int, Field(ge=0, le=LONGEST_LOOK)]


class Words(Record):
    """What a person says of an item."""

    decision: str | None = None
    """A value of the form; None: not looked at."""
    reasons: tuple[str, ...] = ()
    scores: dict[str, Score | str | None] = Field(default_factory=dict)
    edits: dict[str, str] = Field(default_factory=dict)
    """JSON Pointer into the record (RFC 6901) → the new text."""
    note: str = ""
    seconds: Annotated[Seconds | None, Field(exclude_if=is_none)] = None
    """How long the item was on the screen; only where a person asked for it to be noted."""

    @property
    def said(self) -> bool:
        """Whether there is any word here."""
        scored = any(score is not None for score in self.scores.values())
        return bool(self.decision is not None or self.reasons or scored or self.edits or self.note)

    @property
    def words(self) -> dict[str, Any]:
        """These fields, to be said again elsewhere."""
        return {name: getattr(self, name) for name in Words.model_fields}


class _OfTexts(Record):
    sha: str


class _OfItem(Record):
    id: str
    sha: str


class Earlier(Words, _OfTexts):
    """What a person said of an item before its texts changed."""


class Review(Words, _OfItem):
    """A line of a person's file."""

    before: Annotated[tuple[Earlier, ...], Field(exclude_if=is_empty)] = ()
    """The newest first. Kept for good: whether it still holds is for the person to say."""

    @property
    def matters(self) -> bool:
        """Whether a person's word would be lost with this line."""
        return self.said or bool(self.before)

    @property
    def earlier(self) -> Earlier:
        """The same words, as they are kept once the texts have changed."""
        return Earlier(sha=self.sha, **self.words)


def blank(form: Form, id: str, sha: str) -> Review:
    """The line of an item nobody has looked at; it shows what can be said."""
    return Review(id=id, sha=sha, scores={score.value: None for score in form.scores})
