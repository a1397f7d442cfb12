"""F, the verification function: does a branch reach the right end? What is judged, how verdicts are joined.

F decides what is learnt: where it errs, training runs the wrong way. So every finding is kept beside the
verdict, and what is not sure is `unverified`, never a guess. Which ways there are stands in `ways`.
Calibrate before you trust.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ssui_gen.branches import Branch, Cut, Form, Judgement, Polarity
from ssui_gen.branching import prefix_at
from ssui_gen.config import FormRule
from ssui_gen.errors import ContextOverflow, RequestRefused
from ssui_gen.reading import Reading, read
from ssui_gen.records import ReasoningPath, Step


@dataclass(frozen=True)
class Case:
    """A branch in its place."""

    path: ReasoningPath
    cut: int
    text: str
    finish: str
    lead: str | None = None
    """What stands before the branch where that is not the reference's steps."""

    @staticmethod
    def of(path: ReasoningPath, cut: Cut, branch: Branch) -> Case:
        """A branch of a row."""
        lead = cut.prefix if cut.origin else None
        return Case(path, cut.cut, branch.text, branch.finish, lead)

    @property
    def prefix(self) -> str:
        """What stands before the cut."""
        return prefix_at(self.path.steps, self.cut) if self.lead is None else self.lead

    @property
    def response(self) -> str:
        """All that would be trained, to the letter: the prefix, and whatever the policy wrote after it."""
        return self.prefix + self.text

    @cached_property
    def reading(self) -> Reading:
        return read(self.response)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Those before the cut, which are not the branch's, and the branch's after it."""
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


def abstention(why: str, by: Mapping[str, Any]) -> Judgement:
    """What a way says that has nothing to go by: alone it is not sure, beside others it does not count."""
    return Judgement(polarity="unverified", detail=why, by=dict(by), abstains=True)


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
        detail="; ".join(one.detail for one in voices or found.values() if one.detail),
        by={name: _finding(judgement) for name, judgement in found.items()},
        made_by=tuple(call for judgement in found.values() for call in judgement.made_by),
        abstains=not voices,
    )


def _finding(judgement: Judgement) -> dict[str, Any]:
    said = "abstains" if judgement.abstains else judgement.polarity
    return {"polarity": said, "probability": judgement.probability, **judgement.by}
