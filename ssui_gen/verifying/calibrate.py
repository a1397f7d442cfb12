"""How often F is right, against labels of people or the microworld's truth. Pure; picks no threshold.

`good` is what F should find, so precision is the share of truly good ones among those it calls good. Its
errors do not weigh the same: what they do to training shows in the pairs that they make (`couples`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby, product
from typing import NamedTuple

from ssui_gen.branches import Polarity
from ssui_gen.shares import Share, kappa, share

BINS = 10
"""Of the reliability diagram."""
THRESHOLDS = tuple(round(0.1 * step, 1) for step in range(1, 10))


class Finding(NamedTuple):
    """What F said of one branch, and what is true."""

    polarity: Polarity
    probability: float | None
    good: bool
    cut: str = ""
    """Whose branch it is: pairs are made within a cut."""


class Couples(NamedTuple):
    """What becomes of all pairs that F's verdicts make: good over bad at the same cut."""

    right: int
    """A good branch over a bad one."""
    inverted: int
    """A bad branch over a good one: training runs the wrong way."""
    empty: int
    """Two good or two bad ones: noise."""
    missed: int
    """True pairs that F does not make, since it errs or is not sure."""

    @property
    def made(self) -> int:
        return self.right + self.inverted + self.empty


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
    couples: Couples
    bins: tuple[tuple[float, Share], ...]
    """Mean probability of each bin, and the share of truly good in it."""
    thresholds: tuple[tuple[float, Share, Share], ...]
    """Precision and recall if good began at another probability; empty without probabilities."""


def calibrate(findings: Sequence[Finding]) -> Calibration:
    """All figures of one way of F."""
    called_good = [f for f in findings if f.polarity == "good"]
    called_bad = [f for f in findings if f.polarity == "bad"]
    precision, recall = _precision(called_good), _recall(findings, called_good)
    return Calibration(
        n=len(findings),
        precision=precision,
        recall=recall,
        f1=_f1(precision, recall),
        bad_precision=share(not f.good for f in called_bad),
        unverified=share(f.polarity == "unverified" for f in findings),
        kappa=kappa((f.polarity == "good", f.good) for f in (*called_good, *called_bad)),
        couples=couples(findings),
        bins=tuple(reliability(findings)),
        thresholds=tuple(_thresholds(findings)),
    )


def couples(findings: Iterable[Finding]) -> Couples:
    """Every pair that F makes, by what it is in truth; and those that it misses."""
    found: Counter[str] = Counter()
    for _, group in groupby(sorted(findings, key=lambda f: f.cut), key=lambda f: f.cut):
        found.update(_couples(list(group)))
    return Couples(found["right"], found["inverted"], found["empty"], found["missed"])


def _couples(findings: Sequence[Finding]) -> Iterable[str]:
    good, bad = ([f for f in findings if f.polarity == kind] for kind in ("good", "bad"))
    kinds = {(True, False): "right", (False, True): "inverted"}
    made = [kinds.get((chosen.good, rejected.good), "empty") for chosen, rejected in product(good, bad)]
    true = sum(f.good for f in findings) * sum(not f.good for f in findings)
    return [*made, *["missed"] * (true - made.count("right"))]


def reliability(findings: Iterable[Finding]) -> Iterable[tuple[float, Share]]:
    """Bins of equal width over the probability; empty ones are left out."""
    filled: dict[int, list[tuple[float, bool]]] = {}
    for finding in findings:
        if finding.probability is not None:
            place = min(int(finding.probability * BINS), BINS - 1)
            filled.setdefault(place, []).append((finding.probability, finding.good))
    for _, rows in sorted(filled.items()):
        yield sum(p for p, _ in rows) / len(rows), share(good for _, good in rows)


def _thresholds(findings: Sequence[Finding]) -> Iterable[tuple[float, Share, Share]]:
    if not any(f.probability is not None for f in findings):
        return
    for threshold in THRESHOLDS:
        called = [f for f in findings if f.probability is not None and f.probability >= threshold]
        yield threshold, _precision(called), _recall(findings, called)


def _precision(called: Iterable[Finding]) -> Share:
    return share(f.good for f in called)


def _recall(findings: Iterable[Finding], called: Iterable[Finding]) -> Share:
    return Share(sum(f.good for f in called), sum(f.good for f in findings))


def _f1(precision: Share, recall: Share) -> float:
    both = precision.value + recall.value
    return 0.0 if math.isnan(both) or not both else 2 * precision.value * recall.value / both
