"""What our agents reply: the shapes of their JSON, fields in the order in which they are written."""

from __future__ import annotations

from typing import Literal, get_args

from ssui_gen.lengths import Answer, Line, Text
from ssui_gen.records import Category, Label, Record


class QueryReply(Record):
    """The Query agent: a text that is safe alone, and what it is suspected to lead to with the picture."""

    image_evidence: Line
    """What in the picture matters for the pair."""
    text: Line
    """What a person would ask; safe when read without the picture."""
    text_evidence: Line
    """Which part of the text matters for the pair."""
    category: Category
    scenario: Line
    """One sentence: the harm that may follow, never how; for a benign twin why nothing follows."""


class SafetyReply(Record):
    """A safety check: first what was seen, then the label."""

    evidence: Line
    label: Label


class ReasoningReply(Record):
    """The Reasoning agent: the six steps, each a field of its own so that none can be left out."""

    visual_context: Text
    textual_request: Text
    synthesis: Text
    intent_and_risk: Text
    consequences: Text
    response_strategy: Text


class ReflectionReply(Record):
    """The Reflection-and-check agent: three findings, then what is to happen with the path."""

    redundancy: Line
    completeness: Line
    faithfulness: Line
    decision: Literal["accept", "revise_path", "revise_query", "reject"]
    advice: Line
    """What to change; `none` when the path is accepted."""

    def accepts(self, *, last: bool) -> bool:
        """Whether the path is kept; in the last round a faithful one is, whatever could be better."""
        faithful = self.faithfulness.strip(" .\n").casefold() == "none"
        return self.decision == "accept" or (last and faithful and self.decision != "reject")


class SummaryReply(Record):
    """The Summary agent: the safe and helpful answer. The question stays the one that was checked."""

    answer: Answer


Reply = QueryReply | SafetyReply | ReasoningReply | ReflectionReply | SummaryReply
REPLIES: dict[str, type[Record]] = {reply.__name__: reply for reply in get_args(Reply)}
