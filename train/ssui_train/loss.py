"""What is minimised: SRPO and its neighbours, as pure functions of tensors. Knows no model, no text, no file.

Of an example with a reference path and pairs of branches,

    J = NLL(target) + λ · Σ_pairs w · −log σ(margin(chosen, rejected)),        Σ_pairs w = 1,

and the losses of the switch differ in nothing but the margin, the target and the span that counts. With
ℓ the log-probability of a span of tokens, ℓ⁰ the same under the base model:

    srpo, orpo      log-odds(ℓ_chosen) − log-odds(ℓ_rejected),   log-odds(ℓ) = ℓ − log(1 − e^ℓ)
    dpo, step_dpo   β · [(ℓ_chosen − ℓ⁰_chosen) − (ℓ_rejected − ℓ⁰_rejected)]
    cpo             β · (ℓ_chosen − ℓ_rejected)
    simpo           β · (ℓ_chosen − ℓ_rejected) − γ
    sft             no pairs: λ is 0
    rft             no margin: −ℓ_chosen in the place of −log σ, so that nothing is contrasted
    grpo            no pairs: the target is all branches of a cut, each weighed by its advantage A (`groups`),
                    J = −mean(A · ℓ): one step of the policy gradient, without clipping or a KL term

Sources: srpo arXiv 2509.12060, whose form of the odds ratio is taken from the code of its ancestor RPO
(arXiv 2410.10858, `run_orpo.py`); orpo arXiv 2403.07691, eq. 6 and 7; dpo arXiv 2305.18290, eq. 7; step_dpo
arXiv 2406.18629, eq. 2; cpo arXiv 2401.08417, eq. 3; simpo arXiv 2405.14734, eq. 6; rft arXiv 2308.01825;
grpo arXiv 2402.03300, eq. 3 at its first step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

Target = Literal["reference", "chosen", "drawn", "none"]
Span = Literal["suffix", "diverging", "step", "error", "full"]
Norm = Literal["mean", "sum"]

NEAREST_ZERO = -1e-6
"""Mean log-probabilities are held below it: at 0 the odds are infinite, and so would be their gradient."""


@dataclass(frozen=True)
class Objective:
    """One loss, fully said."""

    loss: str
    """Its name in `LOSSES`."""
    lam: float
    """λ, the weight of the pairs beside the negative log-likelihood."""
    beta: float
    """β, how sharply a margin counts; no part of an odds ratio."""
    gamma: float
    """γ, the margin that SimPO asks for."""
    target: Target
    """Whose negative log-likelihood is added: the reference path's, the chosen responses', all branches' by
    their advantages, or none."""
    span: Span
    """Which tokens of a branch count: all after the cut, those from where the two differ, the next step, the
    steps up to that in which the rejected branch first goes wrong, or the whole response with the prefix."""
    norm: Norm
    """Whether ℓ is the mean over the span's tokens or their sum."""

    @property
    def needs_base(self) -> bool:
        """Whether ℓ⁰, the log-probabilities under the base model, are part of it."""
        return LOSSES[self.loss].base

    @property
    def needs_pairs(self) -> bool:
        return self.lam > 0

    @property
    def trains_without_pairs(self) -> bool:
        """Whether an example that has no pair teaches anything."""
        return self.target == "reference"


class Spans(NamedTuple):
    """Log-probabilities of spans: `total` (s,) their sums, `length` (s,) their tokens."""

    total: Tensor
    length: Tensor

    @property
    def mean(self) -> Tensor:
        return self.total / self.length

    def of(self, which: Tensor, norm: Norm = "mean") -> Tensor:
        """ℓ of the spans numbered `which`, (k,)."""
        return (self.mean if norm == "mean" else self.total)[which]


class Layout(NamedTuple):
    """Which spans are what. All are numbers of spans, except for the weights and cuts."""

    target: Tensor
    """(r,): spans whose negative log-likelihood counts."""
    target_weight: Tensor
    """(r,): how much; over a batch the weights add up to 1, or to 0 where they are advantages."""
    chosen: Tensor
    """(p,)"""
    rejected: Tensor
    """(p,)"""
    weight: Tensor
    """(p,): the pairs' weights, already divided by the number of examples."""
    cut: Tensor
    """(p,): the cut of each pair."""


class Terms(NamedTuple):
    """What a batch came to."""

    loss: Tensor
    nll: Tensor
    """(r,): negative log-likelihood per token of each target."""
    margin: Tensor
    """(p,)"""
    pair_loss: Tensor
    """(p,): −log σ(margin), or of rft −ℓ_chosen."""


def log_odds(mean: Tensor) -> Tensor:
    """log(p / (1 − p)) of p = e^mean, in float32; any shape.

    `ℓ − log(−expm1(ℓ))` is exact near 0, where `log1p(−exp(ℓ))` is −inf, and its gradient is finite
    everywhere, where the usual two-branched log1mexp gives 0 · inf.
    """
    x = mean.float().clamp(max=NEAREST_ZERO)
    return x - torch.log(-torch.expm1(x))


