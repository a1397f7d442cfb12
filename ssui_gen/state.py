"""What flows through the agents' graph for one item: the keys a node may change, and their reducers.

Pictures never enter the state, only their path and hash.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict

from ssui_gen.agent import Agent
from ssui_gen.calling.pictures import Shown
from ssui_gen.records import (
    ImageRef,
    Kind,
    MoreImages,
    Pictured,
    Query,
    Record,
    ReflectionRound,
    Reject,
    Seed,
    Step,
    Verdict,
    row_id,
)
from ssui_gen.replies import QueryReply, ReasoningReply, ReflectionReply, SafetyReply, SummaryReply
from ssui_gen.rights import Rights
from ssui_gen.wanting import NOTHING, Wanting
from ssui_gen.wish import Wish


class Item(Record, Pictured):
    """One reasoning path to be: a seed's pictures, of one kind."""

    id: str
    seed_id: str
    kind: Kind
    twin_of: str | None
    image: ImageRef
    more_images: MoreImages = ()
    text: str | None
    """The seed's own text, if it has one."""
    rights: Rights | None = None
    """Of the pictures; shown to no agent."""

    @classmethod
    def of(cls, seed: Seed, kind: Kind, images: Sequence[ImageRef], twins: bool) -> Item:
        """A seed's item of one kind, with its pictures; `twins` says whether seeds that name no kind have one
        of each.
        """
        other: Kind = "benign" if kind == "risky" else "risky"
        return cls(
            id=row_id(seed.id, kind),
            seed_id=seed.id,
            kind=kind,
            twin_of=row_id(seed.id, other) if twins and seed.kind is None else None,
            image=images[0],
            more_images=tuple(images[1:]),
            text=seed.text,
            rights=seed.told,
        )


class State(TypedDict, total=False):
    """Values are immutable; a node returns only the keys it changes."""

    item: Item
    query: Query
    text_only: Verdict
    image_only: Verdict
    steps: tuple[Step, ...]
    reflection: Annotated[tuple[ReflectionRound, ...], operator.add]
    onward: str
    """Where the last round of reflection leads: its decision, or `accept` where no round is left to mend
    what is faithful."""
    joint: Verdict
    answer: str
    made_by: Annotated[tuple[str, ...], operator.add]
    rejects: Annotated[tuple[Reject, ...], operator.add]
    """At most one, except when both sides fail alone at the same time."""


@dataclass(frozen=True)
class Context:
    """What the nodes work with: the agents, and what to show them. LangGraph's context."""

    query: Agent[QueryReply]
    check_text: Agent[SafetyReply]
    check_image: Agent[SafetyReply]
    reasoning: Agent[ReasoningReply]
    reflection: Agent[ReflectionReply]
    check_joint: Agent[SafetyReply]
    summary: Agent[SummaryReply]
    pictures: Shown
    rounds: int
    """The most rounds of reflection."""
    wanting: Wanting = NOTHING
    """What is wanted of texts."""
    at_once: bool = False
    """Whether the server of the Query agent writes several texts by one request."""

    def wish(self, item: Item) -> Wish | None:
        """What the text of an item is to be."""
        return self.wanting.wish(item.seed_id, item.kind, item.text)
