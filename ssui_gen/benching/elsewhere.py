"""Labels from elsewhere, of other models or planted: does the judge err there as often as here? Pure.

Only then do they tell anything of this model's rate. On public data the errors of one judge differ between
models by half (specificity 0.99 on one, 0.47 on another), so this is asked each time, of this model's own
labels, and whoever has none of these may not borrow.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ssui_gen.benching.estimating import YES, Estimate, Rate, Table, post_stratified, rate, rogan_gladen
from ssui_gen.shares import Interval

LEEWAY = 0.03
"""By how much borrowed errors may make a rate wrong."""


class Errors(NamedTuple):
    """How often the judge is right of what is true, and of what is not; None where there is none of it."""

    sensitivity: Rate | None
    specificity: Rate | None


def errors(table: Table) -> Errors:
    """Of the labelled rows that were scored, weighted as they were drawn."""
    said, truth = (table.stratum == YES).astype(float), np.nan_to_num(table.truth)
    return Errors(rate(said, table.weight * truth, table), rate(1 - said, table.weight * (1 - truth), table))


def differ(here: Errors, there: Errors) -> tuple[str, ...]:
    """Which of the two differ: the 95 % interval of the difference (Newcombe 1998, Statistics in Medicine
    17:873, method 10, at effective sizes) leaves out 0, or one of them is not known.
    """
    return tuple(name for name in Errors._fields if not _alike(getattr(here, name), getattr(there, name)))


def _alike(here: Rate | None, there: Rate | None) -> bool:
    if here is None or there is None:
        return False
    low, high = _difference(here, there)
    return low <= 0 <= high


def _difference(here: Rate, there: Rate) -> Interval:
    (a, b), (c, d) = here.interval, there.interval
    apart = here.value - there.value
    return apart - math.hypot(here.value - a, d - there.value), apart + math.hypot(
        b - here.value, there.value - c
    )


def borrowed(table: Table, ours: NDArray[np.bool_]) -> Estimate | str:
    """Rogan and Gladen's rate of `ours` with the errors of all labels, or what speaks against it."""
    made = rogan_gladen(table, ours)
    if made is None:
        return "the judge's yes does not go with the truth"
    return made if ours.all() else misfit(table.only(ours), table.only(~ours)) or made


def misfit(own: Table, other: Table) -> str | None:
    """What lets the judge err otherwise in `other`, over the same clusters; None if our labels exclude it.

    Its errors must not differ. As few labels hardly show that they do, what they make of our rate must also
    lie so near to all that our own labels allow that borrowing moves it by `LEEWAY` at most.
    """
    found = differ(errors(own), errors(other))
    if found:
        return f"the judge's {' and '.join(found)} differs there, or is not known"
    both = own.beside(other)
    first = np.arange(len(both.stratum)) < len(own.stratum)
    made = rogan_gladen(both._replace(weight=np.where(first, 0.0, both.weight)), first)
    ours = post_stratified(own)
    if made is None or max(ours.high - made.value, made.value - ours.low) > LEEWAY:
        return f"the labels here do not exclude that it moves the rate by over {100 * LEEWAY:.0f} points"
    return None
