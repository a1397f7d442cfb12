"""Which models are served with a chat template of ours instead of their own, and why. Starts nothing.

A template that trims the last turn, shows the system text as a Python list, lets it go once an answer has
begun or opens thoughts cannot carry a policy on from a prefix. The files of `templates/` render a question as
those that the families publish, byte for byte, and leave an answer that is begun as it stands
(`tests/test_chat_templates.py` compares). They know no tools, films or sounds: nobody here sends them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "templates"
FLAG = "chat-template"


class Family(NamedTuple):
    """Models that need a template."""

    file: str
    mark: str
    """An expression for what their own template writes; one that does not is of another make."""
    kinds: tuple[str, ...]
    """`model_type` of their configs; none where only the name tells."""
    name: str
    """An expression that their names on a hub match, without case."""
    why: str
    """What their own template does."""
    tower: str = ""
    """`model_type` of the tower that a config must name, where the kind alone does not tell."""
    quiet: bool = False
    """Not for a model that is to think."""


TRIMS = "trims an answer that is begun, so that a branch would not start on a line of its own"
LISTS = "; its first revisions print the system text as a Python list"
THINKS = "opens thoughts before an answer, and trims one that is begun"
DROPS = "drops the system text once an answer has begun"
TURN = r"<\|turn>"
UNTHOUGHT = r"<\|channel>thought(?:\\n|\n)<channel\|>"
"""The empty thoughts with which the larger Gemma 4 alone begin an answer."""
SMALL = r"gemma-?4.*\be[24]b"
QWEN = ("qwen3_5", "qwen3_5_moe")
"""The architecture of Qwen3.8 too."""
EFFORT = "reasoning_effort"
GLM = ("glm4v", "glm4v_moe", "glm46v")
FAMILIES = (
    Family("gemma3.jinja", "<start_of_turn>", ("gemma3",), r"medgemma|gemma-?3(?!n)", TRIMS),
    Family("gemma4_e.jinja", TURN, (), SMALL, TRIMS + LISTS),
    Family("gemma4.jinja", UNTHOUGHT, ("gemma4",), r"gemma-?4", TRIMS + LISTS),
    Family("gemma4_e.jinja", TURN, ("gemma4",), SMALL, TRIMS + LISTS),
    Family("glm4v.jinja", "/nothink", GLM, r"glm-4[._][56]v", THINKS),
    Family("qwen3_8.jinja", EFFORT, (), r"qwen3\.8", THINKS, quiet=True),
    Family("qwen3_5.jinja", r"'</think>' in content", QWEN, r"qwen3\.[56]", THINKS),
    Family("qwen3_8.jinja", EFFORT, QWEN, r"qwen3\.8", THINKS, quiet=True),
    Family("pixtral.jinja", r"\[INST\]", ("llava",), r"^(?!mistralai/).*pixtral", DROPS, tower="pixtral"),
)
"""The first that fits counts, by its own template too where that is at hand. GLM-4.1V is of GLM's kind and
thinks always: its template has no `/nothink`.
"""
PLACES = {
    "chat_template.jinja": "",
    "chat_template.json": "chat_template",
    "tokenizer_config.json": "chat_template",
}
"""Where a model's folder has its template: a file, or a field of one."""


def template_for(
    kind: str, name: str, tower: str = "", own: str | None = None, thinking: bool = False
) -> Path | None:
    """The file with which a model is to be served and trained; None where its own does.

    `kind` and `tower` are those of its config, empty where that is not at hand; then its name on a hub tells.
    `own` is the text of its own template, where it is at hand; `thinking`: whether it is to think first.
    """
    fitting = (family for family in FAMILIES if _fits(family, kind, name.lower(), tower, own))
    found = next(fitting, None)
    return FOLDER / found.file if found and not (thinking and found.quiet) else None


def _fits(family: Family, kind: str, name: str, tower: str, own: str | None) -> bool:
    if own is not None and not re.search(family.mark, own):
        return False
    if not kind or not family.kinds:
        return re.search(family.name, name) is not None
    return kind in family.kinds and family.tower in ("", tower)


def template_flags(name: str, folder: Path | None, thinking: bool = False) -> dict[str, str]:
    """vLLM's flag for it, by the model's files, else by its name; none where its own template does."""
    config = _read(folder / "config.json") if folder else {}
    tower = dict(config.get("vision_config") or {}).get("model_type", "")
    own = _own(folder) if folder else None
    file = template_for(str(config.get("model_type", "")), name, str(tower), own, thinking)
    return {FLAG: str(file)} if file else {}


def _own(folder: Path) -> str | None:
    for name, field in PLACES.items():
        file = folder / name
        if file.is_file() and (text := _read(file).get(field) if field else file.read_text("utf-8")):
            return str(text)
    return None


def _read(file: Path) -> dict[str, Any]:
    """A file of JSON; empty where there is none: whoever starts the model says what is wrong with it."""
    try:
        return dict(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}


def told(flags: Mapping[str, Any]) -> str:
    """In one sentence that a template of ours is taken and why; empty where these flags name none."""
    family = next((one for one in FAMILIES if flags.get(FLAG) == str(FOLDER / one.file)), None)
    if family is None:
        return ""
    return (
        f"Served with our chat template {family.file}: the model's own {family.why}. Its own, nevertheless: "
        f"serve: {{flags: {{{FLAG}: null}}}} in run.yaml"
    )
