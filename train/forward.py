"""A row through a model: the log-probabilities of its scored tokens. Loads nothing and trains nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from train.example import Example
from train.families import PIXELS, Features, features, joined
from train.loss import Spans, add_up, token_log_probs
from train.rows import Row
from train.tree import mask

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
    logits = _of_tree(call, model, row, eyes) if row.last is not None else _of_rows(call, model, row, eyes)
    found, entropy = token_log_probs(logits, row.target)
    return Read(add_up(found, row.index, row.span, row.spans), entropy)


def _of_tree(call: Any, model: Any, row: Row, eyes: Eyes) -> Tensor:
    """(s, v). Places that predict several tokens are asked for once for each."""
    assert row.last is not None
    allowed = mask(row.last)
    seen = joined([eyes.see(model, example) for example in row.examples])
    out = call(
        input_ids=row.input_ids,
        attention_mask=allowed
        if model.config._attn_implementation == "sdpa"
        else _additive(allowed, model.dtype),
        position_ids=row.position_ids,
        mm_encoder_outputs={"image": seen},
        logits_to_keep=row.where[1],
        use_cache=False,
    )
    logits: Tensor = out.logits[0]
    return logits


def _additive(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """The mask as eager attention adds it."""
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill(
        ~allowed, torch.finfo(dtype).min
    )


def _of_rows(call: Any, model: Any, row: Row, eyes: Eyes) -> Tensor:
    """(s, v). Nothing of ours: right padding, its usual mask, the model's own positions and pictures."""
    assert row.lengths is not None
    (example,) = row.examples
    count, width = row.input_ids.shape
    place = torch.arange(width, device=row.input_ids.device)
    rows, columns = row.where
    first = int(columns.min())
    out = call(
        input_ids=row.input_ids,
        attention_mask=(place[None] < row.lengths[:, None]).long(),
        logits_to_keep=torch.arange(first, width, device=place.device),
        use_cache=False,
        **_repeated(eyes.look(example), count, width, model),
    )
    logits: Tensor = out.logits[rows, columns - first]
    return logits


def _repeated(shown: dict[str, Tensor], count: int, width: int, model: Any) -> dict[str, Tensor]:
    """The pictures once for each row; kinds of token (1, n) go on with those of text, 0."""
    told = {}
    for name, value in shown.items():
        if name.endswith("token_type_ids"):
            value = torch.nn.functional.pad(value, (0, width - value.shape[1]))
        told[name] = value.repeat(count, *[1] * (value.dim() - 1)).to(model.device)
    told[PIXELS] = told[PIXELS].to(model.dtype)
    return told
