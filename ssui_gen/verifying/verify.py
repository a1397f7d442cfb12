"""F, the verification function: does a branch reach the right end? The ways to tell that need no model.

F decides what is learnt: where it errs, training runs the wrong way. So every finding is kept beside the
verdict, and what is not sure is `unverified`, never a guess. How several ways are put together is here too;
which ways there are stands in `ways`. Calibrate before you trust.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from ssui_gen.branches import Judgement, Polarity
from ssui_gen.branching import parse_path, path_class
from ssui_gen.records import STEP_NAMES, ReasoningPath, Step
from ssui_gen.taxonomy import NO_RISK


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


async def label(case: Case) -> Judgement:
    """Good if step 4 ends with the path's own class (`none` for a benign pair). Blind behind that step."""
    wanted = case.path.query.category if case.path.kind == "risky" else NO_RISK
    found = path_class(case.steps)
    return Judgement(polarity=_polarity(found == wanted), by={"wanted": wanted, "found": found})


async def contains(case: Case) -> Judgement:
    """Good if the branch contains the ground-truth answer, as the paper words it (arXiv 2509.12060)."""
    return Judgement(polarity=_polarity(_plain(case.path.answer) in _plain(case.text)))


async def mcq(case: Case) -> Judgement:
    """Good if the last option letter of the answer is that of the reference answer."""
    wanted, found = _option(case.path.answer), _option(case.answer or "")
    if wanted is None:
        return Judgement(polarity="unverified", detail="the reference answer names no option")
    return Judgement(polarity=_polarity(found == wanted), by={"wanted": wanted, "found": found})


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
    """One verdict of those of several ways, by name."""
    polarities = {judgement.polarity for judgement in found.values()}
    decisive: Polarity = "bad" if mode == "all" else "good"
    other: Polarity = "good" if mode == "all" else "bad"
    chosen = decisive if decisive in polarities else "unverified" if "unverified" in polarities else other
    sure = [j.probability for j in found.values() if j.probability is not None]
    return Judgement(
        polarity=chosen,
        probability=(min(sure) if mode == "all" else max(sure)) if sure else None,
        detail="; ".join(judgement.detail for judgement in found.values() if judgement.detail),
        by={name: _finding(judgement) for name, judgement in found.items()},
        made_by=tuple(call for judgement in found.values() for call in judgement.made_by),
    )


def _finding(judgement: Judgement) -> dict[str, Any]:
    return {"polarity": judgement.polarity, "probability": judgement.probability, **judgement.by}


def _polarity(good: bool) -> Polarity:
    return "good" if good else "bad"


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _option(text: str) -> str | None:
    letters = re.findall(r"(?<![A-Za-z])\(?([A-H])\)?(?![A-Za-z])", text)
    return letters[-1] if letters else None