def _odds_ratio(o: Objective, chosen: Tensor, rejected: Tensor) -> Tensor:
    return log_odds(chosen) - log_odds(rejected)


def _scaled(o: Objective, chosen: Tensor, rejected: Tensor) -> Tensor:
    return o.beta * (chosen - rejected) - o.gamma


class Rule(NamedTuple):
    """A loss: how it compares two branches, and its own settings, named as `Objective` names them."""

    margin: Callable[[Objective, Tensor, Tensor], Tensor]
    lam: float
    beta: float
    gamma: float
    target: Target
    span: Span
    norm: Norm
    base: bool = False
    """Whether ℓ⁰ is taken off ℓ."""


LOSSES: dict[str, Rule] = {
    "srpo": Rule(_odds_ratio, 0.3, 1.0, 0.0, "reference", "suffix", "mean"),
    "sft": Rule(_odds_ratio, 0.0, 1.0, 0.0, "reference", "suffix", "mean"),
    "rft": Rule(_odds_ratio, 0.3, 1.0, 0.0, "reference", "suffix", "mean"),
    "orpo": Rule(_odds_ratio, 0.1, 1.0, 0.0, "chosen", "full", "mean"),
    "dpo": Rule(_scaled, 1.0, 0.1, 0.0, "none", "full", "sum", base=True),
    "step_dpo": Rule(_scaled, 1.0, 0.4, 0.0, "none", "step", "sum", base=True),
    "simpo": Rule(_scaled, 1.0, 2.0, 1.0, "none", "full", "mean"),
    "cpo": Rule(_scaled, 1.0, 0.1, 0.0, "chosen", "full", "sum"),
    "grpo": Rule(_odds_ratio, 0.0, 1.0, 0.0, "drawn", "suffix", "mean"),
}
"""The one list of losses, each as its paper has it: λ 0.3 is SRPO's and RPO's best; ORPO's λ 0.1 and DPO's
and CPO's β 0.1 are also TRL's defaults; β 0.4 stands in Step-DPO's scripts; SimPO keeps γ/β at 0.5; RFT has
SRPO's λ: it is SRPO without its contrast."""
USUAL = {name: Objective(name, *rule[1:-1]) for name, rule in LOSSES.items()}


def margins(o: Objective, policy: Spans, layout: Layout, base: Spans | None = None) -> Tensor:
    """(p,): by how much each chosen branch is preferred. `base` is needed where `o.needs_base`."""
    chosen, rejected = (policy.of(side, o.norm) for side in (layout.chosen, layout.rejected))
    if o.needs_base:
        assert base is not None, f"{o.loss} compares with the base model"
        chosen = chosen - base.of(layout.chosen, o.norm)
        rejected = rejected - base.of(layout.rejected, o.norm)
    return LOSSES[o.loss].margin(o, chosen, rejected)


def objective(o: Objective, policy: Spans, layout: Layout, base: Spans | None = None) -> Terms:
    """J of a batch: targets and pairs weighed and added."""
    nll = -policy.of(layout.target)
    margin = margins(o, policy, layout, base)
    pair_loss = -policy.of(layout.chosen, o.norm) if o.loss == "rft" else -logsigmoid(margin)
    loss = (layout.target_weight * nll).sum() + o.lam * (layout.weight * pair_loss).sum()
    return Terms(loss, nll, margin, pair_loss)


def token_log_probs(logits: Tensor, targets: Tensor, at_once: int = 512) -> tuple[Tensor, Tensor]:
    """Log-probability of each target and, without gradient, the entropy of its distribution.

    `logits` (n, v) of any float type, `targets` (n,); both results (n,) in float32. Works through `at_once`
    rows at a time and computes them again in the backward pass, so that no second (n, v) tensor is kept.
    """
    parts = [
        torch.utils.checkpoint.checkpoint(_log_probs, some, wanted, use_reentrant=False)
        for some, wanted in zip(torch.split(logits, at_once), torch.split(targets, at_once), strict=True)
    ]
    found, entropy = (torch.cat(side) for side in zip(*parts, strict=True))
    return found, entropy.detach()


def _log_probs(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    every = torch.log_softmax(logits.float(), dim=-1)
    with torch.no_grad():
        entropy = torch.special.entr(every.exp()).sum(-1)
    return every.gather(-1, targets[:, None])[:, 0], entropy


def add_up(log_probs: Tensor, index: Tensor, span: Tensor, count: int) -> Spans:
    """Spans out of token log-probabilities: token `index[i]` belongs to span `span[i]`, of `count`."""
    total = log_probs.new_zeros(count).index_add(0, span, log_probs[index])
    return Spans(total, torch.bincount(span, minlength=count))
