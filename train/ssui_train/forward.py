"""A row through a model: the log-probabilities of its scored tokens. Loads nothing and trains nothing.

Under a mask a tree goes through at once; by paths (`paths`) its parts (`parts`) go one after the other.
Continuations that are rows of their own go in batches, or an example with many of them would need the memory
of all; the loss compares tokens of different batches, so all but the last batch keep no activations and are
computed again in the backward pass (gradient checkpointing, arXiv 1604.06174). Values and gradients are those
of one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from ssui_train.example import Example
from ssui_train.families import FEATURES, PIXELS, Features, features, joined
from ssui_train.loss import Spans, add_up, token_log_probs
from ssui_train.parts import RowPart
from ssui_train.paths import Kept, Plan, registered, unmasked
from ssui_train.rows import Row
from ssui_train.tree import mask

Look = Callable[[Example], dict[str, Tensor]]
"""What the processor says of an example's pictures, pixels among it."""
GB = 10**9


class Read(NamedTuple):
    """What a model says of a row."""

    spans: Spans
    entropy: Tensor
    """(s): of the distributions that the scored tokens were drawn from."""


class Eyes:
    """Pictures' features. The tower is frozen, so each picture is computed once and kept, memory allowing."""

    def __init__(self, look: Look, cache_gb: float) -> None:
        self.look = look
        self.room = cache_gb * GB
        self.kept: dict[tuple[str, ...], Features] = {}

    def see(self, model: Any, example: Example) -> Features:
        """The features of an example's pictures, on the model's device."""
        key = tuple(ref.sha256 for ref in example.images)
        if key in self.kept:
            return self.kept[key].to(model.device)
        found = features(model, self.look(example))
        if found.bytes <= self.room:
            self.room -= found.bytes
            self.kept[key] = found.to("cpu")
        return found


def read(call: Any, model: Any, row: Row, eyes: Eyes) -> Read:
    """Log-probabilities under `call`: `model`, or a wrapper to be called in its place."""
    way = _of_rows if row.last is None else _of_parts if row.parts else _of_tree
    found, entropy = way(call, model, row, eyes)
    return Read(add_up(found, row.index, row.span, row.spans), entropy)


def _of_tree(call: Any, model: Any, row: Row, eyes: Eyes) -> tuple[Tensor, Tensor]:
    """(s) twice: log-probabilities, entropies. A place that predicts several tokens is asked for each."""
    assert row.last is not None
    allowed = mask(row.last)
    seen = joined([eyes.see(model, example) for example in row.examples])
    out = call(
        input_ids=row.input_ids,
        attention_mask=allowed
        if model.config._attn_implementation == "sdpa"
        else _additive(allowed, model.dtype),
        position_ids=row.position_ids,
        logits_to_keep=row.where[1],
        use_cache=False,
        **{FEATURES: {"image": seen}},
    )
    return token_log_probs(out.logits[0], row.target)


def _of_parts(call: Any, model: Any, row: Row, eyes: Eyes) -> tuple[Tensor, Tensor]:
    """(s) twice, the trunk first. With a gradient all parts' activations are kept; `learn` keeps fewer."""
    trunk, *rest = row.parts
    kept: Kept = {}
    told = [of_part(call, model, row, trunk, Plan(trunk.segments, taken=kept), eyes)]
    told += [of_part(call, model, row, part, Plan(part.segments, before=kept)) for part in rest]
    found, entropy = (whole(row, side) for side in zip(*told, strict=True))
    return found, entropy


def whole(row: Row, of_parts: Sequence[Tensor]) -> Tensor:
    """(s): what each part says of its scored tokens, in the row's order."""
    order = torch.cat([part.scored for part in row.parts])
    return torch.cat(list(of_parts))[order.argsort()]


