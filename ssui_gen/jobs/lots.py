"""Drawing some of many at random, the same ones each time: whose lot, a hash of the id, is among the least.

More drawn later hold those of before, so a run goes on. Only the lots drawn are held in memory. Pure.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import TypeVar

from ssui_gen.errors import ConfigError
from ssui_gen.records import digest

T = TypeVar("T")


def lot(id: str) -> str:
    """Uniform, whatever ids are."""
    return digest(["lot", id])


def drawn(many: Iterable[T], count: int, id_of: Callable[[T], str]) -> list[T]:
    """`count` of them, or all there are."""
    return heapq.nsmallest(count, many, key=lambda one: lot(id_of(one)))


def highest(ids: Iterable[str], count: int) -> str:
    """The highest lot that is drawn, where `count` are; empty if there is none."""
    return max(heapq.nsmallest(count, map(lot, ids)), default="")


def check(limit: int | None, sample: int | None) -> None:
    """Raises ConfigError for numbers of which no run could be made."""
    for name, number in (("--limit", limit), ("--sample", sample)):
        if number is not None and number < 1:
            raise ConfigError(f"{name}: expected a number from 1; got {number}")
    if limit is not None and sample is not None:
        raise ConfigError(
            f"--limit {limit} and --sample {sample}: one takes the first ones, the other draws some at "
            "random; say only one of them"
        )
