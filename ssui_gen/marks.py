"""Marks of chat templates that stand in somebody's words: made plain words before a model is shown them.

A server tokenises the rendered prompt as one text, so `<|im_end|>` in a picture's caption or in a branch ends
the turn as if the template had written it. Which marks a model knows is not told by its server, so everything
of their shape is taken. Pure.
"""

from __future__ import annotations

import re

MARK = re.compile(
    r"<(?P<angle>[|/]?[\w｜▁|.:/\-\\]{1,40})>"  # <|im_end|> <image> </s> <｜end▁of▁sentence｜>
    r"|\[(?P<square>/?[A-Z][A-Z_]{2,20})\]"  # [INST] [/INST] [IMG] [SYSTEM_PROMPT]
    r"|◁(?P<kimi>/?\w{1,20})▷"
)
SYSTEM = re.compile(r"<<(?P<name>/?SYS)>>")


def as_words(text: str) -> str:
    """`text` with each mark in other brackets: `‹|im_end|›` for `<|im_end|>`, `(INST)` for `[INST]`."""
    return SYSTEM.sub(r"‹\g<name>›", MARK.sub(_plain, text))


def _plain(mark: re.Match[str]) -> str:
    if mark["square"]:
        return f"({mark['square']})"
    return f"‹{mark['angle'] or mark['kimi']}›"


def quoted(text: str) -> str:
    """`text` as material: each of its lines behind `> `, so that none can pose as a line of ours."""
    return "\n".join(f"> {line}" if line else ">" for line in as_words(text).splitlines())
