"""How often F is right, against labels of people or the microworld's truth. Pure; picks no threshold.

`good` is what F should find, so precision is the share of truly good ones among those it calls good. Its
errors do not weigh the same: what they do to training shows in the pairs that they make (`couples`).
Branches of a path are alike: 700 of 49 paths are worth far fewer than 700 (`shares.worth`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby, product
from typing import NamedTuple

from ssui_gen.branches import Polarity
from ssui_gen.records import Kind
from ssui_gen.shares import Interval, Share, bootstrap, kappa, share

BINS = 10
"""Of the reliability diagram."""
THRESHOLDS = tuple(round(0.1 * step, 1) for step in range(1, 10))


ALL = "all"
KINDS: tuple[Kind, ...] = ("risky", "benign")


class Finding(NamedTuple):
    """What F said of one branch, and what is true."""

    polarity: Polarity
    probability: float | None
    good: bool
    cut: str = ""
    """Whose branch it is: pairs are made within a cut."""
    path: str = ""
    """Whose cut it is: branches of one path are alike, so every interval takes a path as one cluster."""
    kind: Kind = "risky"


class Couples(NamedTuple):
    """What becomes of all pairs that F's verdicts make: good over bad at the same cut."""

    right: Share
    """A good branch over a bad one."""
    inverted: Share
    """A bad branch over a good one: training runs the wrong way."""
    empty: Share
    """Two good or two bad ones: noise."""
    missed: Share
    """Of the true pairs, those that F does not make, since it errs or is not sure."""

    @property
    def made(self) -> int:
        return self.right.n


class Score(NamedTuple):
    """A figure that is no share, with its 95 % interval by paths; nan where nothing can be said."""

    value: float
    interval: Interval


class Calibration(NamedTuple):
    """How one way of F did."""

    n: int
    paths: int
    """Clusters of its intervals."""
    precision: Share
    """Truly good among those called good."""
    recall: Share
    """Called good among the truly good."""
    f1: Score
    bad_precision: Share
    """Truly bad among those called bad: what is rejected in a pair."""
    unverified: Share
    kappa: Score
    """Of what was decided."""
    couples: Couples
    bins: tuple[tuple[float, Share], ...]
    """Mean probability of each bin, and the share of truly good in it."""
    thresholds: tuple[tuple[float, Share, Share], ...]
    """Precision and recall if good began at another probability; empty without probabilities."""


def calibrate(findings: Sequence[Finding]) -> Calibration:
    """All figures of one way of F."""
    paths = _by_path(findings)
    return Calibration(
        n=len(findings),
        paths=len(paths),
        precision=_precision(f for f in findings if f.polarity == "good"),
        recall=_shared((f for f in findings if f.good), lambda f: f.polarity == "good"),
        f1=_score(paths, _f1),
        bad_precision=_shared((f for f in findings if f.polarity == "bad"), lambda f: not f.good),
        unverified=_shared(findings, lambda f: f.polarity == "unverified"),
        kappa=_score(paths, _kappa),
        couples=couples(findings),
        bins=tuple(reliability(findings)),
        thresholds=tuple(_thresholds(findings)),
    )


def calibrations(findings: Sequence[Finding]) -> dict[str, Calibration]:
    """Of `ALL`, and of risky and benign paths apart where there are any: together they hide each other."""
    parts = {kind: [f for f in findings if f.kind == kind] for kind in KINDS}
    return {ALL: calibrate(findings)} | {kind: calibrate(part) for kind, part in parts.items() if part}


def _shared(findings: Iterable[Finding], holds: Callable[[Finding], bool]) -> Share:
    found = list(findings)
    return share(map(holds, found), [f.path for f in found])


# --- what its errors do to pairs -----------------------------------------------------------------------


def couples(findings: Iterable[Finding]) -> Couples:
    """Every pair that F makes, by what it is in truth; and those that it misses."""
    found: list[tuple[str, str]] = []
    for cut, group in groupby(sorted(findings, key=_place), key=_place):
        found += [(what, cut[0]) for what in _couples(list(group))]
    made = [(what, path) for what, path in found if what != "missed"]
    true = [(what, path) for what, path in found if what in ("right", "missed")]
    right, inverted, empty = (_counted(made, what) for what in ("right", "inverted", "empty"))
    return Couples(right, inverted, empty, _counted(true, "missed"))


def _place(finding: Finding) -> tuple[str, str]:
    return finding.path, finding.cut


def _counted(found: Sequence[tuple[str, str]], wanted: str) -> Share:
    return share((what == wanted for what, _ in found), [path for _, path in found])


def _couples(findings: Sequence[Finding]) -> Iterable[str]:
    good, bad = ([f for f in findings if f.polarity == kind] for kind in ("good", "bad"))
    kinds = {(True, False): "right", (False, True): "inverted"}
    made = [kinds.get((chosen.good, rejected.good), "empty") for chosen, rejected in product(good, bad)]
    true = sum(f.good for f in findings) * sum(not f.good for f in findings)
    return [*made, *["missed"] * (true - made.count("right"))]


# --- probabilities -------------------------------------------------------------------------------------


def reliability(findings: Iterable[Finding]) -> Iterable[tuple[float, Share]]:
    """Bins of equal width over the probability; empty ones are left out."""
    filled: dict[int, list[tuple[float, Finding]]] = {}
    for finding in findings:
        if finding.probability is not None:
            place = min(int(finding.probability * BINS), BINS - 1)
            filled.setdefault(place, []).append((finding.probability, finding))
    for _, rows in sorted(filled.items()):
        yield sum(p for p, _ in rows) / len(rows), _precision(finding for _, finding in rows)


def _thresholds(findings: Sequence[Finding]) -> Iterable[tuple[float, Share, Share]]:
    if not any(f.probability is not None for f in findings):
        return
    for threshold in THRESHOLDS:
        called = partial(_reaches, threshold)
        good = (f for f in findings if f.good)
        yield threshold, _precision(filter(called, findings)), _shared(good, called)


def _reaches(threshold: float, finding: Finding) -> bool:
    return finding.probability is not None and finding.probability >= threshold


def _precision(called: Iterable[Finding]) -> Share:
    return _shared(called, lambda f: f.good)


# --- figures that are no shares ------------------------------------------------------------------------

Table = Counter[tuple[Polarity, bool]]
"""How often F said what, and what was true."""


def _by_path(findings: Iterable[Finding]) -> list[Table]:
    tables: dict[str, Table] = {}
    for finding in findings:
        tables.setdefault(finding.path, Counter())[finding.polarity, finding.good] += 1
    return list(tables.values())


def _score(paths: Sequence[Table], figure: Callable[[Table], float]) -> Score:
    def of(drawn: Sequence[Table]) -> float:
        whole: Table = Counter()
        for table in drawn:
            whole.update(table)
        return figure(whole)

    return Score(of(paths), bootstrap(paths, of))


def _f1(table: Table) -> float:
    """2 × found / (called good + truly good); 0 where nothing is found."""
    hits = table["good", True]
    called = hits + table["good", False]
    true = sum(count for (_, good), count in table.items() if good)
    return 2 * hits / (called + true) if called + true else 0.0


def _kappa(table: Table) -> float:
    decided = {(said == "good", good): count for (said, good), count in table.items() if said != "unverified"}
    return kappa(decided)
