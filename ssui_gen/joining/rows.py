"""Rows of several runs into the files of one, streamed: records, rejects, branches, pairs, labels, seeds.

What is left out is a row of `merge_rejects.jsonl` with its reason; branches and pairs of what is left out
stay where they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TypeVar

from ssui_gen.branches import BranchLabel, Correction, Cut, Pair
from ssui_gen.exploring.explored import read_cuts
from ssui_gen.joining.known import Known
from ssui_gen.joining.pictures import Pictures
from ssui_gen.joining.source import Part, Source
from ssui_gen.jsonl import Appender, read, validate
from ssui_gen.records import Reason, ReasoningPath, Record, Reject, Seed, look_of
from ssui_gen.run_files import BRANCHES, CORRECTIONS, CURATED, LABELS, LABELS_PEOPLE, PAIRS, PATHS, REJECTS
from ssui_gen.seeds import read_seeds

LEFT_OUT = "merge_rejects.jsonl"
OF_BRANCHES: dict[str, type[BranchLabel] | type[Correction]] = {
    LABELS: BranchLabel,
    LABELS_PEOPLE: BranchLabel,
    CORRECTIONS: Correction,
}
RowT = TypeVar("RowT")
PicturedT = TypeVar("PicturedT", ReasoningPath, Cut)


class Joining(NamedTuple):
    """One run's rows on their way."""

    to: Path
    known: Known
    pictures: Pictures
    counts: Counter[str]
    begins: dict[tuple[Part, int, int], int]
    """Where the editions of every run begin here (`source.Begins`)."""

    def seeds(self, source: Source, write: Callable[[Record], None]) -> None:
        """Each under a name of its own; what is wrong with a seed is a reject of its run already."""
        if source.seeds is None:
            return
        for seed in read_seeds(source.seeds, lambda _: True, source.run):
            if isinstance(seed, Seed):
                found = [self.pictures.take(source, name) for name in seed.images]
                image, *more = (name for name, _ in found)
                shas = [sha for _, sha in found]
                id, new = self.known.seed(source.number, seed.id, look_of(shas) if all(shas) else "")
                if new:
                    here = {"id": id, "image": image, "more_images": tuple(more)}
                    write(seed.model_copy(update=here))

    def records(self, source: Source) -> None:
        """Records, each once; the others with the reason why not."""
        with closing(Appender(self.to / PATHS)) as paths, closing(Appender(self.to / LEFT_OUT)) as left:
            for line in self._noting("manifest", source, read(source.run / PATHS), "records"):
                path = validate(ReasoningPath, line)
                placed = self.known.place(source.number, path)
                if placed.why:
                    left.write(_left_out(path, f"{source.run.name}: {path.id}: {placed.why}"))
                    self.counts["duplicates"] += 1
                else:
                    paths.write(self._pictured(source, placed.path))
                    self.known.first(source.number, "item", _item(placed.path.seed_id, path.kind))
                    self.counts["records"] += 1

    def curated(self, source: Source) -> None:
        """What people kept of the records that are this run's here; of a duplicate the first run tells."""
        with closing(Appender(self.to / CURATED)) as file:
            for line in read(source.run / CURATED):
                path = validate(ReasoningPath, line)
                if id := self.known.own(source.number, path.id):
                    seed = self.known.seed_name(source.number, path.seed_id)
                    here = path.model_copy(update={"id": id, "seed_id": seed})
                    if here.twin_of:
                        twin = self.known.became(source.number, here.twin_of)
                        here = here.model_copy(update={"twin_of": twin or here.twin_of})
                    file.write(self._pictured(source, here))
                    self.counts["curated"] += 1

    def rejects(self, source: Source) -> None:
        """Of what is a record or a reject here already, none."""
        with closing(Appender(self.to / REJECTS)) as file:
            for line in read(source.run / REJECTS):
                row = validate(Reject, line)
                seed = self.known.seed_name(source.number, row.seed_id)
                if self.known.first(source.number, "item", _item(seed, row.kind)):
                    file.write(row.model_copy(update={"seed_id": seed}))
                    self.counts["rejects"] += 1

    def branches(self, source: Source) -> None:
        """Those of every record that stands here, of each cut one run's."""
        with closing(Appender(self.to / BRANCHES)) as file:
            for cut, _ in self._noting("pairs", source, read_cuts(source.run / BRANCHES), "cuts"):
                id = self.known.became(source.number, cut.path_id)
                here = self._cut(source, cut, id) if id else None
                if here and self.known.first(source.number, "cut", here.id):
                    file.write(here)
                    self.counts["cuts"] += 1

    def _cut(self, source: Source, cut: Cut, path: str) -> Cut:
        id = cut.id if path == cut.path_id else Cut.id_of(path, cut.cut, cut.query, cut.prefix)
        return self._pictured(source, cut.model_copy(update={"id": id, "path_id": path}))

    def pairs(self, source: Source) -> None:
        """Of records that keep their id; those of others are made anew of their branches."""
        with closing(Appender(self.to / PAIRS)) as file:
            for line in read(source.run / PAIRS):
                pair = validate(Pair, line)
                whose = [pair.path_id, *([pair.twin_id] if pair.twin_id else [])]
                if any(self.known.became(source.number, id) != id for id in whose):
                    self.counts["pairs to be made anew"] += 1
                elif self.known.first(source.number, "pair", pair.id):
                    ref, *more = (self.pictures.named(source, one) for one in pair.refs)
                    names = (self.pictures.take(source, one)[0] for one in pair.images)
                    here = {"images": tuple(names), "image_ref": ref, "more_image_refs": tuple(more)}
                    file.write(pair.model_copy(update=here))
                    self.counts["pairs"] += 1

    def labels(self, source: Source) -> None:
        """And corrections: what was said of branches, whose ids stay; of each branch one run's."""
        for name, kind in OF_BRANCHES.items():
            with closing(Appender(self.to / name)) as file:
                for line in read(source.run / name):
                    row = validate(kind, line)
                    if self.known.first(source.number, name, row.branch_id):
                        file.write(row)

    def _noting(self, part: Part, source: Source, rows: Iterable[RowT], counted: str) -> Iterator[RowT]:
        """The rows; where an edition of theirs begins, how many of what is `counted` are here by then."""
        begins = {made.from_row for made in getattr(source, part).editions}
        for number, row in enumerate(rows):
            if number in begins:
                begins.remove(number)
                self.begins[part, source.number, number] = self.counts[counted]
            yield row
        for number in begins:  # of which there is no row yet
            self.begins[part, source.number, number] = self.counts[counted]

    def _pictured(self, source: Source, row: PicturedT) -> PicturedT:
        """The same row, its pictures named as they are here."""
        image, *more = (self.pictures.named(source, one) for one in row.images)
        return row.model_copy(update={"image": image, "more_images": tuple(more)})


def _left_out(path: ReasoningPath, detail: str) -> Reject:
    return Reject(
        seed_id=path.seed_id, kind=path.kind, stage="merge", reason=Reason.PATH_DUPLICATE, detail=detail,
        made_by=path.made_by,
    )  # fmt: skip


def _item(seed: str, kind: str | None) -> str:
    return f"{kind or ''} {seed}"
