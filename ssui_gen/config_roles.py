"""The usual roles of a run, and which role's model plays which: `like`, followed to its end.

What a role says of its model stands in its settings; this knows names alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

USUAL_ROLES: dict[str, dict[str, str]] = {
    "vlm": {},
    "text": {"like": "vlm"},
    "judge": {"like": "vlm"},
    "joint": {"like": "judge"},
    "guard": {"like": "vlm"},
    "policy": {"like": "vlm"},
}
"""Agents that see the picture; the check of the text alone; what judges branches; the check of picture and
text together, the hardest for a small model; a guard model that may judge branches; what is to be trained."""


def with_usual_roles(given: Any) -> Any:
    """Settings of roles, those that they do not name as usual."""
    return {**USUAL_ROLES, **given} if isinstance(given, dict) else given


def followed(likes: Mapping[str, str | None], role: str) -> str:
    """The role at the end of the likes that begin at `role`; raises ValueError for a circle, and for a like
    that names none.
    """
    way = [role]
    while like := likes[way[-1]]:
        if like not in likes:
            raise ValueError(
                f"models.{way[-1]}: like: expected one of {', '.join(sorted(likes))}; got {like!r}"
            )
        if like in way:
            circle = " → ".join([*way[way.index(like) :], like])
            raise ValueError(
                f"models.{like}: like: a circle, {circle}: say of one of them which model plays it, "
                "with name or base_urls"
            )
        way.append(like)
    return way[-1]
