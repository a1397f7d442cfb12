"""A person's file against the items that the person is to look at: every fault, in order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ssui_gen.curation.asked.form import Form
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.lines.shape import agreement_with
from ssui_gen.curation.lines.sheet import Fault, Sheet, at

LONGEST_LIST = 20
"""Missing ids that are told one by one."""
Past = Mapping[str, frozenset[str]]
"""The shas that each item has had before, items that are gone among them."""


def checked(sheet: Sheet, form: Form, items: Mapping[str, Item], past: Past) -> list[Fault]:
    """Every fault of a file whose owner is to look at `items`, in the order of its lines."""
    found = [*sheet.faults, *foreign(sheet, items, past)]
    for row in sheet.rows:
        item = items.get(row.review.id)
        if item and row.review.sha == item.sha:
            found += (at(sheet, row, way, says) for way, says in agreement_with(form, item, row.review))
        elif item and row.review.sha in past.get(item.id, ()):
            what = f"expected {item.sha!r}; got {row.review.sha!r}: the item has changed since: "
            found.append(at(sheet, row, ("sha",), f"{what}`{form.export}` keeps what was said beside it"))
    if not found:
        found += _missing(sheet, items, form)
    return sorted(found, key=_place)


def foreign(sheet: Sheet, items: Mapping[str, Item], past: Past) -> list[Fault]:
    """Lines of items and of texts that this run never had."""
    rows = [row for row in sheet.rows if row.review.id not in items and row.review.id not in past]
    if rows and len(rows) == len(sheet.rows):
        what = f"none of its {len(rows)} items is of this run: is it another run's file?"
        return [at(sheet, rows[0], ("id",), what)]
    strangers = [
        at(sheet, row, ("id",), f"expected an item of this run; got {row.review.id!r}") for row in rows
    ]
    return strangers + [
        at(
            sheet,
            row,
            ("sha",),
            f"expected {items[row.review.id].sha!r}; got {row.review.sha!r}: put it back",
        )
        for row in sheet.rows
        if row.review.id in items and row.review.sha not in _shas(row.review.id, items, past)
    ]


def _shas(id: str, items: Mapping[str, Item], past: Past) -> set[str]:
    return {items[id].sha, *past.get(id, ())}


def _missing(sheet: Sheet, items: Mapping[str, Item], form: Form) -> Iterator[Fault]:
    """Lines that somebody deleted, told at the end of the file."""
    there = {row.review.id for row in sheet.rows}
    gone = [id for id in items if id not in there]
    end, mend = max(sheet.lines, 1), f"`{form.export}` puts a blank one back"
    if len(gone) > LONGEST_LIST:
        some = f"expected a line for each item; {len(gone)} lack ({', '.join(gone[:3])}, …): {mend}"
        yield Fault(sheet.path, end, 1, "id", some)
        return
    for id in gone:
        yield Fault(sheet.path, end, 1, "id", f"expected a line for {id!r}; got none: {mend}")


def _place(fault: Fault) -> tuple[int, int]:
    return fault.line, fault.column
