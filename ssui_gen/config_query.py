"""Settings of how the texts of pairs are steered: classes, how many texts, who asks. A part of `config`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from ssui_gen.settings import Settings
from ssui_gen.taxonomy import classes as risk_classes

Quota = Annotated[int, Field(ge=1, le=10_000_000)]


class Querying(Settings):
    """What the Query agent is asked for beside a picture's own chances; docs/variety.md."""

    texts: Annotated[int, Field(ge=1, le=64)] = 1
    """Written for each item; kept is the one nearest to the wanted class and least like the others."""
    classes: dict[str, Quota] = Field(default_factory=dict)
    """Risky rows wanted of each class: an item wants one of these, in proportion. Empty: any class."""
    fill: bool = False
    """A class that has its rows is wanted no more, and when all have, seeds that are left are not begun."""
    misfit: Literal["keep", "reject"] = "keep"
    """What becomes of an item whose picture gives no text of the wanted class: it goes on with the class
    that fits, or is rejected (`class_does_not_fit`)."""
    personas: str | None = None
    """Who asks, and to what everyday end: `everyday` (prompts/personas.yaml) or a YAML file of one's own."""

    @field_validator("classes")
    @classmethod
    def _are_known(cls, given: dict[str, int]) -> dict[str, int]:
        known = [one.id for one in risk_classes()]
        if odd := [name for name in given if name not in known]:
            raise ValueError(f"no such class of risk: {', '.join(odd)} (there are: {', '.join(known)})")
        return given

    @model_validator(mode="after")
    def _fills_something(self) -> Querying:
        if self.fill and not self.classes:
            raise ValueError("fill: true, and no classes are wanted: say how many rows of each (classes)")
        return self

    @property
    def asks(self) -> dict[str, Any]:
        """What decides the words that an item's agent may read: all of it; numbers that are to be filled say
        only when to end, and a run goes on with others.
        """
        told = self.model_dump(mode="json", exclude={"fill"})
        return told | {"classes": sorted(self.classes), "fill": True} if self.fill else told

    @property
    def steers(self) -> bool:
        """Whether anything is asked for."""
        return self != Querying()
