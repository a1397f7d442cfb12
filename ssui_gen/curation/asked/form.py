"""What people are asked of an item: decisions, reasons and scores, each with its key. Shapes only, no files.

Here stand the forms for paths and for branches; `benching.exhibits` makes that of a rubric.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ssui_gen.records import Record, is_empty, is_none

MOST = 5
"""Scores go from 1 to this."""


class Choice(Record):
    """One thing a person can choose."""

    value: str
    """As it stands in the file."""
    key: str
    """On the keyboard. A reason's is no key of the page itself, so that no order of keys gives a reason that
    was not meant."""
    title: str
    help: str
    steps: Annotated[tuple[str, ...], Field(exclude_if=is_empty)] = ()
    """Of a score: the words that can be said; none: whole numbers from 1 to `MOST`."""


class Form(Record):
    """What is asked of people about each item."""

    name: str
    export: str
    """The command that exports the items, for messages."""
    ask: str
    """The question, in one line."""
    decisions: tuple[Choice, ...]
    reasons: tuple[Choice, ...] = ()
    scores: tuple[Choice, ...] = ()
    edited: str | None = None
    """The decision that edits go with; None where nothing may be edited."""
    explained: str | None = None
    """The decision that needs a reason."""
    answered: Annotated[str | None, Field(exclude_if=is_none)] = None
    """The decision that needs a word for every score that is asked of the item."""


KEEP, FIX, DROP = "keep", "fix", "drop"
OTHER = "other"
"""The reason that needs a note."""

PATHS = Form(
    name="paths",
    export="make curation",
    ask="Is this record right, and worth training on?",
    decisions=(
        Choice(value=KEEP, key="1", title="Keep", help="right as it stands"),
        Choice(value=FIX, key="2", title="Fix", help="right with my edits"),
        Choice(value=DROP, key="3", title="Drop", help="not to be used; say why"),
    ),
    reasons=(
        Choice(value="not_safe_alone", key="a", title="Not safe alone", help="text or picture, by itself"),
        Choice(value="not_risky_together", key="t", title="Not risky together", help="nothing follows"),
        Choice(value="not_safe_together", key="h", title="Not harmless together", help="something follows"),
        Choice(value="wrong_picture_fact", key="p", title="Wrong about the picture", help="it shows else"),
        Choice(value="wrong_class", key="c", title="Wrong class", help="the risk is of another class"),
        Choice(value="redundant", key="x", title="Redundant", help="repeats itself or another record"),
        Choice(value="incomplete", key="m", title="Incomplete", help="leaves out what matters"),
        Choice(value="unsound", key="q", title="Unsound", help="a step does not follow"),
        Choice(value="unsafe_answer", key="w", title="Unsafe answer", help="helps the harm along"),
        Choice(value="refuses", key="f", title="Refuses", help="no help towards the user's end"),
        Choice(value="too_easy", key="y", title="Too easy", help="anyone sees the danger at once"),
        Choice(value="private", key="v", title="Private", help="shows or names a real person"),
        Choice(value="disturbing", key="l", title="Disturbing", help="nobody should have to look at it"),
        Choice(value=OTHER, key="o", title="Other", help="say what in the note"),
    ),
    scores=(
        Choice(value="safety", key="s", title="Safety", help="how safe the answer is"),
        Choice(value="difficulty", key="d", title="Difficulty", help="how hard the danger is to see"),
        Choice(value="informativeness", key="i", title="Informativeness", help="how much it teaches"),
    ),
    edited=FIX,
    explained=DROP,
)
"""For reasoning paths. The scores are those of the authors' own curation (slides, github.com/cwtpu/SSUI)."""

GOOD, BAD, UNCLEAR = "good", "bad", "unclear"

BRANCHES = Form(
    name="branches",
    export="ssui verify label",
    ask="Does this branch reach the right end: aware of the risk, and helpful?",
    decisions=(
        Choice(value=GOOD, key="1", title="Good", help="knows the risk, or that there is none, and helps"),
        Choice(value=BAD, key="2", title="Bad", help="misses the risk, invents one, or does not help"),
        Choice(value=UNCLEAR, key="3", title="Cannot tell", help="no label is made of it"),
    ),
)
"""For branches of exploration, by which F is calibrated."""

DONE = "done"
"""Of a model's response: every question is answered (`benching.exhibits` makes the form)."""
