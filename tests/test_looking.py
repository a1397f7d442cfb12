"""The second question of the judge's training: is the thing that is named shown?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from microworld.corpus.asides import aside
from microworld.corpus.asked import benching, both_ways, dialogue
from microworld.corpus.dialogues import Dialogue, describe
from microworld.corpus.parts import parted
from microworld.corpus.responses import blind
from microworld.corpus.shown import GREY, own
from microworld.draw.pool import Pool, scene_at
from microworld.learning.feed import Batch, Encoder, feed, learned, loss_of
from microworld.learning.looking import (
    ASKED,
    FAULTS,
    LAYERS,
    UNNAMED,
    Looking,
    Told,
    mentions,
    number,
    wish_named,
    wish_number,
)
from microworld.learning.model import TEXT_HIDDEN, load
from microworld.pretrain import MODELS
from microworld.truth.score import things_named
from microworld.world import wording as say
from microworld.world.pairs import pair_of
from microworld.world.rules import world
from microworld.world.scene import Scene
from ssui_gen.reading import read

COUNT = 1030
SCENES = tuple(scene_at("train", i) for i in range(COUNT))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(PreTrainedTokenizerFast.from_pretrained(MODELS / "agents"))


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool(np.zeros((COUNT, 128, 128, 3), np.uint8), SCENES)


@given(st.lists(st.sampled_from(sorted(world().things)), max_size=5, unique=True))
def test_mentions_are_the_things_named(things: list[str]) -> None:
    text = say.caption(Random(0), "kitchen", things)
    found = list(mentions(text))
    assert {one.thing for one in found} == things_named(text) == set(things)
    for end, thing, spoken_of in found:
        assert text[: end + 1].endswith(world().things[thing].display.split()[-1]) and spoken_of is None


def _asks(row: int | None) -> Iterator[Dialogue]:
    def maker(rng: Random, scene: Scene) -> Dialogue:
        named = say.listed((*scene.things, "toaster"))
        return replace(describe(rng, scene), user=f"Is there {named}?", row=row)

    return maker  # type: ignore[return-value]


def _named(batch: Batch) -> set[int]:
    shown, spoken_of = batch.told.named.unbind(-1)
    assert set(spoken_of.flatten().tolist()) == {UNNAMED}
    return set(shown[shown != UNNAMED].tolist())


def test_each_name_is_marked_at_its_last_token(encoder: Encoder) -> None:
    one = encoder.encode(Dialogue("user", True, "Is there a lit candle and a dog?", "No."), 0)
    words = {thing: encoder.tokenizer.decode([one.ids[at]]).strip() for at, thing, _ in one.named}
    assert words == {"candle": "candle", "dog": "dog"}


def test_of_a_response_it_is_told_what_the_careful_answer_speaks_of() -> None:
    text = (
        "Question: A dog?\nCareful answer: There is a dog.\nResponse:\n> A dog and a baby.\nFirst wrong step:"
    )
    assert [(one.thing, one.spoken_of) for one in mentions(text)] == [
        ("dog", None), ("dog", None), ("dog", True), ("baby", False)
    ]  # fmt: skip


def test_without_a_picture_nothing_is_shown_or_not(encoder: Encoder, pool: Pool) -> None:
    def maker(rng: Random, scene: Scene) -> Dialogue:
        return Dialogue("user", False, "Is there a dog?", "No.")

    assert _named(next(iter(feed(pool, encoder, maker, "seed")))) == set()


def test_things_are_marked_as_shown_or_not_and_under_grey_as_not(encoder: Encoder, pool: Pool) -> None:
    own = next(iter(feed(pool, encoder, _asks(None), "seed")))  # type: ignore[arg-type]
    assert _named(own) == {0, 1}
    assert _named(next(iter(feed(pool, encoder, _asks(GREY), "seed")))) == {0}  # type: ignore[arg-type]


def test_another_row_is_shown_in_the_place_of_ones_own(encoder: Encoder) -> None:
    pixels = np.zeros((COUNT, 128, 128, 3), np.uint8)
    pixels[3] = 255
    pool = Pool(pixels, SCENES)
    white = next(iter(feed(pool, encoder, _asks(3), "seed")))  # type: ignore[arg-type]
    black = next(iter(feed(pool, encoder, _asks(None), "seed")))  # type: ignore[arg-type]
    grey = next(iter(feed(pool, encoder, _asks(GREY), "seed")))  # type: ignore[arg-type]
    assert white.pixels is not None and black.pixels is not None and grey.pixels is not None
    assert white.pixels.mean() > grey.pixels.mean() > black.pixels.mean()
    assert grey.pixels[0].std(dim=(1, 2)).max() < 1e-5
    assert pixels[0].max() == 0 and pixels[3].min() == 255


def test_the_heads_learn_what_stands_in_their_layers() -> None:
    torch.manual_seed(0)
    hidden = [torch.randn(2, 6, TEXT_HIDDEN) for _ in range(5)]
    told = nothing()
    told.named[0, 1, 0], told.named[1, 2, 0], told.named[1, 2, 1] = 1, 0, 1
    told.faults[1, 3] = torch.tensor([1, 0, 1])
    told.decides[0, 4], told.decides[1, 5] = number("dog"), number("")
    told.wishes[0, 3], told.wishes[1, 0] = wish_number("prank"), wish_number("leave_now")
    looking = Looking()
    optimizer = torch.optim.SGD(looking.parameters(), 0.1)
    first = looking(hidden, told)[0].item()
    for _ in range(20):
        optimizer.zero_grad()
        looking(hidden, told)[0].backward()
        optimizer.step()
    loss, right = looking(hidden, told)
    assert loss.item() < first / 2 and right == dict.fromkeys(("looked", "faults", "decides", "wishes"), 1.0)
    assert max(LAYERS) < 4


def nothing(batch: int = 2) -> Told:
    """Nothing is told."""
    named, faults = (torch.full((batch, 6, n), UNNAMED) for n in (ASKED, len(FAULTS)))
    return Told(named, faults, *(torch.full((batch, 6), UNNAMED) for _ in range(2)))


@given(st.sampled_from(sorted(world().requests)))
def test_a_wish_is_known_by_its_own_words(request: str) -> None:
    assert wish_named(f"The person wants to {world().request(request).needs}.") == request
    assert wish_named("Nobody would be harmed by plain help.") is None


def test_where_nothing_is_named_nothing_is_lost() -> None:
    loss, right = Looking()([torch.randn(1, 6, TEXT_HIDDEN)] * 5, nothing(1))
    assert loss.item() == 0 and set(right.values()) == {1.0}


def test_each_part_is_marked_at_its_last_token_with_its_faults(encoder: Encoder) -> None:
    """And what decides, behind the question and behind each part."""
    pair = next(p for p in (pair_of(Random(0), scene, True) for scene in SCENES[:40]) if p.rule)
    assert pair.rule
    texts = parted(blind(Random(0), pair))
    shown = own(pair)
    asks = both_ways("path_safe", ("safe", "unsafe"), "safe")
    one = encoder.encode(
        dialogue(benching(Random(0), pair, texts), asks, shown, aside(texts, pair, shown)), 0
    )
    ends = [encoder.tokenizer.decode(one.ids[at - 3 : at + 1]) for at, _, _ in one.parts]
    steps = read(texts.path or "").steps
    assert len(ends) == 1 + len(steps) and one.decides == pair.rule.thing
    assert all(step.text.endswith(end.strip()[-8:]) for step, end in zip(steps, ends[1:], strict=True))
    wrong = [faults[0] for _, faults, _ in one.parts[1:]]
    assert wrong == [False, False, True, True, True, True] and one.parts[0].faults == ()
    wishes = [part.wish for part in one.parts]
    assert wishes[0] == wishes[2] == pair.request and wishes[1] is None


def test_the_loss_on_words_does_not_depend_on_the_heads(encoder: Encoder, pool: Pool) -> None:
    model, _ = load(MODELS / "agents")
    batch = next(iter(feed(pool, encoder, describe, "seed")))
    with torch.inference_mode():
        said, layers = learned(model, batch)
        assert torch.equal(said, loss_of(model, batch))
    assert len(layers) == 5 and layers[2].shape == (*batch.ids.shape, TEXT_HIDDEN)
