"""The fast decoder of `make reproduce`: what `generate` says, word for word; samples as the model says."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import get_peft_model

from microworld.draw.pool import picture
from microworld.learning.ask import Checkpoint, Question
from microworld.reproduce.cell import laboratory
from microworld.reproduce.decoding import Request, decode
from microworld.reproduce.paths import Held, held
from microworld.reproduce.weights import weights_of
from ssui_train.families import FEATURES, joined
from ssui_train.model import fingerprint, lora

MODEL = Path(__file__).parents[1] / "microworld" / "models" / "policy"
SEED = 11
TEMPERATURE = 0.7
BEGUN = "1. Visual context: A kitchen with"


pytestmark = pytest.mark.usefixtures("one_thread")
lab = partial(laboratory, MODEL)


def generated(model: Any, pairs: tuple[Held, ...], prefix: str = "") -> list[str]:
    """As the product's evaluator asks."""
    checkpoint = Checkpoint(model, lab().encoder.processor)
    asked = [Question(None, one.pair.text, picture(one.pair.scene), prefix) for one in pairs]
    return checkpoint.ask(asked)


def decoded(weights: Any, pairs: tuple[Held, ...], prefix: str = "") -> list[str]:
    """Each greedy, beside a warm answer that must not disturb it."""
    found = lab().go_on(weights, [(one.pair, prefix, (0.0, 1.0)) for one in pairs], SEED)
    return [several[0][0] for several in found]


def test_greedy_answers_are_those_of_generate() -> None:
    pairs = held(SEED, 2)
    assert decoded(lab().bare, pairs) == generated(lab().base, pairs)


def test_so_they_are_after_a_prefix_and_under_an_adapter_and_the_base_stays_as_it_was() -> None:
    pairs, before = held(SEED, 1), fingerprint(lab().base)
    torch.manual_seed(SEED)
    adapted = get_peft_model(lab().base, lora(lab().base, lab().config))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.02)
    weights = weights_of(adapted)
    wanted = generated(adapted, pairs, BEGUN)
    adapted.unload()
    assert decoded(weights, pairs, BEGUN) == wanted
    assert decoded(lab().bare, pairs, BEGUN) != wanted, "this adapter changes what is said"
    assert fingerprint(lab().base) == before


def test_samples_are_drawn_as_the_model_says() -> None:
    one = held(SEED, 1)[0]
    prompt = lab().prompt(one.pair)
    ids = torch.tensor([[*prompt.ids, *lab().encoder.ids(BEGUN)]])
    seen = lab().eyes.kept[(one.pair.scene.id,)]
    with torch.no_grad():
        logits = lab().base(input_ids=ids, **{FEATURES: {"image": joined([seen])}}).logits[0, -1]
    likely = torch.softmax(logits / TEMPERATURE, -1)
    draws, each = 3000, 100
    asked = [Request(ids[0].tolist(), seen.pooled[0], [TEMPERATURE] * each)] * (draws // each)
    found = decode(lab().bare, asked, lab().marks, SEED, most=1)
    first = Counter(said.ids[0] for several in found for said in several)
    for id in likely.topk(3).indices.tolist():
        share, wanted = first[id] / draws, float(likely[id])
        assert abs(share - wanted) < 4 * (wanted * (1 - wanted) / draws) ** 0.5 + 1e-3


def test_the_same_seed_says_the_same_and_another_does_not() -> None:
    asked = [(one.pair, "", (0.5, 1.0)) for one in held(SEED, 2)[:1]]
    one, again, other = (lab().go_on(lab().bare, asked, seed) for seed in (1, 1, 2))
    assert one == again and one != other
