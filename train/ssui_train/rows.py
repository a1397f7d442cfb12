"""From examples to rows: which continuations a row holds, which of their tokens count, and how much.

An example is token ids already (`data` makes them); a row is tensors that a model can be given (`forward`
does). The same spans are laid over both packings, so that whatever differs is the packing alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random
from typing import Any

import torch
from torch import Tensor

from ssui_train.config import Packing, Weights
from ssui_train.example import Example, Part, part_of, parted
from ssui_train.loss import Layout, Objective
from ssui_train.parts import Parts, RowPart, divide
from ssui_train.tree import Packed, grow, pack, positions


@dataclass(frozen=True)
class Row:
    """What a model is given at once, and how its answer is read; s scored tokens, n tokens in a row."""

    examples: tuple[Example, ...]
    input_ids: Tensor
    """(1, n) as a tree; (continuations, n), padded on the right, otherwise."""
    last: Tensor | None
    """(n): what makes the mask of a tree."""
    position_ids: Tensor | None
    """(1, n), or (3, 1, n) of M-RoPE; None where the model finds them itself."""
    lengths: Tensor | None
    """(continuations): tokens that are no padding; None of a tree."""
    at_once: int
    """Continuations in one call of the model; a tree is one."""
    where: tuple[Tensor, Tensor]
    """(s) and (s): row and column where each scored token is predicted."""
    target: Tensor
    """(s)"""
    index: Tensor
    """(t): which scored token, and"""
    span: Tensor
    """(t): to which span it belongs; a token may belong to several."""
    layout: Layout
    tokens: int
    """That the model reads."""
    unshared: int
    """That it would read were each continuation a row of its own, without padding."""
    parts: tuple[RowPart, ...] = ()
    """Of a tree that attends by paths: what goes through the model at once, the trunk first."""
    torn: bool = False
    """Whether a pair's sides may lie in two of them."""

    @property
    def spans(self) -> int:
        """How many there are."""
        return len(self.layout.target) + 2 * len(self.layout.chosen)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Row:
        """The same on another device."""

        def moved(value: Any) -> Any:
            if isinstance(value, Tensor):
                return value.to(device, non_blocking=non_blocking)
            if hasattr(value, "_fields"):
                return type(value)(*map(moved, value))
            return tuple(map(moved, value)) if isinstance(value, tuple) else value

        return replace(self, **{name: moved(value) for name, value in vars(self).items()})


