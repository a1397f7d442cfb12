"""The loss against values worked out by hand, float64, TRL, and at the edges of its domain."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import log_softmax

from ssui_train.loss import (
    NEAREST_ZERO,
    USUAL,
    Layout,
    Objective,
    Spans,
    add_up,
    log_odds,
    margins,
    objective,
    token_log_probs,
)

EDGES = [-1e-8, -1e-7, -1e-6, -1e-4, -0.01, -0.5, math.log(0.5), -1.0, -10.0, -50.0, -100.0]


def layout(pairs: int) -> Layout:
    """One example: span 0 is its target, then chosen and rejected by turns."""
    numbers = torch.arange(pairs)
    return Layout(
        target=torch.tensor([0]),
        target_weight=torch.ones(1),
        chosen=1 + 2 * numbers,
        rejected=2 + 2 * numbers,
        weight=torch.full((pairs,), 1 / pairs),
        cut=numbers,
    )


def spans(*total_and_length: tuple[float, int]) -> Spans:
    totals, lengths = zip(*total_and_length, strict=True)
    return Spans(torch.tensor(totals), torch.tensor(lengths))


# --- worked out by hand ----------------------------------------------------------------------------


def test_odds_of_known_probabilities() -> None:
    probability = torch.tensor([0.5, 0.8, 0.1])
    assert log_odds(probability.log()).exp().tolist() == pytest.approx([1.0, 4.0, 1 / 9], rel=1e-5)


def test_srpo_by_hand() -> None:
    """A target of probability 1/2 a token; one pair of 4 to 1 against 1 to 4, one of even odds."""
    half, sure, unsure = math.log(0.5), math.log(0.8), math.log(0.2)
    policy = spans((4 * half, 4), (3 * sure, 3), (5 * unsure, 5), (2 * half, 2), (7 * half, 7))
    terms = objective(USUAL["srpo"], policy, layout(2))
    assert terms.nll.tolist() == pytest.approx([math.log(2)])
    assert terms.margin.tolist() == pytest.approx([math.log(16), 0.0], abs=1e-5)
    assert terms.pair_loss.tolist() == pytest.approx([math.log(17 / 16), math.log(2)], rel=1e-4)
    by_hand = math.log(2) + 0.3 * (math.log(17 / 16) + math.log(2)) / 2
    assert terms.loss.item() == pytest.approx(by_hand, rel=1e-5)


def test_sft_is_srpo_without_its_pairs() -> None:
    policy = spans((-3.0, 4), (-1.0, 2), (-2.0, 2))
    srpo = objective(replace(USUAL["srpo"], lam=0.0), policy, layout(1))
    assert objective(USUAL["sft"], policy, layout(1)).loss == srpo.loss == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("loss", "margin"),
    [
        ("dpo", 0.1 * ((-6 - -8) - (-9 - -7))),
        ("step_dpo", 0.4 * ((-6 - -8) - (-9 - -7))),
        ("cpo", 0.1 * (-6 - -9)),
        ("simpo", 2.0 * (-6 / 3 - -9 / 2) - 1.0),
        ("orpo", -2 - math.log(1 - math.exp(-2)) + 4.5 + math.log(1 - math.exp(-4.5))),
    ],
)
def test_margins_by_hand(loss: str, margin: float) -> None:
    policy, base = spans((-4.0, 5), (-6.0, 3), (-9.0, 2)), spans((-4.0, 5), (-8.0, 3), (-7.0, 2))
    found = margins(USUAL[loss], policy, layout(1), base)
    assert found.tolist() == pytest.approx([margin], rel=1e-5)


def test_every_loss_falls_when_the_chosen_gains_and_the_rejected_loses() -> None:
    for loss, usual in USUAL.items():
        base = spans((-4.0, 5), (-6.0, 6), (-6.0, 6))
        policy = Spans(torch.tensor([-4.0, -6.0, -6.0], requires_grad=True), base.length)
        (gradient,) = torch.autograd.grad(objective(usual, policy, layout(1), base).loss, policy.total)
        assert gradient[0] <= 0, loss
        if usual.needs_pairs:
            assert gradient[1] < 0 <= gradient[2], loss
            assert (gradient[2] > 0) == (loss != "rft"), loss


def test_weights_say_how_much_an_example_and_a_pair_count() -> None:
    policy = spans((-2.0, 2), (-1.0, 1), (-2.0, 1), (-3.0, 1), (-1.0, 1))
    weighed = layout(2)._replace(target_weight=torch.tensor([0.5]), weight=torch.tensor([0.4, 0.1]))
    terms = objective(USUAL["srpo"], policy, weighed)
    whole = 0.5 * 1.0 + 0.3 * (0.4 * terms.pair_loss[0] + 0.1 * terms.pair_loss[1])
    assert terms.loss.item() == pytest.approx(whole.item(), rel=1e-6)


# --- numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", EDGES)
def test_value_and_gradient_are_finite_from_almost_certain_to_hopeless(x: float) -> None:
    for y in EDGES:
        policy = Spans(torch.tensor([-1.0, x, y], requires_grad=True), torch.ones(3))
        terms = objective(USUAL["srpo"], policy, layout(1))
        (gradient,) = torch.autograd.grad(terms.loss, policy.total)
        assert torch.isfinite(terms.loss)
        assert torch.isfinite(gradient).all()


@given(st.floats(-100.0, NEAREST_ZERO))
def test_log_odds_agree_with_float64(x: float) -> None:
    x32 = torch.tensor(x, requires_grad=True)
    exact = float(x32.detach().double())
    expected = exact - math.log(-math.expm1(exact))
    (slope,) = torch.autograd.grad(log_odds(x32), x32)
    assert log_odds(x32).item() == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert slope.item() == pytest.approx(-1 / math.expm1(exact), rel=1e-4)


def test_the_whole_objective_agrees_with_float64() -> None:
    generator = torch.Generator().manual_seed(0)
    totals = -200 * torch.rand(9, generator=generator)
    lengths = torch.randint(1, 90, (9,), generator=generator)
    terms = objective(USUAL["srpo"], Spans(totals, lengths), layout(4))
    mean = totals.double() / lengths
    odds = mean - torch.log1p(-mean.exp())
    margin = odds[1::2] - odds[2::2]
    expected = -mean[0] + 0.3 * torch.log1p((-margin).exp()).mean()
    assert terms.loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_half_precision_logits_are_summed_in_float32() -> None:
    logits = torch.randn(700, 300, generator=torch.Generator().manual_seed(0)).bfloat16()
    targets = torch.randint(300, (700,), generator=torch.Generator().manual_seed(1))
    found, entropy = token_log_probs(logits, targets)
    every = log_softmax(logits.double(), -1)
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), every.gather(-1, targets[:, None])[:, 0], atol=1e-5)
    assert torch.allclose(entropy.double(), -(every.exp() * every).sum(-1), atol=1e-5)


def test_gradients_pass_through_the_parts_as_through_the_whole() -> None:
    logits = torch.randn(70, 30, dtype=torch.float32, requires_grad=True)
    targets = torch.randint(30, (70,))
    (parts,) = torch.autograd.grad(token_log_probs(logits, targets, at_once=16)[0].sum(), logits)
    (whole,) = torch.autograd.grad(log_softmax(logits, -1).gather(-1, targets[:, None]).sum(), logits)
    assert torch.allclose(parts, whole, atol=1e-6)


def test_a_token_may_belong_to_several_spans() -> None:
    log_probs = torch.tensor([-1.0, -2.0, -4.0])
    added = add_up(log_probs, torch.tensor([0, 1, 1, 2]), torch.tensor([0, 0, 1, 1]), 3)
    assert added.total.tolist() == [-3.0, -6.0, 0.0]
    assert added.length.tolist() == [2, 2, 0]


# --- TRL's own loss functions on the same tokens ---------------------------------------------------


def pair_of_sequences(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (2k, t, v), ids (2k, t) and labels, -100 in prompt and padding; chosen ones first."""
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(6, 12, 20, generator=generator)
    ids = torch.randint(20, (6, 12), generator=generator)
    labels = ids.clone()
    labels[:, :3] = -100
    for row, end in enumerate((12, 9, 7, 11, 12, 8)):
        labels[row, end:] = -100
    return logits, ids, labels


