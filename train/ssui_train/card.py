"""The model card of an adapter: what it is, what it was made of, what it came to. Words only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ssui_train.config import SrpoConfig

CARD = """\
---
base_model: {model}
library_name: peft
tags: [lora, safety, vision-language, srpo]
---

# A LoRA adapter of {model}, trained with {loss}

It teaches the model to see danger that neither the picture nor the text shows alone, and to
help safely. Made with ssui_gen {version} (arXiv 2509.12060). The licence of the
base model applies.

| what | value |
|---|---|
{rows}

{watched}What each figure means stands in `ssui_train/tally.py`. These are likelihoods, not behaviour:
measure answers before you trust the adapter.
"""


def card(config: SrpoConfig, facts: dict[str, Any]) -> str:
    """The model card: what the adapter is, what it was made of, what it came to."""
    rows = (f"| {name} | {value} |" for name, value in (*_settings(config, facts), *_data(facts)))
    return CARD.format(
        model=config.model,
        loss=config.objective.loss.upper().replace("_", "-"),
        version=facts["ssui_gen"],
        rows="\n".join(rows),
        watched=_watched(facts["figures"].get("watched", {})),
    )


def _settings(config: SrpoConfig, facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """How it was trained."""
    o, lora, steps = config.objective, config.lora, facts["figures"]["steps"]
    yield "loss", f"{o.loss}, λ {o.lam:g}, target {o.target}, span {o.span}, norm {o.norm}"
    yield "LoRA", f"rank {lora.rank}, alpha {lora.alpha or 2 * lora.rank}, {lora.targets}"
    yield "steps", f"{steps} of {config.questions_per_step} examples each, {config.epochs:g} epochs"
    yield "learning rate", f"{config.learning_rate:g}, cosine, warm-up {config.warmup:g}"
    yield "seed", str(config.seed)


def _data(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What it was trained on, and with which programs."""
    counts, data = facts["counts"], facts["data"]
    seen = "curated by people" if data["curated"] else "**not curated**: no person has seen the paths"
    yield "examples", f"{counts['trained']} trained, {counts['held_out']} held out"
    yield "pairs", f"{counts['pairs']}, {seen}"
    yield "left out", ", ".join(f"{n} {why}" for why, n in counts["left_out"].items()) or "nothing"
    yield "paths and branches made", "by a toy model" if facts.get("toy") else "by a served model"
    yield "prompt", facts["prompt"]
    yield from ((f"sha256 of {name}", f"`{found}`") for name, found in data["sha256"].items())
    yield "versions", ", ".join(f"{name} {version}" for name, version in facts["versions"].items())


def _watched(figures: dict[str, dict[str, float]]) -> str:
    """Empty where nothing was held out to watch."""
    start, end = figures.get("start", {}), figures.get("end", {})
    lines = [f"| {name} | {start[name]:.4f} | {end[name]:.4f} |\n" for name in start if name in end]
    head = "Watched examples, before and after:\n\n| figure | start | end |\n|---|--:|--:|\n"
    return f"{head}{''.join(lines)}\n" if lines else ""
