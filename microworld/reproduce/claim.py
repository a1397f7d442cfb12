"""What a claim is: changes from one training to another, and the margin beyond which each must lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from microworld.reproduce.outcomes import Measure, Warmth
from microworld.reproduce.settings import Agents, Cell

Source = Literal["paper", "open question", "ours", "others"]
Scope = Literal["quick", "whole", "rivals", "recipes", "worlds"]
"""How much is measured: each with all that is in those before it."""
NEEDS: dict[Scope, str] = {
    "whole": "make reproduce without QUICK=1",
    "rivals": "make reproduce RIVALS=1",
    "recipes": "make reproduce RECIPES=1",
    "worlds": "make reproduce WORLDS=1",
}


@dataclass(frozen=True)
class Bound:
    """On which side of which margin, in points, a figure must lie."""

    side: Literal["below", "above"]
    margin: float

    def __str__(self) -> str:
        return f"{self.side} {self.margin:+g}"


@dataclass(frozen=True)
class Part:
    """A change from one training to another, or a mean change of several measures."""

    before: Cell | Agents | None
    """None: not a change, but the share of `after`."""
    after: Cell | Agents
    measures: tuple[Measure, ...]
    bound: Bound | None
    """None: told beside the others, and nothing is claimed of it."""
    warmth: Warmth = "cool"
    named: str = ""
    """Which trainings; the measures are told beside it."""


@dataclass(frozen=True)
class Claim:
    """One row of claims.json."""

    number: int
    words: str
    source: Source
    parts: tuple[Part, ...] = ()
    """The first with a bound is what is claimed, the others stand beside it; with `all` each must hold."""
    all: bool = False
    scope: Scope = "whole"
    """From which on it is measured."""
    few: bool = False
    """Measured on few of the data seeds."""

    def within(self, scope: Scope) -> bool:
        every = get_args(Scope)
        return every.index(self.scope) <= every.index(scope)


def below(margin: float) -> Bound:
    return Bound("below", margin)


def above(margin: float) -> Bound:
    return Bound("above", margin)
