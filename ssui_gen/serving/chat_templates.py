"""Which models are served with a chat template of ours instead of their own, and why. Pure; starts nothing.

A template that trims the last turn, shows the system text as a Python list, lets it go once an answer has
begun or opens thoughts cannot carry a policy on from a prefix. The files of `templates/` render a question as
those that the families publish, byte for byte, and leave an answer that is begun as it stands
(`tests/test_chat_templates.py` compares). They know no tools, films or sounds: nobody here sends them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "templates"
FLAG = "chat-template"


class Family(NamedTuple):
    """Models that need a template."""

    file: str
    kinds: tuple[str, ...]
    """`model_type` of their configs; none where only the name tells."""
    name: str
    """An expression that their names on a hub match, without case."""
    why: str
    """What their own template does."""
    tower: str = ""
    """`model_type` of the tower that a config must name, where the kind alone does not tell."""


TRIMS = "trims an answer that is begun, so that a branch would not start on a line of its own"
LISTS = "; its first revisions print the system text as a Python list"
THINKS = "opens thoughts before an answer, and trims one that is begun"
DROPS = "drops the system text once an answer has begun"
FAMILIES = (
    Family("gemma4_e.jinja", (), r"gemma-?4.*\be[24]b", TRIMS + LISTS),
    Family("gemma4.jinja", ("gemma4",), r"gemma-?4", TRIMS + LISTS),
    Family("gemma3.jinja", ("gemma3",), r"gemma-?3(?!n)", TRIMS),
    Family("glm4v.jinja", ("glm4v", "glm4v_moe", "glm46v"), r"glm-4[._][56]v", THINKS),
    Family("qwen3_5.jinja", ("qwen3_5", "qwen3_5_moe"), r"qwen3\.[56]", THINKS),
    Family("pixtral.jinja", ("llava",), r"^(?!mistralai/).*pixtral", DROPS, tower="pixtral"),
)
"""The first that fits counts."""
ALWAYS_THINKS = r"glm-4[._]1v"
"""Of a kind above, but trained to think always: no template helps."""


def template_for(kind: str, name: str, tower: str = "") -> Path | None:
    """The file with which a model is to be served; None where its own does.

    `kind` and `tower` are those of its config, empty where that is not at hand; then its name on a hub tells.
    """
    found = next((family for family in FAMILIES if _fits(family, kind, name.lower(), tower)), None)
    return FOLDER / found.file if found and not re.search(ALWAYS_THINKS, name.lower()) else None


def _fits(family: Family, kind: str, name: str, tower: str) -> bool:
    if not kind or not family.kinds:
        return re.search(family.name, name) is not None
    return kind in family.kinds and family.tower in ("", tower)


def told(command: Sequence[str]) -> str:
    """In one sentence that a template of ours is taken and why; empty where the command names none."""
    name = next((after for word, after in pairwise(command) if word == f"--{FLAG}"), "")
    family = next((family for family in FAMILIES if name == str(FOLDER / family.file)), None)
    if family is None:
        return ""
    return (
        f"Served with our chat template {family.file}: the model's own {family.why}. Its own, nevertheless: "
        f"serve: {{flags: {{{FLAG}: null}}}} in run.yaml"
    )
