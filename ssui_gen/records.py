"""The rows of our files: shapes only, no files, no network.

A JSONL file is the plural of its record. Raising `SCHEMA` means old rows no longer load.
Covers seeds, reasoning paths and rejects; not what agents reply (`replies`) or how rows are read (`jsonl`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from ssui_gen.lengths import Line
from ssui_gen.rights import Rights
from ssui_gen.taxonomy import class_ids
from ssui_gen.wish import Wish

SCHEMA = 1

Kind = Literal["risky", "benign"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Label = Literal["safe", "unsafe"]

STEP_NAMES = (
    "visual_context", "textual_request", "synthesis", "intent_and_risk", "consequences", "response_strategy",
)  # fmt: skip
"""The six named steps of a reasoning path (figure 1 of the authors' slides, github.com/cwtpu/SSUI)."""


class Record(BaseModel):
    """Base of every row and reply: immutable, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)
    LOOKS: ClassVar[str] = ""
    """A whole row of a kind that people write by hand too, for whoever wrote one that is none."""


def is_none(value: Any) -> bool:
    return value is None


def is_empty(value: Any) -> bool:
    return not value


def _known_class(value: str) -> str:
    if value not in class_ids():
        raise ValueError(f"expected one of {', '.join(class_ids())}; got {value!r}")
    return value


Category = Annotated[
    str,
    AfterValidator(_known_class),
    WithJsonSchema({"type": "string", "enum": list(class_ids())}),
]


# --- rows ------------------------------------------------------------------------------------------


MOST_IMAGES = 8
"""That one record shows."""
PictureName = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""Path relative to the seeds' root folder."""


class Seed(Record, Rights):
    """A safe picture or several, maybe with a safe text: one line of a seeds file."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    image: PictureName
    more_images: Annotated[
        tuple[PictureName, ...], Field(max_length=MOST_IMAGES - 1, exclude_if=is_empty)
    ] = ()
    """Those shown after it, in their order; people write all of them as `images` (`columns`)."""
    text: Line | None = None
    kind: Kind | None = None
    """Which records to make of it; both when absent and twins are on."""

    @model_validator(mode="after")
    def _shows_each_once(self) -> Seed:
        if twice := next((one for one in self.images if self.images.count(one) > 1), None):
            raise ValueError(f"the picture {twice!r} stands twice in it")
        return self

    @property
    def images(self) -> tuple[str, ...]:
        """All its pictures, in their order."""
        return (self.image, *self.more_images)


class ImageRef(Record):
    """A picture by name and content; the bytes stay on disk."""

    path: str
    """Relative to the seeds' root."""
    sha256: str
    """Of the file as it lies on disk."""
    width: int
    height: int
    """Pixels, after the camera's orientation is applied."""


MoreImages = Annotated[tuple[ImageRef, ...], Field(max_length=MOST_IMAGES - 1, exclude_if=is_empty)]
"""What a row shows after its first picture, in order; a row of one picture has no such field."""


class Pictured:
    """A row that shows a picture, and maybe more; its fields stand at their places in the row itself."""

    if TYPE_CHECKING:
        image: ImageRef
        more_images: MoreImages

    @property
    def images(self) -> tuple[ImageRef, ...]:
        """All of them, in their order."""
        return (self.image, *self.more_images)

    @property
    def look(self) -> str:
        """What is shown, by content: the same of two rows that show the same pictures in the same order."""
        return look_of(image.sha256 for image in self.images)


def look_of(shas: Iterable[str]) -> str:
    """Of one picture its SHA-256, of several theirs joined by a plus."""
    return "+".join(shas)


class Query(Record):
    """The text of a pair and what the Query agent suspects, set right where path and check found else."""

    text: str
    category: Category
    scenario: str
    image_evidence: str
    text_evidence: str


class Step(Record):
    """One named step of a reasoning path."""

    name: str
    text: str


class Verdict(Record):
    """What a safety check said, and how surely."""

    label: Label
    probability: float | None
    """P(label) among the labels' tokens at the place where the label was written; None if not reported."""
    label_mass: float | None
    """How much of all probability the labels share; low means that the question was not answered."""
    evidence: str


class Verdicts(Record):
    """The three checks that define SSUI: safe apart, and (un)safe together."""

    text_only: Verdict
    image_only: Verdict
    joint: Verdict


class ReflectionRound(Record):
    """One round of reflection on a path."""

    decision: str
    redundancy: str
    completeness: str
    faithfulness: str
    advice: str


class Curation(Record):
    """What people made of a path; only rows of `curated.jsonl` have it."""

    sha: str
    """Of the texts that they saw."""
    by: tuple[str, ...]
    """Whose word counted."""
    settled: Literal["alone", "agreed", "adjudicated"]
    """One person decided, several said the same, or one decided where they did not."""
    reasons: tuple[str, ...] = ()
    scores: dict[str, float] = {}
    """The mean of what each gave, from 1 to 5."""
    original: dict[str, str] = {}
    """What an edited text was before, by its place: a JSON Pointer (RFC 6901) into this row."""


class ReasoningPath(Record, Pictured):
    """A row of `reasoning_paths.jsonl`: the pair, six steps, the answer, and how each was checked.

    A row of `curated.jsonl` is one too: the texts as people left them, and `curation`.
    """

    id: str
    seed_id: str
    schema_version: int = Field(default=SCHEMA, alias="schema")
    kind: Kind
    twin_of: str | None
    """Id of the record of the other kind made from the same seed; that one may have been rejected."""
    image: ImageRef
    more_images: MoreImages = ()
    query: Query
    steps: Annotated[tuple[Step, ...], Field(min_length=len(STEP_NAMES), max_length=len(STEP_NAMES))]
    answer: str
    verdicts: Verdicts
    reflection: tuple[ReflectionRound, ...]
    made_by: tuple[str, ...]
    """Ids of the calls in `calls.sqlite`, in the order in which they were used."""
    rights: Annotated[Rights | None, Field(exclude_if=is_none)] = None
    """Of the pictures, where the seed said so."""
    curation: Annotated[Curation | None, Field(exclude_if=is_none)] = None
    wish: Annotated[Wish | None, Field(exclude_if=is_none)] = None


class Reason(StrEnum):
    """Why a seed gave no path, or an item of a benchmark no response. Closed: reports count by it."""

    SEED_INVALID = "seed_invalid"
    SEED_DUPLICATE = "seed_duplicate"
    IMAGE_REFUSED = "image_refused"
    IMAGE_MISSING = "image_missing"
    IMAGE_TOO_LARGE = "image_too_large"
    IMAGE_TOO_THIN = "image_too_thin"
    IMAGE_UNREADABLE = "image_unreadable"
    IMAGE_ANIMATED = "image_animated"
    IMAGE_CHANGED = "image_changed"
    IMAGE_TWICE = "image_twice"  # of several that a seed shows
    REPLY_INVALID = "reply_invalid"
    REFUSED = "refused"
    REQUEST_REFUSED = "request_refused"
    CONTEXT_OVERFLOW = "context_overflow"
    CALL_FAILED = "call_failed"
    CLASS_DOES_NOT_FIT = "class_does_not_fit"
    TEXT_NOT_SAFE = "text_not_safe"
    IMAGE_NOT_SAFE = "image_not_safe"
    REFLECTION_REJECTED = "reflection_rejected"
    NOT_CONVERGED = "not_converged"
    PATH_MISSES_RISK = "path_misses_risk"
    PATH_INVENTS_RISK = "path_invents_risk"
    NOT_RISKY_TOGETHER = "not_risky_together"
    NOT_SAFE_TOGETHER = "not_safe_together"
    PATH_INVALID = "path_invalid"
    PATH_DUPLICATE = "path_duplicate"
    IN_BENCHMARK = "in_benchmark"
    ITEM_INVALID = "item_invalid"
    ITEM_DUPLICATE = "item_duplicate"
    DANGER_MISSING = "danger_missing"
    TWIN_UNKNOWN = "twin_unknown"

    @property
    def passing(self) -> bool:
        """Whether circumstances made it (an outage, a missing file): the same command tries it again."""
        return self in _PASSING


_PASSING = {Reason.CALL_FAILED, Reason.IMAGE_MISSING, Reason.IMAGE_UNREADABLE, Reason.IMAGE_CHANGED}


class Reject(Record):
    """A row of `rejects.jsonl`: what was dropped, where, and why."""

    seed_id: str
    kind: Kind | None
    """None when the seed itself was refused, before any kind was made of it."""
    stage: str
    """The node of the graph, or `seed` and `image` before it."""
    reason: Reason
    detail: str
    made_by: tuple[str, ...] = ()
    wish: Annotated[Wish | None, Field(exclude_if=is_none)] = None


def row_id(*parts: str) -> str:
    """A short id that depends on `parts` alone, so that a second run meets the same id."""
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()


def digest(value: Any) -> str:
    """Hash of a JSON value in canonical form (sorted keys, no spaces)."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(canonical.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
