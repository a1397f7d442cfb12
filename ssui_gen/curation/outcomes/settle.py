"""What becomes of an item when people have spoken: kept, fixed or dropped; disputed, or still open. Pure.

Two people agree when they decide the same and leave the same texts. Where they do not, nothing is guessed:
the item waits for one person's word in `resolved.jsonl`, which then counts alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Literal, NamedTuple

from ssui_gen.branches import BranchLabel
from ssui_gen.curation.asked.form import BAD, DONE, DROP, FIX, GOOD, KEEP, UNCLEAR
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.people import RESOLVED
from ssui_gen.curation.asked.texts import edited, text_at
from ssui_gen.curation.lines.review import Review
from ssui_gen.records import Curation, ReasoningPath

State = Literal["kept", "fixed", "dropped", "good", "bad", "unclear", "labelled", "disputed", "open"]
STATES: dict[str, State] = {
    KEEP: "kept", FIX: "fixed", DROP: "dropped", GOOD: "good", BAD: "bad", UNCLEAR: "unclear",
    DONE: "labelled",
}  # fmt: skip
"""Of a path, then of a branch, then of a response."""


class Outcome(NamedTuple):
    """One item and what was said of it."""

    item: Item
    state: State
    said: dict[str, Review]
    """Who has decided, and how; where one person settled a difference, those of before too."""
    counted: dict[str, Review]
    """Those of them whose word it is."""
    settled: Literal["alone", "agreed", "adjudicated"]


def settle(item: Item, said: Mapping[str, Review], final: Review | None = None) -> Outcome:
    """`final` is the word of whoever settles differences. Only what was said of these very texts counts."""
    heard = {name: line for name, line in said.items() if _decided(item, line)}
    if final is not None and _decided(item, final):
        return Outcome(item, _state(final), heard, {RESOLVED: final}, "adjudicated")
    if not heard:
        return Outcome(item, "open", {}, {}, "alone")
    first = next(iter(heard.values()))
    if not all(same(first, line) for line in heard.values()):
        return Outcome(item, "disputed", heard, {}, "agreed")
    return Outcome(item, _state(first), heard, heard, "agreed" if len(heard) > 1 else "alone")


def same(one: Review, other: Review) -> bool:
    """Whether two people want the same of an item."""
    if one.decision == DONE == other.decision:
        return one.scores == other.scores
    return one.decision == other.decision and (one.decision != FIX or one.edits == other.edits)


def _decided(item: Item, line: Review) -> bool:
    return line.sha == item.sha and line.decision is not None


def _state(line: Review) -> State:
    return STATES[line.decision or ""]


def curated(outcome: Outcome) -> ReasoningPath | None:
    """The row of `curated.jsonl`; None of an item that is none."""
    if outcome.state not in ("kept", "fixed"):
        return None
    lines = list(outcome.counted.values())
    before = outcome.item.path
    edits = lines[0].edits if outcome.state == "fixed" else {}
    after = edited(before, edits)
    original = {pointer: text_at(before, pointer) for pointer in edits}
    if after.query.category != before.query.category:
        original["/query/category"] = before.query.category
    curation = Curation(
        sha=outcome.item.sha,
        by=tuple(sorted(outcome.counted)),
        settled=outcome.settled,
        reasons=tuple(sorted({reason for line in lines for reason in line.reasons})),
        scores=_means(lines),
        original=original,
    )
    return after.model_copy(update={"curation": curation})


def _means(lines: Iterable[Review]) -> dict[str, float]:
    given: dict[str, list[int]] = {}
    for line in lines:
        for name, score in line.scores.items():
            if isinstance(score, int):
                given.setdefault(name, []).append(score)
    return {name: round(fmean(scores), 2) for name, scores in sorted(given.items())}


def labels(outcomes: Sequence[Outcome]) -> tuple[list[BranchLabel], Counter[str]]:
    """The labels on which people agree, or which one person has settled; and why there are no others."""
    given = [
        BranchLabel(branch_id=one.item.id, good=one.state == GOOD)
        for one in outcomes
        if one.state in (GOOD, BAD)
    ]
    return given, Counter(one.state for one in outcomes if one.state in (UNCLEAR, "disputed", "open"))
