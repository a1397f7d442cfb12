"""Batches for a training, made where it runs or by processes beside it: a GPU reads them faster than one
process writes dialogues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Protocol

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from microworld.draw.pool import Pool
from microworld.learning.feed import Batch, Encoder, Maker, feed
from microworld.learning.phase import Phase

AHEAD = 8
"""Batches that each process has ready."""


class Clock(Protocol):
    """A training that knows how far it is."""

    phase: Phase
    steps: int

    @property
    def share(self) -> float:
        """How much of its time is used."""


def fed(
    pool: Pool, encoder: Encoder, maker: Callable[[float], Maker], clock: Clock, feeders: int
) -> Iterator[Batch]:
    """Without end, a round of dialogues at a time; what `maker` makes may change with the share of time."""
    if not feeders:
        while True:
            yield from feed(pool, encoder, maker(clock.share), f"{clock.phase.name}/{clock.steps}")
    share: torch.Tensor = torch.zeros(()).share_memory_()  # type: ignore[no-untyped-call]
    rounds = Rounds(pool, encoder, maker, share, f"{clock.phase.name}/{clock.steps}")
    loader = DataLoader(
        rounds, batch_size=None, num_workers=feeders, prefetch_factor=AHEAD, multiprocessing_context="fork"
    )
    for batch in loader:
        share.fill_(clock.share)
        yield batch


class Rounds(IterableDataset[Batch]):
    """In each process its own share of all rounds; none is made twice."""

    def __init__(
        self, pool: Pool, encoder: Encoder, maker: Callable[[float], Maker], share: torch.Tensor, seed: str
    ) -> None:
        self.pool, self.encoder, self.maker, self.share, self.seed = pool, encoder, maker, share, seed

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        assert worker is not None, "a loader's processes make rounds"
        for number in count(worker.id, worker.num_workers):
            maker = self.maker(float(self.share))
            yield from feed(self.pool, self.encoder, maker, f"{self.seed}/{number}")
