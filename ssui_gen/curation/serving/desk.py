"""One person's desk: what their page asks, answered from their file; what they say, written into it at once.

A word is confirmed when it is on the disk, never before. Whatever stands in the file by then, typed into it
or written from another page, is met three ways; where both say something new, nothing is written, and both
are told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

from ssui_gen.curation.asked.form import Form
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.people import RESOLVED
from ssui_gen.curation.lines.merge import three_way
from ssui_gen.curation.lines.review import Review, Words, blank
from ssui_gen.curation.lines.shape import agreement_with, shape
from ssui_gen.curation.lines.sheet import Sheet, in_words, with_line
from ssui_gen.curation.page.gallery import export_id, gallery
from ssui_gen.curation.page.pictures import addresses, read_copy, shown_in
from ssui_gen.curation.serving.history import History
from ssui_gen.curation.workspace.board import Board, read_board
from ssui_gen.curation.workspace.folder import ITEMS, Folder

WRITTEN, BAD, CLASH, BROKEN = 200, 400, 409, 423
"""HTTP's words for: on the disk; not a line; both say something new; the file has faults and is left."""


class Answer(NamedTuple):
    """An HTTP status and a JSON object."""

    status: int
    body: dict[str, Any]


class Desk:
    """`name`'s place in `folder`; may be used from several threads."""

    def __init__(self, folder: Folder, name: str, title: str) -> None:
        self.folder = folder
        self.name = name
        self.title = title
        self._lock = Lock()
        self._sheet: Sheet | None = None
        self._history = History(folder, name)
        self._items: Mapping[str, Item] = {}
        self._pictures = frozenset[str]()
        """Of all items, by sha256."""
        self._export = ""
        self._of: tuple[int, int] | None = None

    def page(self) -> str:
        """The whole page as it is now."""
        board = read_board(self.folder)
        share = board.share(self.name)
        pictures = shown_in(share.values())
        parts = gallery(
            title=self.title,
            folder=board.manifest.id,
            form=self.folder.form,
            items=share,
            pictures=addresses(self.folder.root, pictures, embed=False),
            thumbs=addresses(self.folder.root, pictures, embed=False, small=True),
            past=board.former,
            others=_others(board) if self.name == RESOLVED else {},
            reviewer=self.name,
            lines=board.sheet(self.name).reviews,
            server=True,
        )
        return "".join(parts)

    def picture(self, name: str) -> bytes | None:
        """A picture that an item of this folder names; None for anything else."""
        self._now()
        return read_copy(self.folder.root, name) if name.partition(".")[0] in self._pictures else None

    def lines(self) -> Answer:
        """What the file says now, and where it says again what it said before."""
        with self._lock:
            self._now()
            sheet = self._read()
            if sheet.faults:
                return _broken(sheet)
            lines = sheet.reviews
            back = self._history.set_back(lines)
            body = {
                "lines": [line.model_dump() for line in lines],
                "set_back": {id: line.model_dump() for id, line in back.items()},
                "export": self._export,
            }
            return Answer(WRITTEN, body)

    @property
    def tag(self) -> str:
        """Changes whenever the answer of `lines` does."""
        with self._lock:
            self._now()
            state = b"%b %d " % (self._export.encode(), self._history.length) + self._read().content
            return hashlib.blake2b(state, digest_size=12).hexdigest()

    def _read(self) -> Sheet:
        self._sheet = self.folder.sheet(self.name, self._sheet)
        return self._sheet

    def _now(self) -> Mapping[str, Item]:
        """The items, read again when there is another export."""
        stat = (self.folder.root / ITEMS).stat()
        if self._of != (stat.st_mtime_ns, stat.st_ino):
            self._items, self._of = self.folder.items(), (stat.st_mtime_ns, stat.st_ino)
            self._export = export_id(self._items.values())
            self._pictures = shown_in(self._items.values())
        return self._items

    def put(self, entry: Any) -> Answer:
        """Write {base, line}: what was said, and what the file said when the person began."""
        with self._lock:
            read = self._entry(entry)
            if isinstance(read, str):
                return Answer(BAD, {"error": read})
            met: list[_Met] = []

            def change(sheet: Sheet) -> bytes:
                met.append(_meet(sheet, *read, self.folder.form))
                return met[-1].after.content

            self.folder.change(self.name, change, self._read())
            self._sheet = met[-1].after
            if met[-1].answer.status == WRITTEN:
                self._history.add(met[-1].was, met[-1].now)
            return met[-1].answer

    def _entry(self, entry: Any) -> tuple[Review, Review] | str:
        """Both lines of a request, or what is wrong with it."""
        if not isinstance(entry, dict) or entry.keys() != {"base", "line"}:
            return "expected an object with base and line"
        for name in ("base", "line"):
            if entry[name] is not None or name == "line":
                for way, found in shape(self.folder.form, entry[name]):
                    return f"{in_words((name, *way))}: {found}"
        line = Review.model_validate(entry["line"])
        item = self._now().get(line.id)
        if item is None:
            return f"line.id: expected an item of this run; got {line.id!r}"
        if line.sha == item.sha:
            for way, found in agreement_with(self.folder.form, item, line):
                return f"{in_words(('line', *way))}: {found}"
        base = blank(self.folder.form, line.id, line.sha)
        return (Review.model_validate(entry["base"]) if entry["base"] else base), line


class _Met(NamedTuple):
    """What became of a line: the answer, the line before and after, and the file after."""

    answer: Answer
    was: Review
    now: Review
    after: Sheet


def _meet(sheet: Sheet, base: Review, line: Review, form: Form) -> _Met:
    there = sheet.rows.first.get(line.id)
    theirs = blank(form, line.id, line.sha) if there is None else sheet.reviews[there]
    if sheet.faults:
        return _Met(_broken(sheet), theirs, theirs, sheet)
    merged, clashes = three_way(base, line, theirs) if theirs.sha == line.sha else (_beside(theirs, line), [])
    if clashes:
        return _Met(Answer(CLASH, {"line": theirs.model_dump(), "fields": clashes}), theirs, theirs, sheet)
    after = sheet if merged == theirs else with_line(sheet, merged)
    return _Met(Answer(WRITTEN, {"line": merged.model_dump()}), theirs, merged, after)


def _broken(sheet: Sheet) -> Answer:
    first, *more = map(str, sheet.faults)
    rest = f" ({len(more)} more)" if more else ""
    what = (
        "Your file has a fault, so nothing is written into it; what you say is kept in this browser. Mend it:"
    )
    return Answer(BROKEN, {"error": f"{what} {first}{rest}"})


def _beside(theirs: Review, line: Review) -> Review:
    """What was said of texts that have changed since stands beside the new ones."""
    rest = tuple(one for one in theirs.before if one.sha != line.sha)
    known = [one for one in theirs.before if one.sha == line.sha and one != line.earlier]
    return theirs.model_copy(update={"before": (line.earlier, *known, *rest)}) if line.said else theirs


def _others(board: Board) -> dict[str, Sequence[Words]]:
    """What people said of the items on which they differ; nobody is named."""
    return {
        id: [Words(**line.words) for line in outcome.said.values()] for id, outcome in board.disputes.items()
    }
