"""The heart of the house: a prompt and all its continuations as one tree, and trees as one row of a model.

The reference path and the branches of an example share beginnings: all of them the picture and the
question, branches from one cut the steps before it, and often some words more. A trie over token ids finds
every shared beginning, and numbering it in pre-order makes its geometry one inequality. With `last[j]` one
past the last descendant of token j,

    token i may look at token j    ⇔    j ≤ i < last[j],

which is the causal mask of each continuation, the isolation of branches from each other and of trees from
trees, all at once. A token's position is its depth, so a branch restarts where its prefix ends; what follows
a token is predicted where that token stands, so at a branching point one place predicts several. Each
continuation then has the log-probabilities that it has alone, at a fraction of the tokens.

The mask says much that a kernel need not be told. A child with the longest way below it stands right behind
its parent (heavy paths: Sleator and Tarjan, 1983), so the row falls into few segments of tokens that follow
each other, and what a segment may look at beside itself are a few slices of the row, mostly one.

Knows ids and places only: no text, no picture, no model (`families` knows those).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

Ids = Sequence[int]


@dataclass(frozen=True)
class Tree:
    """A prompt, then its continuations with every shared beginning once; n tokens in pre-order."""

    ids: list[int]
    """(n): parents stand before children, and all descendants of a token follow it without a gap."""
    parent: list[int]
    """(n): the place of the token before; -1 for the first."""
    last: list[int]
    """(n): one past the place of the last descendant."""
    depth: list[int]
    """(n): how many tokens lead to it."""
    paths: list[list[int]]
    """For each continuation the places of its tokens."""
    prompt: int
    """Tokens of the prompt."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def unshared(self) -> int:
        """Tokens of the same continuations each in a row of its own."""
        return sum(self.prompt + len(path) for path in self.paths if path)


def grow(prompt: Ids, continuations: Iterable[Ids]) -> Tree:
    """The tree of a prompt that is not empty; equal continuations share all their tokens.

    Of several children the one with the longest way below it stands first; alike, the one met first.
    """
    children, trails = _trie(continuations)
    children = _longest_first(children)
    ids, parent, depth = list(prompt), [i - 1 for i in range(len(prompt))], list(range(len(prompt)))
    place = {0: len(prompt) - 1}
    left = [(0, branch) for branch in reversed(children[0].items())]
    while left:
        above, (token, node) = left.pop()
        place[node] = len(ids)
        ids.append(token)
        parent.append(place[above])
        depth.append(depth[place[above]] + 1)
        left.extend((node, branch) for branch in reversed(children[node].items()))
    paths = [[place[node] for node in trail] for trail in trails]
    return Tree(ids, parent, _last(parent), depth, paths, len(prompt))


def _trie(continuations: Iterable[Ids]) -> tuple[list[dict[int, int]], list[list[int]]]:
    """Each node's children by token, and the nodes that each continuation leads through; 0 is the root."""
    children: list[dict[int, int]] = [{}]
    trails = []
    for ids in continuations:
        node, trail = 0, []
        for token in ids:
            if token not in children[node]:
                children[node][token] = len(children)
                children.append({})
            node = children[node][token]
            trail.append(node)
        trails.append(trail)
    return children, trails


def _longest_first(children: list[dict[int, int]]) -> list[dict[int, int]]:
    """The same, each node's children by how far it goes on below them; children have larger numbers."""
    height = [0] * len(children)
    for node in range(len(children) - 1, -1, -1):
        height[node] = max((1 + height[child] for child in children[node].values()), default=0)
    return [dict(sorted(own.items(), key=lambda branch: -height[branch[1]])) for own in children]


def _last(parent: list[int]) -> list[int]:
    """One past each token's last descendant; children stand behind their parents."""
    last = list(range(1, len(parent) + 1))
    for i in range(len(parent) - 1, 0, -1):
        last[parent[i]] = max(last[parent[i]], last[i])
    return last


@dataclass(frozen=True)
class Packed:
    """Several trees side by side in one row; places are counted through the row."""

    ids: Tensor
    """(n,)"""
    parent: Tensor
    """(n,): -1 for the first of each tree."""
    last: Tensor
    """(n,)"""
    paths: list[list[Tensor]]
    """For each tree, for each of its continuations, the places of its tokens."""


def pack(trees: Sequence[Tree]) -> Packed:
    """Trees behind each other; none sees another."""
    starts = [0]
    for tree in trees[:-1]:
        starts.append(starts[-1] + len(tree))
    shifted = list(zip(trees, starts, strict=True))
    return Packed(
        ids=torch.tensor([token for tree in trees for token in tree.ids]),
        parent=torch.tensor([start + up if up >= 0 else -1 for tree, start in shifted for up in tree.parent]),
        last=torch.tensor([start + place for tree, start in shifted for place in tree.last]),
        paths=[
            [start + torch.tensor(path, dtype=torch.long) for path in tree.paths] for tree, start in shifted
        ],
    )


class Segment(NamedTuple):
    """Tokens each of which is the child of the one before: causal among themselves, with the same past."""

    start: int
    stop: int
    """From and to where, among the tokens that look."""
    keys: tuple[tuple[int, int], ...]
    """Slices, from and to, of the tokens that are looked at: the first one's past, then the segment."""


def segments(parent: Ids, at: Ids, before: Ids = ()) -> tuple[Segment, ...]:
    """The tokens at the places `at`, which may look at those `before` and at each other, in segments.

    Both are places in ascending order and hold, together, the parents of all; `parent` of a root is -1.
    """
    key = {place: number for number, place in enumerate((*before, *at))}
    head: dict[int, int] = {}
    for place, number in key.items():
        follows = key.get(parent[place]) == number - 1 and number != len(before)
        head[place] = head[parent[place]] if follows else place
    starts = [number for number, place in enumerate(at) if head[place] == place]
    between = pairwise([*starts, len(at)])
    return tuple(Segment(a, b, _past(at[b - 1], parent, key, head)) for a, b in between)


def _past(place: int, parent: Ids, key: dict[int, int], head: dict[int, int]) -> tuple[tuple[int, int], ...]:
    """Slices of keys from the root to a token; those that touch are one."""
    slices: list[tuple[int, int]] = []
    while place >= 0:
        first, end = key[head[place]], key[place] + 1
        if slices and slices[-1][0] == end:
            end = slices.pop()[1]
        slices.append((first, end))
        place = parent[head[place]]
    return tuple(reversed(slices))


def mask(last: Tensor) -> Tensor:
    """(1, 1, n, n), bool: whether token i of a row (a row of the mask) may look at token j (a column)."""
    place = torch.arange(len(last), device=last.device)
    looks_back = place[None, :] <= place[:, None]
    descends = place[:, None] < last[None, :]
    return (looks_back & descends)[None, None]


def positions(trees: Sequence[Tree], prompts: Sequence[Tensor]) -> Tensor:
    """Positions of every token of a row, (axes, n), from those of each tree's prompt, (axes, prompt tokens).

    Text goes on after the largest position of the prompt, by one a token on all axes: Qwen-VL's rule (M-RoPE,
    arXiv 2409.12191, section 2.1), and with one axis everybody's.
    """
    parts = []
    for tree, prompt in zip(trees, prompts, strict=True):
        steps = torch.tensor(tree.depth[tree.prompt :], dtype=torch.long) - tree.prompt + 1
        parts += [prompt, (prompt.max() + steps).expand(len(prompt), -1)]
    return torch.cat(parts, dim=1)
