"""While a judge learns: at every thing that is named it is asked whether the picture shows it and, within a
response, whether the careful answer speaks of it too.

A letter at the end of three hundred tokens teaches a model of four layers to look in days; told at every
thing it learns within minutes. The linear heads are thrown away afterwards, like those of the warm-up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

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
ASKED = 2
"""Shown? Spoken of?"""
CAREFUL, RESPONSE = "\nCareful answer: ", re.compile(r"\n(?:Thoughts|Answer|Response):\n")


@cache
def _pattern() -> tuple[re.Pattern[str], dict[str, str]]:
    names = {ARTICLE.sub("", t.display).lower(): t.id for t in world().things.values()}
    longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.compile(rf"\b({longest_first})\b", re.IGNORECASE), names


class Mention(NamedTuple):
    """Where the name of a thing ends (its last character, or its last token), which thing it is, and whether
    the careful answer speaks of it; None outside a response, or where there is no careful answer.
    """

    end: int
    thing: str
    spoken_of: bool | None


def mentions(text: str) -> Iterator[Mention]:
    """Every name of a thing in a user text."""
    pattern, names = _pattern()
    shown = RESPONSE.search(text)
    head = text[: shown.start()] if shown else text
    careful = head.partition(CAREFUL)[2]
    there = {names[found[1].lower()] for found in pattern.finditer(careful)}
    begin = len(head) if careful else len(text)
    for found in pattern.finditer(text):
        thing = names[found[1].lower()]
        yield Mention(found.end() - 1, thing, thing in there if found.start() > begin else None)


class Looking(nn.Module):
    """One head for each of LAYERS."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(TEXT_HIDDEN, ASKED) for _ in LAYERS)

    def forward(self, hidden: Sequence[Tensor], named: Tensor) -> tuple[Tensor, float]:
        """Mean cross-entropy at the things that are `named` (b, t, ASKED; 1: yes, 0: no, else UNNAMED), and
        the last head's share of right ones.
        """
        told = named != UNNAMED
        if not told.any():
            return torch.zeros(()), 1.0
        truth = named[told].float()
        said = [head(hidden[at]).float()[told] for head, at in zip(self.heads, LAYERS, strict=True)]
        losses = [functional.binary_cross_entropy_with_logits(one, truth) for one in said]
        right = ((said[-1] > 0) == (truth > 0)).float().mean().item()
        return torch.stack(losses).mean(), right
