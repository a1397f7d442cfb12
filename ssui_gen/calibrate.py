"""How often F is right, against labels of people or the microworld's truth. Pure; picks no threshold.

`good` is what F should find, so precision is the share of truly good ones among those it calls good: an
error there teaches a bad branch as the better one. Unverified branches count against recall alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ssui_gen.branches import Polarity
from ssui_gen.shares import Share, kappa, share

BINS = 10
"""Of the reliability diagram."""


class Finding(NamedTuple):
    """What F said of one branch, and what is true."""

    polarity: Polarity
    probability: float | None
    good: bool


class Calibration(NamedTuple):
    """How one way of F did."""

    n: int
    precision: Share
    """Truly good among those called good."""
    recall: Share
    """Called good among the truly good."""
    f1: float
    bad_precision: Share
    """Truly bad among those called bad: what is rejected in a pair."""
    unverified: Share
    kappa: float
    """Of what was decided."""
    bins: tuple[tuple[float, Share], ...]
    """Mean probability of each bin, and the share of truly good in it."""


def calibrate(findings: Sequence[Finding]) -> Calibration:
    """All figures of one way of F."""
    called_good = [f for f in findings if f.polarity == "good"]
    called_bad = [f for f in findings if f.polarity == "bad"]
    precision = share(f.good for f in called_good)
    recall = share(f.polarity == "good" for f in findings if f.good)
    both = precision.value + recall.value
    return Calibration(
        n=len(findings),
        precision=precision,
        recall=recall,
        f1=2 * precision.value * recall.value / both if both else 0.0,
        bad_precision=share(not f.good for f in called_bad),
        unverified=share(f.polarity == "unverified" for f in findings),
        kappa=kappa((f.polarity == "good", f.good) for f in (*called_good, *called_bad)),
        bins=tuple(reliability(findings)),
    )


def reliability(findings: Iterable[Finding]) -> Iterable[tuple[float, Share]]:
    """Bins of equal width over the probability; empty ones are left out."""
    filled: dict[int, list[tuple[float, bool]]] = {}
    for finding in findings:
        if finding.probability is not None:
            place = min(int(finding.probability * BINS), BINS - 1)
            filled.setdefault(place, []).append((finding.probability, finding.good))
    for _, rows in sorted(filled.items()):
        yield sum(p for p, _ in rows) / len(rows), share(good for _, good in rows)
