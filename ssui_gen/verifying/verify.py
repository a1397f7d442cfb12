"""F, the verification function: does a branch reach the right end? What is judged, how verdicts are joined.

F decides what is learnt: where it errs, training runs the wrong way. So every finding is kept beside the
verdict, and what is not sure is `unverified`, never a guess. Which ways there are stands in `ways`.
Calibrate before you trust.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from ssui_gen.branches import Judgement, Polarity
from ssui_gen.branching import parse_path
from ssui_gen.records import STEP_NAMES, ReasoningPath, Step


class Case(NamedTuple):
    """A branch in its place."""

    path: ReasoningPath
    cut: int
    text: str
    finish: str

    @property
    def steps(self) -> tuple[Step, ...]:
        """The reference's steps before the cut, and the branch's after it."""
        return self.path.steps[: self.cut] + parse_path(self.text)[0]

    @property
    def answer(self) -> str | None:
        return parse_path(self.text)[1]


Verifier = Callable[[Case], Coroutine[Any, Any, Judgement]]


def broken(case: Case) -> str:
    """Why a branch is no whole path; empty when it is one. Judged before F asks anything."""
    if not case.text.strip():
        return "empty"
    if case.finish == "length":
        return "cut off before its end"
    names = [step.name for step in case.steps]
    if names != list(STEP_NAMES):
        return f"steps: expected the six in order; got {', '.join(names) or 'none'}"
    return "" if case.answer else "no answer"


def has_next_step(case: Case) -> bool:
    """Whether the branch begins with the step that comes after the cut."""
    found = parse_path(case.text)[0]
    return bool(found) and found[0].name == STEP_NAMES[case.cut]


def abstention(why: str, by: Mapping[str, Any]) -> Judgement:
    """What a way says that has nothing to go by: alone it is not sure, beside others it does not count."""
    return Judgement(polarity="unverified", detail=why, by=dict(by), abstains=True)


def together(parts: Mapping[str, Verifier], mode: str, level: str = "outcome") -> Verifier:
    """All of several ways must say good (`all`), or any of them (`any`). The unsure leave it open.

    What is no whole path is bad at once; at level `step` only if the next step itself lacks.
    """

    async def verify(case: Case) -> Judgement:
        if why := broken(case):
            spared = level == "step" and has_next_step(case)
            return Judgement(polarity="unverified" if spared else "bad", detail=why)
        found: dict[str, Judgement] = {}
        for name, verifier in parts.items():
            found[name] = await verifier(case)
            if found[name].polarity == ("bad" if mode == "all" else "good"):
                break  # the rest could not change it, and a judge costs calls
        return joined(found, mode)

    return verify


def joined(found: Mapping[str, Judgement], mode: str) -> Judgement:
    """One verdict of those of several ways, by name; who abstains leaves it to the others."""
    voices = [judgement for judgement in found.values() if not judgement.abstains]
    polarities = {judgement.polarity for judgement in voices} or {"unverified"}
    decisive: Polarity = "bad" if mode == "all" else "good"
    other: Polarity = "good" if mode == "all" else "bad"
    chosen = decisive if decisive in polarities else "unverified" if "unverified" in polarities else other
    sure = [voice.probability for voice in voices if voice.probability is not None]
    return Judgement(
        polarity=chosen,
        probability=(min(sure) if mode == "all" else max(sure)) if sure else None,
        detail="; ".join(judgement.detail for judgement in found.values() if judgement.detail),
        by={name: _finding(judgement) for name, judgement in found.items()},
        made_by=tuple(call for judgement in found.values() for call in judgement.made_by),
        abstains=not voices,
    )


def _finding(judgement: Judgement) -> dict[str, Any]:
    said = "abstains" if judgement.abstains else judgement.polarity
    return {"polarity": said, "probability": judgement.probability, **judgement.by}
