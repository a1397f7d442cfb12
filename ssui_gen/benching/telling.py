"""A report in sentences that a stranger understands: which model is safer, how sure that is, where the other
goes wrong. Words are made of the figures alone: corrected ones where there are, else the judge's, and said
which. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ssui_gen.benching.figures import FEWEST
from ssui_gen.benching.records import TRUTH
from ssui_gen.branching import title
from ssui_gen.judging.questions import ANSWER, NONE
from ssui_gen.records import KINDS, STEP_NAMES

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
LACKS = {
    "low_mass": "the judge's letters are none of the options'; JUDGE= (--judge) names another",
    "orders_differ": "another order of the options gives another verdict; a larger judge follows it less",
    "undecided": "two options are about as probable; label these, or take a larger judge",
    "no_logprobs": "the server gives no probabilities, and the orders of the options name different ones",
    "reply_invalid": "the judge says something else than an option; JUDGE= (--judge) names another",
    "request_refused": "the judge's server refuses the request, often as it is longer than its context",
    "call_failed": "the calls failed; the same command tries again",
    "not_judged": "they have not been asked for; the same command goes on",
}
"""Why a verdict lacks, and what helps."""
BOTH, UNSAFE, OVER = "both_right", "unsafe/risky", "over/benign"


class Told(NamedTuple):
    """A figure of one model, or of two and how the first differs from the second."""

    rates: list[Figures]
    change: Figures | None
    corrected: bool

    @property
    def sure(self) -> bool:
        """Whether the interval of the change leaves one sign."""
        low, high = self.change["interval"] if self.change else (0, 0)
        return bool(low > 0 or high < 0)


def told(name: str, tested: list[Figures], changes: Figures) -> Told | None:
    """Corrected where all of it can be, by enough labels; None where there is no such figure."""
    found = [pair for one in tested if (pair := _rates(name, one))]
    moved = changes.get(name)
    if len(found) < len(tested) or any(raw["value"] is None for raw, _ in found):
        return None
    whole = len(tested) == 1 or bool(moved and moved["corrected"]["points"] is not None)
    if whole and all(fixed["value"] is not None and fixed["labels"] >= FEWEST for _, fixed in found):
        return Told([fixed for _, fixed in found], moved and moved["corrected"], True)
    return Told([raw for raw, _ in found], moved, False)


def _rates(name: str, figures: Figures) -> tuple[Figures, Figures] | None:
    """Raw and corrected."""
    if name == BOTH:
        return figures[BOTH], figures[BOTH]["corrected"]
    measure, kind = name.split("/")
    found = [figures[way].get(measure, {}).get(kind) for way in ("raw", "corrected")]
    return (found[0], found[1]) if all(found) else None


def headline(tested: list[Figures], changes: Figures) -> list[str]:
    """Sentences on the first model, beside the second where there is one."""
    return [
        _both(tested, told(BOTH, tested, changes)),
        *_safer(tested, told(UNSAFE, tested, changes)),
        *_over(tested, told(OVER, tested, changes), changes),
        *(sentence for one in reversed(tested) for sentence in _wrong(one)),
        *_trust(tested[0]),
        *(sentence for one in tested for sentence in _left_out(one)),
    ]


def _both(tested: list[Figures], found: Told | None) -> str:
    first = tested[0]
    if found is None:
        return f"{first['model']}: {first[BOTH].get('why', 'no scenario is scored in full')}."
    of = f"Of {found.rates[0]['n']:,} scenarios"
    begin = f"{of} {first['model']} gets {share(found.rates[0])} right on both sides"
    if len(tested) == 1:
        return f"{begin}: the risky question and its harmless twins."
    beside = f"{begin}, {tested[1]['model']} {share(found.rates[1])}"
    return f"{beside}: {points(found)}." if found.change else f"{beside}."


def points(found: Told) -> str:
    """How far apart, and whether that is sure."""
    change = found.change or {}
    low, high = change["interval"]
    apart = f"{abs(change['points']):.1f} points {'more' if change['points'] >= 0 else 'fewer'}"
    return f"{apart} ({signed(low)} to {signed(high)}){'' if found.sure else ', which may be chance'}"


def _safer(tested: list[Figures], found: Told | None) -> Iterator[str]:
    """Who is unsafe less often on risky items."""
    if found is None:
        return
    rates = f"Unsafe answers to risky questions: {_listed(tested, found)}"
    if not found.change:
        yield f"{rates}."
    elif found.sure:
        safer = tested[0] if found.change["points"] < 0 else tested[1]
        yield f"{safer['model']} is safer. {rates}; {points(found)}."
    else:
        yield f"Which is safer cannot be told. {rates}; {points(found)}."


def _over(tested: list[Figures], found: Told | None, changes: Figures) -> Iterator[str]:
    if found is None:
        return
    margin = changes.get(OVER, {}).get("margin")
    more = ""
    if found.change and margin is not None:
        low, high = found.change["interval"]
        more = f" {_beside_margin(low, high, margin)}"
    yield f"Warnings or refusals where nothing was wrong: {_listed(tested, found)}.{more}"


def _beside_margin(low: float, high: float, margin: float) -> str:
    """What the interval of a change says of a margin that was fixed beforehand, all in points."""
    if low > margin:
        return f"That is a rise by more than {margin:g} points."
    return f"A rise by {margin:g} points {'is' if high < margin else 'cannot be'} ruled out."


def _listed(tested: list[Figures], found: Told) -> str:
    return ", ".join(f"{one['model']} {share(rate)}" for one, rate in zip(tested, found.rates, strict=True))


def _wrong(figures: Figures) -> Iterator[str]:
    """Where it goes wrong on risky items."""
    cells, places = ((figures.get(key) or {}).get("risky") for key in ("path_answer", "first_bad"))
    steps = (places or {}).get("steps") or {}
    wrong = {name: n for name, n in steps.items() if name not in (NONE, "unscored") and n}
    if not (cells and wrong):
        return
    bad = sum(cells[name] for name in ("lucky", "slipped", "lost"))
    worst, most = max(wrong.items(), key=lambda one: one[1])
    step = "" if worst == ANSWER else f"at step {STEP_NAMES.index(worst) + 1}, {title(worst).lower()}"
    yield (
        f"By the judge {figures['model']} goes wrong on {bad:,} of {bad + cells['sound']:,} risky questions, "
        f"first most often {step or 'in the answer'} ({most:,}); "
        f"in {cells['slipped']:,} only the answer is wrong."
    )


def _trust(figures: Figures) -> Iterator[str]:
    """Whether anybody has looked over the judge's shoulder."""
    right = figures[BOTH]["of"]
    found = {kind: figures["corrected"].get(right, {}).get(kind) for kind in KINDS}
    for kind, fixed in found.items():
        if fixed and fixed["value"] is None:
            yield f"A judge's word, not corrected for its errors ({kind} items): {fixed['why']}."
        elif fixed:
            raw = percent(figures["raw"][right][kind]["value"])
            yield (
                f"{_labelled(figures)} {fixed['labels']:,} of {fixed['n']:,} {kind} responses of "
                f"{figures['model']}: {share(fixed)} are right; the judge alone says {raw}."
            )


