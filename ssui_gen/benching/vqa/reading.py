"""Somebody's file or folder of visual questions → items of a benchmark, and why other rows are none.

Each file of rows is a set of its own. Where VQA's questions and annotations lie in two files, they are joined
by their ids. Nothing is fetched; pictures are `pictures`', what a row's columns mean `rows`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen.benching.adapters.shape import Refused
from ssui_gen.benching.records import Item, Origin
from ssui_gen.benching.vqa.pictures import Pictures, held
from ssui_gen.benching.vqa.rows import EXAMPLE, Question, has_question, id_of, question
from ssui_gen.benching.vqa.scoring import Key
from ssui_gen.columns import pictures
from ssui_gen.config_vqa import Vqa
from ssui_gen.errors import ConfigError, ImageError, RecordError
from ssui_gen.records import row_id
from ssui_gen.settings import ImageLimits
from ssui_gen.tables import TABLES, is_dataset, is_table, rows

NAME = "vqa"
"""What BENCH= takes, and such a benchmark is called."""
LONGEST_ID = 200
"""Characters of a row's id that an item keeps of where it comes from."""


class Read(NamedTuple):
    """A set as it was read."""

    root: Path
    """Below which its pictures lie."""
    items: list[Item]
    refused: list[Refused]


class Source(NamedTuple):
    """Where somebody's questions lie, and how they are to be asked."""

    data: Path
    home: Path
    """The benchmark's folder in the run, into which pictures out of rows are copied."""
    limits: ImageLimits
    asking: Vqa


def read_questions(source: Source) -> Read:
    """All of a file, a folder of files, or a dataset on disk. Raises ConfigError where none can be asked."""
    tables = _tables(source.data)
    below = source.data if source.data.is_dir() else source.data.parent
    answers = _answers(tables)
    asked = [table for table in tables if table not in answers]
    shown = Pictures(below, source.home, source.limits, copied=any(map(_holds_pictures, asked)))
    apart = dict(chain.from_iterable(rows.items() for rows in answers.values()))
    making = _Making(source.asking, shown, apart)
    for table in asked:
        making.read(table)
    making.check(source.data)
    return Read(shown.root, making.items, making.refused)


def key_of(item: Item) -> Key | None:
    """What is right of an item that was read here; None of any other."""
    told = item.extra.get(NAME)
    if not isinstance(told, Mapping):
        return None
    return Key(tuple(told["answers"]), tuple(told.get("options", ())))


def set_of(item: Item) -> str:
    """The file that it comes from."""
    return str(item.extra[NAME]["set"])


def _tables(data: Path) -> list[Path]:
    if is_dataset(data) or (data.is_file() and is_table(data)):
        return [data]
    if not data.exists():
        raise ConfigError(f"{data}: no such file or folder: DATA= names your visual questions")
    there = sorted(data.iterdir()) if data.is_dir() else []
    found = [path for path in there if path.is_file() and is_table(path)]
    if not found:
        endings = ", ".join(TABLES)
        raise ConfigError(
            f"{data}: no rows: expected a file, or files in a folder, that end in {endings}, with rows such "
            f"as {EXAMPLE}"
        )
    return found


def _answers(tables: list[Path]) -> dict[Path, dict[str, dict[str, Any]]]:
    """By id the rows of those files that hold answers and no questions."""
    if len(tables) < 2:
        return {}
    bare = [table for table in tables if (row := _first_row(table)) and not has_question(row)]
    return {
        table: {id: line.value for line in rows(table) if line.value and (id := id_of(line.value))}
        for table in bare
    }


def _first_row(table: Path) -> dict[str, Any] | None:
    return next((line.value for line in rows(table) if line.value), None)


def _holds_pictures(table: Path) -> bool:
    """Whether the first row that has a picture holds it, rather than a name."""
    shown = (one for line in rows(table) for one in pictures(line.value or {}))
    first = next(shown, None)
    return first is not None and held(first) is not None


@dataclass
class _Making:
    """What has been made so far."""

    asking: Vqa
    pictures: Pictures
    answers: Mapping[str, dict[str, Any]]
    items: list[Item] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    _seen: dict[str, str] = field(default_factory=dict)
    """Where an id, or the same words under the same pictures, came first."""

    def read(self, table: Path) -> None:
        for line in rows(table):
            where = f"{line.path.name}:{line.number}"
            if line.value is None:
                self._refuse(where, "item_invalid", str(line.error))
                continue
            try:
                self._item(self._asked(line.value, where), where, table.stem)
            except RecordError as error:
                self._refuse(where, "item_invalid", str(error))
            except ImageError as error:
                self._refuse(where, str(error.reason), f"{where}: {error}")

    def _asked(self, row: dict[str, Any], where: str) -> Question:
        """With its answers, where those lie in another file."""
        apart = self.answers.get(id_of(row), {}) if self.answers else {}
        return question({**apart, **row}, where)

    def _refuse(self, where: str, reason: str, detail: str) -> None:
        self.refused.append(Refused(where, reason, " ".join(detail.split())))

    def _item(self, asked: Question, where: str, table: str) -> None:
        if asked.id and (first := self._seen.get(f"id {table} {asked.id}")):
            what = f"{where}: the id {asked.id[:LONGEST_ID]!r} came before, in {first}; the first is kept"
            self._refuse(where, "item_duplicate", what)
            return
        self._seen[f"id {table} {asked.id}"] = where
        made = self._made(asked, table)
        if first := self._seen.get(made.id):
            self._refuse(where, "item_duplicate", f"{where}: the same picture and words as {first}")
            return
        self._seen[made.id] = where
        self.items.append(made)

    def _made(self, asked: Question, table: str) -> Item:
        shown = self.pictures.of(asked)
        way = self.asking.letter if asked.key.options else self.asking.short
        text, shas = "\n".join(filter(None, (asked.text, way))), tuple(one.sha256 for one in shown)
        told = {"set": table, "answers": list(asked.key.answers)}
        return Item(
            id=row_id(NAME, text, *shas),
            scenario_id=f"{NAME}:{'+'.join(sha[:16] for sha in shas)}",
            kind="benign",
            images=shown,
            text=text,
            category=asked.type,
            source=Origin(bench=NAME, version=table, row=asked.id[:LONGEST_ID], licence=asked.licence),
            extra={NAME: told | ({"options": list(asked.key.options)} if asked.key.options else {})},
        )

    def check(self, data: Path) -> None:
        """Raises ConfigError where no item was made."""
        if self.items:
            return
        if not self.refused:
            raise ConfigError(f"{data}: not one row; a row of visual questions looks like {EXAMPLE}")
        first = self.refused[0]
        raise ConfigError(
            f"{data}: not one of {len(self.refused):,} rows can be asked; the first: {first.detail}; a row "
            f"looks like {EXAMPLE}"
        )
