"""A trained adapter → the files that a stranger needs to load, judge and cite it.

What stays behind: checkpoints, logs, the optimiser, and where anything lay. The weights are copied as they
are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import read_object
from ssui_gen.licences import OTHER, terms_of
from ssui_gen.publishing.facts import About, shown_model
from ssui_gen.publishing.folder import copied
from ssui_gen.publishing.templates import Sure, front_matter, rendered

WEIGHTS, CONFIG, FACTS = "adapter_model.safetensors", "adapter_config.json", "training.json"
MEASURED, CURVES = "measured.json", "curves.png"
COPIED = (
    *(WEIGHTS, CURVES, "chat_template.jinja", "processor_config.json", "preprocessor_config.json"),
    *(
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
    ),
    *("merges.txt", "tokenizer.model"),
)
"""All that is taken as it stands; whatever else lies in the folder stays there."""
BASE = "base_model_name_or_path"
PLACES = ("run", "seeds", "output", "adapter", "model", "prompt")
"""Settings that name a place on this computer."""
_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def write(source: Path, fresh: Path, about: About, base: str) -> None:
    """All files but the list. Raises ConfigError for what is no finished adapter."""
    facts = _finished(source)
    name = base or str(facts.get("base", {}).get("model", ""))
    taken = copied(source, fresh, {one: one for one in COPIED})
    if WEIGHTS not in taken:
        raise ConfigError(f"{source / WEIGHTS}: no such file: expected the folder of a finished adapter")
    config = {**(read_object(source / CONFIG) or {}), BASE: shown_model(name)}
    told = _public(facts, name)
    measured = read_object(source / MEASURED)
    for file, value in ((CONFIG, config), (FACTS, told), (MEASURED, measured and _measured(measured, name))):
        if value:
            atomic_write(fresh / file, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    atomic_write(fresh / "README.md", card(told, measured, about, curves=CURVES in taken))


def _finished(source: Path) -> dict[str, Any]:
    facts = read_object(source / FACTS)
    if not facts or "figures" not in facts:
        raise ConfigError(
            f"{source / FACTS}: says nothing of a finished training: expected the folder of an adapter"
        )
    return facts


def run_of(source: Path) -> Path:
    """The run that it was trained on, whose people and places must not be in it."""
    return Path(str(_finished(source).get("settings", {}).get("run") or source.parent))


def made_with(source: Path) -> str:
    return f"ssui_gen {_finished(source).get('ssui_gen', '')}"


def _public(facts: Mapping[str, Any], base: str) -> dict[str, Any]:
    """What training.json says, without places."""
    settings = {key: value for key, value in facts.get("settings", {}).items() if key not in PLACES}
    return {**facts, "base": {**facts.get("base", {}), "model": shown_model(base)}, "settings": settings}


def _measured(measured: Mapping[str, Any], base: str) -> dict[str, Any]:
    """Figures and how they were counted; what they were made of are hashes."""
    return {**measured, "base": shown_model(base)}


def card(facts: Mapping[str, Any], measured: Mapping[str, Any] | None, about: About, *, curves: bool) -> str:
    """README.md."""
    base, terms = str(facts["base"]["model"]), terms_of(about.licence)
    head = {
        **({"base_model": base} if _HUB.fullmatch(base) else {}),
        "library_name": "peft",
        "license": terms.hub,
        **({"license_name": "see-card", "license_link": "README.md"} if terms.hub == OTHER else {}),
        "pipeline_tag": "image-text-to-text",
        "language": [about.language],
        "tags": ["lora", "safety", "vision-language", "srpo", "ssui"],
    }
    return rendered(
        "adapter.md",
        head=front_matter(head),
        about=about,
        facts=facts,
        base=base,
        terms=terms,
        figures=list((measured or {}).get("figures", {}).items()),
        n=(measured or {}).get("n"),
        watched=_watched(facts),
        curves=curves,
        toy=bool(facts.get("toy")),
        percent=_percent,
        points=_points,
        link=Sure(f" ([text]({terms.url}))" if terms.url else ""),
    )


def _percent(one: Mapping[str, Any]) -> Sure:
    """`55.0 % (48.1 – 61.7)`; a dash where there is none."""
    if one.get("share") is None:
        return Sure("–")
    low, high = one.get("low"), one.get("high")
    return Sure(
        f"{100 * one['share']:.1f} %"
        + ("" if low is None or high is None else f" ({100 * low:.1f} – {100 * high:.1f})")
    )


def _points(one: Mapping[str, Any]) -> Sure:
    """How far it moved, with the interval of the same pairs where that is known."""
    before, after, change = one["before"].get("share"), one["after"].get("share"), one.get("change") or {}
    if change.get("points") is not None and change.get("low") is not None:
        return Sure(f"{change['points']:+.1f} ({change['low']:+.1f} – {change['high']:+.1f})")
    return Sure("–" if before is None or after is None else f"{100 * (after - before):+.1f}")


def _watched(facts: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """What the training saw of examples that it did not learn: before, after."""
    watched = facts["figures"].get("watched", {})
    start, end = watched.get("start", {}), watched.get("end", {})
    return [(name, start[name], end[name]) for name in start if name in end]
