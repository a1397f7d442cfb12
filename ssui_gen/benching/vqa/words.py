"""What a set of visual questions says about one model or two, in sentences and in a table for the terminal.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from ssui_gen.benching.printed import narrow
from ssui_gen.benching.telling import share, signed
from ssui_gen.benching.vqa.marking import STANDS
from ssui_gen.benching.vqa.scoring import WAYS
from ssui_gen.benching.vqa.tax import unscored

Figures = Mapping[str, Any]
VERDICTS = {
    "no_tax": "No tax beyond the margin",
    "tax": "A tax",
    "undecided": "Undecided",
}
WAY_NAMES = {str(way): name for way, name in WAYS.items()}
GROUPS = {"sets": "set", "types": "type", "ways": "scored by"}
NO_RATE: Figures = {"value": None, "n": 0}


def headline(tested: Sequence[Figures], tax: Figures | None) -> list[str]:
    """`tested`: the model, and the one before it."""
    return [
        *([verdict(tax["all"])] if tax else []),
        *(_accuracy(one) for one in tested),
        *(f"{name}: {verdict(one)}" for name, one in (tax or {}).get("sets", {}).items()),
        *(sentence for one in tested for sentence in _unscored(one)),
    ]


def verdict(tax: Figures) -> str:
    """One sentence or two: what was found, and what the margin says of it."""
    if tax["points"] is None:
        return "Undecided: no question was answered by both."
    low, high = tax["interval"]
    moved = f"accuracy moved by {signed(tax['points'])} points ({signed(low)} to {signed(high)})"
    of = f"on {tax['n']:,} answers about {tax['pictures']:,} pictures"
    return f"{VERDICTS[tax['verdict']]}: {moved} {of}; {_beside(tax, low, high)}."


def _beside(tax: Figures, low: float, high: float) -> str:
    """What that says of the margin."""
    loss = f"a loss of {tax['margin']:g} point{'' if tax['margin'] == 1 else 's'}"
    if tax["floor"] and tax["verdict"] != "tax":
        return f"{loss} was not there to be lost, as the model before was hardly ever right"
    if tax["verdict"] == "no_tax":
        return f"{loss} or more is ruled out{', though there surely is a smaller one' if high < 0 else ''}"
    if tax["verdict"] == "tax":
        sure = high < -tax["margin"]
        return f"{loss} or more is {'sure' if sure else 'not ruled out, and some loss is sure'}"
    more = f"about {tax['wanted']:,} pictures would mostly rule it out, were there none"
    return f"{loss} can be neither ruled out nor shown: {more}"


def _accuracy(figures: Figures) -> str:
    found = figures["accuracy"]
    of = f"{found['n']:,} answers about {found['pictures']:,} pictures"
    return f"{figures['model']}: accuracy {share(found)} of {of}."


def _unscored(figures: Figures) -> Iterator[str]:
    """What counts as wrong because nothing could be compared."""
    found = figures["stands"]
    if lacking := unscored(found):
        why = ", ".join(f"{count:,} {STANDS[one]}" for one, count in found.items() if one != "read")
        yield (
            f"Of {figures['model']}'s answers {lacking:,} could not be compared and count as wrong: {why}."
        )


def groups(tested: Sequence[Figures]) -> Iterator[tuple[str, str, list[Figures]]]:
    """For each set, type and way of scoring, where there are several: of which these, its name, the rates."""
    for group in GROUPS:
        names = list(tested[0][group])
        for name in names if len(names) > 1 else ():
            yield group, name, [figures[group].get(name, NO_RATE) for figures in tested]


def title_of(group: str, name: str) -> str:
    return f"{GROUPS[group]} {WAY_NAMES.get(name, name) if group == 'ways' else name}"


def standing(tested: Sequence[Figures]) -> list[tuple[str, list[int]]]:
    """How many answers of each model stand how."""
    found = [(words, [one["stands"].get(stand, 0) for one in tested]) for stand, words in STANDS.items()]
    return [(words, counts) for words, counts in found if any(counts)]


def table(tested: Sequence[Figures], taxes: Sequence[Figures | None]) -> Table:
    """A row for all, each set, type and way; `taxes` of each but the first against that."""
    one = tested[0]["edition"]
    title = f"{one['bench']}, asked {one['protocol']}, scored by {one['rule']}, no judge: accuracy"
    made = narrow("", *(escape(figures["model"]) for figures in tested), title=escape(title))
    told = [None, *taxes]
    whole = zip(tested, told, strict=True)
    made.add_row("all", *(_cell(figures["accuracy"], tax and tax["all"]) for figures, tax in whole))
    for group, name, rates in groups(tested):
        moved = [tax["sets"].get(name) if tax and group == "sets" else None for tax in told]
        cells = (_cell(rate, tax) for rate, tax in zip(rates, moved, strict=True))
        made.add_row(escape(title_of(group, name)), *cells)
    return made


def _cell(rate: Figures, tax: Figures | None) -> str:
    if rate["value"] is None:
        return "–"
    lines = [share(rate), f"n {rate['n']:,}"]
    if tax and tax["points"] is not None:
        low, high = tax["interval"]
        moved = f"{signed(tax['points'])} ({signed(low)} to {signed(high)})"
        lines += [moved, VERDICTS[tax["verdict"]].lower()]
    return "\n".join(lines)