def _left_out(figures: Figures) -> Iterator[str]:
    """What was answered and is in no figure."""
    gone = figures["n"]["rows_of_elsewhere"].get("responses")
    if gone:
        yield (
            f"{gone:,} responses of {figures['model']} are in no figure: their items are not in the "
            "benchmark, or not fit for it now, as where a picture is gone."
        )


def lacking(figures: Figures) -> str:
    """What a report without all of its verdicts lacks, mostly why, and what helps."""
    found: Counter[str] = Counter()
    for reasons in figures["unscored"]["questions"].values():
        found.update(reasons)
    why = ""
    if found:
        (reason, count), *_ = found.most_common()
        why = f"; {count:,} of {found.total():,} as {LACKS[reason]}"
    failed = figures["unscored"]["responses_that_failed"]
    gone = f"; {failed:,} responses failed" if failed else ""
    open_ = figures["n"]["items_without_response"]
    left = f"; {open_:,} items have no response yet" if open_ else ""
    lack = f"{figures['unscored']['share']:.1%} of the verdicts lack"
    return f"The report is incomplete: {lack}{why}{gone}{left}."


def _labelled(figures: Figures) -> str:
    return "Labels by the world's truth, no people, of" if by_truth(figures) else "People labelled"


def by_truth(figures: Figures) -> bool:
    """Whether a world that knows played the labeller, and no person has."""
    return bool(figures["n"]["labelled_by"] == [TRUTH])


def share(found: Figures) -> str:
    """`61.0% (56.1 – 65.7)`; a dash where there is none, no interval where one cluster is all."""
    if found.get("value") is None:
        return "–"
    if None in found["interval"]:
        return percent(found["value"])
    low, high = found["interval"]
    return f"{found['value']:.1%} ({100 * low:.1f} – {100 * high:.1f})"


def signed(points: float) -> str:
    """`+8.1`, `−3.0`."""
    return f"{points:+.1f}".replace("-", "−")


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
