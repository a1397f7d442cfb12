"""Keys and values with room for more: what `generate` and a forward pass read and write."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A cache layer over a buffer whose first `used` tokens are there.

    transformers' own copies all keys and values to append one token, which was the largest cost of a step.
    """

    def __init__(self, buffer: torch.Tensor, used: int) -> None:
        super().__init__()
        self._buffer = buffer
        self._show(used)
        self.dtype, self.device = buffer.dtype, buffer.device
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        begin = self.get_seq_length()
        end = begin + key_states.shape[-2]
        self._buffer[0, ..., begin:end, :] = key_states
        self._buffer[1, ..., begin:end, :] = value_states
        self._show(end)
        return self.keys, self.values

    def _show(self, tokens: int) -> None:
        self.keys, self.values = self._buffer[..., :tokens, :]


class Roomy(DynamicCache):  # type: ignore[misc]
    """All layers over one buffer."""

    def __init__(self, buffer: torch.Tensor, used: int) -> None:
        super().__init__()
        self._buffer = buffer
        self.layers = [RoomyLayer(layer, used) for layer in buffer]

    @property
    def past(self) -> torch.Tensor:
        """What is there now."""
        return self._buffer[..., : self.get_seq_length(), :]


def roomy(past: torch.Tensor, room: int) -> Roomy:
    """A cache that begins with `past`, of shape (layers, 2, rows, heads, tokens, width), and holds `room`
    tokens more.
    """
    return Roomy(pad(past, (0, 0, 0, room)), past.shape[-2])
