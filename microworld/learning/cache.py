"""Keys and values with room for more: what `generate` and a forward pass read and write.

transformers' own copies all keys and values to append one token: up to a quarter of what a token takes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import pad
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 64
"""Tokens by which a layer that is full grows."""


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A cache layer over a buffer of shape (2, rows, heads, room, width), whose first `used` tokens are
    there; without one it makes its own.
    """

    is_initialized: bool
    _buffer: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self, buffer: torch.Tensor | None = None, used: int = 0) -> None:
        super().__init__()
        if buffer is not None:
            self._keep(buffer)
            self._show(used)

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        self._keep(torch.stack((key_states, value_states))[..., :0, :])
        self._show(0)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        begin = self.get_seq_length()
        end = begin + key_states.shape[-2]
        if end > self._buffer.shape[-2]:
            self._buffer = pad(self._buffer, (0, 0, 0, end - self._buffer.shape[-2] + ROOM))
        self._buffer[0, ..., begin:end, :] = key_states
        self._buffer[1, ..., begin:end, :] = value_states
        self._show(end)
        return self.keys, self.values

    def _keep(self, buffer: torch.Tensor) -> None:
        self._buffer = buffer
        self.dtype, self.device = buffer.dtype, buffer.device
        self.is_initialized = True

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


def growing() -> Cache:
    """A cache that begins with nothing."""
    return Cache(layer_class_to_replicate=RoomyLayer)
