"""What is said of a picture's rights: its licence, and whose it is. Judges neither."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


class Rights(BaseModel):
    """As a seed says it, and then the record that was made of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    licence: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """Such as CC-BY-4.0: what is published says so, or leaves the record out."""
    source: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = None
    """Whose picture it is, or where it was found: published with it."""

    @property
    def told(self) -> Rights | None:
        """These alone; None where nothing is said."""
        return Rights(licence=self.licence, source=self.source) if self.licence or self.source else None
