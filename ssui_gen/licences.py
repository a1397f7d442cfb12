"""What a licence, as people write it, lets be given away again. Pure; no lawyer.

Known by name are the licences that allow everybody to pass data on, changed and for any use. Whatever else is
written, or nothing, does not: a licence is not guessed from what it fails to say.
"""

from __future__ import annotations

import re

UNKNOWN = "unknown"
MARK = "; do not publish"
_OPEN = re.compile(
    r"cc0|cc by(?: sa)?|mit|apache|bsd|isc|pddl|odc by|odbl|unlicense|public domain|cdla permissive"
)
_ENOUGH = re.compile(r"\d+|clause|license|licence|international|the|v\d*|only|or later|igo|dedication|zero")
_FORBIDS = (
    (re.compile(r"\bnc\b|non ?commercial"), "allows no commercial use"),
    (re.compile(r"\bnd\b|no ?deriv"), "allows no changed copies, and a reasoning path is one"),
    (re.compile(r"research|academic|educational|prohibited|personal use"), "allows some uses alone"),
)


def forbids(licence: str | None) -> str:
    """Why data under `licence` must not be in what is published; empty where it may be."""
    words = " ".join(
        re.findall(r"[a-z0-9]+", (licence or "").lower().replace("noncommercial", "non commercial"))
    )
    if not words or words.startswith((UNKNOWN, "none seen")):
        return "nobody has said which licence it has"
    for mark, why in _FORBIDS:
        if mark.search(words):
            return f"{licence}: {why}"
    rest = _OPEN.sub(" ", words, count=1)
    if rest == words or _ENOUGH.sub(" ", rest).strip():
        return f"{licence}: is none that is known to let data be passed on"
    return ""


def marked(licence: str) -> str:
    """The licence as a row names it: where it does not let data be given away, it says so itself."""
    return f"{licence.removesuffix(MARK)}{MARK}" if forbids(licence) else licence


def forbids_training(licence: str | None) -> str:
    """Why no model may be trained on data under `licence`, where it says so in words; else empty."""
    words = (licence or "").lower()
    if "train" in words and re.search(r"prohibit|forbid|not allowed|no (?:model )?train|not be used", words):
        return f"{licence}: allows no training"
    return ""
