"""Dialogues written by processes beside the one that trains: the same batches, none twice, none left out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from microworld.corpus.dialogues import Dialogue, describe
from microworld.draw.pool import SIDE, Pool, scene_at
from microworld.learning.feed import ROUND, Batch, Encoder, Maker, feed
from microworld.learning.feeders import fed
from microworld.learning.phase import Phase
from microworld.pretrain import MODELS
from microworld.world.scene import Scene


@pytest.fixture(scope="module")
def pool() -> Pool:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (ROUND, SIDE, SIDE, 3), np.uint8)
    return Pool(pixels, tuple(scene_at("train", i) for i in range(ROUND)))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(PreTrainedTokenizerFast.from_pretrained(MODELS / "agents"))


def said(words: int, rng: Random, scene: Scene) -> Dialogue:
    """A caption; `words` is what share of time it was asked for at."""
    del words
    return describe(rng, scene)


def maker(share: float) -> Maker:
    return partial(said, round(100 * share))


def key(batch: Batch) -> tuple[int, ...]:
    return tuple(batch.ids.flatten().tolist())


def test_processes_beside_it_make_each_round_once(pool: Pool, encoder: Encoder) -> None:
    clock = SimpleNamespace(phase=Phase("agents", 1.0, 1e-3), steps=7, share=0.0)
    rounds = [list(feed(pool, encoder, maker(0.0), f"agents/7/{n}")) for n in range(2)]
    wanted = [key(batch) for one in rounds for batch in one]
    stream: Iterator[Batch] = fed(pool, encoder, maker, clock, 2)
    found = [key(batch) for batch in islice(stream, 2 * min(map(len, rounds)))]
    assert len(set(found)) == len(found)
    assert set(found) <= set(wanted)
    assert {key(batch) for one in rounds for batch in one[:5]} <= set(found)


def test_without_processes_it_is_the_round_of_this_step(pool: Pool, encoder: Encoder) -> None:
    clock = SimpleNamespace(phase=Phase("agents", 1.0, 1e-3), steps=7, share=0.0)
    first = next(fed(pool, encoder, maker, clock, 0))
    again = next(feed(pool, encoder, maker(0.0), "agents/7"))
    assert torch.equal(first.ids, again.ids) and torch.equal(first.to("cpu").weights, again.weights)
