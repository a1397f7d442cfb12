"""Rows that are decoded together: they join and leave between strides of `generate`.

Pure tensors. The invariant that lets `generate` go on where it stopped: `ids` and `mask` hold all that was
read or written, padded on the left, and `past` the keys and values of all of it but the last token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from microworld.serving.rows import Row

KeysValues = tuple[torch.Tensor, torch.Tensor]
"""Of one layer, each of shape (rows, heads, tokens - 1, width)."""


@dataclass(frozen=True)
class Batch:
    """`ids` and `mask` have shape (rows, tokens)."""

    rows: list[Row]
    ids: torch.Tensor
    mask: torch.Tensor
    past: list[KeysValues]

    def pick(self, rows: Sequence[Row], lines: Sequence[int]) -> Batch:
        """These lines for these rows, without the padding that none of them needs."""
        at = torch.tensor(lines, dtype=torch.long)
        mask = self.mask[at]
        lead = int(mask.any(0).int().argmax())
        past = [(keys[at, :, lead:], values[at, :, lead:]) for keys, values in self.past]
        return Batch(list(rows), self.ids[at, lead:], mask[:, lead:], past)

    def widened(self, tokens: int) -> Batch:
        """The same, padded on the left to this many tokens."""
        more = tokens - self.ids.shape[1]
        past = [(pad(keys, (0, 0, more, 0)), pad(values, (0, 0, more, 0))) for keys, values in self.past]
        return Batch(self.rows, pad(self.ids, (more, 0)), pad(self.mask, (more, 0)), past)

    def unfinished(self) -> Batch | None:
        """What remains when the finished rows have left; None if nothing does."""
        lines = [i for i, row in enumerate(self.rows) if not row.reply.done()]
        return self.pick([self.rows[i] for i in lines], lines) if lines else None


def joined(one: Batch, other: Batch) -> Batch:
    """Both as one batch."""
    longest = max(one.ids.shape[1], other.ids.shape[1])
    one, other = one.widened(longest), other.widened(longest)
    past = [
        (torch.cat([one_keys, keys]), torch.cat([one_values, values]))
        for (one_keys, one_values), (keys, values) in zip(one.past, other.past, strict=True)
    ]
    return Batch(
        one.rows + other.rows, torch.cat([one.ids, other.ids]), torch.cat([one.mask, other.mask]), past
    )


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A cache layer with room for `room` more tokens.

    transformers' own copies all keys and values to append one token, which was the largest cost of a step.
    """

    def __init__(self, past: KeysValues, room: int) -> None:
        super().__init__()
        self._buffers = tuple(pad(kept, (0, 0, 0, room)) for kept in past)
        self.keys, self.values = past
        self.dtype, self.device = self.keys.dtype, self.keys.device
        self.is_initialized = True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> KeysValues:
        begin = self.get_seq_length()
        end = begin + key_states.shape[-2]
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[..., begin:end, :] = new
        self.keys, self.values = (buffer[..., :end, :] for buffer in self._buffers)
        return self.keys, self.values


def roomy(past: Sequence[KeysValues], room: int) -> DynamicCache:
    """The cache that `generate` is given."""
    cache = DynamicCache()
    cache.layers = [RoomyLayer(layer, room) for layer in past]
    return cache


def taken(cache: DynamicCache) -> list[KeysValues]:
    """What `generate` or a forward left in a cache."""
    return [(layer.keys, layer.values) for layer in cache.layers]
