"""The rows of exploration: what was drawn from a cut, what F says of it, the pairs made of it. No files."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from ssui_gen.records import ImageRef, Kind, Record, row_id

Polarity = Literal["good", "bad", "unverified"]
"""Whether a branch reaches the right end; `unverified` branches are kept and never trained on."""
Source = Literal["branch", "edit"]
"""Whether a pair was drawn from the policy and judged by F, or a person has edited the path."""
Level = Literal["outcome", "step"]
"""What F judged and a pair holds: the whole branch, or its first step alone."""


class Form(StrEnum):
    """How far a text can be read as a path. Closed: accounts count by it."""

    EXACT = "exact"
    """As `render_path` writes it."""
    READABLE = "readable"
    """Six steps in order and an answer, in another form."""
    EMPTY = "empty"
    CUT_OFF = "cut_off"
    """The draw ended before the text did; only whoever knows how it finished can say so."""
    NO_STEPS = "no_steps"
    STEPS_LACK = "steps_lack"
    STEPS_OUT_OF_ORDER = "steps_out_of_order"
    """Or repeated, a second answer among them."""
    STEP_EMPTY = "step_empty"
    NO_ANSWER = "no_answer"

    @property
    def whole(self) -> bool:
        """Whether there is a path to judge."""
        return self in (Form.EXACT, Form.READABLE)


class Judgement(Record):
    """What F says of a branch."""

    polarity: Polarity
    probability: float | None = None
    """That the branch is good; None from verifiers that only decide."""
    detail: str = ""
    """Why, in a few words."""
    by: dict[str, Any] = Field(default_factory=dict)
    """The finding of each way of F, by name; of a single way what it found."""
    made_by: tuple[str, ...] = ()
    """Ids of the judge's calls in `calls.sqlite`."""
    abstains: bool = False
    """Unverified since there was nothing to go by: where several ways are asked, the others decide."""


class Branch(Record):
    """One continuation from a cut. What was drawn several times word for word is one branch."""

    id: str
    text: str
    """From the end of the prefix on, as the policy wrote it."""
    finish: str
    """`stop`, or `length` where it was cut off."""
    tokens: int | None = None
    """Generated for one draw of it; None where the server does not report tokens."""
    token_ids: tuple[int, ...] | None = None
    times: int = 1
    """How often it was drawn."""
    form: Form = Form.EXACT
    """How far prefix and text together can be read as a path."""
    judgement: Judgement


CUT_SCHEMA: Literal[2] = 2
"""Since 2 a prefix ends with its line break, and a branch begins behind it."""


class Cut(Record):
    """A row of `branches.jsonl`: everything that was drawn from one cut of one path."""

    id: str
    path_id: str
    schema_version: int = Field(default=CUT_SCHEMA, alias="schema")
    kind: Kind
    cut: int
    """The first `cut` reference steps are the prefix; 0 is the root."""
    prefix: str
    """With its line break at the end; empty at the root."""
    image: ImageRef
    query: str
    branches: tuple[Branch, ...]
    draws: int
    enough: int = 1
    """Good ones and bad ones that were looked for (`explore.enough`)."""
    made_by: tuple[str, ...]
    """Ids of the policy's calls in `calls.sqlite`."""

    @staticmethod
    def id_of(path_id: str, cut: int, query: str, prefix: str) -> str:
        """The row's id, the same in every run: of a path whose words were changed it is another."""
        return row_id(path_id, str(cut), query, prefix)

    def has(self, enough: int) -> bool:
        """Whether there are so many good and bad branches, or so many were looked for."""
        return self.enough >= enough or all(len(self.of(kind)) >= enough for kind in ("good", "bad"))

    def of(self, polarity: Polarity) -> tuple[Branch, ...]:
        return tuple(branch for branch in self.branches if branch.judgement.polarity == polarity)


class BranchLabel(Record):
    """A row of labels.jsonl: what a person, or the microworld, says of a branch."""

    LOOKS: ClassVar[str] = '{"branch_id": "0123456789abcdef", "good": false, "first_bad": "step 3"}'
    branch_id: str
    good: bool
    first_bad: Annotated[str, StringConstraints(pattern="^(none|step [1-6]|answer)$")] | None = None
    """Where it first goes wrong: `none`, `step 1` to `step 6`, `answer`; None where nobody has said."""


class Pair(Record):
    """A row of `pairs.jsonl`: the preference format of TRL for vision models, and where it comes from."""

    images: tuple[str, ...]
    """Paths relative to the seeds' root."""
    prompt: tuple[dict[str, Any], ...]
    chosen: tuple[dict[str, Any], ...]
    rejected: tuple[dict[str, Any], ...]
    id: str
    path_id: str
    kind: Kind
    level: Level = "outcome"
    source: Source = "branch"
    cut: int
    prefix: str
    """Both begin with it."""
    chosen_id: str
    """Of the branch in `branches.jsonl`; of an edit an id of its own."""
    rejected_id: str
    margin: float | None
    """How much surer F is that the chosen one is good; None where F only decides."""
    image_ref: ImageRef
    """Not `image`: by that name TRL would take it for the picture."""
