"""How alike the branches of a cut are: self-BLEU (Zhu et al. 2018, arXiv 1802.01886), low is diverse."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sacrebleu.metrics.bleu import BLEU


def self_bleu(texts: Sequence[str]) -> float | None:
    """Mean BLEU-4 of each text against all others as its references; None for fewer than two texts."""
    if len(texts) < 2:
        return None
    others = ([*texts[:i], *texts[i + 1 :]] for i in range(len(texts)))
    scores = [_bleu().sentence_score(text, rest).score for text, rest in zip(texts, others, strict=True)]
    return sum(scores) / len(scores) / 100


@cache
def _bleu() -> BLEU:
    return BLEU(effective_order=True)
