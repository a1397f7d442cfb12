"""The folder of a run in which people work: items, what they were before, and a file for each person.

`items.jsonl` and `past.jsonl` are ours and are not edited; `<name>.jsonl` is that person's. Every write here
happens under a lock that is held only while writing, and leaves what a person has saved meanwhile. Covers
what stands in the files, not what is made of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from uuid import uuid4

from pydantic import Field

from ssui_gen.calling.journal import Seen
from ssui_gen.curation.asked.form import PATHS, Form
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.people import EXPECTED, RESOLVED, Name, is_name, named
from ssui_gen.curation.asked.texts import sha_now
from ssui_gen.curation.lines.check import Past
from ssui_gen.curation.lines.sheet import Fault, Sheet, read_sheet
from ssui_gen.curation.workspace.swap import replace_if
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write, open_own, own_folder
from ssui_gen.jsonl import Appender, Line, as_line, document, of_kind, read, validate
from ssui_gen.placed import ById, Made, Placed, every
from ssui_gen.records import Record

CURATION = "curation"
ITEMS, PAST, MANIFEST = "items.jsonl", "past.jsonl", "manifest.json"
PATIENCE = 5.0
"""Seconds in which a program that holds a person's file open for writing should be done."""


class Manifest(Record):
    """`manifest.json`: which folder this is, and who is to look at what."""

    id: str
    """Never changes: what a browser keeps is kept under it."""
    form: str
    shares: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    """Ids of the items that were dealt to each person; nobody is named: everybody sees all."""


def _passed_over(path: Path) -> str:
    person = re.split(r"[ .(]", path.stem)[0]
    if is_name(person) and path.with_name(f"{person}.jsonl").exists():
        return (
            f"passed over: a newer copy of {person}.jsonl? Then put it in that file's place; else delete it"
        )
    return f"a file of this name is passed over: rename it to {EXPECTED}"


