"""From dialogues to batches of token ids, and the loss on what the assistant says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerFast

from microworld.corpus.dialogues import Dialogue
from microworld.corpus.shown import GREY
from microworld.corpus.tokenizer import END, PICTURE
from microworld.draw.pool import Pool
from microworld.learning.ask import agent
from microworld.learning.looking import (
    ASKED,
    FAULTS,
    RESPONSE,
    UNNAMED,
    Mention,
    Told,
    mentions,
    number,
    wish_named,
    wish_number,
)
from microworld.learning.model import GRID
from microworld.learning.warmup import augmented
from microworld.world.scene import Scene

Maker = Callable[[Random, Scene], Dialogue]
ROUND = 1024
"""Dialogues that are sorted by length together."""
BATCH_TOKENS = 3500
DECISION_AFTER = ("\u0120meets", "synthesis")
GREYS = 96, 160
"""Values between which a plain grey picture lies."""
DECIDING = 5.0
"""How much the tokens count that say whether something meets the request: few, and all turns on them."""


class Part(NamedTuple):
    """Where the question or a part of a response ends, its faults (the question has none), and the request
    that it is or names.
    """

    end: int
    faults: tuple[bool, ...] = ()
    wish: str | None = None


@dataclass(frozen=True)
class Encoded:
    """Token ids of a dialogue and of further questions that begin alike, one behind the other; at the ends of
    `named` stand things, at those of `parts` the question and the parts of a response with their faults.
    """

    ids: list[int]
    branches: list[int]
    """Of each token which question it belongs to, from 1; 0: what all of them share."""
    places: list[int]
    """Where it would stand if its question stood alone."""
    learned: tuple[range, ...]
    """What the assistant says."""
    rows: tuple[int, ...]
    picture: bool
    weight: float
    named: tuple[Mention, ...] = ()
    parts: tuple[Part, ...] = ()
    decides: str | None = None


@dataclass(frozen=True)
class Batch:
    """Right-padded ids (b, t) with their places (b, t) and what each may see (b, 1, t, t); what each place
    must predict (b, t; -100: nothing), how much that counts; and what a judge is told on the way.
    """

    ids: Tensor
    places: Tensor
    sees: Tensor
    targets: Tensor
    weights: Tensor
    pixels: Tensor | None
    told: Told

    @property
    def tokens(self) -> int:
        return int(self.ids.numel())

    def to(self, device: str) -> Batch:
        """The same on another device."""
        told = Told(*(one.to(device) for one in self.told))
        rest = {name: one.to(device) for name, one in vars(self).items() if isinstance(one, Tensor)}
        return replace(self, told=told, **rest)


class Encoder:
    """Writes a dialogue through the tokenizer's chat template, with the picture's tokens in place.

    What is said already may end within a token of the whole reply; then that token is learned.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        self.pad: int = tokenizer.pad_token_id
        self.deciding = torch.tensor([tokenizer.convert_tokens_to_ids(word) for word in DECISION_AFTER])

    def encode(self, dialogue: Dialogue, row: int) -> Encoded:
        """`row` is the picture of the scene that the dialogue was made of; it may ask for another."""
        asked = self.asked(dialogue, dialogue.user)
        known, first, start = self._replied(asked, dialogue.target + END * dialogue.ends)
        others = [self._replied(self.asked(dialogue, user), said + END) for user, said in dialogue.more]
        shared = min((_same(known, other) for other, _, _ in others), default=0)
        tails = [(first[shared:], start - shared), *((ids[shared:], at - shared) for _, ids, at in others)]
        if not dialogue.ends:
            tails = [(first[shared:-1], start - shared)]
        return Encoded(
            *_in_a_row(first[:shared], tails),
            rows_of(dialogue, row),
            dialogue.picture,
            dialogue.weight,
            self._named(asked),
            self._parts(asked, dialogue),
            dialogue.aside.decides if dialogue.picture else None,
        )

    def asked(self, dialogue: Dialogue, user: str) -> str:
        """All that stands before the reply."""
        text = {"type": "text", "text": user}
        shown = len(rows_of(dialogue, GREY)) if dialogue.picture else 0
        content = [*([{"type": "image"}] * shown), text]
        system = [] if dialogue.agent == "user" else [{"role": "system", "content": agent(dialogue.agent)}]
        messages = [*system, {"role": "user", "content": content}]
        written = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return str(written).replace(PICTURE, PICTURE * GRID**2) + dialogue.said

    def _replied(self, asked: str, reply: str) -> tuple[list[int], list[int], int]:
        """Tokens of what is asked, of it with the reply, and where the reply begins among them."""
        known = self.tokenizer.encode(asked, add_special_tokens=False)
        ids = self.tokenizer.encode(asked + reply, add_special_tokens=False)
        return known, ids, _same(known, ids)

    def _named(self, asked: str) -> tuple[Mention, ...]:
        found = self.tokenizer(asked, add_special_tokens=False)
        return tuple(one._replace(end=found.char_to_token(one.end)) for one in mentions(asked))

    def _parts(self, asked: str, dialogue: Dialogue) -> tuple[Part, ...]:
        """The last tokens of the question and of what the response says."""
        begin, told = RESPONSE.search(asked), dialogue.aside
        at = begin.start() if begin else len(asked) - len(dialogue.said) - 1
        ends = [Part(at, wish=told.wish)]
        for text, faults in told.parts:
            found = asked.find(text, at)
            if found >= 0:
                at = found + len(text) - 1
                ends.append(Part(at, faults, wish_named(text) if told.wish else None))
        tokens = self.tokenizer(asked, add_special_tokens=False)
        return tuple(part._replace(end=tokens.char_to_token(part.end)) for part in ends)


