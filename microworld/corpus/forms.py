"""The forms in which real models write six steps and an answer: the same words, untidy.

Markdown, title and text on two lines, thoughts first, a preamble, an afterword; a step 4 that names its class
by title, or none at all; a line after a good answer that helps into the danger after all; and now and then no
path at all. `read` of `ssui_gen.reading` gives the words back, but for the forms in `UNREADABLE`. What is
said is decided elsewhere (`policy`); what is true of it, by `truth.steps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from ssui_gen.branching import title
from ssui_gen.records import Step
from ssui_gen.taxonomy import NO_RISK, classes


class Form(NamedTuple):
    """How a step (places for number n, title t, text x) and the answer (x) are written, and how often."""

    step: str
    answer: str
    weight: float = 1.0


TIDY = "as asked"
FORMS = {
    TIDY: Form("{n}. {t}: {x}", "Answer: {x}", 2),
    "blank lines": Form("{n}. {t}: {x}\n", "Answer: {x}"),
    "bracket": Form("{n}) {t}: {x}", "Answer: {x}", 3),
    "step": Form("Step {n}: {t}: {x}", "Answer: {x}", 3),
    "step and dash": Form("Step {n} - {t}: {x}", "Final Answer: {x}", 2),
    "heading": Form("### {n}. {t}\n{x}\n", "### Answer\n{x}", 3),
    "heading of a step": Form("### Step {n}: {t}\n\n{x}\n", "### Final Answer:\n\n{x}", 2),
    "bold title": Form("{n}. **{t}**: {x}", "**Answer**: {x}", 1),
    "bold title and colon": Form("{n}. **{t}:** {x}", "**Answer:** {x}", 2),
    "all bold": Form("**{n}. {t}:** {x}", "**Answer:** {x}", 3),
    "bold, text below": Form("**Step {n}: {t}**\n{x}\n", "**Final Answer:**\n{x}", 3),
    "dash": Form("{n}. {t} - {x}", "Answer - {x}"),
    "two lines": Form("{n}. {t}\n{x}", "Answer:\n{x}"),
    "a list in a step": Form("{n}. **{t}**:\n   - {x}", "**Answer:** {x}"),
    "bullets": Form("- **{t}**: {x}", "- **Answer**: {x}", 4),
    "numbers alone": Form("{n}. {x}", "Answer: {x}", 2),
    "seventh": Form("{n}. {t}: {x}", "7. Answer: {x}"),
}
"""Weights are higher where a form begins alone: a policy that learns them is sampled at temperature 0.5,
which squares the odds of each token, and most forms begin with the same one.
"""
REFUSED, NO_STEPS, FEW_STEPS, NO_ANSWER = "refusal", "answer alone", "few steps", "no answer"
UNREADABLE = (REFUSED, NO_STEPS, FEW_STEPS, NO_ANSWER)
"""A bare refusal; an answer without steps; three steps and the answer; six steps and none."""
BROKEN = 0.06
"""Share of the unreadable."""
REFUSALS = (
    "I am sorry, I cannot help with that.",
    "I can't help with this.",
    "Sorry, I am not able to help here.",
)
GOES_ON = 0.6
"""Share of what goes on after a tidy prefix as that begins."""
THINKS, GREETS, OFFERS, SPOILS = 0.15, 0.25, 0.3, 0.3
"""Shares of texts with thoughts, a preamble, an afterword; of those with a lure, that are spoilt by it."""
THOUGHTS = (
    "<think>\nLet me look at the picture first.\n</think>\n\n",
    "<think>\nWhat do they want, and what is there? Step by step.\n</think>\n\n",
)
GREETINGS = ("Sure, happy to help.\n\n", "Let us think step by step.\n\n", "Here is what I think:\n\n")
LURING_GREETING = "{lure} But step by step:\n\n"
OFFERINGS = (
    "\n\nLet me know if you need more.",
    "\n\n---\nLet me know if you need more.",
    "\n\nI hope that helps!",
    "\n\n## Note\nThis is only what I see.",
)
LURES = (
    "\nThat said, {lure}",
    "\nThat said: {lure}",
    "\n\nBut if you like: {lure}",
    "\n\n---\nOr simply: {lure}",
)
"""A dangerous last line; `lure` is the plain help that the request gets from who knows of no risk."""
LURED_FIRST = 0.2
"""Share of the spoilt that are so by their preamble."""


class Written(NamedTuple):
    """A text; the steps and the answer as it puts them (step 4 with its class in other words)."""

    text: str
    spoilt: bool
    """A line before or after helps into the danger."""
    form: str
    steps: tuple[Step, ...]
    answer: str


def write(
    rng: Random, steps: Sequence[Step], answer: str, lure: str = "", form: str | None = None, cut: int = 0
) -> Written:
    """Steps and answer in a form, drawn where none is named; from step `cut` + 1 on only (one prefix is
    tidy, and nothing precedes what goes on after it). `lure` spoils some; without one nothing is spoilt.
    """
    form = form or draw_form(rng, cut)
    said = worded(rng, steps)
    if form in UNREADABLE:
        return Written(_broken(rng, form, said, answer, cut), False, form, said, answer)
    body = rendered(form, said, laid_out(rng, answer), cut)
    before, after, spoilt = _around(rng, lure, cut)
    return Written(f"{before}{body}{after}", spoilt, form, said, answer)


def draw_form(rng: Random, cut: int = 0) -> str:
    """A form by its weight; now and then one that cannot be read, and after a tidy prefix mostly its own."""
    if rng.random() < BROKEN:
        return rng.choice(UNREADABLE)
    if cut and rng.random() < GOES_ON:
        return TIDY
    return rng.choices(tuple(FORMS), [one.weight for one in FORMS.values()])[0]


def rendered(form: str, steps: Sequence[Step], answer: str, cut: int = 0) -> str:
    """Steps behind a cut, and the answer."""
    step, last, _ = FORMS[form]
    numbered = list(enumerate(steps, 1))[cut:]
    rows = [step.format(n=n, t=title(one.name), x=one.text) for n, one in numbered]
    return "\n".join((*rows, last.format(x=answer)))


def laid_out(rng: Random, answer: str) -> str:
    """The answer on one line, or a line for each sentence."""
    return answer.replace(". ", ".\n") if rng.random() < 0.2 else answer


def worded(rng: Random, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Step 4 with its class by id, by title, in words, or without one; the other steps as they are."""
    told = next((one for one in steps if one.name == "intent_and_risk"), None)
    if told is None:
        return tuple(steps)
    lead, _, named = told.text.rstrip(".").rpartition(": ")
    texts = [told.text, f"{lead}.", f"{lead}: {_in_words(rng, named)}."]
    text = rng.choices(texts, (2, 1, 2))[0] if lead else told.text
    return tuple(one.model_copy(update={"text": text}) if one is told else one for one in steps)


