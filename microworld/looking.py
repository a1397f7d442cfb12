"""While a judge learns: at every thing that is named it is asked whether the picture shows it.

A letter at the end of three hundred tokens teaches a model of four layers to look in days; told at every
thing it learns within minutes. The linear heads are thrown away afterwards, like those of the warm-up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from microworld.model import TEXT_HIDDEN
from microworld.score import ARTICLE
from microworld.world import world

LAYERS = (2, 3)
"""After which layers of the text model the heads read: the last is left to draw conclusions."""
WEIGHT = 0.5
UNNAMED = -100


@cache
def _pattern() -> tuple[re.Pattern[str], dict[str, str]]:
    names = {ARTICLE.sub("", t.display).lower(): t.id for t in world().things.values()}
    longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.compile(rf"\b({longest_first})\b", re.IGNORECASE), names


def mentions(text: str) -> Iterator[tuple[int, str]]:
    """Where each name of a thing ends (its last character), and which thing it is."""
    pattern, names = _pattern()
    for found in pattern.finditer(text):
        yield found.end() - 1, names[found[1].lower()]


class Looking(nn.Module):
    """One head for each of LAYERS."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(TEXT_HIDDEN, 1) for _ in LAYERS)

    def forward(self, hidden: Sequence[Tensor], named: Tensor) -> tuple[Tensor, float]:
        """Mean cross-entropy at the things that are `named` (b, t; 1: shown, 0: not, else UNNAMED), and the
        last head's share of right ones.
        """
        told = named != UNNAMED
        if not told.any():
            return torch.zeros(()), 1.0
        truth = named[told].float()
        said = [
            head(hidden[layer][told]).float()[:, 0] for head, layer in zip(self.heads, LAYERS, strict=True)
        ]
        losses = [functional.binary_cross_entropy_with_logits(one, truth) for one in said]
        right = ((said[-1] > 0) == (truth > 0)).float().mean().item()
        return torch.stack(losses).mean(), right
