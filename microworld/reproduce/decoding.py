"""Many answers of the micro VLM at once, quickly: what `generate` would say, at a fraction of its time.

Of the time of a small model on a CPU nearly all goes into reading keys and values. Here several answers to
one question share those of the question (as a product of matrices), each at a temperature of its own. Greedy
answers are those of `generate`, token for token (tests/test_reproduce_decoding.py). Pure tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from microworld.reproduce.weights import Layer, Weights

ROWS = 128
"""Answers that are written at once."""
COLD = 1e-4
"""Stands for a temperature of 0 where there are others beside it, and is divided by in vain."""


class Request(NamedTuple):
    """One question with the beginning of its answer, and how often it is gone on with."""

    ids: Sequence[int]
    seen: Tensor
    """(picture tokens, h): the picture's features."""
    temperatures: Sequence[float]
    """One for each answer; 0 is greedy."""


class Completion(NamedTuple):
    """What was written."""

    ids: list[int]
    """Without the end."""
    ended: bool


class Marks(NamedTuple):
    """Ids that are no words."""

    end: int
    pad: int
    picture: int


def decode(
    weights: Weights, asked: Sequence[Request], marks: Marks, seed: int = 0, most: int = 256
) -> list[list[Completion]]:
    """The answers to each, at most `most` tokens long; the same for the same arguments."""
    said: dict[int, list[Completion]] = {}
    for number, group in enumerate(_groups(asked)):
        drawn = torch.Generator().manual_seed(1_000_003 * seed + number)
        found = _Decoding(weights, [asked[i] for i in group], marks, most).run(drawn)
        said |= dict(zip(group, found, strict=True))
    return [said[i] for i in range(len(asked))]