def our_spans(logits: Tensor, labels: Tensor) -> tuple[Spans, Layout]:
    """The same tokens by our own bookkeeping: spans 0..2 are chosen, 3..5 rejected."""
    rows, columns = (labels[:, 1:] != -100).nonzero(as_tuple=True)
    log_probs, _ = token_log_probs(logits[rows, columns], labels[rows, columns + 1])
    numbers = torch.arange(3)
    whole = Layout(numbers, torch.full((3,), 1 / 3), numbers, numbers + 3, torch.full((3,), 1 / 3), numbers)
    return add_up(log_probs, torch.arange(len(rows)), rows, 6), whole


def trl(**fields: Any) -> Any:
    """As much of a TRL trainer as its loss functions look at."""
    return SimpleNamespace(accelerator=SimpleNamespace(device="cpu"), **fields)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("seed", range(3))
def test_orpo_is_trls(seed: int) -> None:
    from trl.experimental.orpo.orpo_trainer import ORPOTrainer

    logits, _, labels = pair_of_sequences(seed)
    policy, whole = our_spans(logits, labels)
    theirs = ORPOTrainer.get_batch_logps(logits, labels, average_log_prob=True)
    weighted, *_ = ORPOTrainer.odds_ratio_loss(trl(beta=0.1), *theirs.chunk(2))
    terms = objective(USUAL["orpo"], policy, whole)
    assert policy.mean.tolist() == pytest.approx(theirs.tolist(), rel=1e-5)
    assert (0.1 * terms.pair_loss).tolist() == pytest.approx((-weighted).tolist(), rel=1e-4)
    assert terms.loss.item() == pytest.approx((-theirs[:3].mean() - weighted.mean()).item(), rel=1e-5)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(("loss", "kind"), [("cpo", "sigmoid"), ("simpo", "simpo")])
