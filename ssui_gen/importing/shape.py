"""What every layout speaks of: a layout, where its rows lie, a draft of a row, a row that is left out.

Shapes only: files are `reading`'s, pictures `pictures`', what becomes of a draft is `making`'s; each family
of layouts stands in a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import ConfigDict, Field

from ssui_gen.records import Kind, Label, Record
from ssui_gen.settings import ImageLimits

What = Literal["seeds", "pairs", "gold"]
"""What rows become, and the name of the file they are in."""
Half = Literal["train", "test"]
Check = Literal["check_text", "check_image", "check_joint"]


class Why(StrEnum):
    """Why a row is not in what was made. Closed: accounts count by it. A refused picture has the code of its
    door (`records.Reason`)."""

    ROW_INVALID = "row_invalid"
    """It is not of the layout: torn, of another edition, a column too many or too few."""
    DUPLICATE = "duplicate"
    """The same picture and words came before."""
    PICTURE_UNNAMED = "picture_unnamed"
    PICTURES_SEVERAL = "pictures_several"
    """More than a seed may show; more than one of a pair, or of gold."""
    TEXT_MISSING = "text_missing"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_NOT_SAFE = "text_not_safe"
    """By its own labels: no seed."""
    IMAGE_NOT_SAFE = "image_not_safe"
    LABEL_MISSING = "label_missing"
    """It does not say what was asked for: no verdict, or no other answer to prefer one to."""
    TURNS_SEVERAL = "turns_several"
    """Both answers are to a question that others stand before."""
    SIDES_ALIKE = "sides_alike"
    ORDER_UNSURE = "order_unsure"
    """By its own scores the chosen side is not the better one."""
    LICENCE_FORBIDS = "licence_forbids"
    IN_BENCHMARK = "in_benchmark"


class Left(Record):
    """A row of `rejects.jsonl`: what of the source is in nothing that was made, and why."""

    row: str
    reason: str
    """Of `Why`, or the code of a refused picture."""
    detail: str


class Preference(NamedTuple):
    """Two answers to the same question, the first preferred."""

    chosen: str
    rejected: str
    prefix: str = ""
    """What the chosen one begins with that is given, and not learnt."""
    rejected_prefix: str | None = None
    """The rejected one's; None: the same."""
    cut: int = 0
    """Whole parts of the prefix."""
    margin: float | None = None
    whole: bool = True
    """Whether both are told to their ends; else no end is to be learnt."""
    weight: float = 1.0
    turns: int = 1
    """Questions up to the one that is answered."""


@dataclass(frozen=True)
class Draft:
    """A row whose pictures have not been looked at."""

    row: str
    """Its place, or the key it has there."""
    text: str
    pictures: tuple[str | bytes, ...]
    """Of each its name as seen from the pictures' folder, or the picture itself."""
    kind: Kind | None = None
    gold: Mapping[Check, Label] = field(default_factory=dict)
    """What the source says of text, picture and both."""
    response: str = ""
    grade: float | None = None
    """How harmful the response is, 0 to 1, where that is labelled."""
    preference: Preference | None = None
    licence: str = ""
    """Of this row, where it has one of its own."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else the source says of it, in words: kept with gold, shown to nobody."""


@dataclass(frozen=True)
class Source:
    """Where the rows of one import lie."""

    path: Path
    limits: ImageLimits
    pictures: Path
    """The folder below which pictures are named."""
    told: bool = False
    """Whether a person has said so: else rows of a file further down name them from there."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """By our names those of the source, where a person has said which is which."""
    half: Half = "train"
    limit: int | None = None
    """Only its first rows."""


@dataclass(frozen=True)
class Layout:
    """One way in which others write rows."""

    name: str
    title: str
    version: str
    """Whose layout this is, and where it was read."""
    expects: str
    """What the source holds, in one line, for messages."""
    makes: tuple[What, ...]
    """What its rows can become; the first unless told."""
    read: Callable[[Source], Iterator[Draft | Left]]
    licence: str = ""
    """Empty: it depends on the data, and whoever imports them has to say."""
    halves: tuple[Half, ...] = ("train",)
    benchmark: tuple[Half, ...] = ()
    """Those of its halves that models are measured with."""
    mapped: bool = False
    """Whether a person may, or must, say which column is which."""


class Row(Record):
    """Base of a row as others wrote it: strictly typed. Columns that are not known are refused, as they may
    be what turns the meaning; `Loose` passes them over."""

    model_config = ConfigDict(extra="forbid", strict=True)
    ONE_OF: ClassVar[tuple[str, ...]] = ()
    """Columns of which it has at least one."""


class Loose(Row):
    """A layout to which everybody adds columns of their own."""

    model_config = ConfigDict(extra="ignore", strict=True)


# --- what is made --------------------------------------------------------------------------------------


class Gold(Record):
    """A row of `gold.jsonl`: what others have labelled, to hold checks and judges against."""

    id: str
    image: str
    """Below the folder of the import."""
    text: str
    labels: dict[Check, Label] = Field(default_factory=dict)
    """By the check that answers the same question."""
    response: str | None = None
    grade: Annotated[float, Field(ge=0, le=1)] | None = None
    """How harmful the response is: 0, 0.5 or 1."""
    facts: dict[str, str] = Field(default_factory=dict)
    licence: str
    source: str


class Checked(Record):
    """A row of `checks.jsonl`: what a check of ours said of a row of gold."""

    gold_id: str
    check: Check
    gold: Label
    label: Label | None
    """None where there was no answer."""
    probability: float | None = None
    """Of that label, where the server tells."""
    why: str = ""
    """There was no answer."""
    made_by: tuple[str, ...] = ()


class ImportedPair(Record):
    """A row of `pairs.jsonl` of an import: the preference format of TRL for vision models, and whose it is.

    No pair of a run: there is no reasoning path that it belongs to.
    """

    images: tuple[str, ...]
    """Below the folder of the import."""
    prompt: tuple[dict[str, Any], ...]
    chosen: tuple[dict[str, Any], ...]
    rejected: tuple[dict[str, Any], ...]
    id: str
    cut: int
    """So many whole parts are in the prefix."""
    prefix: str
    """What the chosen answer begins with that is given: no loss is to be taken on it."""
    rejected_prefix: str
    """The same of the rejected one; most layouts have it equal."""
    margin: float | None
    whole: bool
    """False: a side breaks off, and its end must not be taught as an end."""
    weight: float
    licence: str
    source: str


class Imported(Record):
    """The content of `about.json`: what an import folder holds."""

    layout: str
    version: str
    makes: What
    half: Half
    name: str
    """Of the data, as each row's source begins."""
    licence: str
    may_be_published: bool
    evaluation: bool
    """Whether models are measured with it: it must never be trained on."""
    checked_against: tuple[str, ...]
    """The benchmarks that the leak guard held it against."""
    kept: int
    left_out: dict[str, int]
    """By reason."""