@dataclass(frozen=True)
class RowMaker:
    """How examples become rows in one training."""

    objective: Objective
    packing: Packing = "tree"
    weights: Weights = "question"
    mean_pairs: float = 1.0
    """What weighs single pairs alike: see `pairs_a_visit`."""
    group_cap: int | None = None
    batch_tokens: int | None = None
    """Of the continuations that a model reads at once where there is no tree; absent: all."""
    by_paths: bool = False
    """Whether trees attend by paths, in parts; else under a mask, whole."""
    part_tokens: int | None = None
    """Of a part beside the trunk; absent: a tree is one part."""
    pad: int = 0
    seed: int = 0

    def __call__(self, examples: Sequence[Example], epoch: int = 0) -> Row:
        """One row of these examples; `epoch` decides which pairs a cap lets through."""
        few = [self.visited(example, epoch) for example in examples]
        return self._tree(few) if self.packing == "tree" else self._rows(few)

    def visited(self, example: Example, epoch: int) -> Example:
        """The example with the pairs, and so the branches, of this visit."""
        pairs = example.pairs if self.objective.needs_pairs else ()
        if self.group_cap and len(pairs) > self.group_cap:
            drawn = Random(f"{self.seed}/{epoch}/{example.id}").sample(range(len(pairs)), self.group_cap)
            pairs = tuple(pairs[i] for i in sorted(drawn))
        return example.only(pairs)

    def continuations(self, example: Example) -> list[list[int]]:
        """The reference, empty where it does not count, then the branches."""
        reference = example.reference if self.objective.target == "reference" else []
        return [reference, *(branch.ids for branch in example.branches)]

    def _tree(self, examples: list[Example]) -> Row:
        trees = [grow(example.prompt.ids, self.continuations(example)) for example in examples]
        packed = pack(trees)
        prompts = [e.prompt.positions for e in examples if e.prompt.positions is not None]
        axes = positions(trees, prompts)
        scored, index, span, layout = self._scored(examples, packed.paths)
        asked = packed.parent[scored]
        parts, torn = self._parts(examples, packed, asked, layout) if self.by_paths else ((), False)
        return Row(
            examples=tuple(examples),
            input_ids=packed.ids[None],
            last=packed.last,
            position_ids=axes[:, None] if len(axes) > 1 else axes,
            lengths=None,
            at_once=1,
            where=(torch.zeros_like(scored), asked),
            target=packed.ids[scored],
            index=index,
            span=span,
            layout=layout,
            tokens=len(packed.ids),
            unshared=sum(tree.unshared for tree in trees),
            parts=parts,
            torn=torn,
        )

    def _parts(self, examples: list[Example], packed: Packed, asked: Tensor, layout: Layout) -> Parts:
        """What goes through the model at once; continuations are counted through the row."""
        first = [0, *accumulate(len(paths) for paths in packed.paths)]
        spans, _ = self.laid_out(examples)
        return divide(packed, asked, layout, [first[e] + part.path for e, part in spans], self.part_tokens)

    def _rows(self, examples: list[Example]) -> Row:
        """Each continuation in a row of its own, with the prompt before it: the oracle."""
        wanted = [(e.prompt.ids, ids) for e in examples for ids in self.continuations(e)]
        whole = [one for one in wanted if one[1]]
        lengths = torch.tensor([len(prompt) + len(ids) for prompt, ids in whole])
        width = int(lengths.max())
        input_ids = torch.full((len(whole), width), self.pad)
        for row, (prompt, ids) in enumerate(whole):
            input_ids[row, : lengths[row]] = torch.tensor([*prompt, *ids])
        flat = iter([i * width + torch.arange(len(p), len(p) + len(ids)) for i, (p, ids) in enumerate(whole)])
        nowhere = torch.zeros(0, dtype=torch.long)
        paths = [[next(flat) if ids else nowhere for ids in self.continuations(e)] for e in examples]
        scored, index, span, layout = self._scored(examples, paths)
        at_once = max(1, self.batch_tokens // width) if self.batch_tokens else len(whole)
        return Row(
            examples=tuple(examples),
            input_ids=input_ids,
            last=None,
            position_ids=None,
            lengths=lengths,
            at_once=at_once,
            where=(scored // width, scored % width - 1),
            target=input_ids.flatten()[scored],
            index=index,
            span=span,
            layout=layout,
            tokens=sum(part.numel() * int(part.max()) for part in torch.split(lengths, at_once)),
            unshared=int(lengths.sum()),
        )

    def _scored(
        self, examples: list[Example], paths: list[list[Tensor]]
    ) -> tuple[Tensor, Tensor, Tensor, Layout]:
        """Places of the scored tokens, each once; for each span its tokens among them; which span is what."""
        parts, layout = self.laid_out(examples)
        places = [paths[e][part.path][part.start : part.stop] for e, part in parts]
        span = torch.repeat_interleave(torch.arange(len(places)), torch.tensor([len(p) for p in places]))
        scored, index = torch.unique(torch.cat(places), return_inverse=True)
        return scored, index, span, layout

    def laid_out(self, examples: list[Example]) -> tuple[list[tuple[int, Part]], Layout]:
        """All spans, each with its example: targets, then chosen and rejected by turns; and what is what."""
        targets = list(self._targets(examples))
        pairs = [(e, pair) for e, example in enumerate(examples) for pair in example.pairs]
        sides = [(e, part) for e, p in pairs for part in parted(examples[e], p, self.objective.span)]
        first = len(targets) + 2 * torch.arange(len(pairs))
        weights = [w for example in examples for w in self._pair_weights(example, len(examples))]
        target_weights = list(self._target_weights(examples, weights))
        layout = Layout(
            target=torch.arange(len(targets)),
            target_weight=torch.tensor(target_weights, dtype=torch.float32),
            chosen=first,
            rejected=first + 1,
            weight=torch.tensor(weights, dtype=torch.float32),
            cut=torch.tensor([pair.cut for _, pair in pairs], dtype=torch.long),
        )
        return targets + sides, layout

    def _targets(self, examples: list[Example]) -> Iterator[tuple[int, Part]]:
        for e, example in enumerate(examples):
            if self.objective.target == "reference":
                yield e, Part(0, 0, len(example.reference))
            elif self.objective.target == "chosen":
                yield from ((e, parted(example, pair, "full")[0]) for pair in example.pairs)
            elif self.objective.target == "drawn":
                yield from ((e, part_of(example, one.branch, self.objective.span)) for one in example.drawn)

    def _target_weights(self, examples: list[Example], of_pairs: list[float]) -> Iterator[float]:
        """In the order of `_targets`: a branch of a group by its advantage, groups of an example alike."""
        if self.objective.target == "chosen":
            yield from of_pairs
        for example in examples:
            if self.objective.target == "reference":
                yield 1 / len(examples)
            elif self.objective.target == "drawn":
                groups = len({one.cut for one in example.drawn})
                yield from (one.weight / (groups * len(examples)) for one in example.drawn)

    def _pair_weights(self, example: Example, examples: int) -> list[float]:
        """What each pair of an example counts in a row of so many."""
        cuts = Counter(pair.cut for pair in example.pairs)
        if self.weights == "step":
            return [1 / (examples * len(cuts) * cuts[pair.cut]) for pair in example.pairs]
        share = self.mean_pairs if self.weights == "pair" else len(example.pairs)
        return [1 / (examples * share) for _ in example.pairs]


def pairs_a_visit(pairs: Iterable[int], cap: int | None) -> float:
    """Pairs that an example which has any shows in one visit, on average; of each example how many it has.

    A pair that counts one by so many lets each example's pairs add up to 1 on average, as they do exactly
    where questions or steps weigh alike.
    """
    shown = [min(one, cap or one) for one in pairs if one]
    return sum(shown) / len(shown) if shown else 1.0
