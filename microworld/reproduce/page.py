"""claims.html: one file that loads nothing: the claims, what they were measured on, every training's shares.

The frame is that of all pages. All that stands on it is ours or a number; it is escaped all the same.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from microworld.reproduce import plots
from microworld.reproduce.judging import NOT_RUN, summary
from microworld.reproduce.report import margin, told
from ssui_gen.files import atomic_write
from ssui_gen.pages.frame import plain

NAME = "claims.html"
OWN = (("microworld.reproduce", "page.css"),)
HOW = (
    "A figure is a change in points on the same held-out pairs, from the first training to the second. Its "
    "interval takes rules and data sets as drawn by chance. A claim holds if the whole interval lies beyond "
    "the margin that was fixed beforehand, fails if it lies on the other side, and is undecided otherwise."
)
WIDE = 6
"""Columns of shares in one table."""
TOOK = "Shares in %, with 95 % intervals; what each took, on average over data seeds."


def write_page(folder: Path, found: Mapping[str, Any]) -> Path:
    """The page, and its two figures beside it as PNG; returns where the page is."""
    atomic_write(folder / "claims.png", plots.forest(found["claims"], "png"))
    atomic_write(folder / "trainings.png", plots.levels(found["trainings"], "png"))
    atomic_write(folder / NAME, page(found))
    return folder / NAME


def page(found: Mapping[str, Any]) -> str:
    """The page of claims.json's content."""
    counts = ", ".join(f"{count} {word}" for word, count in summary(found["claims"]).items())
    forest, levels = (
        _picture(drawn, words)
        for drawn, words in (
            (plots.forest(found["claims"], "svg"), "all claims"),
            (plots.levels(found["trainings"], "svg"), "what trainings make safe, and what they cost"),
        )
    )
    body = (
        _section("Claims", _note(HOW), forest, _claims(found)),
        _section("Trainings", _note(TOOK), levels, _trainings(found)),
        _section("Made of", _made_of(found)),
    )
    return plain(
        "The paper's claims, measured where the truth is known",
        f"{counts}; seeds of the set “{found['provenance']['set']}”",
        "\n".join(body),
        style=OWN,
    )


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def _note(words: str) -> str:
    return f'<p class="note">{escape(words)}</p>'


def _picture(drawn: bytes, words: str) -> str:
    data = base64.b64encode(drawn).decode()
    alt = f"{escape(words)}: the table below says the same"
    return f'<div class="frame plot"><img alt="{alt}" src="data:image/svg+xml;base64,{data}"></div>'


def _table(title: str, head: Sequence[str], rows: Iterable[str]) -> str:
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(title)}"><table>'
        f"<thead><tr>{top}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _claims(found: Mapping[str, Any]) -> str:
    head = ("no.", "claim", "trainings", "measure", "points (95 %)", "margin", "n", "verdict")
    rows = (line for row in found["claims"] for line in _claim(row))
    return _table("Claims", head, rows)


def _claim(row: Mapping[str, Any]) -> Iterable[str]:
    first = "not" if row["verdict"].startswith(NOT_RUN) else row["verdict"]
    yield _row(str(row["number"]), f"{row['claim']} ({row['source']})", row, first)
    for part in row["parts"]:
        yield _row("", "", part, part["verdict"])


def _row(number: str, words: str, row: Mapping[str, Any], kind: str) -> str:
    cells = (number, words, row["trainings"] or "", row["measure"] or "")
    figures = (told(row), margin(row), str(row["n"] or ""))
    body = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    body += "".join(f'<td class="number">{escape(cell)}</td>' for cell in figures)
    return f'<tr>{body}<td class="{escape(kind)}">{escape(row["verdict"])}</td></tr>'


def _trainings(found: Mapping[str, Any]) -> str:
    """Shares, a few a table, then what each training took."""
    every = found["trainings"]
    names = list(dict.fromkeys(name for one in every for name in one["shares"]))
    facts = list(dict.fromkeys(name for one in every for name in one["facts"]))
    tables = [names[start : start + WIDE] for start in range(0, len(names), WIDE)]
    shares = [_numbers(some, every, lambda one, name: _share(one["shares"].get(name))) for some in tables]
    return "".join([*shares, _numbers(facts, every, _fact)])


def _numbers(
    names: Sequence[str], every: Sequence[Mapping[str, Any]], told: Callable[[Mapping[str, Any], str], str]
) -> str:
    """A line for each training, a column for each name."""
    head = ("training", *(name.replace("_", " ") for name in names))
    rows = (
        f'<tr><th scope="row">{escape(one["training"])}</th>'
        + "".join(f'<td class="number">{told(one, name)}</td>' for name in names)
        + "</tr>"
        for one in every
    )
    return _table(f"Trainings: {', '.join(head[1:])}", head, rows)


def _fact(one: Mapping[str, Any], name: str) -> str:
    return f"{one['facts'][name]:,.0f}" if name in one["facts"] else ""


def _share(one: Mapping[str, Any] | None) -> str:
    return f"{one['share']:.1f} ({one['low']:.0f} – {one['high']:.0f})" if one else ""


def _made_of(found: Mapping[str, Any]) -> str:
    told_ = {**found["provenance"], **found["made_of"]}
    rows = (
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(str(value))}</td></tr>'
        for name, value in told_.items()
    )
    return _table("Made of", ("what", "which"), rows)
