"""All that people have said in a folder, read at one moment: what is wrong with it, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.people import RESOLVED
from ssui_gen.curation.lines.check import Past, checked, foreign
from ssui_gen.curation.lines.review import Review
from ssui_gen.curation.lines.sheet import Fault, Sheet
from ssui_gen.curation.outcomes.settle import Outcome, settle
from ssui_gen.curation.workspace.folder import Folder, Manifest, share_of, shas


@dataclass(frozen=True)
class Board:
    """What was in the files. Files with faults say nothing that can be relied on: see `faults` first."""

    folder: Folder
    manifest: Manifest
    items: dict[str, Item]
    former: list[Item]
    """What items have been, and items that are gone; the oldest first."""
    sheets: dict[str, Sheet]
    """Of everybody who has a file."""
    resolved: Sheet

    @cached_property
    def past(self) -> Past:
        """Every sha that an item has had."""
        return shas(self.former)

    @cached_property
    def known(self) -> dict[tuple[str, str], Item]:
        """By id and sha, every item of this run, also as it was before."""
        return {(item.id, item.sha): item for item in (*self.former, *self.items.values())}

    def sheet(self, name: str) -> Sheet:
        """A person's file; an empty one where there is none. Raises ConfigError for what can be no name."""
        there = self.resolved if name == RESOLVED else self.sheets.get(name)
        return there or Sheet(self.folder.path(name))

    def share(self, name: str) -> dict[str, Item]:
        """The items that a person is to look at; whoever settles differences looks at those in dispute."""
        if name == RESOLVED:
            there = {line.id for line in self.resolved.reviews}
            return {id: item for id, item in self.items.items() if id in self.disputes or id in there}
        return share_of(self.manifest, name, self.items)

    @property
    def names(self) -> list[str]:
        """Everybody who has a file, and `resolved` if it is there."""
        return [*self.sheets, *([RESOLVED] if self.resolved.content else [])]

    def faults(self, name: str) -> list[Fault]:
        """Everything that is wrong with a person's file."""
        if name == RESOLVED:
            return self._resolved_faults()
        return checked(self.sheets[name], self.folder.form, self.share(name), self._past(name))

    @property
    def all_faults(self) -> list[Fault]:
        """Everything that is wrong with anybody's file."""
        return [fault for name in self.names for fault in self.faults(name)]

    def _past(self, name: str) -> Past:
        """An item that was dealt to somebody else is no stranger either."""
        mine = self.share(name)
        others = {id: frozenset({item.sha}) for id, item in self.items.items() if id not in mine}
        return {**others, **self.past}

    def _resolved_faults(self) -> list[Fault]:
        """A difference that is settled is no longer in dispute, and its line stays: none is missing."""
        there = {
            row.review.id: self.items[row.review.id]
            for row in self.resolved.rows
            if row.review.id in self.items
        }
        return checked(self.resolved, self.folder.form, there, self.past)

    def foreign(self, sheet: Sheet) -> list[Fault]:
        """What keeps a file from being merged: it cannot be read, or is not of this run."""
        return [*sheet.faults, *foreign(sheet, self.items, self.past)]

    @cached_property
    def said(self) -> dict[str, dict[str, Review]]:
        """By item, by person, what holds: said of the item's own texts."""
        found: dict[str, dict[str, Review]] = {id: {} for id in self.items}
        for name, sheet in self.sheets.items():
            for line in sheet.reviews:
                if line.said and line.id in self.items and line.sha == self.items[line.id].sha:
                    found[line.id][name] = line
        return found

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        """By item, what becomes of it."""
        final = {line.id: line for line in self.resolved.reviews}
        return {id: settle(item, self.said[id], final.get(id)) for id, item in self.items.items()}

    @cached_property
    def disputes(self) -> dict[str, Outcome]:
        """Items on which people differ, whether that has been settled or not."""
        alone = {id: settle(item, self.said[id]) for id, item in self.items.items()}
        return {id: outcome for id, outcome in alone.items() if outcome.state == "disputed"}


def read_board(folder: Folder) -> Board:
    """Raises ConfigError without an export, RecordError where a file cannot be read."""
    return Board(
        folder=folder,
        manifest=folder.manifest(),
        items=folder.items(),
        former=folder.past(),
        sheets={name: folder.sheet(name) for name in folder.names()},
        resolved=folder.sheet(RESOLVED),
    )
