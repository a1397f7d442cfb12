"""The sandboxed door of cards: Markdown from a template of `cards/`; no value in it can be more than words.

What people and models wrote (names, licences, sources, contacts) reaches a card on one line, with its HTML,
Markdown and control characters escaped. What is Markdown or YAML on purpose is marked as such (`Sure`).
"""

from __future__ import annotations

import html
import json
import re
from functools import cache
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ssui_gen import yamls
from ssui_gen.terminal import harmless

PACKAGE = "ssui_gen.publishing"
_MARKS = re.compile(r"([\\`*\[\]|]|(?<![^\W_])_|_(?![^\W_]))")
"""An underscore inside a word is none."""


class Sure(str):
    """Markdown of our own making."""

    __slots__ = ()


def inert(value: Any) -> Any:
    """A text as words on one line, whatever stands in it; all else as it is."""
    if isinstance(value, Sure) or not isinstance(value, str):
        return value
    plain = " ".join(harmless(value).split())
    return Sure(_MARKS.sub(r"\\\1", html.escape(plain, quote=False)))


def code(value: object) -> Sure:
    """A name or a hash as a code span."""
    return Sure(f"`{' '.join(re.sub(r'[`|<>]', ' ', harmless(str(value))).split()) or '–'}`")


def front_matter(values: dict[str, Any]) -> Sure:
    """What the hub reads of a card, as YAML between two lines."""
    return Sure(f"---\n{yamls.dump(values)}---")


def rendered(template: str, **values: Any) -> str:
    """A card of `cards/`."""
    return _templates().get_template(template).render(values)


@cache
def _templates() -> jinja2.Environment:
    made = ImmutableSandboxedEnvironment(
        loader=jinja2.PackageLoader(PACKAGE, "cards"), autoescape=False, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, finalize=inert,
    )  # fmt: skip
    made.filters |= {
        "code": code,
        "count": lambda n: Sure(f"{n:,}"),
        "sure": Sure,
        "line": line,
        "quoted": quoted,
    }
    return made


def line(value: str) -> Sure:
    """Words on one line, for a file that is plain text."""
    return Sure(" ".join(harmless(value).split()))


def quoted(value: str) -> Sure:
    """A Python string, in a block of code that nothing in it can end."""
    return Sure(json.dumps(" ".join(harmless(value).split()).replace("`", "'")))
