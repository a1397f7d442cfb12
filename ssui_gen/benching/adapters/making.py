"""Items of drafts: each picture is looked at, ids and twins are given, and what cannot be an item is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ssui_gen.benching.adapters.copy import Copy, refused
from ssui_gen.benching.adapters.shape import UNNAMED, About, Draft, Group, Refused
from ssui_gen.benching.records import MOST_PICTURES, BenchImage, Evidence, Item, Reference, Twin
from ssui_gen.errors import ImageError, RecordError

LONGEST = 20_000
"""Characters of a question."""


def made(about: About, copy: Copy, groups: Iterable[Group]) -> Iterator[Item | Refused]:
    """Items and refusals, row by row; last, what the copy as a whole is."""
    making = _Making(about, copy)
    for group in groups:
        yield from making.of(group)
    yield from making.told()


@dataclass
class _Making:
    """What has been made so far."""

    about: About
    copy: Copy
    rows: dict[str, str] = field(default_factory=dict)
    """Row by the id of its item."""
    groups: set[str] = field(default_factory=set)
    scenarios: set[str] = field(default_factory=set)
    shown: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The scenarios of each picture."""

    def of(self, group: Group) -> Iterator[Item | Refused]:
        yield from group.refused
        if group.row in self.groups:
            yield Refused(group.row, "item_duplicate", f"{group.row}: this id came before; the first is kept")
            return
        self.groups.add(group.row)
        risky: Item | None = None
        for draft in group.drafts:
            one = self._item(draft, risky)
            risky = one if isinstance(one, Item) and one.kind == "risky" else risky
            yield one
            if draft.twin and not risky and isinstance(one, Item):
                what = f"{draft.row}: its risky twin was refused: it counts on its own side alone"
                yield Refused(draft.row, "twin_missing", what, lost=False)

    def _item(self, draft: Draft, risky: Item | None) -> Item | Refused:
        try:
            pictures = tuple(self.copy.picture(name, draft.licence) for name in self._names(draft))
        except (ImageError, RecordError) as error:
            return refused(draft.row, error)
        if draft.kind == "risky" and not draft.danger and self.about.names_danger:
            what = f"{draft.row}: no danger is named; a judge that is told 'none known' would look for none"
            return Refused(draft.row, "danger_missing", what)
        item = self._made(draft, pictures, risky)
        if item.id in self.rows:
            what = f"{draft.row}: the same pictures and words as {self.rows[item.id]}; the first is kept"
            return Refused(draft.row, "item_duplicate", what)
        self.rows[item.id] = draft.row
        self.scenarios.add(item.scenario_id)
        for picture in pictures:
            self.shown[picture.sha256].add(item.scenario_id)
        return item

    def _names(self, draft: Draft) -> tuple[str, ...]:
        if not 0 < len(draft.text.strip()) <= LONGEST:
            what = f"the question has {len(draft.text):,} characters; expected 1 to {LONGEST:,}"
            raise RecordError(f"{draft.row}: {what}")
        if len(draft.pictures) > MOST_PICTURES:
            raise RecordError(f"{draft.row}: {len(draft.pictures)} pictures; at most {MOST_PICTURES}")
        return draft.pictures

    def _made(self, draft: Draft, pictures: tuple[BenchImage, ...], risky: Item | None) -> Item:
        shas = tuple(picture.sha256 for picture in pictures)
        twin = Twin(of=risky.id, changed=draft.twin) if draft.twin and risky else None
        about = self.about
        return Item(
            id=Item.id_of(draft.kind, draft.text, shas),
            scenario_id=f"{about.name}:{draft.scenario or '+'.join(sha[:16] for sha in shas)}",
            kind=draft.kind,
            twin=twin,
            images=pictures,
            text=draft.text,
            language=draft.language,
            text_en=draft.text_en,
            category=draft.category,
            crosswalk=dict(draft.crosswalk),
            danger=(draft.danger or UNNAMED) if draft.kind == "risky" else "",
            evidence=Evidence(image=draft.seen),
            reference=Reference(answer=draft.answer) if draft.answer else None,
            source=about.origin(draft.row),
            extra=dict(draft.extra),
        )

    def told(self) -> Iterator[Refused]:
        """What the copy as a whole is."""
        about, rows, scenarios = self.about, len(self.rows), len(self.scenarios)
        for expected, found, what in ((about.rows, rows, "items"), (about.scenarios, scenarios, "scenarios")):
            if rows and expected is not None and found != expected:
                says = f"{found:,} {what}; {about.version} has {expected:,}: figures are of this copy alone"
                yield Refused(about.name, "count_differs", says, lost=False)
        shared = [len(found) for found in self.shown.values() if len(found) > 1]
        if shared:
            says = f"{len(shared):,} pictures serve several scenarios, up to {max(shared):,}: these are alike"
            yield Refused(about.name, "picture_shared", says, lost=False)