def test_cpo_and_simpo_are_trls(loss: str, kind: str) -> None:
    from trl.experimental.cpo.cpo_trainer import CPOTrainer

    logits, _, labels = pair_of_sequences()
    policy, whole = our_spans(logits, labels)
    o = USUAL[loss]
    theirs = CPOTrainer.get_batch_logps(logits, labels, average_log_prob=loss == "simpo")
    settings = trl(beta=o.beta, simpo_gamma=o.gamma, loss_type=kind, alpha=0.0, label_smoothing=0.0)
    expected, *_ = CPOTrainer.cpo_loss(settings, *theirs.chunk(2))
    assert objective(o, policy, whole).pair_loss.tolist() == pytest.approx(expected.tolist(), rel=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("loss", ["dpo", "step_dpo"])
def test_dpo_is_that_of_trls_trainer(loss: str, tmp_path: Path) -> None:
    """A real DPOTrainer, two tiny models, one batch: its loss and ours on the ids it batched."""
    from datasets import Dataset
    from tiny_llava import tiny_tokenizer
    from transformers import LlamaConfig, LlamaForCausalLM
    from trl import DPOConfig, DPOTrainer

    tokenizer, o = tiny_tokenizer(), USUAL[loss]
    shape = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, initializer_range=0.3, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    policy_model, base_model = LlamaForCausalLM(shape), LlamaForCausalLM(shape)
    rows = [{"prompt": "the cat", "chosen": " sits under it", "rejected": " is on the table and what"}] * 2
    settings = DPOConfig(
        output_dir=str(tmp_path), beta=o.beta, report_to=[], use_cpu=True, bf16=False, disable_tqdm=True,
        per_device_train_batch_size=2, max_length=None, gradient_checkpointing=False,
    )  # fmt: skip
    trainer = DPOTrainer(
        policy_model, base_model, args=settings, train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )  # fmt: skip
    batch = next(iter(trainer.get_train_dataloader()))
    with torch.no_grad():
        theirs = trainer.compute_loss(policy_model, dict(batch))
        ours = our_dpo(o, policy_model, base_model, batch)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-4)


def our_dpo(o: Objective, policy: Any, base: Any, batch: Any) -> Tensor:
    ids, mask = batch["input_ids"], batch["attention_mask"]
    labels = ids.masked_fill(batch["completion_mask"] == 0, -100)
    half = len(ids) // 2
    numbers = torch.arange(half)
    none = torch.zeros(0, dtype=torch.long)
    weights = torch.full((half,), 1 / half)
    whole = Layout(none, torch.zeros(0), numbers, numbers + half, weights, numbers)

    def spans_of(model: Any) -> Spans:
        rows, columns = (labels[:, 1:] != -100).nonzero(as_tuple=True)
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        found, _ = token_log_probs(logits[rows, columns], labels[rows, columns + 1])
        return add_up(found, torch.arange(len(rows)), rows, len(ids))

    return objective(o, spans_of(policy), whole, spans_of(base)).loss
