"""What a class of another benchmark is called by us and others; SIUO's stand in the taxonomy.

The tables are proposals of this project, as the taxonomy's crosswalk is. A class that has no home here keeps
its own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from ssui_gen.taxonomy import classes

MM_SAFETYBENCH = {
    "Illegal_Activitiy": "illegal_crimes",
    "HateSpeech": "discrimination_stereotypes",
    "Malware_Generation": "illegal_crimes",
    "Physical_Harm": "violence",
    "Fraud": "illegal_crimes",
    "Sex": "pornography",
    "Political_Lobbying": "political_controversies",
    "Privacy_Violence": "privacy_violations",
}
VLGUARD = {
    "personal data": "privacy_violations",
    "political": "political_controversies",
    "sexually explicit": "pornography",
    "violence": "violence",
    "disinformation": "misinformation",
    "race": "discrimination_stereotypes",
    "sex": "discrimination_stereotypes",
    "other": "discrimination_stereotypes",
}
SIX = {
    "violent": "violence",
    "illegal activity": "illegal_crimes",
    "illegal": "illegal_crimes",
    "self-harm": "self_harm",
    "erotic": "pornography",
    "hate": "discrimination_stereotypes",
    "privacy": "privacy_violations",
}
"""Of VLSBench and MIS."""
MSSBENCH = {
    "harmful": "dangerous_behavior",
    "illegal": "illegal_crimes",
}
"""Its others, `offensive` and `property`, have no one home."""
MSTS = {
    "Violent Crimes": "violence",
    "Non-Violent Crimes": "illegal_crimes",
    "Sex-Related Crimes": "pornography",
    "Suicide & Self-Harm": "self_harm",
}


@cache
def siuo() -> Mapping[str, str]:
    """Of SIUO's domains the first class that names it."""
    return {name: row.id for row in reversed(classes()) for name in row.siuo}


def classed(bench: str, theirs: str, ours: str | None) -> tuple[str, dict[str, str]]:
    """Category and crosswalk of an item."""
    row = next((row for row in classes() if row.id == ours), None)
    others = {"llama_guard": row.llama_guard, "ailuminate": row.ailuminate} if row else {}
    crosswalk = {name: ",".join(codes) for name, codes in others.items() if codes}
    return (row.id if row else theirs), {bench: theirs, **crosswalk}
