"""How much two policies differ on the same answers, and how sure that is, by rule and by data seed. Pure.

A claim is about rules and about data sets that nobody has seen, so an interval takes both as drawn by
chance: the variance of a mean is that between rules and that between data sets, less what is counted in both
(Cameron, Gelbach and Miller 2011, J. Business & Economic Statistics 29:238), never less than either way of
clustering alone; Student's t with Satterthwaite's degrees of freedom (1946) stands for how few data sets
there are. For shares and their changes this says how many free rows the rows are worth, and Wilson's and
Newcombe's intervals are taken at that, which do not shrink to nothing where nothing differs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from ssui_gen.shares import NOTHING, Z95, Interval, clustered_error, newcombe, student, wilson


class Row(NamedTuple):
    """One answer, and whatever it is compared with."""

    value: float
    rule: Hashable
    seed: int
    """Of the data set."""


class Figure(NamedTuple):
    """A mean, in points; nan where there is nothing."""

    value: float
    interval: Interval
    n: int


class Error(NamedTuple):
    """Of a mean."""

    size: float
    freedom: float


def error(rows: Sequence[Row]) -> Error:
    """The standard error of the mean value; nan where there are not two clusters."""
    rules, seeds = [row.rule for row in rows], [row.seed for row in rows]
    ways = [(_variance(rows, names), len(set(names)) - 1) for names in (rules, seeds) if len(set(names)) > 1]
    if not ways:
        return Error(math.nan, 1)
    both = _variance(rows, list(zip(rules, seeds, strict=True)))
    (first, freedom), (last, other) = ways[0], ways[-1]
    extra = max(0.0, last - both) if len(ways) == 2 else 0.0
    whole = max(first + extra, both, last)
    noise = first**2 / freedom + (last**2 / other if extra else 0.0)
    return Error(math.sqrt(whole), whole**2 / noise if noise else math.inf)


def _variance(rows: Sequence[Row], names: Sequence[Hashable]) -> float:
    """Of the mean, over clusters."""
    return clustered_error([row.value for row in rows], names) ** 2


def worth(rows: Sequence[Row]) -> float:
    """How many rows that know nothing of each other they are worth; where all rows or all clusters are alike,
    so that no error can be told, as many as rules.
    """
    n, values = len(rows), [row.value for row in rows]
    mean = sum(values) / n
    apart = sum((value - mean) ** 2 for value in values) / n**2
    found = error(rows)
    if not apart or not found.size > 0:
        return float(len({row.rule for row in rows}))
    size = apart / found.size**2 * n * (Z95 / quantile(found.freedom)) ** 2
    return min(float(n), max(size, 1.0))


def quantile(freedom: float) -> float:
    """Student's 97.5 % quantile; between whole degrees of freedom, by those below and above."""
    if math.isinf(freedom) or freedom > 1000:
        return Z95
    low = max(1, math.floor(freedom))
    one, other = _whole(low), _whole(low + 1)
    return one + (other - one) * (max(freedom, 1.0) - low)


def _whole(freedom: int) -> float:
    return {1: 12.706, 2: 4.303}.get(freedom) or student(freedom)


def share(rows: Sequence[Row]) -> Figure:
    """How often it is so; values are 0 or 1. In hundredths."""
    if not rows:
        return Figure(math.nan, NOTHING, 0)
    value = sum(row.value for row in rows) / len(rows)
    low, high = wilson(value, worth(rows))
    return Figure(100 * value, (100 * low, 100 * high), len(rows))


def change(before: Sequence[Row], after: Sequence[Row]) -> Figure:
    """How much more often it is so after; values are 0 or 1 and rows stand side by side. In points."""
    if not before:
        return Figure(math.nan, NOTHING, 0)
    moves = [new._replace(value=new.value - old.value) for old, new in zip(before, after, strict=True)]
    part = worth(moves) / len(moves)
    cells = Counter((bool(old.value), bool(new.value)) for old, new in zip(before, after, strict=True))
    both, gained, lost, neither = (
        part * cells[cell] for cell in ((True, True), (False, True), (True, False), (False, False))
    )
    low, high = newcombe(both, gained, lost, neither)
    return Figure(100 * sum(row.value for row in moves) / len(moves), (100 * low, 100 * high), len(moves))


def mean(rows: Sequence[Row]) -> Figure:
    """A mean of values that are no shares, with Student's interval; times 100."""
    if not rows:
        return Figure(math.nan, NOTHING, 0)
    value, found = sum(row.value for row in rows) / len(rows), error(rows)
    half = quantile(found.freedom) * found.size
    return Figure(100 * value, (100 * (value - half), 100 * (value + half)), len(rows))
