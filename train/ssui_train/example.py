"""An example of training as token ids: a prompt, a reference path, branches, pairs. No files, no model.

`data` makes examples of a run's folder; `rows` makes rows of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import Tensor

from ssui_gen.records import ImageRef, Kind
from ssui_train.loss import Span


@dataclass(frozen=True)
class Prompt:
    """What stands before every continuation: system text, pictures, question."""

    ids: list[int]
    positions: Tensor | None
    """(axes, n) where a tree can be packed; else None."""
    extra: dict[str, Tensor]
    """What the model needs beside ids and pixels: grids or sizes of pictures, kinds of token."""


@dataclass(frozen=True)
class Branch:
    """A response that begins as the reference does and then goes its own way."""

    id: str
    ids: list[int]
    """From the prompt on: the prefix, the branch, the end."""
    start: int
    """Tokens of the prefix."""
    step: int
    """One past the tokens of the first step after the prefix."""
    told: int = 0
    """Tokens of a prefix that is no beginning of the reference: what was said before, trained in no span."""


class Choice(NamedTuple):
    """A pair: places of its branches in the example."""

    id: str
    cut: int
    chosen: int
    rejected: int
    stops: tuple[int, int] | None = None
    """Of span `error`: one past the tokens that count of either branch. None: the rejected one goes wrong in
    its answer, or nobody knows where, and all after the cut counts."""


class Drawn(NamedTuple):
    """A branch of a group: its place in the example."""

    cut: int
    branch: int
    weight: float
    """Its advantage, by its share of the group's draws."""


@dataclass(frozen=True)
class Example:
    """One path with its branches, as token ids."""

    id: str
    seed_id: str
    kind: Kind
    images: tuple[ImageRef, ...]
    text: str
    """The question."""
    prompt: Prompt
    reference: list[int]
    branches: tuple[Branch, ...]
    pairs: tuple[Choice, ...]
    drawn: tuple[Drawn, ...] = ()
    """Of target `drawn`: all judged branches of the cuts where their rewards differ."""

    def only(self, pairs: Sequence[Choice], drawn: Sequence[Drawn] | None = None) -> Example:
        """The same with these pairs alone, and these branches of groups if they are told; and no branches but
        those.
        """
        drawn = self.drawn if drawn is None else drawn
        sides = {side for pair in pairs for side in (pair.chosen, pair.rejected)}
        needed = sorted(sides | {one.branch for one in drawn})
        place = {old: new for new, old in enumerate(needed)}
        return replace(
            self,
            branches=tuple(self.branches[i] for i in needed),
            pairs=tuple(p._replace(chosen=place[p.chosen], rejected=place[p.rejected]) for p in pairs),
            drawn=tuple(one._replace(branch=place[one.branch]) for one in drawn),
        )


class Part(NamedTuple):
    """Some tokens of a continuation: places `start` to `stop` of path `path`."""

    path: int
    start: int
    stop: int


def parted(example: Example, pair: Choice, span: Span) -> tuple[Part, Part]:
    """The tokens that count of the chosen and of the rejected branch."""
    sides = [example.branches[i] for i in (pair.chosen, pair.rejected)]
    same = shared(sides[0].ids, sides[1].ids)
    ends = pair.stops or [len(side.ids) for side in sides]
    bounds = {
        "suffix": [(side.start, len(side.ids)) for side in sides],
        "diverging": [(max(same, side.start), len(side.ids)) for side in sides],
        "step": [(side.start, side.step) for side in sides],
        "error": [(side.start, end) for side, end in zip(sides, ends, strict=True)],
        "full": [(side.told, len(side.ids)) for side in sides],
    }[span]
    chosen, rejected = (Part(i + 1, *b) for i, b in zip((pair.chosen, pair.rejected), bounds, strict=True))
    return chosen, rejected


def part_of(example: Example, place: int, span: Span) -> Part:
    """The tokens that count of a branch that is compared with no other."""
    side = example.branches[place]
    start = side.told if span == "full" else side.start
    return Part(place + 1, start, side.step if span == "step" else len(side.ids))


def shared(one: Sequence[object], other: Sequence[object]) -> int:
    """How many members two sequences begin with alike."""
    differs = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differs, min(len(one), len(other)))
