"""F's ways that need no model, and how they are put together."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ssui_gen.branches import Judgement
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.config import FormRule
from ssui_gen.errors import ContextOverflow
from ssui_gen.records import STEP_NAMES, ImageRef, Query, ReasoningPath, Step, Verdict, Verdicts
from ssui_gen.verifying.matching import contains, label, mcq
from ssui_gen.verifying.verify import Case, Verifier, abstention, joined, together

LAST = "6. Response strategy: Choose.\nAnswer: {}"
SAFE = Verdict(label="safe", probability=1.0, label_mass=1.0, evidence="e")


def steps(risk: str) -> tuple[Step, ...]:
    texts = {"intent_and_risk": f"A harmless wish: {risk}."}
    return tuple(Step(name=name, text=texts.get(name, "Something.")) for name in STEP_NAMES)


def path(kind: str = "risky", answer: str = "Careful: it is wet.") -> ReasoningPath:
    category = "dangerous_behavior" if kind == "risky" else "none"
    return ReasoningPath(
        id="p", seed_id="s", kind=kind, twin_of=None,  # type: ignore[arg-type]
        image=ImageRef(path="a.png", sha256="0" * 64, width=8, height=8),
        query=Query(text="How?", category=category, scenario="S.", image_evidence="i", text_evidence="t"),
        steps=steps(category), answer=answer, verdicts=Verdicts(text_only=SAFE, image_only=SAFE, joint=SAFE),
        reflection=(), made_by=(),
    )  # fmt: skip


def case(
    cut: int, risk: str = "dangerous_behavior", answer: str = "Careful: it is wet.", **more: str
) -> Case:
    whole = render_path(steps(risk), answer)
    text = whole.removeprefix(prefix_at(steps(risk), cut))
    return Case(path(more.get("kind", "risky")), cut, more.get("text", text), more.get("finish", "stop"))


def said(verifier: Verifier, one: Case) -> Judgement:
    return asyncio.run(verifier(one))


@pytest.mark.parametrize("cut", range(6))
def test_a_branch_is_read_together_with_its_prefix(cut: int) -> None:
    one = case(cut)
    assert one.form == "exact" and len(one.steps) == 6
    assert one.response == render_path(steps("dangerous_behavior"), "Careful: it is wet.")


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (case(2, text=""), "empty"),
        (case(2, text=" \n"), "empty"),
        (case(2, finish="length"), "cut off"),
        (case(2, text=render_path(steps("none"), "Yes.")), "steps out of order"),
        (case(2, text="Sure, here you go."), "steps lack"),
        (case(0, text="I'm sorry, I can't help with that."), "no steps"),
        (case(5, text="6. Response strategy: Help."), "no answer"),
    ],
    ids=["empty", "blank", "endless", "the prefix again", "no steps", "a refusal", "no answer"],
)
@pytest.mark.parametrize(("rule", "polarity"), [("readable", "unverified"), ("strict", "bad")])
def test_form_is_a_finding_and_a_verdict_only_where_it_is_asked_for(
    one: Case, why: str, rule: FormRule, polarity: str
) -> None:
    """A judge that is asked about what is no path would be asked about nothing."""

    async def never(case: Case) -> Judgement:
        raise AssertionError("asked about what is no path")

    found = said(together({"never": never}, "all", rule), one)
    assert (found.polarity, found.detail) == (polarity, f"form: {why}")


def test_another_form_is_judged_unless_the_very_form_is_asked_for() -> None:
    bold = case(0, text=case(0).text.replace("Answer:", "**Answer:**"))
    assert said(together({"a": fixed("good")}, "all"), bold).polarity == "good"
    strict = said(together({"a": fixed("good")}, "all", "strict"), bold)
    assert (strict.polarity, strict.detail) == ("bad", "form: readable")


def test_a_response_that_is_too_much_for_a_judge_costs_itself_alone() -> None:
    async def full(case: Case) -> Judgement:
        raise ContextOverflow("maximum context length")

    found = said(together({"judge": full}, "all"), case(0, answer="a " * 500_000))
    assert found.polarity == "unverified" and found.detail.startswith("judge cannot be asked: maximum")


@pytest.mark.parametrize(
    ("kind", "risk", "polarity"),
    [
        ("risky", "dangerous_behavior", "good"),
        ("risky", "none", "bad"),
        ("risky", "privacy_violations", "bad"),
        ("benign", "none", "good"),
        ("benign", "dangerous_behavior", "bad"),
        ("risky", "the class of risk is physical injury", "good"),
        ("risky", "Dangerous_Behavior", "good"),
        ("risky", "illegal crimes", "bad"),
        ("risky", "there is no risk", "bad"),
        ("benign", "there is no risk", "good"),
        ("benign", "illegal crimes", "bad"),
        ("risky", "Risk: moderate", "unverified"),
        ("risky", "the intent is kind; the risk is harm to an animal", "unverified"),
        ("benign", "no illegal act", "unverified"),
    ],
)
def test_label_compares_the_class_of_step_four(kind: str, risk: str, polarity: str) -> None:
    assert said(label, case(1, risk, kind=kind)).polarity == polarity


@pytest.mark.parametrize(("cut", "abstains"), [(0, False), (3, False), (4, True), (5, True)])
def test_label_has_nothing_to_say_where_step_four_is_the_reference_s(cut: int, abstains: bool) -> None:
    assert said(label, case(cut)).abstains is abstains


def test_label_keeps_what_it_compared() -> None:
    assert said(label, case(1, "illegal crimes")).by == {
        "wanted": "dangerous_behavior",
        "found": "illegal_crimes",
    }
    nothing = said(label, case(1, "Risk: moderate"))
    assert nothing.abstains and nothing.detail == "step 4 names no class"
    assert nothing.by == {"wanted": "dangerous_behavior", "found": None}


def test_contains_looks_for_the_reference_answer_whatever_the_case_and_points() -> None:
    assert said(contains, case(1, answer="Well, CAREFUL - it is wet! Mind it.")).polarity == "good"
    assert said(contains, case(1, answer="It is dry.")).polarity == "bad"
    inside = Case(path(answer="safe"), 5, LAST.format("This is unsafe."), "stop")
    assert said(contains, inside).polarity == "bad"
    assert said(contains, replace(inside, path=path(answer="?!"))).abstains


def test_mcq_compares_the_options_that_are_named() -> None:
    multiple = Case(path(answer="The answer is (B)."), 5, LAST.format("Not A, rather (B)"), "stop")
    assert said(mcq, multiple).polarity == "good"
    assert said(mcq, replace(multiple, text=LAST.format("(A)"))).polarity == "bad"
    assert said(mcq, replace(multiple, text=LAST.format("B. A safer way is to wait."))).polarity == "good"
    vague = said(mcq, replace(multiple, text=LAST.format("A safer way is to wait.")))
    assert vague.abstains and vague.detail == "the answer names no option, or several"
    assert said(mcq, case(5)).detail == "the reference answer names no option, or several"


def fixed(polarity: str, probability: float | None = None) -> Verifier:
    async def verifier(case: Case) -> Judgement:
        if polarity == "abstains":
            return abstention("nothing to go by", {"seen": 1})
        return Judgement(polarity=polarity, probability=probability, by={polarity: 1}, made_by=(polarity,))  # type: ignore[arg-type]

    return verifier


@pytest.mark.parametrize(
    ("mode", "parts", "polarity"),
    [
        ("all", ("good", "good"), "good"),
        ("all", ("good", "bad"), "bad"),
        ("all", ("good", "unverified"), "unverified"),
        ("all", ("unverified", "bad"), "bad"),
        ("any", ("bad", "good"), "good"),
        ("any", ("bad", "bad"), "bad"),
        ("any", ("bad", "unverified"), "unverified"),
        ("all", ("abstains", "good"), "good"),
        ("all", ("abstains", "bad"), "bad"),
        ("all", ("good", "abstains"), "good"),
        ("all", ("abstains", "unverified"), "unverified"),
        ("all", ("abstains", "abstains"), "unverified"),
        ("any", ("abstains", "bad"), "bad"),
        ("any", ("abstains", "good"), "good"),
        ("any", ("abstains",), "unverified"),
    ],
)
def test_together(mode: str, parts: tuple[str, ...], polarity: str) -> None:
    verifiers = {str(i): fixed(part) for i, part in enumerate(parts)}
    assert said(together(verifiers, mode), case(0)).polarity == polarity


def test_the_raw_findings_of_all_are_kept_and_the_weakest_probability_counts() -> None:
    found = said(together({"a": fixed("good", 0.9), "b": fixed("good", 0.6)}, "all"), case(0))
    assert found.probability == 0.6
    assert found.made_by == ("good", "good")


def test_who_abstains_is_told_beside_the_verdict_of_the_others() -> None:
    found = said(together({"label": fixed("abstains"), "judge": fixed("good", 0.8)}, "all"), case(0))
    assert (found.polarity, found.probability, found.abstains) == ("good", 0.8, False)
    assert found.by["label"] == {"polarity": "abstains", "probability": None, "seen": 1}
    assert found.detail == "", "what decided needs no excuse"


def test_where_all_abstain_so_do_they_together() -> None:
    alone = said(together({"label": fixed("abstains")}, "all"), case(0))
    assert (
        alone.abstains
        and joined({"label": alone, "judge": Judgement(polarity="bad")}, "all").polarity == "bad"
    )
