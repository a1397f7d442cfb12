"""Tables for the terminal: models side by side, figures by a benchmark's own rules, a judge's card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Column, Table

from ssui_gen.benching.card import ALL
from ssui_gen.benching.side_by_side import Beside
from ssui_gen.benching.telling import share, signed


def rates(beside: Beside) -> Table:
    """A row per figure; under each but the first model how it differs from the first."""
    edition = beside.results[0].edition
    title = f"{edition['bench']}, protocol {edition['protocol']}, judge {edition['judge']}: raw rates"
    made = narrow("", *map(escape, beside.names), title=escape(title))
    for row in beside.rows:
        moved = [None, *row["changes"]]
        made.add_row(row["title"], *(_cell(*one) for one in zip(row["rates"], moved, strict=True)))
    return made


def narrow(*names: str, title: str | None = None) -> Table:
    """Fits 80 columns: nothing but the lines that part rows, and what is too long goes on below."""
    columns = (Column(name, overflow="fold") for name in names)
    return Table(
        *columns, title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )


def _cell(rate: dict[str, Any], change: dict[str, Any] | None) -> str:
    """The rate and its denominator, what labels make of it, the change."""
    lines = [share(rate), f"n {rate['n']:,}"]
    if rate["corrected"]["value"] is not None:
        lines.append(f"corrected {share(rate['corrected'])}")
    if change and change["points"] is not None:
        lines += [_moved(change), _chance(change["p"])]
        if change["corrected"]["points"] is not None:
            lines.append(f"corrected {_moved(change['corrected'])}")
    return "\n".join(lines)


def _chance(p: float) -> str:
    return f"p {p:.2g}" if p >= 0.0001 else "p < 0.0001"


def _moved(change: dict[str, Any]) -> str:
    low, high = change["interval"]
    return f"{signed(change['points'])} ({signed(low)} to {signed(high)})"


def scores(found: Mapping[str, Any]) -> Table:
    """One of `report.json`'s `official`: each line with what its denominator counts, and what is unscored."""
    table = narrow(
        *("", "95 % by cluster", "n", "of", "unscored"),
        title=escape(
            f"{found['bench']}, protocol {found['protocol']}, judge {found['judge']}, asked {found['asked']}"
        ),
    )
    for line in found["lines"]:
        low, high = (f"{100 * end:.1f}" for end in line["bounds"]) if line["unscored"] else ("", "")
        lacking = f"{line['unscored']:,}: {low} – {high}" if line["unscored"] else "0"
        table.add_row(line["name"], share(line), f"{line['n']:,}", line["of"], lacking)
    return table


# --- a judge's card ---------------------------------------------------------------------------------------


def card_tables(card: Mapping[str, Any]) -> Iterator[Table]:
    """Agreement where there are labels, then the trials, then what to know."""
    if card["agreement"]:
        yield _agreement_table(card["agreement"])
    title = escape(f"{card['judge']}, {card['rubric']}")
    trial = narrow("trial", "changes", "n", "unscored", title=title)
    one = card["orders"][ALL]
    trial.add_row("the other order of options: all", _rate(one), str(one["n"]), "–")
    for part in ("pictures", "untold", "canaries", "painted", "padded", "again"):
        for name, one in card[part].items():
            shown = _rate(_turned(one)) if part == "pictures" else _rate(one)
            trial.add_row(name, shown, str(one["n"]), str(one["unscored"]))
    yield trial
    if card["warnings"]:
        told = narrow("to know of this judge")
        for sentence in card["warnings"]:
            told.add_row(sentence)
        yield told


def _turned(one: Mapping[str, Any]) -> dict[str, Any]:
    """The share that does not hold."""
    ends = {"value": one["value"], "low": one["high"], "high": one["low"]}
    return {key: None if end is None else 1 - end for key, end in ends.items()}


def _agreement_table(found: Mapping[str, Any]) -> Table:
    table = narrow("question", "kind", "labels", "κ", "good is called good", "bad is called bad", "Brier")
    for question, kinds in found.items():
        for kind, one in kinds.items():
            parts = (_rate(one["sensitivity"]), _rate(one["specificity"]))
            brier = "–" if one["brier"] is None else f"{one['brier']:.3f}"
            table.add_row(question, kind, str(one["labels"]), _kappa(one["kappa"]), *parts, brier)
    return table


def _kappa(one: Mapping[str, Any]) -> str:
    if one["value"] is None:
        return "–"
    ends = "" if one["low"] is None else f" ({one['low']:.2f} – {one['high']:.2f})"
    return f"{one['value']:.2f}{ends}"


def _rate(one: Mapping[str, Any]) -> str:
    if one["value"] is None:
        return "–"
    return f"{one['value']:.1%} ({one['low']:.1%} – {one['high']:.1%})"
