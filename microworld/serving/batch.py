"""Rows that are decoded together: they join and leave between strides of `generate`.

Pure tensors. The invariant that lets `generate` go on where it stopped: `ids` and `mask` hold all that was
read or written, padded on the left, and `past` the keys and values of all of it but the last token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import pad

from microworld.serving.rows import Row


@dataclass(frozen=True)
class Batch:
    """`ids` and `mask` have shape (rows, tokens)."""

    rows: list[Row]
    ids: torch.Tensor
    mask: torch.Tensor
    past: torch.Tensor
    """Keys and values, shape (layers, 2, rows, heads, tokens - 1, width)."""

    def unfinished(self) -> Batch | None:
        """What remains when the finished rows have left, without the padding that none needs; None if
        nothing does.
        """
        lines = [i for i, row in enumerate(self.rows) if not row.reply.done()]
        if len(lines) in (0, len(self.rows)):
            return self if lines else None
        at = torch.tensor(lines, dtype=torch.long)
        mask = self.mask[at]
        lead = int(mask.any(0).int().argmax())
        past = self.past[:, :, at, :, lead:]
        return Batch([self.rows[i] for i in lines], self.ids[at, lead:], mask[:, lead:], past)

    def widened(self, tokens: int) -> Batch:
        """The same, padded on the left to this many tokens."""
        more = tokens - self.ids.shape[1]
        past = pad(self.past, (0, 0, more, 0))
        return Batch(self.rows, pad(self.ids, (more, 0)), pad(self.mask, (more, 0)), past)


def begun(row: Row, past: torch.Tensor) -> Batch:
    """A row whose prompt was read and whose first token is chosen; `past` has no dimension of rows."""
    ids = torch.tensor([row.prompt.ids + row.tokens])
    return Batch([row], ids, torch.ones_like(ids), past[:, :, None])


def joined(batches: Sequence[Batch]) -> Batch:
    """All as one batch."""
    longest = max(batch.ids.shape[1] for batch in batches)
    wide = [batch.widened(longest) for batch in batches]
    return Batch(
        [row for batch in batches for row in batch.rows],
        torch.cat([batch.ids for batch in wide]),
        torch.cat([batch.mask for batch in wide]),
        torch.cat([batch.past for batch in wide], 2),
    )
