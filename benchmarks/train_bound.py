"""The least that a tree of a question can cost: FLOPs, and how many of them this machine does a second."""

from __future__ import annotations

import time

import torch
from train_question import Question
from train_steps import Step

EDGE, TIMES = 1024, 12
"""Of the matrices whose product tells the speed, and how many products do."""
PATCHES = 4
"""Of the tower, in one token."""


def speed() -> float:
    """FLOPs a second of CPU time, in large products."""
    a, b = torch.randn(EDGE, EDGE), torch.randn(EDGE, EDGE)
    a @ b
    start = time.process_time()
    for _ in range(TIMES):
        a @ b
    return TIMES * 2 * EDGE**3 / (time.process_time() - start)


def linear(question: Question, step: Step) -> float:
    """FLOPs at least: 2 a weight and token forward, twice (policy and base), 2 more for activations'
    gradients (the frozen weights have none), the head on scored tokens likewise, the tower forward once.
    """
    model = question.model
    text = sum(p.numel() for p in model.model.language_model.layers.parameters())
    head, tower = model.lm_head.weight.numel(), sum(p.numel() for p in model.model.visual.parameters())
    return 6 * text * step.tokens + 6 * head * step.scored + 2 * tower * PATCHES * question.image


def scores(question: Question, step: Step) -> float:
    """FLOPs at least of attention: 4 a pair of tokens of which one sees the other, a layer and a unit of its
    width; forward twice and twice as many back, in the tower forward once, in windows but for one layer.
    """
    text, tower = question.model.config.text_config, question.model.config.vision_config
    patches, whole = PATCHES * question.image, len(tower.fullatt_block_indexes)
    window = (tower.window_size // tower.patch_size) ** 2
    pairs = patches * (patches * whole + window * (tower.depth - whole))
    return 4 * (4 * text.hidden_size * text.num_hidden_layers * step.seen + tower.hidden_size * pairs)
