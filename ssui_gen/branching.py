"""The text form of a reasoning path, and its prefixes: pure rules, no files, no models.

A step is one line, so a cut between steps is a cut between lines:

    1. Visual context: ...
    ...
    6. Response strategy: ...
    Answer: ...
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ssui_gen.naming import named_class
from ssui_gen.records import STEP_NAMES, ReasoningReply, Step

ANSWER = "Answer: "
_STEP = re.compile(r"^(\d+)\. ([^:\n]+): (.*)$")


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
    """The steps as numbered lines; `render_steps(steps[:c])` is the prefix at cut c."""
    return "\n".join(f"{i}. {title(s.name)}: {s.text}" for i, s in enumerate(steps, 1))


def render_path(steps: Sequence[Step], answer: str) -> str:
    """The whole path as a policy model writes it."""
    return f"{render_steps(steps)}\n{ANSWER}{one_line(answer)}"


def next_step(text: str, cut: int) -> str:
    """The part of a branch that is its own step: up to the end of its first line, or all of it at the last
    cut, where the answer belongs to the step.
    """
    start = len(text) - len(text.lstrip("\n"))
    last = cut + 1 == len(STEP_NAMES)
    return text if last else text[: start + len(text[start:].partition("\n")[0])]


def parse_path(text: str) -> tuple[tuple[Step, ...], str | None]:
    """Read back what `render_path` wrote: the steps found, and the answer or None."""
    lines = text.splitlines()
    found = [m for m in map(_STEP.match, lines) if m]
    steps = tuple(Step(name=m[2].strip().lower().replace(" ", "_"), text=m[3]) for m in found)
    answer = next((line[len(ANSWER) :] for line in lines if line.startswith(ANSWER)), None)
    return steps, answer
