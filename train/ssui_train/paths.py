"""Attention by paths: each segment of a tree looks at what leads to it and at itself, and that is all.

A mask of a whole row makes a kernel compute every score of it, though branches see a small part: 6 to 32 in
a hundred on the benchmark's trees. Here each segment (`tree`) is one call of torch's own attention on its
slices of keys, causal at the lower right, so the work is that of the tree. On a GPU no mask is made at all,
which leaves the fastest kernel in play (FlashAttention-2, arXiv 2307.08691). The model's code is not touched:
transformers lets an attention function be registered under a name. Without a plan it is transformers' SDPA.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.backends.cuda import SDPAParams, can_use_flash_attention
from torch.nn.attention.bias import causal_lower_right
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from ssui_gen.errors import TrainError
from ssui_train.families import prompt_positions
from ssui_train.tree import Segment, grow, mask, positions, segments

NAME = "tree_paths"
Kept = dict[int, tuple[Tensor, Tensor]]
"""By layer, keys and values (1, heads, tokens, width)."""
ALIKE = {torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}
"""How far two kernels' logits may differ, of their norm; one token too many or too few moves them further."""


@dataclass
class Plan:
    """How the tokens of one call attend; given to the model as `plan`, which hands it on to each layer."""

    segments: Sequence[Segment]
    before: Kept | None = None
    """Keys and values of tokens that an earlier call has read; they stand before those of this one."""
    taken: Kept | None = None
    """Where those of this call are put, for later ones."""
    masks: dict[tuple[int, int], Tensor] = field(default_factory=dict)
    """Off a GPU, the mask of each shape, shared by all layers."""


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    plan: Plan | None = None,
    **told: Any,
) -> tuple[Tensor, None]:
    """(1, n, heads, width), as transformers calls it. Raises TrainError for what a segment cannot do."""
    if plan is None:
        found: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **told
        )
        return found
    _refuse(plan, dropout, told)
    if plan.taken is not None:
        plan.taken.setdefault(module.layer_idx, (key, value))  # checkpointing calls once more
    if plan.before is not None:
        key, value = (
            torch.cat(two, 2) for two in zip(plan.before[module.layer_idx], (key, value), strict=True)
        )
    seen = [_of_segment(one, plan, query, key, value, scaling).transpose(1, 2) for one in plan.segments]
    return torch.cat(seen, 1), None


def _of_segment(
    segment: Segment, plan: Plan, query: Tensor, key: Tensor, value: Tensor, scaling: float | None
) -> Tensor:
    """(1, heads, tokens of the segment, width)"""
    query = query[:, :, segment.start : segment.stop]
    key, value = (_sliced(one, segment.keys) for one in (key, value))
    told: dict[str, Any] = {"scale": scaling}
    if query.shape[1] != key.shape[1]:
        if _groups(query, key, value):
            told["enable_gqa"] = True
        else:
            key, value = (repeat_kv(one, query.shape[1] // one.shape[1]) for one in (key, value))
    return scaled_dot_product_attention(query, key, value, **told, **_causal(plan, query, key))


def _sliced(whole: Tensor, slices: Sequence[tuple[int, int]]) -> Tensor:
    parts = [whole[:, :, start:stop] for start, stop in slices]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 2)


def _groups(query: Tensor, key: Tensor, value: Tensor) -> bool:
    """Whether the kernel that will run takes several heads of queries to one of keys.

    Asked as `causal_lower_right` asks, not causal: a causal one of unlike lengths FlashAttention refuses.
    """
    if query.device.type != "cuda":
        return query.device.type == "cpu"
    return bool(can_use_flash_attention(SDPAParams(query, key, value, None, 0.0, False, True)))


def _causal(plan: Plan, query: Tensor, key: Tensor) -> dict[str, Any]:
    """What makes the last tokens' look back causal; one alone sees all of its past."""
    shape = query.shape[2], key.shape[2]
    if shape[0] == 1:
        return {}
    if shape[0] == shape[1]:
        return {"is_causal": True}
    if query.device.type == "cuda":
        return {"attn_mask": causal_lower_right(*shape)}
    if shape not in plan.masks:
        all_seen = torch.ones(shape, dtype=torch.bool, device=query.device)
        plan.masks[shape] = all_seen.tril(shape[1] - shape[0])
    return {"attn_mask": plan.masks[shape]}


def _refuse(plan: Plan, dropout: float, told: dict[str, Any]) -> None:
    window = told.get("sliding_window")
    longest = max(sum(stop - start for start, stop in one.keys) for one in plan.segments)
    why = instead = None
    if window is not None and window < longest:
        why = f"this model looks back {window:,} tokens only, and a path of this row has {longest:,}"
        instead = "packing: none, as a mask of ours would let it look further"
    elif told.get("softcap") is not None:
        why = "this model caps its scores (softcap), which torch's attention cannot"
        instead = "attention: eager"
    elif dropout:
        why = f"attention has a dropout of {dropout:g}, and a log-probability would be another each time"
        instead = "a model without it"
    if why:
        raise TrainError(f"attention: paths: {why}: take {instead}")


def register(model: Any) -> None:
    """Have the language model attend by paths wherever it is given a plan; its tower stays as it is."""
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation({"text_config": NAME})


def registered(model: Any) -> bool:
    """Whether a plan that this model is given would be followed."""
    return bool(model.config.get_text_config()._attn_implementation == NAME)


@torch.no_grad()
def disagreement(model: Any, words: Sequence[int]) -> str | None:
    """Why paths are not for this model, after a small tree of these tokens, text alone; None if they are."""
    size = max(4, len(words) // 3)
    start, middle, end = words[:size], words[size : 2 * size], words[2 * size :]
    tree = grow(start, [[*middle, *end], [*middle, *start], [*middle[:2], *end[::-1]], end[1:]])
    axes = positions([tree], [prompt_positions(model, torch.tensor(start), {})]).to(model.device)
    told = {"input_ids": torch.tensor(tree.ids, device=model.device)[None], "use_cache": False}
    told["position_ids"] = axes[:, None] if len(axes) > 1 else axes
    plan = Plan(segments(tree.parent, range(len(tree))))
    try:
        found = model(attention_mask=unmasked(model.device), plan=plan, **told).logits.float()
    except (TrainError, RuntimeError, TypeError) as error:
        return f"this model cannot ({' '.join(str(error).split())[:200]})"
    allowed = mask(torch.tensor(tree.last, device=model.device))
    dense = model(attention_mask=allowed, **told).logits.float()
    off = float((found - dense).norm() / dense.norm())
    return f"paths differ from a mask here by {off:.1g} of the logits" if off > ALIKE[model.dtype] else None


def unmasked(device: torch.device | str) -> Tensor:
    """(1, 1, 1, 1): what keeps transformers from making a mask."""
    return torch.ones(1, 1, 1, 1, dtype=torch.bool, device=device)
