"""How right a model is about visual questions, and what a training cost it: the difference between two models
on the same questions, and a test of non-inferiority at a margin that was fixed beforehand. Pure.

Questions about one picture are alike, so the picture is the cluster of every interval. An answer that could
not be scored counts as wrong; how many there were stands beside it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ssui_gen.benching.paired import Pair, compared
from ssui_gen.benching.rates import number, plain
from ssui_gen.benching.vqa.marking import STANDS
from ssui_gen.shares import Change, times_steadier, wilson, worth

ItemDraw = tuple[str, int]
"""An item's id and the draw."""
Verdict = Literal["no_tax", "tax", "undecided"]
POWER = (1.96 + 0.84) / 1.96
"""How many times narrower an interval is to be than the margin, so that four tests in five rule a loss out
that is none.
"""


class Marked(NamedTuple):
    """What is known of one answer."""

    score: float
    """0 to 1."""
    stand: str
    """Whether it could be scored, or why not (`marking.STANDS`)."""
    picture: str
    """The cluster."""
    set: str
    type: str
    way: str


Marks = Mapping[ItemDraw, Marked]
Rate = dict[str, Any]


def accuracy(marks: Sequence[Marked]) -> Rate:
    """The mean score, its 95 % interval (Wilson's at what the rows are worth), of how many answers about how
    many pictures.
    """
    scores, pictures = [one.score for one in marks], [one.picture for one in marks]
    if not scores:
        return {"value": None, "interval": [None, None], "n": 0, "pictures": 0}
    mean = math.fsum(scores) / len(scores)
    return {
        "value": number(mean),
        "interval": plain(wilson(mean, worth(scores, pictures) * times_steadier(scores))),
        "n": len(scores),
        "pictures": len(set(pictures)),
    }


def figures(marks: Marks) -> dict[str, Any]:
    """Of one model: in all, by set, by type of question and by how answers are scored; and how answers
    stand.
    """
    found = list(marks.values())
    return {
        "accuracy": accuracy(found),
        "sets": _by(found, lambda one: one.set),
        "types": _by(found, lambda one: one.type),
        "ways": _by(found, lambda one: one.way),
        "stands": stands(found),
    }


def stands(marks: Sequence[Marked]) -> dict[str, int]:
    """How many answers stand how; those that there are none of are left out."""
    found = Counter(one.stand for one in marks)
    return {stand: found[stand] for stand in STANDS if found[stand]}


def unscored(found: Mapping[str, int]) -> int:
    """Of these those that could not be scored."""
    return sum(count for stand, count in found.items() if stand != "read")


def _by(marks: Sequence[Marked], group: Callable[[Marked], str]) -> dict[str, Rate]:
    groups = defaultdict[str, list[Marked]](list)
    for one in marks:
        groups[group(one)].append(one)
    return {name: accuracy(groups[name]) for name in sorted(groups) if name}


# --- before and after ------------------------------------------------------------------------------------


def taxes(before: Marks, after: Marks, margin: float) -> dict[str, Any]:
    """Of all questions, and of each set."""
    sets = sorted({one.set for one in before.values()})
    apart = {name: tax(_of(before, name), _of(after, name), margin) for name in sets}
    return {"all": tax(before, after, margin), "sets": apart if len(sets) > 1 else {}}


def _of(marks: Marks, name: str) -> Marks:
    return {key: one for key, one in marks.items() if one.set == name}


def tax(before: Marks, after: Marks, margin: float) -> dict[str, Any]:
    """By how many points accuracy moved on what both answered, its 95 % interval, and the verdict."""
    pairs = [Pair(one.score, after[key].score, one.picture) for key, one in before.items() if key in after]
    if not pairs:
        return {"points": None, "interval": [None, None], "n": 0, "margin": margin, "verdict": "undecided"}
    found = compared(pairs)
    had = 100 * math.fsum(pair.before for pair in pairs) / len(pairs)
    verdict = verdict_of(found.change, margin, had)
    return {
        "points": number(found.change.points),
        "interval": plain((found.change.low, found.change.high)),
        "error": number(found.error),
        "n": found.n,
        "pictures": found.scenarios,
        "gained": sum(pair.after > pair.before for pair in pairs),
        "lost": sum(pair.after < pair.before for pair in pairs),
        "p": number(found.p),
        "test": found.test,
        "margin": margin,
        "verdict": verdict,
        "floor": had <= margin,
        "wanted": wanted(found.change, margin, found.scenarios) if verdict == "undecided" else None,
    }


def verdict_of(change: Change, margin: float, had: float) -> Verdict:
    """`no_tax`: a loss as large as the margin is ruled out, which is a test of non-inferiority at 2.5 %.
    `tax`: it is not, and there surely is a loss. Of a model that was right in fewer points than the margin
    (`had`) nothing can be ruled out that it could have lost.
    """
    if had > margin and change.low > -margin:
        return "no_tax"
    return "tax" if change.high < 0 else "undecided"


def wanted(change: Change, margin: float, pictures: int) -> int:
    """About how many pictures would rule a loss out with four chances in five, were there none: an interval
    narrows with their root.
    """
    half = (change.high - change.low) / 2
    return math.ceil(pictures * (POWER * half / margin) ** 2)


def losses(before: Marks, after: Marks) -> list[ItemDraw]:
    """Where `after` is less right, the greatest losses first."""
    both = [key for key in before if key in after and after[key].score < before[key].score]
    return sorted(both, key=lambda key: after[key].score - before[key].score)
