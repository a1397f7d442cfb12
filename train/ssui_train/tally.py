"""What is logged of a training: sums over examples, pairs and tokens, and the shares and means made of them.

Every process of a training adds up its own part; `sums` of all of them, added, give the same figures as one
process would. Names follow TRL's where TRL has one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ssui_gen.records import STEP_NAMES
from ssui_train.forward import Read
from ssui_train.loss import Objective, Terms, log_odds
from ssui_train.rows import Row

CUTS = range(len(STEP_NAMES))
NAMES = (
    "loss",
    "nll",
    "pair_loss",
    "log_odds/chosen",
    "log_odds/rejected",
    "logps/chosen",
    "logps/rejected",
    "margin",
    "accuracy",
    *(f"accuracy/cut{cut}" for cut in CUTS),
    "entropy",
    "length/chosen",
    "length/rejected",
    "tokens",
    "tree_ratio",
)
"""loss: J of an example. nll: of the target, per token. logps, log_odds, length: of the spans that are
compared, logps per token. margin: what −log σ is taken of. accuracy: pairs with a margin above 0, of all and
by cut; far above a half at the start it means that chosen and rejected differ in style. entropy: per scored
token. tokens: of a row. tree_ratio: tokens that single sequences would have, by those read."""


class Tally:
    """Sums and counts, one row for each of NAMES."""

    def __init__(self) -> None:
        self.sums = torch.zeros(len(NAMES), 2, dtype=torch.float64)

    def add(self, o: Objective, row: Row, found: Read, terms: Terms) -> None:
        """One row's part."""
        with torch.no_grad():
            chosen, rejected = (found.spans.mean[side] for side in (row.layout.chosen, row.layout.rejected))
            right = (terms.margin > 0).double()
            values = {
                "loss": terms.loss.expand(len(row.examples)),
                "nll": terms.nll,
                "pair_loss": terms.pair_loss,
                "log_odds/chosen": log_odds(chosen),
                "log_odds/rejected": log_odds(rejected),
                "logps/chosen": chosen,
                "logps/rejected": rejected,
                "margin": terms.margin,
                "accuracy": right,
                **{f"accuracy/cut{cut}": right[row.layout.cut == cut] for cut in CUTS},
                "entropy": found.entropy,
                "length/chosen": found.spans.length[row.layout.chosen],
                "length/rejected": found.spans.length[row.layout.rejected],
                "tokens": torch.tensor([row.tokens]),
            }
            parts = [self._part(values[name]) for name in NAMES[:-1]]
            parts.append(torch.tensor([row.unshared, row.tokens], dtype=torch.float64))
            self.sums += torch.stack(parts)

    @staticmethod
    def _part(values: Tensor) -> Tensor:
        return torch.tensor([float(values.double().sum()), values.numel()], dtype=torch.float64)

    def figures(self, sums: Tensor) -> dict[str, float]:
        """The means, of what there was any of, from the sums of all processes; begins anew."""
        self.sums = torch.zeros_like(self.sums)
        rows = zip(NAMES, sums.tolist(), strict=True)
        return {name: total / count for name, (total, count) in rows if count}

    @staticmethod
    def tokens(sums: Tensor) -> float:
        """Tokens that were read."""
        return float(sums[NAMES.index("tokens"), 0])
