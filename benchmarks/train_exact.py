"""Which way rounds more: the gradient in parts and under a mask, in float32, beside that in float64.

    .venv/bin/python benchmarks/train_exact.py

The question of `train.py`, its picture of 300 tokens, one pair a cut: the same model, adapter, picture and
pairs each time. Where layers or the loss ask for float32 by name, they get float64 in a run that has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from train_question import Question
from train_steps import as_tree

GRID = 15, 20
PARTS, MASK = "in parts", "under a mask"


@contextmanager
def doubled() -> Iterator[None]:
    """What is called float32 is float64."""
    single, cast = torch.float32, torch.Tensor.float
    torch.float32, torch.Tensor.float = torch.float64, torch.Tensor.double
    try:
        yield
    finally:
        torch.float32, torch.Tensor.float = single, cast


def gradient(question: Question, way: str, exact: bool = False) -> torch.Tensor:
    """Of all LoRA weights, as float64; `exact`: computed in it, from what was drawn in float32."""
    step = as_tree(question, question.pairs(), by_paths=way == PARTS)
    with doubled() if exact else nullcontext():
        step.model.to(torch.float32)  # by whatever name it goes
        step.run()
    return torch.cat([w.grad.flatten().double() for w in step.model.parameters() if w.requires_grad])


def apart(one: torch.Tensor, other: torch.Tensor) -> str:
    return f"{float((one - other).norm() / other.norm()):.1e}"


def main() -> None:
    first = Question(*GRID, 1)

    def again() -> Question:
        """The same weights and pairs; noise would be drawn anew."""
        question = Question(*GRID, 1)
        question.picture = first.picture
        return question

    best, same = (gradient(again(), way, exact=True) for way in (PARTS, MASK))
    print(f"float64, {PARTS} beside {MASK}: {apart(best, same)}")
    found = {way: gradient(again(), way) for way in (PARTS, MASK)}
    for way, one in found.items():
        print(f"float32, {way}, beside float64: {apart(one, best)}")
    print(f"float32, {PARTS} beside {MASK}: {apart(found[PARTS], found[MASK])}")


if __name__ == "__main__":
    main()
