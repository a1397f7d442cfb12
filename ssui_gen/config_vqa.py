"""Settings, with their defaults, of how a set of visual questions is asked, and of its test: a part of
`config`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ssui_gen.settings import Settings


class Vqa(Settings):
    """A set of visual questions (`make bench BENCH=vqa`)."""

    margin: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Points of accuracy that a training may cost at most; fixed with the first row, before anybody looks."""
    protocol: Literal["as_is", "six_steps", "think"] = "as_is"
    """As `bench.protocol`, which such a set does not follow: a plain question is asked plainly."""
    short: str = "Answer the question using a single word or phrase."
    """Stands behind a question whose answer is compared as a text; empty: nothing does."""
    letter: str = "Answer with the option's letter from the given choices directly."
    """Stands behind the options of a question that has some; empty: nothing does."""
