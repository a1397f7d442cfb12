"""The one frame of our pages: a template, a stylesheet and a script that all share. Pure.

A page is one file that runs and loads nothing but its own; words of models are escaped, or data that the
script puts there as text. What is special to a page stands in its package's `web/`. The review page has a
frame of its own, for its three columns, and takes look and scripts from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ssui_gen.sealed import as_data, policy
from ssui_gen.terminal import harmless

PAGES = "ssui_gen.pages"
Part = tuple[str, str]
"""A package, and a file in its `web/`."""
STYLES: tuple[Part, ...] = ((PAGES, "look.css"), (PAGES, "doc.css"))
SCRIPTS: tuple[Part, ...] = tuple((PAGES, f"{name}.js") for name in ("words", "kept", "enlarge", "frame"))
START: Part = (PAGES, "start.js")
BEGIN = '"use strict";\nconst DATA = JSON.parse(document.getElementById("data").textContent);\n'


def rendered(
    template: str,
    own: str,
    *,
    styles: Sequence[Part] = (),
    scripts: Sequence[Part] = (START,),
    images: str = "data:",
    data: Mapping[str, Any] | None = None,
    filters: Mapping[str, Any] | None = None,
    **values: Any,
) -> str:
    """A page of the package `own`: its template extends `base.html`, its styles and scripts come behind the
    shared ones. `images` says where pictures may come from, `data` is what its script reads.
    """
    style, script = joined((*STYLES, *styles)), BEGIN + joined((*SCRIPTS, *scripts))
    page = _templates(own, tuple(sorted((filters or {}).items()))).get_template(template)
    return page.render(
        policy=policy(style, script, images),
        style=Markup(style),
        script=Markup(script),
        data=Markup(as_data(data or {})),
        **values,
    )


def plain(title: str, made: str, body: str, *, style: Sequence[Part] = ()) -> str:
    """A page whose content is HTML already, escaped by whoever made it."""
    return rendered("base.html", PAGES, styles=style, title=title, made=made, body=Markup(body))


@cache
def _templates(own: str, more: tuple[tuple[str, Any], ...]) -> Environment:
    made = Environment(
        loader=ChoiceLoader([PackageLoader(own, "web"), PackageLoader(PAGES, "web")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
    )
    made.filters |= {"count": count, **dict(more)}
    made.globals |= {"widths": widths}
    return made


def _plain(value: Any) -> Any:
    """Control characters in what others wrote are seen, not obeyed."""
    return harmless(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def count(n: float) -> str:
    """`1,234`."""
    return f"{n:,.0f}"


def widths(counts: Iterable[int]) -> list[tuple[float, float]]:
    """Where each part of a stacked bar begins, and how wide it is, in hundredths."""
    known = list(counts)
    whole, at, found = max(1, sum(known)), 0.0, []
    for part in known:
        found.append((round(at, 3), round(100 * part / whole, 3)))
        at += 100 * part / whole
    return found


@cache
def joined(parts: Sequence[Part]) -> str:
    """Styles or scripts, one behind the other."""
    return "\n".join(files(package).joinpath("web", name).read_text("utf-8") for package, name in parts)
