"""The model card of an adapter: what it is, what it was made of, what it came to. Words only."""

from __future__ import annotations

from typing import Any

from ssui_train.config import SrpoConfig


def card(config: SrpoConfig, facts: dict[str, Any]) -> str:
    """The model card: what the adapter is, what it was made of, what it came to."""
    o, counts, figures = config.objective, facts["counts"], facts["figures"]
    seen = (
        "curated by people" if facts["data"]["curated"] else "**not curated**: no person has seen the paths"
    )
    made = "by a toy model" if facts.get("toy") else "by a served model"
    lora = config.lora
    rows = [
        ("loss", f"{o.loss}, λ {o.lam:g}, target {o.target}, span {o.span}, norm {o.norm}"),
        ("LoRA", f"rank {lora.rank}, alpha {lora.alpha or 2 * lora.rank}, {lora.targets}"),
        (
            "steps",
            f"{figures['steps']} of {config.questions_per_step} examples each, {config.epochs:g} epochs",
        ),
        ("learning rate", f"{config.learning_rate:g}, cosine, warm-up {config.warmup:g}"),
        ("seed", str(config.seed)),
        ("examples", f"{counts['trained']} trained, {counts['held_out']} held out"),
        ("pairs", f"{counts['pairs']}, {seen}"),
        ("left out", ", ".join(f"{n} {why}" for why, n in counts["left_out"].items()) or "nothing"),
        ("paths and branches made", made),
        ("prompt", facts["prompt"]),
        *((f"sha256 of {name}", f"`{found}`") for name, found in facts["data"]["sha256"].items()),
        ("versions", ", ".join(f"{name} {version}" for name, version in facts["versions"].items())),
    ]
    lines = [f"| {name} | {value} |" for name, value in rows]
    watched = figures.get("watched", {})
    measured = [
        f"| {name} | {start:.4f} | {watched['end'][name]:.4f} |"
        for name, start in watched.get("start", {}).items()
        if name in watched.get("end", {})
    ]
    return "\n".join(
        [
            "---",
            f"base_model: {config.model}",
            "library_name: peft",
            "tags: [lora, safety, vision-language, srpo]",
            "---",
            "",
            f"# A LoRA adapter of {config.model}, trained with {o.loss.upper().replace('_', '-')}",
            "",
            "It teaches the model to see danger that neither the picture nor the text shows alone, and to",
            f"help safely. Made with ssui_gen {facts['ssui_gen']} (arXiv 2509.12060). The licence of the",
            "base model applies.",
            "",
            "| what | value |",
            "|---|---|",
            *lines,
            "",
            "Watched examples, before and after:",
            "",
            "| figure | start | end |",
            "|---|--:|--:|",
            *measured,
            "",
            "What each figure means stands in `ssui_train/tally.py`. These are likelihoods, not behaviour:",
            "measure answers before you trust the adapter.",
            "",
        ]
    )
