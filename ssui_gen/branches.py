"""The rows of exploration: what was drawn from a cut, what F says of it, the pairs made of it. No files."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from ssui_gen.records import ImageRef, Kind, MoreImages, Pictured, ReasoningPath, Record, look_of, row_id

Polarity = Literal["good", "bad", "unverified"]
"""Whether a branch reaches the right end; `unverified` branches are kept and never trained on."""
Source = Literal["branch", "edit", "twin", "recovery", "corrected"]
"""A pair was drawn from the policy and judged by F; a person has edited the path; the rejected side is a step
of a twin, right under another picture; the prefix ends with a wrong step, or with one that is elsewhere;
somebody has rewritten the rejected side."""
Level = Literal["outcome", "step"]
"""What F judged and a pair holds: the whole branch, or its first step alone."""
Place = Literal["step 1", "step 2", "step 3", "step 4", "step 5", "step 6", "answer"]
"""Where a response goes wrong."""


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


class Origin(Record):
    """Where the prefix of a cut comes from that is no beginning of its path."""

    branch_id: str
    """The branch whose words it is, up to its first wrong step."""
    cut: int
    """How many of its first steps are the path's all the same."""
    temperature: float
    """Of the draws."""


class Cut(Record, Pictured):
    """A row of `branches.jsonl`: everything that was drawn from one cut of one path, or of a wrong branch."""

    id: str
    path_id: str
    schema_version: int = Field(default=CUT_SCHEMA, alias="schema")
    kind: Kind
    cut: int
    """The prefix is so many steps, of the reference unless there is an `origin`; 0 is the root."""
    prefix: str
    """With its line break at the end; empty at the root."""
    image: ImageRef
    more_images: MoreImages = ()
    query: str
    branches: tuple[Branch, ...]
    draws: int
    enough: int = 1
    """Good ones and bad ones that were looked for (`explore.enough`)."""
    made_by: tuple[str, ...]
    """Ids of the policy's calls in `calls.sqlite`."""
    source: Literal["path", "recovery"] = "path"
    """Whether the prefix is right, as the path's own steps, or ends with a wrong step of a branch."""
    origin: Origin | None = None
    """Of source recovery."""

    @classmethod
    def of_path(
        cls, path: ReasoningPath, cut: int, prefix: str, branches: Iterable[Branch], **more: Any
    ) -> Cut:
        """What stands behind `prefix`, with the path's own pictures and question; nothing was drawn unless
        `more` says so.
        """
        return cls(
            id=cls.id_of(path.id, cut, path.query.text, prefix),
            path_id=path.id,
            kind=path.kind,
            cut=cut,
            prefix=prefix,
            image=path.image,
            more_images=path.more_images,
            query=path.query.text,
            branches=tuple(branches),
            **{"draws": 0, "made_by": (), **more},
        )

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


class Correction(Record):
    """A row of corrections.jsonl: a branch rewritten from a step on."""

    branch_id: str
    step: Annotated[int, Field(ge=1, le=6)]
    """The first that is rewritten."""
    text: str
    """What should stand there, that step with its number and all that follows, to the end of the answer."""
    by: str
    """A person, or a model with its prompt."""


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
    first_bad: Place | None = None
    """Where the rejected one first goes wrong; None where nobody has said, or was not sure."""
    twin_id: str | None = None
    """Of the path whose words the rejected side holds, where it is another's."""
    off_path: bool = False
    """Whether the prefix is no beginning of the path: what was said before, and nothing to be learnt."""
    image_ref: ImageRef
    """Not `image`: by that name TRL would take it for the picture."""
    more_image_refs: MoreImages = ()

    @property
    def refs(self) -> tuple[ImageRef, ...]:
        """All its pictures, in their order."""
        return (self.image_ref, *self.more_image_refs)

    @property
    def look(self) -> str:
        """As a path has one."""
        return look_of(ref.sha256 for ref in self.refs)
