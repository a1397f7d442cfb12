"""J of a row and its gradients, a part at a time, so that activations are those of the trunk and one part.

The trunk is read and its graph kept; each part is read, and the gradient of its share of J is taken at once:
with respect to the weights, and to the trunk's keys, values and log-probabilities, which stand for all that
the trunk has to do with it. These add up in float32, as sixty roundings to bf16 would not, and go through the
trunk in the end. Nothing is computed twice but of a torn row (`parts`), which is read beforehand without a
gradient, so that J's slope at each token is known. What comes out is a loss like any other: what scales it,
adds it up over rows or waits for the hooks of its weights (accumulation, DDP) stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from ssui_train.forward import Eyes, Read, of_part, read, whole
from ssui_train.loss import Objective, Spans, Terms, add_up, objective
from ssui_train.parts import RowPart
from ssui_train.paths import Kept, Plan
from ssui_train.rows import Row


def taught(call: Any, adapted: Any, row: Row, eyes: Eyes, o: Objective) -> tuple[Read, Terms]:
    """What the policy and, where the loss asks for it, the model without its adapter say of a row.

    The policy is asked by `call`: `adapted`, or a wrapper to be called in its place.
    """
    bare, base = adapted.get_base_model(), None
    if o.needs_base:
        with torch.no_grad(), adapted.disable_adapter():
            base = read(adapted, bare, row, eyes).spans
    if torch.is_grad_enabled() and len(row.parts) > 1:
        return learn(call, bare, row, eyes, o, base)
    found = read(call, bare, row, eyes)
    return found, objective(o, found.spans, row.layout, base)


def learn(
    call: Any, model: Any, row: Row, eyes: Eyes, o: Objective, base: Spans | None = None
) -> tuple[Read, Terms]:
    """What `read` and `objective` give; only the loss has a gradient, with respect to `model`'s weights.

    Under DDP the trunk alone goes through its wrapper, which is armed once for the one backward pass.
    """
    bare = call.module if isinstance(call, DistributedDataParallel) else call
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    slopes = _slopes(bare, model, row, eyes, o, base) if row.torn else None
    first, *rest = row.parts
    kept: Kept = {}
    trunk, entropy = of_part(call, model, row, first, Plan(first.segments, taken=kept), eyes)
    ends = [trunk, *(one for layer in kept.values() for one in layer)]
    leaves = [end.detach().requires_grad_(end.requires_grad) for end in ends]
    before = dict(zip(kept, zip(leaves[1::2], leaves[2::2], strict=True), strict=True))
    sums = _Sums([*weights, *leaves])
    told = [(leaves[0].detach(), entropy)]
    for part in rest:
        own, entropy = of_part(bare, model, row, part, Plan(part.segments, before=before))
        told.append((own.detach(), entropy))
        sums.add(_share(row, part, leaves[0], own, o, base, slopes))
    if slopes is not None:
        sums.of[len(weights)] += slopes[first.scored]
    sums.through(ends, weights)
    found, entropy = (whole(row, side) for side in zip(*told, strict=True))
    spans = add_up(found, row.index, row.span, row.spans)
    terms = objective(o, spans, row.layout, base)
    apply: Callable[..., Tensor] = Known.apply
    loss = apply(terms.loss, sums.of[: len(weights)], *weights)
    return Read(spans, entropy), terms._replace(loss=loss)


def _slopes(bare: Any, model: Any, row: Row, eyes: Eyes, o: Objective, base: Spans | None) -> Tensor:
    """(s): by how much J grows with each scored token's log-probability."""
    with torch.no_grad():
        total, length = read(bare, model, row, eyes).spans
    torch.clear_autocast_cache()  # older torch would go on with weights cast without a gradient
    total.requires_grad_()
    (slope,) = torch.autograd.grad(objective(o, Spans(total, length), row.layout, base).loss, total)
    return torch.zeros_like(row.target, dtype=slope.dtype).index_add(0, row.index, slope[row.span])


def _share(
    row: Row,
    part: RowPart,
    trunk: Tensor,
    own: Tensor,
    o: Objective,
    base: Spans | None,
    slopes: Tensor | None,
) -> Tensor:
    """A part's share of J; of a torn row what is alike to the first order, without the trunk's own."""
    if slopes is not None:
        return (slopes[part.scored] * own).sum()
    known = trunk.new_zeros(len(row.target)).index_copy(0, row.parts[0].scored, trunk)
    spans = add_up(known.index_copy(0, part.scored, own), row.index, row.span, row.spans)
    return objective(o, spans, part.layout, base).loss


class _Sums:
    """Gradients with respect to some tensors, added up in float32."""

    def __init__(self, wanted: Sequence[Tensor]) -> None:
        self.wanted = wanted
        self.of = [torch.zeros_like(one, dtype=torch.float32) for one in wanted]

    def add(self, loss: Tensor) -> None:
        if loss.requires_grad:
            self._add([loss], None, self.wanted, self.of)

    def through(self, ends: Sequence[Tensor], weights: Sequence[Tensor]) -> None:
        """Carry on to the weights what has come to these ends of the trunk, the last of the wanted."""
        slopes = self.of[len(weights) :]
        alive = [
            (end, slope.to(end.dtype)) for end, slope in zip(ends, slopes, strict=True) if end.requires_grad
        ]
        outputs, slopes = (list(side) for side in zip(*alive, strict=True))
        self._add(outputs, slopes, weights, self.of[: len(weights)])

    @staticmethod
    def _add(
        ends: Sequence[Tensor],
        slopes: Sequence[Tensor] | None,
        wanted: Sequence[Tensor],
        sums: Iterable[Tensor],
    ) -> None:
        some = [(one, total) for one, total in zip(wanted, sums, strict=True) if one.requires_grad]
        with torch.autocast(ends[0].device.type, enabled=False):
            found = torch.autograd.grad(ends, [one for one, _ in some], slopes, allow_unused=True)
        for (_, total), gradient in zip(some, found, strict=True):
            if gradient is not None:
                total += gradient


class Known(torch.autograd.Function):
    """A loss whose gradients are known when it is."""

    @staticmethod
    def forward(ctx: Any, loss: Tensor, gradients: Sequence[Tensor], *weights: Tensor) -> Tensor:
        ctx.gradients = [one.to(weight.dtype) for one, weight in zip(gradients, weights, strict=True)]
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Any:
        return (None, None, *(slope * gradient for gradient in ctx.gradients))
