"""Rates that are right although the judge errs: raw, corrected by people's labels, or refused in words. Pure.

A rate is corrected only by labels of rows that were drawn at random from this model's own responses: a judge
errs otherwise on another model's. Where that cannot be, there is a reason and no number. The formulas are in
`estimating`; who is asked to label what, in the stage that deals rows out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ssui_gen.benching.elsewhere import borrowed
from ssui_gen.benching.estimating import (
    NO,
    UNSCORED,
    YES,
    Estimate,
    Floats,
    Ints,
    Table,
    labels_for,
    people_alone,
    post_stratified,
    powered,
)
from ssui_gen.shares import NOTHING, Interval, Share, share

How = Literal["mover", "ppi", "rogan_gladen"]
WORDS = {NO: "no", YES: "yes"}


class Judged(NamedTuple):
    """One response and one question: what the judge said, and what a person did."""

    said: bool | None
    """None: unscored."""
    truth: bool | None
    """A person's label; None: not labelled."""
    cluster: str
    """The scenario."""
    drawn: float | None = None
    """With which probability it was drawn to be labelled; None: nobody drew it, its label corrects
    nothing.
    """
    probability: float | None = None
    """The judge's, that it is so."""


class Corrected(NamedTuple):
    """A rate as people would have it of all rows."""

    value: float
    interval: Interval
    """95 %."""
    how: How
    n: int
    labels: int
    """That were drawn at random."""
    saved: int
    """How many more labels people alone would have needed for an interval of this width; below 0: the judge
    was no help."""
    bounded: int = 0
    """Unscored rows of which none is labelled: the interval holds whatever they are."""

    def __str__(self) -> str:
        return f"{self.value:.1%} ({self.interval[0]:.1%} – {self.interval[1]:.1%})"


class Refused(NamedTuple):
    """Why there is no corrected rate."""

    reason: str
    interval: Interval = NOTHING
    """Within which the rate is all the same, where that can be said."""


def raw(rows: Sequence[Judged]) -> Share:
    """How often the judge said yes of what it scored; the interval knows clusters, and nothing of errors."""
    scored = [row for row in rows if row.said is not None]
    return share((bool(row.said) for row in scored), [row.cluster for row in scored])


def corrected(
    rows: Sequence[Judged], how: How = "mover", elsewhere: Sequence[Judged] = ()
) -> Corrected | Refused:
    """The rate of what is true, or why there is none.

    Args:
        rows: all responses of one model to one kind of item, for one question.
        how: `mover` takes verdicts, `ppi` the judge's probabilities; `rogan_gladen` also takes labels from
            `elsewhere`, and only if the judge errs as often there as here.
        elsewhere: labelled rows of other models, or planted ones; none of them need have been drawn.
    """
    table = tabulate(rows)
    ways: dict[How, Callable[[], Estimate | Refused]] = {
        "mover": lambda: post_stratified(table),
        "ppi": lambda: powered(table),
        "rogan_gladen": lambda: _rogan_gladen(rows, elsewhere),
    }
    return settled(table, how, ways[how])


def settled(table: Table, how: How, estimate: Callable[[], Estimate | Refused]) -> Corrected | Refused:
    """What an estimator says of a table that can be corrected, and what the judge saved."""
    found = refusal(table) or estimate()
    if isinstance(found, Refused):
        return found
    if found.high - found.low < 1e-9:
        return Refused(f"the interval of {how} has no width here, so it would look surer than it is")
    return _summed_up(found, table, how)


def tabulate(rows: Sequence[Judged], clusters: Iterable[str] | None = None) -> Table:
    """Rows as columns; labels of rows that nobody drew are left out. `clusters` numbers them, those of other
    rows too; default: those of these rows.
    """
    known = (row.cluster for row in rows) if clusters is None else clusters
    names = {name: number for number, name in enumerate(dict.fromkeys(known))}
    stratum = np.array([UNSCORED if row.said is None else int(row.said) for row in rows], np.int64)
    drawn = [row.drawn if row.truth is not None else None for row in rows]
    return Table(
        stratum,
        _guesses(rows, stratum != UNSCORED),
        np.array([row.truth if chance else None for row, chance in zip(rows, drawn, strict=True)], float),
        np.array([1 / chance if chance else 0.0 for chance in drawn], float),
        np.array([names[row.cluster] for row in rows], np.int64),
        len(names),
    )


def _guesses(rows: Sequence[Judged], scored: NDArray[np.bool_]) -> Floats:
    told = np.array([row.said if row.probability is None else row.probability for row in rows], float)
    return np.where(scored, told, told[scored].mean() if scored.any() else 0.5)


def refusal(table: Table) -> Refused | None:
    """Why a table cannot be corrected, and what it says all the same; None if it can."""
    rows, labels = np.bincount(table.stratum, minlength=3), table.labels
    if not labels.any():
        return Refused(f"none of the {rows.sum()} responses was drawn at random and labelled by a person")
    if len(np.unique(table.cluster[table.labelled])) < 2:
        return Refused("all labels are of one scenario; at least two are needed to say how sure a rate is")
    reason = _one_sided(rows, labels)
    if reason is None:
        return None
    found = post_stratified(table)
    return Refused(reason, (found.low, found.high))


def _one_sided(rows: Ints, labels: Ints) -> str | None:
    """What is wrong with the numbers of rows and labels by stratum."""
    said = [stratum for stratum in WORDS if rows[stratum]]
    if not said:
        return "the judge scored none"
    if len(said) < 2:
        always = f"said {WORDS[said[0]]} of all {rows[said[0]]} that it scored"
        return f"the judge {always}, which tells nothing: only people's {labels.sum()} labels do"
    bare = next((stratum for stratum in said if not labels[stratum]), None)
    if bare is None:
        return None
    return f"none of the {rows[bare]} of which the judge said {WORDS[bare]} is labelled"


def _rogan_gladen(rows: Sequence[Judged], elsewhere: Sequence[Judged]) -> Estimate | Refused:
    """Of the rows that were scored; the others may be anything."""
    own = [row for row in rows if row.said is not None]
    other = [row._replace(drawn=row.drawn or 1.0) for row in elsewhere if None not in (row.said, row.truth)]
    table = tabulate([*own, *other])
    made = borrowed(table, np.arange(len(table.stratum)) < len(own))
    if isinstance(made, str):
        return Refused(f"no rate by errors from elsewhere: {made}")
    part = len(own) / len(rows)
    return Estimate(
        made.value * part + (1 - part) / 2, made.low * part, made.high * part + 1 - part, made.sums
    )


def _summed_up(found: Estimate, table: Table, how: How) -> Corrected:
    labels, alone = int(table.labels.sum()), people_alone(table)
    needed = labels_for((found.high - found.low) / 2, found.value, alone.wider if alone else 1.0)
    interval, saved = (found.low, found.high), round(needed) - labels
    return Corrected(found.value, interval, how, len(table.stratum), labels, saved, int(table.unknown.sum()))
