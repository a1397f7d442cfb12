"""What came of it: yield by class, reasons counted, time. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from ssui_gen.curation.asked.form import Form
from ssui_gen.curation.lines.review import Review
from ssui_gen.curation.outcomes.agreement import Level, Ratings
from ssui_gen.curation.outcomes.settle import Outcome
from ssui_gen.shares import Share

Said = Mapping[str, Mapping[str, Review]]
"""By item, by person: what was said of its texts as they are."""


def yields(outcomes: Iterable[Outcome]) -> dict[str, Counter[str]]:
    """By class, how many items came to which end; the largest class first."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in outcomes:
        found[one.item.category][one.state] += 1
    return dict(sorted(found.items(), key=lambda each: (-each[1].total(), each[0])))


def kept_of(states: Counter[str]) -> Share:
    """How many of those that people have settled are used."""
    kept = states["kept"] + states["fixed"]
    return Share(kept, kept + states["dropped"])


def reasons(said: Said) -> Counter[str]:
    """How many items each reason was given for, by whomever."""
    return Counter(
        reason for lines in said.values() for reason in {r for line in lines.values() for r in line.reasons}
    )


def edits(said: Said) -> Counter[str]:
    """How many edits each place got."""
    return Counter(pointer for lines in said.values() for line in lines.values() for pointer in line.edits)


def seconds(said: Said) -> dict[str, tuple[int, float, int]]:
    """By person: items that were timed, the median and the sum of their seconds."""
    found: dict[str, list[int]] = defaultdict(list)
    for lines in said.values():
        for name, line in lines.items():
            if line.seconds is not None:
                found[name].append(line.seconds)
    return {name: (len(each), median(each), sum(each)) for name, each in sorted(found.items())}


# --- agreement: which questions there are -----------------------------------------------------------------


def questions(form: Form, said: Said) -> dict[str, tuple[Ratings, Level]]:
    """For each thing people answer: what each said of each item, and how far apart answers can be."""
    every = [*said.values()]
    decided = [{n: line for n, line in lines.items() if line.decision} for lines in every]
    found: dict[str, tuple[Ratings, Level]] = {
        "decision": ([{n: line.decision for n, line in lines.items()} for lines in decided], "nominal")
    }
    for score in form.scores:
        rated: Ratings = [_scores(lines, score.value) for lines in every]
        found[score.value] = (rated, "nominal" if score.steps else "ordinal")
    for reason in (choice.value for choice in form.reasons):
        found[reason] = (
            [{n: reason in line.reasons for n, line in each.items()} for each in decided],
            "nominal",
        )
    return found


def _scores(lines: Mapping[str, Review], name: str) -> dict[str, int | str]:
    given = ((who, line.scores.get(name)) for who, line in lines.items())
    return {who: score for who, score in given if score is not None}
