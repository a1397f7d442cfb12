"""Which parts of a row are read after each other, so that no more than one of them is at work at a time.

The trunk, that is the prompts and whatever several parts share, is read once and first; then come its
branches, some at a time, which look back at the trunk's keys and values. J is a sum over targets and pairs,
so if both sides of every pair lie in one part, each part has a share of J of its own, and its gradient can be
had before the next part is read: nothing is computed twice. A part is closed in this way wherever what the
pairs bind together is no more than `most` tokens beyond the trunk. Where it is more, the row is `torn`: any
continuations make a part, and J's slopes must be known beforehand (`learn`), by reading the row once more.

The idea, for one shared prefix and losses without pairs: arXiv 2606.01143. Knows places and spans, no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ssui_train.loss import Layout
from ssui_train.tree import Packed, Segment, segments

TRUNK = -1


class RowPart(NamedTuple):
    """Tokens of a row that go through the model at once; k of them."""

    at: Tensor
    """(k,): their places in the row."""
    segments: tuple[Segment, ...]
    """How they attend; the keys of any part but the first begin with those of the first."""
    scored: Tensor
    """Which of the row's scored tokens are predicted here, and"""
    keep: Tensor
    """where among the k."""
    layout: Layout
    """Targets and pairs that are known with this part and the first."""


class Parts(NamedTuple):
    """All of a row: one part, or its trunk and its branches."""

    parts: tuple[RowPart, ...]
    torn: bool
    """Whether the sides of a pair may lie in different parts."""


def divide(
    packed: Packed, asked: Tensor, layout: Layout, continuation: Sequence[int], most: int | None
) -> Parts:
    """The parts of a row, of at most so many tokens beyond the trunk each; None: one part.

    `asked` (s): the places that predict the scored tokens. `continuation`: to which continuation each span
    belongs, counted through the row. A continuation is never divided.
    """
    paths = [path.tolist() for tree in packed.paths for path in tree]
    sides = zip(layout.chosen.tolist(), layout.rejected.tolist(), strict=True)
    bound = _bound(len(paths), [(continuation[one], continuation[other]) for one, other in sides])
    torn = most is not None and _too_large(_places(paths, bound), Counter(bound), most)
    bound = list(range(len(paths))) if torn else bound
    group = _grouped(_places(paths, bound), most)
    owner = _owner(paths, [group[one] for one in bound])
    of_span = torch.tensor([group[bound[one]] for one in continuation], dtype=torch.long)
    parent, count = packed.parent.tolist(), max(group.values(), default=0) + 1
    if count == 1:
        return Parts((_part(parent, range(len(parent)), (), asked, layout),), False)
    at: list[list[int]] = [[] for _ in range(count + 1)]
    for place in range(len(parent)):
        at[owner.get(place, TRUNK)].append(place)
    *branches, trunk = at
    parts = [_part(parent, trunk, (), asked, _only(layout, of_span, TRUNK))]
    parts += [_part(parent, own, trunk, asked, _only(layout, of_span, n)) for n, own in enumerate(branches)]
    return Parts(tuple(parts), torn)


def _bound(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """For each continuation the first of those that pairs bind it to, however many links away."""
    first = list(range(count))

    def find(one: int) -> int:
        while first[one] != one:
            one = first[one]
        return one

    for one, other in pairs:
        a, b = sorted((find(one), find(other)))
        first[b] = a
    return [find(one) for one in range(count)]


def _places(paths: list[list[int]], bound: list[int]) -> dict[int, set[int]]:
    """The places of each component, in the order of its first continuation."""
    found: dict[int, set[int]] = {}
    for path, one in zip(paths, bound, strict=True):
        found.setdefault(one, set()).update(path)
    return found


def _too_large(components: dict[int, set[int]], size: Counter[int], most: int) -> bool:
    """Whether several continuations that pairs bind together have more places to themselves than `most`."""
    users = Counter(place for places in components.values() for place in places)
    return any(
        size[one] > 1 and sum(users[place] == 1 for place in places) > most
        for one, places in components.items()
    )


def _grouped(components: dict[int, set[int]], most: int | None) -> dict[int, int]:
    """To which part each component goes: neighbours together while only they have no more than `most`."""
    users = Counter(place for places in components.values() for place in places)
    group, part, size, inside = {}, 0, 0, Counter[int]()
    for one, places in components.items():
        more = sum(inside[place] + 1 == users[place] for place in places)
        if most is not None and size and size + more > most:
            part, size, inside = part + 1, 0, Counter()
            more = sum(users[place] == 1 for place in places)
        group[one] = part
        size += more
        inside.update(places)
    return group


def _owner(paths: list[list[int]], group: list[int]) -> dict[int, int]:
    """The part that alone has a place, else the trunk."""
    found: dict[int, int] = {}
    for path, own in zip(paths, group, strict=True):
        for place in path:
            found[place] = own if found.get(place, own) == own else TRUNK
    return found


def _part(
    parent: list[int], at: Sequence[int], trunk: Sequence[int], asked: Tensor, layout: Layout
) -> RowPart:
    number = {place: i for i, place in enumerate(at)}
    told = [(i, number[place]) for i, place in enumerate(asked.tolist()) if place in number]
    scored, keep = torch.tensor(told, dtype=torch.long).reshape(-1, 2).T
    return RowPart(torch.tensor(at, dtype=torch.long), segments(parent, at, trunk), scored, keep, layout)


def _only(layout: Layout, of_span: Tensor, part: int) -> Layout:
    """The targets and pairs of one part."""
    target, pair = of_span[layout.target] == part, of_span[layout.chosen] == part
    return Layout(
        *(one[target] for one in (layout.target, layout.target_weight)),
        *(one[pair] for one in (layout.chosen, layout.rejected, layout.weight, layout.cut)),
    )