class Folder:
    """The files of one task for people; `form` says what is asked."""

    def __init__(self, root: Path, form: Form) -> None:
        self.root = root
        self.form = form

    # --- items ---

    def items(self) -> Mapping[str, Item]:
        """By id, in the order of the file, where they stay. Raises ConfigError without an export, RecordError
        where someone has edited it.
        """
        if not (self.root / ITEMS).exists():
            raise ConfigError(
                f"{self.root / ITEMS}: no such file: export the items first (`{self.form.export}`)"
            )
        found, ids = Placed(Item, self.root / ITEMS), list[str]()
        for line in read(self.root / ITEMS):
            ids.append(self._item(line).id)
            found.put(line)
        return ById(found, ids)

    def past(self) -> Sequence[Item]:
        """What items have been, and items that are gone; the oldest first."""
        return every(Item, self.root / PAST)

    def export(self, items: Sequence[Item]) -> None:
        """Let these be the items from now on; what they replace is kept."""
        with self.held(), closing(Seen()) as known:
            for item in chain(items, self.past()):
                known.add(_name_of(item))
            left = (item for item in self._readable() if _name_of(item) not in known)
            if first := next(left, None):
                with closing(Appender(self.root / PAST)) as past:
                    for item in chain([first], left):
                        past.write(item)
            atomic_write(self.root / ITEMS, map(as_line, items))

    def _readable(self) -> Iterator[Item]:
        for line in read(self.root / ITEMS):
            with suppress(RecordError):
                yield self._item(line)

    def _item(self, line: Line) -> Item:
        item = validate(Item, line)
        if sha_now(item) != item.sha:
            raise RecordError(
                f"{line.path}:{line.number}: sha: not that of its texts: this file is not edited; "
                f"`{self.form.export}` writes it anew"
            )
        return item

    # --- people ---

    def names(self) -> list[str]:
        """Everybody who has a file; who settles differences is not among them."""
        found = (path.stem for path in self.root.glob("*.jsonl"))
        return sorted(name for name in found if name != RESOLVED and is_name(name))

    def only_name(self) -> str:
        """The one person who has a file. Raises ConfigError where there are several, or none."""
        names = self.names()
        if len(names) != 1:
            raise ConfigError(f"{self.root}: expected --as with one of {', '.join(names) or 'nobody yet'}")
        return names[0]

    def misnamed(self) -> list[Fault]:
        """Files that would be passed over for their name."""
        found = sorted(path for path in self.root.glob("*.jsonl") if path.name not in (ITEMS, PAST))
        odd = [path for path in found if not is_name(path.stem)]
        cut = [
            path
            for name in self.names()
            for path in self.root.glob(f"{name}.json*")
            if path.suffix != ".jsonl"
        ]
        return [Fault(path, 1, 1, "", _passed_over(path)) for path in odd + sorted(cut)]

    def path(self, name: str) -> Path:
        """A person's file. Raises ConfigError for what can be no name."""
        return self.root / f"{named(name)}.jsonl"

    def inside(self, name: str) -> Path:
        """A folder of ours in this one, made where there is none. Raises ConfigError where a link stands."""
        path = self.root / name
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise ConfigError(f"{path}: expected a folder; got {_kind(path)}: take it away and try again")
        path.mkdir(parents=True, exist_ok=True)
        return path

    def sheet(self, name: str, known: Sheet | None = None) -> Sheet:
        """A person's file as it is now; an empty one where there is none yet. `known` is not read again."""
        return self._read(name, known)[0]

    def _read(self, name: str, known: Sheet | None = None) -> tuple[Sheet, bytes | None]:
        path = self.path(name)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            if path.is_symlink():
                raise RecordError(f"{path}: a link that leads nowhere: take it away and try again") from None
            return Sheet(path), None
        except OSError as error:
            raise RecordError(f"{path}: could not be read: {error.strerror or error}") from None
        if known is not None and known.content == content:
            return known, content
        sheet = read_sheet(path, content, self.form)
        if path.is_symlink():
            self._require_of_this_task(sheet)
        return sheet, content

    def _require_of_this_task(self, sheet: Sheet) -> None:
        """Some keep their file elsewhere, and a link leads to it. Raises RecordError for one that leads to
        anything but such a file: a folder that was brought may hold links, and what they lead to is neither
        shown nor written.
        """
        target = sheet.path.resolve()
        if target.parent == self.root.resolve():
            raise RecordError(f"{sheet.path}: is a link to {target.name} beside it: take the link away")
        if not {row.review.id for row in sheet.rows} & self.items().keys():
            raise RecordError(
                f"{sheet.path}: is a link to {target}, which holds no line about an item of this folder: put "
                "the file itself here; moved there it may be linked"
            )

    def change(self, name: str, change: Callable[[Sheet], bytes], known: Sheet | None = None) -> bool:
        """Rewrite a person's file; `change` is asked again where the person has saved meanwhile.

        Returns whether the file is another one now. Raises RecordError where another program will not let go.
        """
        since: float | None = None
        while since is None or time.monotonic() - since < PATIENCE:
            with self.held():
                sheet, seen = self._read(name, known)
                content = change(sheet)
                if content == seen:
                    return False
                if replace_if(sheet.path, content, seen):
                    return True
            since = since or time.monotonic()
            time.sleep(0.01)
        raise RecordError(
            f"{self.path(name)}: another program holds it open for writing, or saves it again and again; "
            "close it there and try again"
        )

    # --- the folder ---

    def manifest(self) -> Manifest:
        """Made anew where there is none."""
        path = self.root / MANIFEST
        if not path.exists():
            return Manifest(id=uuid4().hex, form=self.form.name)
        return of_kind(Manifest, document(path), f"{path}: not what was written there")

    def put_manifest(self, manifest: Manifest) -> None:
        text = json.dumps(manifest.model_dump(), indent=1)
        atomic_write(self.root / MANIFEST, text + "\n")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else of ours writes here meanwhile. Waits for whoever does."""
        own_folder(self.root)
        lock = open_own(self.root / ".lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def folder_of(run: Path) -> Folder:
    """Where people work on the paths of a run."""
    return Folder(run / CURATION, PATHS)


def _name_of(item: Item) -> str:
    return f"{item.sha} {item.id}"


def _kind(path: Path) -> str:
    return f"a link to {path.readlink()}" if path.is_symlink() else "a file"


def shas(items: Iterable[Item]) -> Past:
    """Every sha of each id."""
    found: dict[str, set[str]] = defaultdict(set)
    for item in items:
        found[item.id].add(item.sha)
    return {id: frozenset(those) for id, those in found.items()}


def share_of(manifest: Manifest, name: str, items: Mapping[str, Item]) -> Mapping[str, Item]:
    """The items that a person is to look at."""
    if name not in manifest.shares:
        return items
    dealt = set(manifest.shares[name])
    return Made(dict.fromkeys(id for id in items if id in dealt), items.__getitem__)
