"""Texts of replies and rows, by how long they may be.

The length is a rule of ours, checked when a reply is read. To a server it is told in words alone: one that
enforces `maxLength` ends the text at that character, mid-sentence and in silence.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints, WithJsonSchema

LONGEST_LINE, LONGEST_TEXT, LONGEST_ANSWER = 240, 800, 2000
"""Characters."""


def _up_to(longest: int) -> StringConstraints:
    return StringConstraints(min_length=1, max_length=longest, strip_whitespace=True)


def _told(longest: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": f"at most {longest} characters"})


Line = Annotated[str, _up_to(LONGEST_LINE), _told(LONGEST_LINE)]
Text = Annotated[str, _up_to(LONGEST_TEXT), _told(LONGEST_TEXT)]
Answer = Annotated[str, _up_to(LONGEST_ANSWER), _told(LONGEST_ANSWER)]