def _groups(asked: Sequence[Request]) -> Iterator[list[int]]:
    """Alike in how many answers are wanted, then in length, so that little is padded."""

    def size(i: int) -> tuple[int, int]:
        return len(asked[i].temperatures), len(asked[i].ids)

    order = sorted(range(len(asked)), key=size)
    while order:
        each = len(asked[order[0]].temperatures)
        most = max(1, ROWS // max(each, 1))
        group = [i for i in order[:most] if len(asked[i].temperatures) == each]
        order = order[len(group) :]
        yield group


@dataclass
class _Kept:
    """Keys and values of one layer: of b questions (b, heads, l, d), of n answers (n, heads, most, d)."""

    asked: tuple[Tensor, Tensor]
    said: tuple[Tensor, Tensor]


class _Decoding:
    """b questions of at most l tokens, each with `each` answers: n = b · each rows."""

    def __init__(self, weights: Weights, asked: Sequence[Request], marks: Marks, most: int) -> None:
        self.weights, self.asked, self.marks, self.most = weights, asked, marks, most
        self.each = len(asked[0].temperatures)
        self.kept: list[_Kept] = []

    @torch.inference_mode()
    def run(self, drawn: torch.Generator) -> list[list[Completion]]:
        if not self.each:
            return [[] for _ in self.asked]
        last = self._read()
        rows = torch.arange(len(self.asked) * self.each)
        warm = torch.tensor([t for one in self.asked for t in one.temperatures])
        written: list[list[int]] = [[] for _ in rows]
        open_ = torch.ones(len(rows), dtype=torch.bool)
        for place in range(self.most):
            chosen = self._choose(last, warm[rows], drawn)
            for row, id in zip(rows[open_].tolist(), chosen[open_].tolist(), strict=True):
                written[row].append(id)
            open_ = open_ & (chosen != self.marks.end)
            if not open_.any() or place + 1 == self.most:
                break
            rows, chosen, open_ = self._without_done(rows, chosen, open_)
            last = self._step(chosen, place)
        said = [_said(ids, self.marks.end) for ids in written]
        return [said[i : i + self.each] for i in range(0, len(said), self.each)]

    def _read(self) -> Tensor:
        """(n, h): what stands at the end of each question, for each of its answers."""
        w, longest = self.weights, max(len(one.ids) for one in self.asked)
        ids = torch.full((len(self.asked), longest), self.marks.pad)
        for row, one in enumerate(self.asked):
            ids[row, longest - len(one.ids) :] = torch.tensor(list(one.ids))
        there = (
            torch.arange(longest)[None] >= torch.tensor([longest - len(a.ids) for a in self.asked])[:, None]
        )
        x = w.words[ids]
        x[ids == self.marks.picture] = torch.cat([one.seen for one in self.asked]).to(x.dtype)
        places = (there.long().cumsum(-1) - 1).clamp(min=0)
        turned = _turned(places, w.turns)
        causal = torch.ones(longest, longest, dtype=torch.bool).tril()
        itself = torch.eye(longest, dtype=torch.bool)
        allowed = (causal[None, None] & there[:, None, None]) | itself[None, None]
        for layer in w.layers:
            x = self._read_layer(layer, x, turned, allowed)
        self.hidden = torch.zeros(len(ids), 1, 1, longest).masked_fill(~there[:, None, None], -torch.inf)
        self.places = (places[:, -1] + 1).repeat_interleave(self.each)
        return x[:, -1].repeat_interleave(self.each, 0)

    def _read_layer(self, layer: Layer, x: Tensor, turned: tuple[Tensor, Tensor], allowed: Tensor) -> Tensor:
        w = self.weights
        count, length, hidden = x.shape
        parts = (_norm(x, layer.before, w.epsilon) @ layer.qkv.T).view(count, length, 3, w.heads, w.width)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        query, key = _turn(query, turned), _turn(key, turned)
        room = torch.zeros(2, count * self.each, w.heads, self.most, w.width)
        self.kept.append(_Kept((key.contiguous(), value.contiguous()), (room[0], room[1])))
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        return _thought(layer, x + found.transpose(1, 2).reshape(count, length, hidden) @ layer.out.T, w)

    def _choose(self, last: Tensor, warm: Tensor, drawn: torch.Generator) -> Tensor:
        """(n): the next id of each row."""
        scores = _norm(last, self.weights.last, self.weights.epsilon) @ self.weights.words.T
        if not warm.any():
            return scores.argmax(-1)
        odds = torch.softmax(scores / warm.clamp(min=COLD)[:, None], -1).cumsum(-1)
        lot = torch.rand(len(odds), 1, generator=drawn) * odds[:, -1:]
        found = torch.searchsorted(odds, lot, right=True)[:, 0].clamp(max=odds.shape[-1] - 1)
        return torch.where(warm > 0, found, scores.argmax(-1)) if (warm == 0).any() else found

    def _without_done(self, rows: Tensor, chosen: Tensor, open_: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The rows of questions with an answer that goes on, once that spares a fifth."""
        living = open_.view(-1, self.each).any(-1)
        if living.sum() > 0.8 * len(living):
            return rows, chosen, open_
        kept = living.repeat_interleave(self.each)
        for one in self.kept:
            one.asked = (one.asked[0][living], one.asked[1][living])
            one.said = (one.said[0][kept], one.said[1][kept])
        self.hidden, self.places = self.hidden[living], self.places[kept]
        return rows[kept], chosen[kept], open_[kept]

    def _step(self, chosen: Tensor, place: int) -> Tensor:
        """(n, h): one token further."""
        w = self.weights
        turned = tuple(part[:, :, 0] for part in _turned(self.places[:, None] + place, w.turns))
        x = w.words[chosen]
        for layer, kept in zip(w.layers, self.kept, strict=True):
            x = self._step_layer(layer, kept, x, (turned[0], turned[1]), place)
        return x

    def _step_layer(
        self, layer: Layer, kept: _Kept, x: Tensor, turned: tuple[Tensor, Tensor], place: int
    ) -> Tensor:
        w, rows = self.weights, len(x)
        parts = (_norm(x, layer.before, w.epsilon) @ layer.qkv.T).view(rows, 3, w.heads, w.width)
        query, key, value = _turn(parts[:, 0], turned), _turn(parts[:, 1], turned), parts[:, 2]
        keys, values = (room[:, :, : place + 1] for room in kept.said)
        keys[:, :, place], values[:, :, place] = key, value
        own = (query[:, :, None] @ keys.transpose(-1, -2))[:, :, 0]
        of_asked = self._grouped(query) @ kept.asked[0].transpose(-1, -2) + self.hidden
        scores = torch.cat([of_asked, self._grouped(own)], -1) / w.width**0.5
        odds = torch.softmax(scores, -1)
        split = of_asked.shape[-1]
        found = self._apart(odds[..., :split] @ kept.asked[1])
        found = found + (self._apart(odds[..., split:])[:, :, None] @ values)[:, :, 0]
        return _thought(layer, x + found.reshape(rows, -1) @ layer.out.T, w)

    def _grouped(self, rows: Tensor) -> Tensor:
        """(n, heads, x) → (b, heads, each, x)"""
        return rows.view(-1, self.each, *rows.shape[1:]).transpose(1, 2)

    def _apart(self, groups: Tensor) -> Tensor:
        """(b, heads, each, x) → (n, heads, x)"""
        turned = groups.transpose(1, 2)
        return turned.reshape(-1, *turned.shape[2:])


def _said(ids: list[int], end: int) -> Completion:
    ended = bool(ids) and ids[-1] == end
    return Completion(ids[:-1] if ended else ids, ended)


def _norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), weight, epsilon)


def _thought(layer: Layer, x: Tensor, w: Weights) -> Tensor:
    """What a layer adds after its attention."""
    gate, up = (_norm(x, layer.between, w.epsilon) @ layer.gate_up.T).chunk(2, -1)
    return x + (F.silu(gate) * up) @ layer.down.T


def _turned(places: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine (rows, 1, n, d) of places (rows, n)."""
    angle = places[..., None].float() * turns
    whole = torch.cat((angle, angle), -1)[:, None]
    return whole.cos(), whole.sin()


def _turn(x: Tensor, turned: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary positions (arXiv 2104.09864), in halves as Llama has them."""
    one, other = x.chunk(2, -1)
    return x * turned[0] + torch.cat((-other, one), -1) * turned[1]
