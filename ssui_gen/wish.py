"""What the text of a pair was wanted to be; a part of rows. What is wanted of whom, `wanting` draws."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Wish(BaseModel):
    """Who was to ask, to what end, and for which class of risk."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    wanted: str | None = None
    """A class of risk; None of a benign item, and where any class is welcome."""
    persona: str | None = None
    end: str | None = None