def rows_of(dialogue: Dialogue, row: int) -> tuple[int, ...]:
    """The pictures that a dialogue shows; `row` is that of the scene it was made of."""
    if dialogue.row is None:
        return (row,)
    return dialogue.row if isinstance(dialogue.row, tuple) else (dialogue.row,)


def _same(one: list[int], other: list[int]) -> int:
    """How many tokens they begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _in_a_row(
    shared: list[int], tails: list[tuple[list[int], int]]
) -> tuple[list[int], list[int], list[int], tuple[range, ...]]:
    """Ids, branches, places and what is learned; of each tail it is known where its reply begins."""
    ids, branches, learned = list(shared), [0] * len(shared), []
    places = list(range(len(shared)))
    for branch, (tail, start) in enumerate(tails, 1):
        learned.append(range(len(ids) + start, len(ids) + len(tail)))
        ids += tail
        branches += [branch] * len(tail)
        places += range(len(shared), len(shared) + len(tail))
    return ids, branches, places, tuple(learned)


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
    ids = _padded([one.ids for one in group], longest, encoder.pad)
    places = _padded([one.places for one in group], longest, 0)
    branches = _padded([one.branches for one in group], longest, 0)
    targets = torch.full((len(group), longest), -100)
    for i, one in enumerate(group):
        for said in one.learned:
            targets[i, said.start - 1 : said.stop - 1] = ids[i, said.start : said.stop]
    decided = torch.isin(ids, encoder.deciding).float()
    after = decided + functional.pad(decided, (1, -1)) + functional.pad(decided, (2, -2))
    weights = (1 + (DECIDING - 1) * (after > 0)) * torch.tensor([[one.weight] for one in group])
    rows = np.array([row for one in group if one.picture for row in one.rows])
    pixels = _pictures(pool, rows, shifts) if len(rows) else None
    told = Told(_named(group, pool, longest), *_parts(group, longest))
    return Batch(ids, places, _sees(branches), targets, weights, pixels, told)


def _padded(rows: list[list[int]], length: int, fill: int) -> Tensor:
    return torch.tensor([row + [fill] * (length - len(row)) for row in rows])


def _sees(branches: Tensor) -> Tensor:
    """Each token sees those before it that all questions share or that are its own's (b, 1, t, t)."""
    seen, seeing = branches[:, None, :], branches[:, :, None]
    return (((seen == 0) | (seen == seeing)).tril())[:, None]


def _named(group: list[Encoded], pool: Pool, longest: int) -> Tensor:
    named = torch.full((len(group), longest, ASKED), UNNAMED)
    for i, one in enumerate(group):
        things = [thing for row in one.rows if row != GREY for thing in pool.scenes[row].things]
        for end, thing, spoken_of in one.named:
            if one.picture:
                named[i, end, 0] = thing in things
            if spoken_of is not None:
                named[i, end, 1] = spoken_of
    return named


def _parts(group: list[Encoded], longest: int) -> tuple[Tensor, Tensor, Tensor]:
    faults = torch.full((len(group), longest, len(FAULTS)), UNNAMED)
    decides, wishes = (torch.full((len(group), longest), UNNAMED) for _ in range(2))
    for i, one in enumerate(group):
        for end, found, wish in one.parts:
            if found:
                faults[i, end] = torch.tensor(found).long()
            if one.decides is not None:
                decides[i, end] = number(one.decides)
            if wish is not None:
                wishes[i, end] = wish_number(wish)
    return faults, decides, wishes


def _pictures(pool: Pool, rows: NDArray[np.int64], shifts: np.random.Generator) -> Tensor:
    """Shifted a little and brightened, so that the tower does not learn them by heart."""
    pixels = pool.pixels[rows]
    grey = rows == GREY
    pixels[grey] = shifts.integers(*GREYS, (grey.sum(), 1, 1, 1), np.uint8)
    return augmented(pixels, shifts, flips=False)[0]


def loss_of(model: LlavaForConditionalGeneration, batch: Batch) -> Tensor:
    """Weighted mean cross-entropy of the assistant's tokens; padding stands last and nothing sees it."""
    return learned(model, batch)[0]


def learned(model: LlavaForConditionalGeneration, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
    """That loss, and what stands behind each layer: (b, t, TEXT_HIDDEN), the embeddings first."""
    out = model.model(
        input_ids=batch.ids,
        pixel_values=batch.pixels,
        attention_mask=batch.sees,
        position_ids=batch.places,
        use_cache=False,
        output_hidden_states=True,
    )
    hidden, layers = out.last_hidden_state, out.hidden_states
    said = batch.targets != -100
    losses = functional.cross_entropy(
        model.lm_head(hidden[said]).float(), batch.targets[said], reduction="none"
    )
    weights = batch.weights[said]
    return (losses * weights).sum() / weights.sum(), layers
