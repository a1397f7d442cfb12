"""What people are asked about: a path, a branch of one, or a model's response. Shapes only, no files.

An item is what was exported and never changes.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ssui_gen.records import ImageRef, Kind, ReasoningPath, Record, is_none


class Told(Record):
    """One text of a response, as people read it."""

    pointer: str
    title: str
    text: str


class Exhibit(Record):
    """A response of a model under test, as people see it: neither whose it is nor what a judge said."""

    kind: Kind
    category: str
    pictures: tuple[ImageRef, ...]
    told: tuple[Told, ...]
    """In reading order; the question is the first."""
    asked: dict[str, tuple[str, ...]]
    """What is asked of it, by the names of the form's scores, and the words that can be said here."""
    item_id: str
    edition: str
    """Of the rubric's words."""


class Item(Record):
    """A row of `items.jsonl`: what a person looks at, a path, a branch of one, or a response."""

    id: str
    sha: str
    """Of the texts and the pictures that are shown (`texts.sha_of`)."""
    risk: float
    """Of an error; the file begins with the riskiest."""
    why: tuple[str, ...]
    """Where the risk comes from, in words."""
    of: Annotated[ReasoningPath | None, Field(alias="path", exclude_if=is_none)] = None
    cut: Annotated[int | None, Field(exclude_if=is_none)] = None
    """Of a branch: the first `cut` steps of the path are its prefix."""
    branch: Annotated[str | None, Field(exclude_if=is_none)] = None
    """A branch's own text, from the end of the prefix on."""
    exhibit: Annotated[Exhibit | None, Field(exclude_if=is_none)] = None

    @property
    def path(self) -> ReasoningPath:
        """Of an item that is no response. Raises TypeError of one."""
        if self.of is None:
            raise TypeError(f"{self.id}: a response, of no path")
        return self.of

    @property
    def pictures(self) -> tuple[ImageRef, ...]:
        return self.exhibit.pictures if self.exhibit else self.path.images

    @property
    def kind(self) -> Kind:
        return self.exhibit.kind if self.exhibit else self.path.kind

    @property
    def category(self) -> str:
        return self.exhibit.category if self.exhibit else self.path.query.category

    @model_validator(mode="after")
    def _is_one_thing(self) -> Item:
        if (self.of is None) == (self.exhibit is None):
            raise ValueError("expected a path or an exhibit, and not both")
        return self
