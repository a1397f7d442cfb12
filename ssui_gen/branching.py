"""The text form of a reasoning path, and its prefixes: pure rules, no files, no models.

How our records are written down; how a model's own words are read is `reading`'s. A step is one line, so a
cut between steps is a cut between lines, behind the line break:

    1. Visual context: ...
    ...
    6. Response strategy: ...
    Answer: ...
"""

from __future__ import annotations

from collections.abc import Sequence

from ssui_gen.naming import named_class
from ssui_gen.records import STEP_NAMES, Step
from ssui_gen.replies import ReasoningReply

ANSWER = "Answer: "


def title(name: str) -> str:
    """`visual_context` as people read it: `Visual context`."""
    return name.replace("_", " ").capitalize()


def steps_of(reply: ReasoningReply) -> tuple[Step, ...]:
    """The six steps of a reply, in order."""
    return tuple(Step(name=name, text=one_line(getattr(reply, name))) for name in STEP_NAMES)


def path_class(steps: Sequence[Step]) -> str | None:
    """The class that step 4 names (`none` for a harmless pair); None if it names none that we know."""
    return named_class(next((s.text for s in steps if s.name == "intent_and_risk"), ""))


def one_line(text: str) -> str:
    """`text` with every run of white space made one space."""
    return " ".join(text.split())


def render_steps(steps: Sequence[Step]) -> str:
    """The steps as numbered lines, without a line break at the end."""
    return "\n".join(f"{i}. {title(s.name)}: {s.text}" for i, s in enumerate(steps, 1))


def prefix_at(steps: Sequence[Step], cut: int) -> str:
    """The first `cut` steps as what a branch goes on from: with their last line break, after which a branch
    begins. A tokenizer may join a full stop and a line break into one token (Qwen's does), so a cut before
    the break lies inside a token; one behind it never does. Nothing at the root.
    """
    return f"{render_steps(steps[:cut])}\n" if cut else ""


def render_path(steps: Sequence[Step], answer: str) -> str:
    """The whole path as a policy model writes it."""
    return f"{render_steps(steps)}\n{ANSWER}{one_line(answer)}"
