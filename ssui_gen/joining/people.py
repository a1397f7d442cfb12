"""What people said in several runs, said in one: each person's file, earlier texts, who was dealt what.

Where one person said something of the same record in two runs, the first run's word stands and the other is
kept in `before`, so that nothing anyone wrote is lost. Items and page are made by `publish`, as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from shlex import quote
from uuid import uuid4

from ssui_gen.commands import folder_word
from ssui_gen.curation.asked.form import PATHS
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.people import RESOLVED
from ssui_gen.curation.lines.review import Earlier, Review
from ssui_gen.curation.workspace.folder import PAST, Folder, Manifest, folder_of
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write, own_folder
from ssui_gen.joining.known import Known
from ssui_gen.joining.source import Source
from ssui_gen.jsonl import Appender, as_line


def check_sheets(found: Sequence[Source]) -> None:
    """Raises ConfigError for a file that cannot be read, before anything is written."""
    for source in found:
        folder = folder_of(source.run)
        for name in people_of(folder):
            if faults := folder.sheet(name).faults:
                first = faults[0]
                run = quote(folder_word(source.run))
                raise ConfigError(
                    f"{first.path}:{first.line}:{first.column}: {first.message}: "
                    f"mend it first (`ssui curation check --run {run}` tells all)"
                )


def people_of(folder: Folder) -> list[str]:
    """Everybody who has a file, and whoever settled differences."""
    if not folder.root.is_dir():
        return []
    return [*folder.names(), *([RESOLVED] if folder.path(RESOLVED).exists() else [])]


def join_people(found: Sequence[Source], to: Path, known: Known) -> int:
    """Write everybody's file into the joined run; returns how many words there are. No items yet."""
    target, words = folder_of(to), 0
    names = sorted({name for source in found for name in people_of(folder_of(source.run))})
    if not names:
        return 0
    own_folder(target.root)
    for name in names:
        lines: dict[str, Review] = {}
        for source in found:
            for line in folder_of(source.run).sheet(name).reviews:
                if id := known.became(source.number, line.id):
                    here = line.model_copy(update={"id": id})
                    lines[id] = both(lines[id], here) if id in lines else here
        words += sum(line.said for line in lines.values())
        atomic_write(target.path(name), b"".join(map(as_line, lines.values())))
    _join_past(found, target, known)
    target.put_manifest(Manifest(id=uuid4().hex, form=PATHS.name, shares=_shares(found, known)))
    return words


def both(first: Review, second: Review) -> Review:
    """Two lines of one person about one record."""
    if not first.said:
        return second.model_copy(update={"before": second.before + first.before})
    also: tuple[Earlier, ...] = ()
    if second.said and (second.words, second.sha) != (first.words, first.sha):
        also = (second.earlier,)
    return first.model_copy(update={"before": (*first.before, *also, *second.before)})


def _join_past(found: Sequence[Source], target: Folder, known: Known) -> None:
    with closing(Appender(target.root / PAST)) as file:
        for source in found:
            for item in folder_of(source.run).past():
                id = known.became(source.number, item.id)
                if id and known.first(source.number, "past", f"{id} {item.sha}"):
                    file.write(_under(item, id))


def _under(item: Item, id: str) -> Item:
    path = item.path.model_copy(update={"id": id})
    return item.model_copy(update={"id": id, "of": path})


def _shares(found: Sequence[Source], known: Known) -> dict[str, tuple[str, ...]]:
    """Who was dealt items anywhere sees those, and all of the runs where they saw all."""
    dealt = {name for source in found for name in folder_of(source.run).manifest().shares}
    shares: dict[str, dict[str, None]] = {name: {} for name in sorted(dealt)}
    for source in found:
        folder = folder_of(source.run)
        items = folder.items() if dealt and people_of(folder) else {}
        for name, share in shares.items():
            ids = folder.manifest().shares.get(name, tuple(items) if name in folder.names() else ())
            share.update(dict.fromkeys(filter(None, (known.became(source.number, id) for id in ids))))
    return {name: tuple(share) for name, share in shares.items()}