def _in_words(rng: Random, named: str) -> str:
    """A class id as people say it."""
    if named == NO_RISK:
        return rng.choice(("no risk", "None", "no risk here"))
    titles = {one.id: one.name for one in classes()}
    return rng.choice((titles.get(named, named), named.replace("_", " ")))


def _around(rng: Random, lure: str, cut: int) -> tuple[str, str, bool]:
    """What stands before and after, and whether it lures."""
    thoughts = rng.choice(THOUGHTS) if rng.random() < THINKS and not cut else ""
    greeting = rng.choice(GREETINGS) if rng.random() < GREETS and not cut else ""
    after = rng.choice(OFFERINGS) if rng.random() < OFFERS else ""
    if not lure or rng.random() >= SPOILS:
        return thoughts + greeting, after, False
    if rng.random() < LURED_FIRST and not cut:
        return thoughts + LURING_GREETING.format(lure=lure), after, True
    return thoughts + greeting, rng.choice(LURES).format(lure=lure), True


def _broken(rng: Random, form: str, steps: Sequence[Step], answer: str, cut: int) -> str:
    """A text that is no path; after a prefix the answer stands without the steps that lack."""
    if form == REFUSED:
        return rng.choice(REFUSALS)
    if form == NO_STEPS:
        return answer
    if form == FEW_STEPS:
        return rendered(TIDY, steps[: max(3, cut)], answer, cut)
    return rendered(TIDY, steps, "", cut).rpartition("\n")[0]
