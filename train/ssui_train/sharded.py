"""A frozen base shared out among processes: each has a part of every layer and is sent the rest as it reads.

Whoever needs a layer's weights says so; all processes then say what they need, and send their parts to
whoever does. One that has nothing to read goes on sending until nobody needs anything (`settle`). So none has
to read what another reads, nor as often, nor in its order: rows have parts of their own number, pictures are
looked at once, and a backward pass enters a tree wherever its keys and values end. torch's FSDP2 wants all of
these alike (docs/scale.md has what became of a tree under it).

A unit is what transformers recomputes at once, a layer; the table of words and the head are one each. What is
in none (projectors, the last norm) is small, and whole everywhere. A weight that is away is not a number, so
that whoever used it unasked would be found out. Nothing here is trained: every process has the adapter, whose
gradients are averaged (`average`) as DDP would, once all have settled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from functools import wraps
from itertools import accumulate
from math import prod
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import Module, Parameter
from transformers.modeling_layers import GradientCheckpointingLayer

FIRST = 0
"""The process that reads the files."""
NOTHING = -1
"""What a process asks for that needs no unit."""
ALIGNED = 256
"""Bytes at which each weight of a unit begins, as kernels like it."""
WAIT = timedelta(hours=2)
"""How long a process waits for another, which may be reading the files."""
GATHER = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor
"""The same under its new and its old name."""
NAME = "shards"
"""Under which name a model has its own."""


class Spot(NamedTuple):
    """Where a weight lies among the bytes of its unit."""

    unit: int
    start: int
    shape: torch.Size
    dtype: torch.dtype

    def of(self, whole: Tensor) -> Parameter:
        """The weight, a view of `whole` (bytes,)."""
        size = prod(self.shape) * self.dtype.itemsize
        weight = whole[self.start : self.start + size].view(self.dtype).view(self.shape)
        return Parameter(weight, requires_grad=False)


class Away(NamedTuple):
    """A view of a weight that a backward pass will want."""

    unit: int
    dtype: torch.dtype
    size: torch.Size
    stride: tuple[int, ...]
    offset: int


class Shards:
    """This process's part of a model's weights, and its way to the others'."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.rank, self.count = device, dist.get_rank(), dist.get_world_size()
        self.words = dist.new_group(backend="gloo", timeout=WAIT)
        self.own: list[Tensor] = []
        """By unit, this process's part of its bytes."""
        self.latest: tuple[int, Tensor] | None = None
        """The unit that was needed last, and all its bytes."""
        self.fingerprint = ""
        """The base's, as none can be taken of weights that are away."""

    def __str__(self) -> str:
        part = sum(own.nbytes for own in self.own) / 1e9
        return f"each of {self.count} processes holds {part:.3g} GB of the frozen layers"

    def told(self, found: Any) -> Any:
        """What the first process has found, however long that takes it."""
        box = [found]
        dist.broadcast_object_list(box, src=FIRST, group=self.words)
        return box[0]

    def take(self, model: Any) -> None:
        """Share out a model that the first process has read, and of which the others have shapes alone."""
        spots: dict[Parameter, Spot] = {}
        lent: list[tuple[Module, Module | None]] = []
        for layer, modules in units(model):
            found = dict.fromkeys(weight for one in modules for weight in one.parameters(recurse=False))
            if new := [weight for weight in found if weight not in spots]:
                spots |= self._dealt(new)
            lent += [(module, layer) for module in modules]
        own = [dict(module.named_parameters(recurse=False)) for module, _ in lent]
        self._replace(model, spots)
        for (module, layer), weights in zip(lent, own, strict=True):
            self._lend(module, layer, {name: spots[weight] for name, weight in weights.items()})
        setattr(model, NAME, self)

    def _dealt(self, weights: Sequence[Parameter]) -> dict[Parameter, Spot]:
        """Make these a unit, of which each process has a part."""
        starts = list(accumulate((_aligned(weight.nbytes) for weight in weights), initial=0))
        part = _aligned(-(-starts[-1] // self.count))
        spots = {
            weight: Spot(len(self.own), start, weight.shape, weight.dtype)
            for weight, start in zip(weights, starts, strict=False)
        }
        whole = self._bytes(part * self.count if self.rank == FIRST else 0)
        if self.rank == FIRST:
            for weight, spot in spots.items():
                spot.of(whole).data.copy_(weight)
        self.own.append(self._bytes(part))
        dist.scatter(self.own[-1], list(whole.chunk(self.count)) if self.rank == FIRST else None, src=FIRST)
        return spots

    def _bytes(self, size: int) -> Tensor:
        return torch.empty(size, dtype=torch.uint8, device=self.device)

    def _replace(self, model: Any, spots: dict[Parameter, Spot]) -> None:
        """What is not shared out becomes the first process's everywhere, and the rest no number."""
        held: dict[Tensor, Tensor] = {}
        for module in model.modules():
            for own in (module._parameters, module._buffers):
                for name, one in own.items():
                    if one is not None:
                        if one not in held:
                            held[one] = self._absent(one) if one in spots else self._everywhere(one)
                        own[name] = held[one]

    def _absent(self, weight: Tensor) -> Parameter:
        """In a weight's place: its shape and kind, and the memory of one number."""
        none = torch.full((), torch.nan, dtype=weight.dtype, device=self.device)
        return Parameter(none.expand(weight.shape), requires_grad=False)

    def _everywhere(self, one: Tensor) -> Tensor:
        """The first process's."""
        if self.rank == FIRST:
            whole = one.detach().to(self.device).contiguous()
        else:
            whole = torch.empty(one.shape, dtype=one.dtype, device=self.device)
        dist.broadcast(whole, src=FIRST)
        return Parameter(whole, requires_grad=False) if isinstance(one, Parameter) else whole

    def _lend(self, module: Module, layer: Module | None, spots: dict[str, Spot]) -> None:
        """Have a module find its weights whenever it is called."""
        inner: Callable[..., Any] = module.forward
        resting = dict(module.named_parameters(recurse=False))

        @wraps(inner)
        def forward(*args: Any, **kwargs: Any) -> Any:
            try:
                for name, spot in spots.items():
                    setattr(module, name, spot.of(self.whole(spot.unit)))
                with self._kept_away(layer):
                    return inner(*args, **kwargs)
            finally:
                for name, weight in resting.items():
                    setattr(module, name, weight)

        module.forward = forward

    # --- while a graph is kept

    def _kept_away(self, layer: Module | None) -> AbstractContextManager[Any]:
        """Keeps weights out of the graph, which would hold them; a layer that is read again does without."""
        again = layer is not None and layer.training and getattr(layer, "gradient_checkpointing", False)
        if again or not torch.is_grad_enabled():
            return nullcontext()
        return saved_tensors_hooks(self._away, self._back)

    def _away(self, one: Tensor) -> Tensor | Away:
        if self.latest is None or _place(one) != _place(self.latest[1]):
            return one
        return Away(self.latest[0], one.dtype, one.size(), one.stride(), int(one.storage_offset()))

    def _back(self, kept: Tensor | Away) -> Tensor:
        if isinstance(kept, Tensor):
            return kept
        return self.whole(kept.unit).view(kept.dtype).as_strided(kept.size, kept.stride, kept.offset)

    # --- among processes

    def whole(self, unit: int) -> Tensor:
        """(bytes,): all of a unit."""
        if self.latest is None or self.latest[0] != unit:
            self.latest = None
            self.latest = unit, self._round(unit)[1]
        return self.latest[1]

    def settle(self) -> None:
        """Send what others need until nobody needs any; before whatever else the processes do together."""
        self.latest = None
        while any(unit != NOTHING for unit in self._round(NOTHING)[0]):
            pass

    def _round(self, unit: int) -> tuple[list[int], Tensor]:
        """All say what they need, and get it: what each said, and (bytes,) of this process's."""
        told = torch.empty(self.count, dtype=torch.long)
        GATHER(told, torch.tensor([unit]), group=self.words)
        asked: list[int] = told.tolist()
        whole = self._bytes(0 if unit == NOTHING else self.own[unit].numel() * self.count)
        if unit != NOTHING and len(set(asked)) == 1:
            GATHER(whole, self.own[unit])
            return asked, whole
        for rank, wanted in enumerate(asked):
            if wanted != NOTHING:
                parts = list(whole.chunk(self.count)) if rank == self.rank else None
                dist.gather(self.own[wanted], parts, dst=rank)
        return asked, whole

    def average(self, weights: Sequence[Parameter]) -> None:
        """Make each gradient the mean of all processes'."""
        slopes = [torch.zeros_like(one) if one.grad is None else one.grad for one in weights]
        flat = torch.cat([slope.flatten() for slope in slopes])
        dist.all_reduce(flat)
        means = (flat / self.count).split_with_sizes([slope.numel() for slope in slopes])
        for weight, mean in zip(weights, means, strict=True):
            weight.grad = mean.view_as(weight).to(weight.dtype)


def shards_of(model: Any) -> Shards | None:
    """What a base model is shared out by, if it is."""
    found: Shards | None = getattr(model, NAME, None)
    return found


def units(model: Any) -> Iterator[tuple[Module | None, list[Module]]]:
    """What is asked for at once: a layer, or None, and the modules in it that have weights of their own."""
    inside: set[Module] = set()
    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer) and module not in inside:
            inside |= set(module.modules())
            yield module, [one for one in module.modules() if list(one.parameters(recurse=False))]
    for end in (model.get_input_embeddings(), model.get_output_embeddings()):
        if end is not None:
            yield None, [end]


def _aligned(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def _place(one: Tensor) -> int:
    return one.untyped_storage().data_ptr()
