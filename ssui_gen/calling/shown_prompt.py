"""What a chat template made of a question: is all of it there, in its place, and as words? Pure.

Told by the rendered prompt that a server shows (vLLM: `return_prompt_text`) of a request whose texts are
known. There are templates that drop a system text (BLIP-2's), print it as a Python list (Gemma 4's first) or
have no place for a picture. Why an answer that is begun is not gone on with, `exploring.rendered` says.
"""

from __future__ import annotations

import json
import re
from typing import Literal, NamedTuple

from ssui_gen.reading import OPENS

TEMPLATE = "serve with a chat template that shows it (vLLM: --chat-template)"
PICTURE = re.compile(r"[<\[(][^<>\[\]\s]*(?:image|img|vision|picture|media)[^<>\[\]\s]*[>\])]", re.IGNORECASE)
"""A mark that stands for a picture, whatever the family: `<|image_pad|>`, `<start_of_image>`, `[IMG]`."""
OPEN = re.compile(
    rf"(?:{OPENS}|<\|(?:start_)?think(?:ing)?\|>|<\|channel\|>(?:thought|analysis)(?:<\|message\|>)?)\s*\Z",
    re.IGNORECASE,
)
"""Thoughts that are opened and not closed at a prompt's very end."""
AS_A_VALUE = re.compile(r"""["']text["']:\s*["']\Z""")
"""What stands before a text that is printed as part of a list."""


class Fault(NamedTuple):
    """What is wrong with a prompt."""

    what: Literal["system", "user", "picture"]
    how: Literal["lost", "listed", "late"]
    """Not shown; printed as a list of Python; behind the text before which it was sent, which only costs."""
    words: str


def amiss(shown: str, system: str, user: str) -> tuple[Fault, ...]:
    """What is wrong with a prompt, the text first and the picture last; nothing where it shows what was sent.

    `shown`: the rendered prompt of one request with the system text `system` and a user's turn of a picture
    and, behind it, the text `user`; texts of several words, neither of which stands in the other. A picture
    is told by the common form of its marks, which not every family writes. White space may differ, as
    templates trim. That a system text stands in the user's own turn (Gemma 3, Pixtral) is nothing wrong.
    """
    texts = [*_of_text("system", "system text", shown, system), *_of_text("user", "user's text", shown, user)]
    return (*texts, *_of_picture(shown, user))


def thinks_first(shown: str) -> bool:
    """Whether a rendered prompt ends with thoughts opened: whatever is generated begins with them."""
    return OPEN.search(shown) is not None


def goes_on(root: str, begun: str, shown: str) -> bool:
    """Whether a prompt is that of the root and then, to the letter, an answer that is begun. White space
    where they meet may differ: a template may write the blank that a model would (LLaVA's `ASSISTANT:`).
    """
    return shown.endswith(begun) and shown.removesuffix(begun).rstrip() == root.rstrip()


def _of_text(what: Literal["system", "user"], name: str, shown: str, text: str) -> list[Fault]:
    place = _place(shown, text)
    if place is not None and not AS_A_VALUE.search(shown[:place]):
        return []
    if place is not None or any(one in shown for one in _escaped(text)):
        listed = f"the {name} is shown as a list of Python, {_around(shown, text)!r}"
        return [Fault(what, "listed", f"{listed}: {TEMPLATE} as words")]
    return [Fault(what, "lost", f"the {name} is not shown at all: {TEMPLATE}")]


def _escaped(text: str) -> tuple[str, ...]:
    """As a list of Python or JSON holds it."""
    return repr(text)[1:-1], json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]


def _around(shown: str, text: str) -> str:
    """The beginning of the list in which it stands."""
    place = next(shown.find(one) for one in (text, *_escaped(text)) if one in shown)
    return shown[max(0, shown.rfind("[", 0, place)) : place + 20]


def _place(shown: str, text: str) -> int | None:
    """Where `text` last begins, runs of white space taken for equal; None where it is not."""
    places = [found.start() for found in re.finditer(r"\s+".join(map(re.escape, text.split())), shown)]
    return places[-1] if places else None


def _of_picture(shown: str, user: str) -> list[Fault]:
    picture, text = PICTURE.search(shown), _place(shown, user)
    if picture is None:
        lost = f"the picture has no place in the prompt: {TEMPLATE}, or a model that sees"
        return [Fault("picture", "lost", lost)]
    if text is not None and picture.start() > text:
        late = "the picture is shown behind the user's text, before which it was sent"
        return [Fault("picture", "late", f"{late}: calls about one picture share less of their prompts")]
    return []
