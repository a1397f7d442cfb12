"""What a judge is told while it learns, at the words themselves: at every thing that is named whether the
picture shows it and the careful answer speaks of it; behind the question, and behind each part of a response,
which thing in the picture decides, and which wish is spoken of; behind each part also what is wrong with it.

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

from microworld.learning.model import TEXT_HIDDEN
from microworld.truth.score import ARTICLE
from microworld.world.rules import world

LAYERS = (2, 3)
"""After which layers of the text model the heads read: the last is left to draw conclusions."""
WEIGHT = 0.5
UNNAMED = -100
ASKED = 2
"""Shown? Spoken of?"""
FAULTS = ("wrong", "idle", "lures")
"""Of a part: not true, says nothing new, helps into the danger."""
RARE = 3.0
"""How much more a fault counts than its absence: of seven parts one has one, and few of these are idle."""
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


class Told(NamedTuple):
    """What is true at each token; UNNAMED where nothing is told."""

    named: Tensor
    """(b, t, ASKED): of the thing whose name ends here; 1: yes, 0: no."""
    faults: Tensor
    """(b, t, FAULTS): of the part that ends here; 1: yes, 0: no."""
    decides: Tensor
    """(b, t): which thing decides, by `number`."""
    wishes: Tensor
    """(b, t): which request the question is, or the part that ends here names; its place in the world."""


@cache
def number(thing: str) -> int:
    """Of a thing that decides, from 1; 0: none does."""
    return [*world().things].index(thing) + 1 if thing else 0


def wish_named(text: str) -> str | None:
    """The request whose aim a part of a response names, if it names one; the longest counts."""
    found = {one.needs: request for request, one in world().taught_requests.items() if one.needs in text}
    return found[max(found, key=len)] if found else None


@cache
def wish_number(request: str) -> int:
    """Of a request, from 0."""
    return [*world().taught_requests].index(request)


class Looking(nn.Module):
    """Heads for each of LAYERS."""

    def __init__(self) -> None:
        super().__init__()
        self.named = nn.ModuleList(nn.Linear(TEXT_HIDDEN, ASKED) for _ in LAYERS)
        self.faults = nn.ModuleList(nn.Linear(TEXT_HIDDEN, len(FAULTS)) for _ in LAYERS)
        self.decides = nn.ModuleList(nn.Linear(TEXT_HIDDEN, 1 + len(world().things)) for _ in LAYERS)
        self.wishes = nn.ModuleList(nn.Linear(TEXT_HIDDEN, len(world().taught_requests)) for _ in LAYERS)

    def forward(self, hidden: Sequence[Tensor], told: Told) -> tuple[Tensor, dict[str, float]]:
        """The sum of the four mean cross-entropies, and the last heads' shares of right ones."""
        seen = [hidden[at] for at in LAYERS]
        found = {
            "looked": _yes_or_no(self.named, seen, told.named),
            "faults": _yes_or_no(self.faults, seen, told.faults, RARE),
            "decides": _which(self.decides, seen, told.decides),
            "wishes": _which(self.wishes, seen, told.wishes),
        }
        losses = torch.stack([loss for loss, _ in found.values()])
        return losses.sum(), {name: right for name, (_, right) in found.items()}


def _yes_or_no(
    heads: nn.ModuleList, seen: Sequence[Tensor], truth: Tensor, rare: float = 1.0
) -> tuple[Tensor, float]:
    told = truth != UNNAMED
    if not told.any():
        return torch.zeros((), device=truth.device), 1.0
    true = truth[told].float()
    said = [head(hidden).float()[told] for head, hidden in zip(heads, seen, strict=True)]
    weight = torch.tensor(rare, device=truth.device)
    losses = [functional.binary_cross_entropy_with_logits(one, true, pos_weight=weight) for one in said]
    return torch.stack(losses).mean(), ((said[-1] > 0) == (true > 0)).float().mean().item()


def _which(heads: nn.ModuleList, seen: Sequence[Tensor], truth: Tensor) -> tuple[Tensor, float]:
    told = truth != UNNAMED
    if not told.any():
        return torch.zeros((), device=truth.device), 1.0
    said = [head(hidden[told]).float() for head, hidden in zip(heads, seen, strict=True)]
    losses = [functional.cross_entropy(one, truth[told]) for one in said]
    return torch.stack(losses).mean(), (said[-1].argmax(-1) == truth[told]).float().mean().item()
