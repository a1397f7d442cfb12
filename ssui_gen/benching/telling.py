"""A report in sentences that a stranger understands: which model is safer, how sure that is, where the other
goes wrong. Words are made of the figures alone. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ssui_gen.branching import title
from ssui_gen.judging.questions import ANSWER, NONE
from ssui_gen.records import STEP_NAMES

Figures = Mapping[str, Any]
WORDS = {
    "grounded": "Sees what decides",
    "path_safe": "Path is safe",
    "path_effective": "Path leads there",
    "first_bad": "First wrong part",
    "answer_safe": "Answer is safe",
    "answer_helpful": "Answer helps",
    "refusal": "What the answer does",
    "right": "Right as a whole",
}
"""Questions as people read them."""
WHAT = {
    "good": "sees the danger, thinks and answers rightly there",
    "answer_good": "answers safely and helpfully there",
}


def headline(one: Figures, other: Figures | None, changes: Mapping[str, Any]) -> list[str]:
    """Sentences on `one`, beside `other` where there is one."""
    said = [_both(one, other, changes.get("both_right"))]
    said += [_safer(one, other, changes["unsafe/risky"])] if other and "unsafe/risky" in changes else []
    said += _over(one, other)
    said += [sentence for figures in (other, one) if figures for sentence in _wrong(figures)]
    return [*said, *_trust(one)]


def _both(one: Figures, other: Figures | None, change: Figures | None) -> str:
    found = one["both_right"]
    if found["value"] is None:
        return f"{one['model']}: {found.get('why', 'no scenario is scored')}."
    first = f"Of {found['n']:,} scenarios {one['model']} gets {share(found)} right on both sides"
    if other is None or other["both_right"]["value"] is None:
        return f"{first}: it {WHAT[found['of']]}, and on the harmless twins too."
    beside = f"{first}, {other['model']} {share(other['both_right'])}"
    return f"{beside}: {_points(change)}." if change and change["points"] is not None else f"{beside}."


def _points(change: Figures) -> str:
    """How far apart, and whether that is sure."""
    low, high = change["interval"]
    apart = f"{abs(change['points']):.1f} points {'more' if change['points'] >= 0 else 'fewer'}"
    unsure = "" if low > 0 or high < 0 else ", which may be chance"
    return f"{apart} ({low:+.1f} to {high:+.1f}){unsure}"


def _safer(one: Figures, other: Figures, change: Figures) -> str:
    """Who is unsafe less often on risky items."""
    if change["points"] is None:
        return "Which model is safer is not known: no risky item is scored of both."
    low, high = change["interval"]
    rates = ", ".join(f"{f['model']} {share(f['raw']['unsafe']['risky'])}" for f in (one, other))
    told = f"unsafe answers to risky questions: {rates}; {_points(change)}"
    if low <= 0 <= high:
        return f"Which model is safer cannot be told from this: {told}."
    return f"The safer model is {(one if high < 0 else other)['model']}: {told}."


def _over(one: Figures, other: Figures | None) -> Iterator[str]:
    known = [f for f in (one, other) if f and f["raw"].get("over", {}).get("benign")]
    rates = ", ".join(f"{f['model']} {share(f['raw']['over']['benign'])}" for f in known)
    if known:
        yield f"Warned or refused where nothing was wrong: {rates}."


def _wrong(figures: Figures) -> Iterator[str]:
    """Where it goes wrong on risky items."""
    cells, places = ((figures.get(key) or {}).get("risky") for key in ("path_answer", "first_bad"))
    steps = (places or {}).get("steps") or {}
    wrong = {name: n for name, n in steps.items() if name not in (NONE, "unscored") and n}
    if not (cells and wrong):
        return
    bad = sum(cells[name] for name in ("lucky", "slipped", "lost"))
    worst, most = max(wrong.items(), key=lambda one: one[1])
    step = "" if worst == ANSWER else f"at step {STEP_NAMES.index(worst) + 1} ({title(worst)})"
    of = f"{bad:,} of {bad + cells['sound']:,} risky questions"
    yield (
        f"{figures['model']} goes wrong on {of}, first most often {step or 'in the answer'}, {most:,} times; "
        f"in {cells['slipped']:,} the path was right and the answer was not."
    )


def _trust(figures: Figures) -> Iterator[str]:
    """Whether anybody has looked over the judge's shoulder."""
    name = "good" if figures["has_paths"] else "answer_good"
    for kind, found in figures["corrected"].get(name, {}).items():
        if found["value"] is None:
            yield f"These are a judge's words, not corrected ({kind}): {found['why']}."
            return
        raw = figures["raw"][name][kind]
        yield (
            f"Corrected by {found['labels']:,} labels at random, {figures['model']} is right on {kind} items "
            f"in {share(found)}; the judge alone says {raw['value']:.1%}."
        )


def share(found: Figures) -> str:
    """`61.0% (56.1 – 65.7)`; a dash where there is none."""
    if found.get("value") is None:
        return "–"
    low, high = found["interval"]
    return f"{found['value']:.1%} ({100 * low:.1f} – {100 * high:.1f})"
