"""All that people have said in a folder, read at one moment: what is wrong with it, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.people import RESOLVED
from ssui_gen.curation.lines.check import Past, checked, foreign
from ssui_gen.curation.lines.review import Review
from ssui_gen.curation.lines.sheet import Fault, Sheet
from ssui_gen.curation.outcomes.settle import Outcome, settle
from ssui_gen.curation.workspace.folder import Folder, Manifest, share_of, shas
from ssui_gen.placed import Made


@dataclass(frozen=True)
class Board:
    """What was in the files. Files with faults say nothing that can be relied on: see `faults` first."""

    folder: Folder
    manifest: Manifest
    items: Mapping[str, Item]
    former: Sequence[Item]
    """What items have been, and items that are gone; the oldest first."""
    sheets: dict[str, Sheet]
    """Of everybody who has a file."""
    resolved: Sheet

    @cached_property
    def shas(self) -> dict[str, str]:
        """That of each item."""
        return {id: item.sha for id, item in self.items.items()}

    @cached_property
    def past(self) -> Past:
        """Every sha that an item has had."""
        return shas(self.former)

    @cached_property
    def known(self) -> dict[tuple[str, str], Item]:
        """By id and sha, every item of this run, also as it was before."""
        return {(item.id, item.sha): item for item in chain(self.former, self.items.values())}

    def sheet(self, name: str) -> Sheet:
        """A person's file; an empty one where there is none. Raises ConfigError for what can be no name."""
        there = self.resolved if name == RESOLVED else self.sheets.get(name)
        return there or Sheet(self.folder.path(name))

    def share(self, name: str) -> Mapping[str, Item]:
        """The items that a person is to look at; whoever settles differences looks at those in dispute."""
        if name == RESOLVED:
            there = self.disputes.keys() | set(self.resolved.rows.ids)
            return Made(dict.fromkeys(id for id in self.items if id in there), self.items.__getitem__)
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
        others = {id: frozenset({sha}) for id, sha in self.shas.items() if id not in mine}
        return {**others, **self.past}

    def _resolved_faults(self) -> list[Fault]:
        """A difference that is settled is no longer in dispute, and its line stays: none is missing."""
        there = {id: self.items[id] for id in self.resolved.rows.ids if id in self.items}
        return checked(self.resolved, self.folder.form, there, self.past)

    def foreign(self, sheet: Sheet) -> list[Fault]:
        """What keeps a file from being merged: it cannot be read, or is not of this run."""
        return [*sheet.faults, *foreign(sheet, self.items, self.past)]

    @property
    def said(self) -> Mapping[str, Mapping[str, Review]]:
        """By item, by person, what holds: said of the item's own texts."""
        return Made(self.items, self._said_of)

    def _said_of(self, id: str) -> dict[str, Review]:
        found = ((name, sheet.by_id.get(id)) for name, sheet in self.sheets.items())
        return {name: line for name, line in found if line and line.said and line.sha == self.shas[id]}

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """By item, what becomes of it."""
        return Made(self.items, lambda id: self._outcome(id, self.resolved.by_id.get(id)))

    def _outcome(self, id: str, final: Review | None = None) -> Outcome:
        return settle(self.items[id], self._said_of(id), final)

    @cached_property
    def disputes(self) -> dict[str, Outcome]:
        """Items on which people differ, whether that has been settled or not."""
        alone = ((id, self._outcome(id)) for id in self.items)
        return {id: outcome for id, outcome in alone if outcome.state == "disputed"}


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
