"""From dialogues to batches of token ids, and the loss on what the assistant says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerFast

from microworld.corpus import Dialogue
from microworld.looking import ASKED, UNNAMED, Mention, mentions
from microworld.model import GRID
from microworld.pool import Pool
from microworld.scene import Scene
from microworld.shown import GREY
from microworld.tokenizer import END, PICTURE, START
from microworld.warmup import augmented

Maker = Callable[[Random, Scene], Dialogue]
ROUND = 1024
"""Dialogues that are sorted by length together."""
BATCH_TOKENS = 3500
DECISION_AFTER = ("\u0120meets", "synthesis")
GREYS = 96, 160
"""Values between which a plain grey picture lies."""
DECIDING = 5.0
"""How much the tokens count that say whether something meets the request: few, and all turns on them."""


@dataclass(frozen=True)
class Encoded:
    """Token ids of one dialogue: the assistant's begin at `start`, at the ends of `named` stand things."""

    ids: list[int]
    start: int
    row: int
    picture: bool
    weight: float
    named: tuple[Mention, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Right-padded ids (b, t), what each place must predict (b, t; -100: nothing), how much that counts;
    and of each thing that is named whether the picture shows it and the careful answer speaks of it (b, t,
    ASKED; UNNAMED: no name ends here).
    """

    ids: Tensor
    targets: Tensor
    weights: Tensor
    pixels: Tensor | None
    named: Tensor

    @property
    def tokens(self) -> int:
        return int(self.ids.numel())


class Encoder:
    """Writes a dialogue as the chat template does, with the picture's tokens in place.

    What is said already may end within a token of the whole reply; then that token is learned.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        self.pad: int = tokenizer.pad_token_id
        self.deciding = torch.tensor([tokenizer.convert_tokens_to_ids(word) for word in DECISION_AFTER])

    def encode(self, dialogue: Dialogue, row: int) -> Encoded:
        """`row` is the picture of the scene that the dialogue was made of; it may ask for another."""
        shown = PICTURE * GRID**2 + "\n" if dialogue.picture else ""
        asked = f"{START}{dialogue.agent}\n{shown}{dialogue.user}{END}\n{START}assistant\n{dialogue.said}"
        known = self.tokenizer.encode(asked, add_special_tokens=False)
        whole = asked + dialogue.target + END * dialogue.ends
        ids = self.tokenizer.encode(whole, add_special_tokens=False)
        same = (a == b for a, b in zip(known, ids, strict=False))
        start = next((i for i, equal in enumerate(same) if not equal), len(known))
        return Encoded(
            ids if dialogue.ends else ids[:-1],
            start,
            row if dialogue.row is None else dialogue.row,
            dialogue.picture,
            dialogue.weight,
            self._named(asked),
        )

    def _named(self, asked: str) -> tuple[Mention, ...]:
        found = self.tokenizer(asked, add_special_tokens=False)
        return tuple(one._replace(end=found.char_to_token(one.end)) for one in mentions(asked))


def feed(pool: Pool, encoder: Encoder, maker: Maker, seed: str) -> Iterator[Batch]:
    """One round of dialogues as batches of similar length, in random order."""
    rng = Random(seed)
    rows = rng.sample(range(len(pool.scenes)), ROUND)
    found = sorted((encoder.encode(maker(rng, pool.scenes[r]), r) for r in rows), key=lambda e: len(e.ids))
    groups = list(_groups(found))
    rng.shuffle(groups)
    shifts = np.random.default_rng(rng.getrandbits(32))
    return (_batch(group, pool, encoder, shifts) for group in groups)


def _groups(found: list[Encoded]) -> Iterator[list[Encoded]]:
    group: list[Encoded] = []
    for one in found:
        if group and len(one.ids) * (len(group) + 1) > BATCH_TOKENS:
            yield group
            group = []
        group.append(one)
    yield group


def _batch(group: list[Encoded], pool: Pool, encoder: Encoder, shifts: np.random.Generator) -> Batch:
    longest = max(len(one.ids) for one in group)
    ids = torch.full((len(group), longest), encoder.pad)
    targets = torch.full((len(group), longest), -100)
    for i, one in enumerate(group):
        ids[i, : len(one.ids)] = torch.tensor(one.ids)
        targets[i, one.start - 1 : len(one.ids) - 1] = ids[i, one.start : len(one.ids)]
    decided = torch.isin(ids, encoder.deciding).float()
    after = decided + functional.pad(decided, (1, -1)) + functional.pad(decided, (2, -2))
    weights = (1 + (DECIDING - 1) * (after > 0)) * torch.tensor([[one.weight] for one in group])
    rows = np.array([one.row for one in group if one.picture])
    pixels = _pictures(pool, rows, shifts) if len(rows) else None
    return Batch(ids, targets, weights, pixels, _named(group, pool, longest))


def _named(group: list[Encoded], pool: Pool, longest: int) -> Tensor:
    named = torch.full((len(group), longest, ASKED), UNNAMED)
    for i, one in enumerate(group):
        things = () if one.row == GREY else pool.scenes[one.row].things
        for end, thing, spoken_of in one.named:
            if one.picture:
                named[i, end, 0] = thing in things
            if spoken_of is not None:
                named[i, end, 1] = spoken_of
    return named


def _pictures(pool: Pool, rows: NDArray[np.int64], shifts: np.random.Generator) -> Tensor:
    """Shifted a little and brightened, so that the tower does not learn them by heart."""
    pixels = pool.pixels[rows]
    grey = rows == GREY
    pixels[grey] = shifts.integers(*GREYS, (grey.sum(), 1, 1, 1), np.uint8)
    return augmented(pixels, shifts, flips=False)[0]


def loss_of(model: LlavaForConditionalGeneration, batch: Batch) -> Tensor:
    """Weighted mean cross-entropy of the assistant's tokens; padding stands last, a causal mask suffices."""
    return learned(model, batch)[0]


def learned(model: LlavaForConditionalGeneration, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
    """That loss, and what stands behind each layer: (b, t, TEXT_HIDDEN), the embeddings first."""
    out = model.model(
        input_ids=batch.ids, pixel_values=batch.pixels, use_cache=False, output_hidden_states=True
    )
    hidden, layers = out.last_hidden_state, out.hidden_states
    said = batch.targets != -100
    losses = functional.cross_entropy(
        model.lm_head(hidden[said]).float(), batch.targets[said], reduction="none"
    )
    weights = batch.weights[said]
    return (losses * weights).sum() / weights.sum(), layers
