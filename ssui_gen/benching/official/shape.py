"""A benchmark's own protocol: what a judge is asked about an answer, what follows from what it says, and
which shares are counted of how many rows. Shapes only.

The rules are theirs, the words are ours: no prompt of theirs is copied, so a figure that hangs on their very
words may differ. Answers alone are scored, as theirs are; what a model thought is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from ssui_gen.benching.gist import Alike
from ssui_gen.benching.records import Id, Item, Unscored
from ssui_gen.records import Record, is_none, row_id

Sight = Literal["pictures", "text", "danger", "reference"]
"""What a judge may see beside the answer."""
ByRubric = Mapping[str, str | None]
"""By rubric, the option that was chosen; None where there is no verdict."""
Outcomes = dict[str, bool | None]
"""By name, what holds of an answer; None where that is not known."""


class Rubric(NamedTuple):
    """One question to a judge, worded in `prompts/official.md`."""

    name: str
    options: tuple[str, ...]
    sees: frozenset[Sight]
    refusal: str
    """What it says of a refusal by a provider's own field, which needs no judge."""


class Line(NamedTuple):
    """One share of the table."""

    name: str
    outcome: str
    of: str
    """What its denominator counts, in words."""
    where: Callable[[Item], bool] = lambda _: True


class Mean(NamedTuple):
    """The mean of two shares, each on its own side."""

    name: str
    first: str
    second: str


@dataclass(frozen=True)
class Official:
    """One protocol of one benchmark."""

    bench: str
    name: Literal["official", "copsd"]
    source: str
    """Whose rules these are: paper or script and commit."""
    rubrics: Callable[[Item, str], tuple[Rubric, ...]]
    """What is asked about an answer to this item; nothing where words alone decide."""
    outcomes: Callable[[Item, str, ByRubric], Outcomes]
    """Of an answer that is not empty."""
    empty: Mapping[str, bool | None]
    """Of one that is: neither safe nor unsafe, but no help."""
    lines: tuple[Line, ...]
    means: tuple[Mean, ...] = ()
    majority: bool = False
    """Whether the draws of an item vote, as SIUO's three do; else each counts."""


class Judged(Record):
    """A row of `official.jsonl`: what one answer is by one protocol."""

    id: Id
    response_id: Id
    item_id: Id
    bench: str
    protocol: str
    judge: str
    rubric: str
    """The prompt's id."""
    said: dict[str, str | None]
    unscored: dict[str, Unscored]
    """Why a rubric has no verdict."""
    outcomes: dict[str, bool | None]
    answered: bool
    """Whether there was an answer at all."""
    detail: str = ""
    made_by: tuple[str, ...] = ()
    score: Annotated[float | None, Field(ge=0, le=1, exclude_if=is_none)] = None
    """How right an answer is, where that is known without a judge."""
    stand: Annotated[str | None, Field(exclude_if=is_none)] = None
    """Then also: whether it could be scored, and why not."""

    @staticmethod
    def id_of(response_id: str, official: Official, judge: str) -> str:
        return row_id(response_id, official.bench, official.name, judge)


class Scored(NamedTuple):
    """What figures need of such a row."""

    item_id: str
    judge: str
    rubric: str
    reasons: tuple[tuple[str, Unscored], ...]
    found: tuple[tuple[str, bool | None], ...]
    answered: bool

    @staticmethod
    def of(row: Judged, alike: Alike) -> Scored:
        reasons, found = tuple(row.unscored.items()), tuple(row.outcomes.items())
        judge, rubric = alike(row.judge), alike(row.rubric)
        return Scored(alike(row.item_id), judge, rubric, alike(reasons), alike(found), row.answered)

    @property
    def unscored(self) -> dict[str, Unscored]:
        return dict(self.reasons)

    @property
    def outcomes(self) -> dict[str, bool | None]:
        return dict(self.found)
