"""Draws what a policy says where it is told the danger, from the root of each path of a run; and makes rows.

What was drawn is costly and resumed by its row in told.jsonl; the rows to train on are cheap and made anew
each time from all of it. Covers neither the question nor what makes a response a row (`told`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ssui_gen.branches import Cut
from ssui_gen.branching import path_class
from ssui_gen.config import Config
from ssui_gen.errors import OF_ITEM, ImageError
from ssui_gen.exploring.continuing import Policy
from ssui_gen.exploring.drawing import Drawing
from ssui_gen.exploring.explore import draw
from ssui_gen.exploring.explored import Explored, cut_id, read_cuts, read_paths
from ssui_gen.exploring.leaks import Bench
from ssui_gen.exploring.path_work import PathWork
from ssui_gen.exploring.told import NOT_ASKED, STAGE, distilled, lacks, with_evidence
from ssui_gen.exploring.watch import Watch
from ssui_gen.files import beside, explained, replace
from ssui_gen.jsonl import as_line
from ssui_gen.prompts import Prompt
from ssui_gen.records import KINDS, Kind, Reason, ReasoningPath, Reject
from ssui_gen.run_files import NOT_TOLD, PATHS, REJECTS, TOLD


class Distilling(PathWork):
    """The open files of the job and the work on one path."""

    STAGE, ROWS, REJECTS = STAGE, TOLD, NOT_TOLD

    note: Prompt
    """How the evidence is said; set before anything is asked of what is left, as `asked` before all draws."""
    asked: Policy

    def _count_done(self) -> None:
        self.watch = Watch()
        for cut, _ in read_cuts(self.branches.path):
            self._note(cut)

    def _note(self, cut: Cut) -> None:
        self.done.add(cut.id)
        self.watch.note(cut)
        self.funnel.kept[_kind_of(cut)] += 1

    def _is_left(self, path: ReasoningPath) -> bool:
        return path.id not in self.done and cut_id(with_evidence(path, self.note), 0) not in self.done

    async def _draw(self, path: ReasoningPath) -> None:
        if why := lacks(path):
            self._reject(path, Reason.PATH_INVALID, why)
            return
        cut = await self._told(path)
        self.branches.write(cut)
        self._note(cut)

    async def attempt(self, path: ReasoningPath) -> list[str]:
        """Ask about a path and write no row: what it gave, empty where that is nothing to train on."""
        try:
            cut = await self._told(path)
        except (ImageError, *OF_ITEM):
            return [""]
        return [_kind_of(cut) if _whole(cut) else ""]

    async def _told(self, path: ReasoningPath) -> Cut:
        """k draws, in one request where the server can."""
        settings, drawing = self.job.config.explore, Drawing.of(with_evidence(path, self.note), 0)
        await draw(self.asked, settings, self.pictures.all(path.images), drawing, settings.k)
        row = drawing.row(settings.enough)
        branches = (one.model_copy(update={"judgement": NOT_ASKED}) for one in row.branches)
        return row.model_copy(update={"branches": tuple(branches)})


class Rows(NamedTuple):
    """What there is to train on."""

    made: int
    former: Path | None
    """Where the rows are kept that were there before, if they were others."""
    counts: Counter[str]
    """Rows, and why other responses are none."""
    named: Counter[tuple[Kind, bool]]
    """Rows by kind, and whether step 4 names the class of the record: the least that a hint should bring."""

    @property
    def telling(self) -> str:
        """How many do."""
        of = {
            kind: (self.named[kind, True], self.named[kind, True] + self.named[kind, False]) for kind in KINDS
        }
        said = ", ".join(f"{n:,} of {all_:,} rows of {kind} paths" for kind, (n, all_) in of.items() if all_)
        return f"Step 4 names the class of the record in {said}; F was not asked."


def write_rows(run: Path, source: Path, root: Path, config: Config, bench: Bench, note: Prompt) -> Rows:
    """The rows of all that was drawn from paths as they are now, and the rejects of what is none."""
    drawn, counts, named = Explored(run / TOLD), Counter[str](), Counter[tuple[Kind, bool]]()

    def paths() -> Iterator[tuple[ReasoningPath, Cut]]:
        for path in read_paths(source):
            if isinstance(path, ReasoningPath) and bench.apart(path, root, config.images):
                yield from ((path, cut) for cut in drawn.of(with_evidence(path, note)))

    with explained(run / REJECTS), beside(run / REJECTS) as (rejects, file):

        def rows() -> Iterator[bytes]:
            for path, cut in paths():
                for row in distilled(path, cut):
                    counts[row.reason if isinstance(row, Reject) else "made"] += 1
                    if isinstance(row, Reject):
                        file.write(as_line(row))
                    else:
                        named[row.kind, path_class(row.steps) == row.query.category] += 1
                        yield as_line(row)

        former = replace(run / PATHS, rows())
        file.flush()
        rejects.replace(run / REJECTS)
    return Rows(counts["made"], former, counts, named)


def _whole(cut: Cut) -> bool:
    return any(branch.form.whole and branch.finish == "stop" for branch in cut.branches)


def _kind_of(cut: Cut) -> str:
    """For the account."""
    return f"{cut.kind}, {'a' if _whole(cut) else 'no'} response in form"