def of_part(
    call: Any, model: Any, row: Row, part: RowPart, plan: Plan, eyes: Eyes | None = None
) -> tuple[Tensor, Tensor]:
    """Log-probabilities and entropies of a part's scored tokens; the trunk has the pictures, so `eyes`."""
    assert registered(model), "this model would ignore the plan"
    if eyes is None and not len(part.keep):
        return (torch.zeros(0, device=row.target.device),) * 2
    seen = {FEATURES: {"image": joined([eyes.see(model, one) for one in row.examples])}} if eyes else {}
    out = call(
        input_ids=row.input_ids[:, part.at],
        attention_mask=unmasked(row.input_ids.device),
        position_ids=None if row.position_ids is None else row.position_ids[..., part.at],
        logits_to_keep=part.keep,
        use_cache=False,
        plan=plan,
        **seen,
    )
    return token_log_probs(out.logits[0], row.target[part.scored])


def _additive(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """The mask as eager attention adds it."""
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill(
        ~allowed, torch.finfo(dtype).min
    )


class Batch(NamedTuple):
    """Some of a row's continuations, and where their tokens are predicted."""

    input_ids: Tensor
    """(continuations, n)"""
    lengths: Tensor
    """(continuations)"""
    where: tuple[Tensor, Tensor]
    """(s of this batch) twice: row and column."""
    target: Tensor
    """(s of this batch)"""


def _of_rows(call: Any, model: Any, row: Row, eyes: Eyes) -> tuple[Tensor, Tensor]:
    """(s) twice. Under DDP only the last batch goes through its wrapper, which counts calls and gradients."""
    (example,) = row.examples
    shown = eyes.look(example)
    bare = call.module if isinstance(call, DistributedDataParallel) else call
    *before, last = _batches(row)
    parts = [_again(_of_batch, bare, model, batch, shown) for batch in before]
    parts.append(_of_batch(call, model, last, shown))
    found, entropy = (torch.cat(side) for side in zip(*parts, strict=True))
    return found, entropy


def _again(work: Callable[..., tuple[Tensor, Tensor]], *told: Any) -> tuple[Tensor, Tensor]:
    """What `work` gives; where there will be a backward pass, it is done again then and keeps nothing."""
    if not torch.is_grad_enabled():
        return work(*told)
    found: tuple[Tensor, Tensor] = checkpoint(work, *told, use_reentrant=False)
    return found


def _batches(row: Row) -> Iterator[Batch]:
    """A row's continuations, so many at once; scored tokens are in the order of their rows."""
    assert row.lengths is not None
    rows, columns = row.where
    for first in range(0, len(row.lengths), row.at_once):
        lengths = row.lengths[first : first + row.at_once]
        own = (rows >= first) & (rows < first + row.at_once)
        ids = row.input_ids[first : first + row.at_once, : int(lengths.max())]
        yield Batch(ids, lengths, (rows[own] - first, columns[own]), row.target[own])


def _of_batch(call: Any, model: Any, batch: Batch, shown: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """(s of the batch) twice. Nothing of ours: right padding, its mask, the model's own positions."""
    count, width = batch.input_ids.shape
    place = torch.arange(width, device=batch.input_ids.device)
    rows, columns = batch.where
    first = int(columns.min())
    out = call(
        input_ids=batch.input_ids,
        attention_mask=(place[None] < batch.lengths[:, None]).long(),
        logits_to_keep=torch.arange(first, width, device=place.device),
        use_cache=False,
        **_repeated(shown, count, width, model),
    )
    return token_log_probs(out.logits[rows, columns - first], batch.target)


def _repeated(shown: dict[str, Tensor], count: int, width: int, model: Any) -> dict[str, Tensor]:
    """The pictures once for each row; kinds of token (1, n) go on with those of text, 0."""
    told = {}
    for name, value in shown.items():
        if name.endswith("token_type_ids"):
            value = torch.nn.functional.pad(value, (0, width - value.shape[1]))
        told[name] = value.repeat(count, *[1] * (value.dim() - 1)).to(model.device)
    told[PIXELS] = told[PIXELS].to(model.dtype)
    return told
