"""The job that every peer is given: our seven agents' prompts and reply types, in a peer's own words.

Runs in a peer's environment, which needs nothing of ours but this checkout: jinja2, pydantic and PyYAML come
with every peer.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ssui_gen.branching import title  # noqa: E402
from ssui_gen.config import Config, load_cards  # noqa: E402
from ssui_gen.examples import load_examples  # noqa: E402
from ssui_gen.prompts import load_prompts  # noqa: E402
from ssui_gen.records import STEP_NAMES  # noqa: E402
from ssui_gen.replies import REPLIES  # noqa: E402
from ssui_gen.taxonomy import classes  # noqa: E402

AGENTS = ("query", "check_text", "check_image", "reasoning", "reflection", "check_joint", "summary")
CARDS = load_cards(ROOT / "agents", Config().models)
SCHEMAS: dict[str, dict[str, Any]] = {
    agent: REPLIES[CARDS[agent].reply].model_json_schema() for agent in AGENTS
}
REPLY_TYPES = {agent: REPLIES[CARDS[agent].reply] for agent in AGENTS}
PROMPTS = load_prompts(ROOT / "prompts")
EXAMPLES = load_examples(ROOT / "prompts" / "examples.yaml")
SYSTEM = {
    agent: PROMPTS[agent].render(
        **dict.fromkeys(PROMPTS[agent].variables, "")
        | {"classes": classes(), "language": "English", "examples": EXAMPLES[: CARDS[agent].examples]}
    )[0]
    for agent in AGENTS
}


def user(agent: str, hole: Callable[[str, str], str]) -> str:
    """The user text with `hole(agent, field)` wherever an earlier reply's field goes."""
    text = f"Text: {hole('query', 'text')}"
    path = "\n".join(f"{i}. {title(name)}: {hole('reasoning', name)}" for i, name in enumerate(STEP_NAMES, 1))
    suspected = f"Suspected: {hole('query', 'category')}. {hole('query', 'scenario')}"
    return {
        "query": "Kind: risky\nText: none",
        "check_text": text,
        "check_image": "Judge the picture alone.",
        "reasoning": f"{text}\n{suspected}",
        "reflection": f"{text}\n{path}",
        "check_joint": text,
        "summary": f"{text}\n{path}",
    }[agent]


def seeds(path: Path) -> list[dict[str, str]]:
    """Every seed with its picture as base64."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [row | {"picture": _base64(path.parent / row["image"])} for row in rows]


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")


globals().update({reply.__name__: reply for reply in REPLY_TYPES.values()})
