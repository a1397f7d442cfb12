"""HTML by hand, little of it: a page, bars, a table. Everything that comes from a model is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from string import Template

GOOD, BAD, OPEN, CALM = "#2e8b57", "#c0392b", "#b8b8b8", "#4a6fa5"
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222 }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
h1, h2 { font-weight: 600 } a { color: #2a5db0 } table { border-collapse: collapse; margin: .5rem 0 1.5rem }
td, th { padding: .2rem .8rem; text-align: left; border-bottom: 1px solid #eee; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.bar { display: flex; height: 1rem; width: 24rem; background: #f4f4f4 } .bar span { display: block }
.tree { display: grid; grid-template-columns: 1fr 1.2fr 1fr; gap: .6rem 1rem; align-items: start }
.step { background: #f4f6fa; border-left: 4px solid #4a6fa5; padding: .5rem .8rem }
details { border-left: 4px solid; padding: .2rem .6rem; margin-bottom: .3rem; background: #fafafa }
details pre { white-space: pre-wrap; font: 13px/1.4 ui-monospace, monospace; margin: .4rem 0 }
summary { cursor: pointer } img { max-width: 22rem; border: 1px solid #ddd }
"""
PAGE = Template(
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:\">"
    "<title>$title</title><style>$style</style><h1>$title</h1>$body</html>\n"
)


def page(title: str, *parts: str) -> str:
    return PAGE.substitute(title=escape(title), style=STYLE, body="\n".join(parts))


def section(title: str, *parts: str) -> str:
    return f"<h2>{escape(title)}</h2>\n" + "\n".join(parts)


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def link(text: str, target: str) -> str:
    return f'<a href="{escape(target)}">{escape(text)}</a>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML; those that begin with a digit stand to the right."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    return f"<table><tr>{top}</tr>{''.join(map(_row, rows))}</table>"


def _row(cells: Sequence[str]) -> str:
    kinds = (' class="number"' if cell[:1].isdigit() else "" for cell in cells)
    return "<tr>" + "".join(f"<td{k}>{c}</td>" for k, c in zip(kinds, cells, strict=True)) + "</tr>"


def bar(parts: Mapping[str, float], whole: float) -> str:
    """Coloured lengths, of `whole` together at most; by colour."""
    if not whole:
        return '<div class="bar"></div>'
    spans = (
        f'<span style="width:{100 * n / whole:.1f}%;background:{colour}"></span>'
        for colour, n in parts.items()
    )
    return f'<div class="bar">{"".join(spans)}</div>'


def fold(title: str, text: str, colour: str) -> str:
    """A line that opens to a text."""
    return folded(title, f"<pre>{escape(text)}</pre>", colour)


def folded(title: str, inner: str, colour: str) -> str:
    """A line that opens to some HTML."""
    return f'<details style="border-color:{colour}"><summary>{escape(title)}</summary>{inner}</details>'
