"""F, the verification function: does a branch reach the right end? The ways to tell that need no model.

F decides what is learnt: where it errs, training runs the wrong way. So every finding is kept beside the
verdict, and what is not sure is `unverified`, never a guess. How several ways are put together is here too;
which ways there are stands in `ways`. Calibrate before you trust.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ssui_gen.branches import Judgement, Polarity
from ssui_gen.branching import path_class, prefix_at
from ssui_gen.config import FormRule
from ssui_gen.errors import ContextOverflow, RequestRefused
from ssui_gen.reading import Form, Reading, read
from ssui_gen.records import ReasoningPath, Step
from ssui_gen.taxonomy import NO_RISK


@dataclass(frozen=True)
class Case:
    """A branch in its place."""

    path: ReasoningPath
    cut: int
    text: str
    finish: str

    @property
    def prefix(self) -> str:
        """The reference's steps before the cut."""
        return prefix_at(self.path.steps, self.cut)

    @property
    def response(self) -> str:
        """All that would be trained, to the letter: the prefix, and whatever the policy wrote after it."""
        return self.prefix + self.text

    @cached_property
    def reading(self) -> Reading:
        return read(self.response)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The reference's steps before the cut, and the branch's after it."""
        return self.reading.steps

    @property
    def answer(self) -> str | None:
        return self.reading.answer

    @property
    def form(self) -> Form:
        """A finding, never a verdict by itself."""
        if not self.text.strip():
            return Form.EMPTY
        return Form.CUT_OFF if self.finish == "length" else self.reading.form


Verifier = Callable[[Case], Coroutine[Any, Any, Judgement]]


def by_form(case: Case, rule: FormRule) -> Judgement | None:
    """What form alone decides, before F asks anything: nothing of a path that can be read, unless it must be
    in the form that was asked for; of any other that it cannot be judged.
    """
    form = case.form
    if form == Form.EXACT or (form.whole and rule == "readable"):
        return None
    polarity: Polarity = "bad" if rule == "strict" else "unverified"
    return Judgement(polarity=polarity, detail=f"form: {form.value.replace('_', ' ')}")


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


def together(parts: Mapping[str, Verifier], mode: str, form: FormRule = "readable") -> Verifier:
    """All of several ways must say good (`all`), or any of them (`any`). The unsure leave it open, and so
    does a way whose model cannot take the question.
    """

    async def verify(case: Case) -> Judgement:
        if decided := by_form(case, form):
            return decided
        found: dict[str, Judgement] = {}
        for name, verifier in parts.items():
            found[name] = await _asked(name, verifier, case)
            if found[name].polarity == ("bad" if mode == "all" else "good"):
                break  # the rest could not change it, and a judge costs calls
        return joined(found, mode)

    return verify


async def _asked(name: str, verifier: Verifier, case: Case) -> Judgement:
    """What one way says; one response that is too much for a judge costs this branch, not its path."""
    try:
        return await verifier(case)
    except (ContextOverflow, RequestRefused) as error:
        return Judgement(polarity="unverified", detail=f"{name} cannot be asked: {error}")


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
