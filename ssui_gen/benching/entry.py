"""One model's part of a run of a benchmark: what is left to be answered, judged and scored, and its rows on
disk.

A row is done when its id is in its file; ids are of item, model, protocol and draw, and of the question or
the rules and their judge. Covers no order of phases and no models (`stages.bench`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path

from ssui_gen.benching.answering import Tested, answer
from ssui_gen.benching.bench import Bench
from ssui_gen.benching.judged import Judge, judge
from ssui_gen.benching.kept import Kept
from ssui_gen.benching.official.asking import Scorer
from ssui_gen.benching.official.shape import Judged
from ssui_gen.benching.records import BenchJudgement, Item, Response
from ssui_gen.benching.vqa.marking import Marker
from ssui_gen.calling.journal import Seen
from ssui_gen.config import Bench as Settings
from ssui_gen.config import BenchQuestion
from ssui_gen.jobs.part import Witness
from ssui_gen.jobs.progress import Funnel
from ssui_gen.placed import ById
from ssui_gen.records import Reason

LONGEST_NAME = 80
Scoring = Scorer | Marker
"""Rules of a benchmark's own, put to a judge or to words."""


def folder_name(model: str) -> str:
    """What a model's folder is called: its name, whatever a server calls it, as one part of a path."""
    return re.sub(r"[^A-Za-z0-9._@+-]+", "-", model).strip(".-")[:LONGEST_NAME] or "model"


class Entry:
    """A model under test, and what came of it so far."""

    def __init__(
        self,
        tested: Tested,
        judge: Judge | None,
        scorers: Sequence[Scoring],
        settings: Settings,
        bench: Bench,
        folder: Path,
        open_: AsyncExitStack,
        witness: Witness | None = None,
    ) -> None:
        """Without a `judge` nothing is asked of one; `witness` is told of each row before it is written."""
        self.tested, self.by, self.scorers, self.folder = tested, judge, scorers, folder
        self.settings = settings
        self.items = ById(bench.items)
        self._kept = Kept(folder, open_, witness)
        self._done = open_.enter_context(closing(Seen()))
        """Ids of rows in the files."""

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(1 for rows in self._kept for _ in rows)

    def begin(self, retry: Collection[Reason], funnel: Funnel) -> None:
        """Take out what is tried again, and count what is there."""
        if again := self._kept.try_again(retry):
            funnel.again[f"calls for {self.tested.name}"] += again
        for response in self._kept.responses:
            self._note_response(response, funnel)
        for judgement in self._kept.judgements:
            self._note_judgement(judgement, funnel)
        for score in self._kept.official:
            self._note_score(score, funnel)

    # --- answers -----------------------------------------------------------------------------------

    def unanswered(self) -> Iterator[tuple[Item, list[int]]]:
        """Each item with the draws that have no response yet."""
        for item in self.items.values():
            draws = [draw for draw in range(self.settings.draws) if self._id(item, draw) not in self._done]
            if draws:
                yield item, draws

    def _id(self, item: Item, draw: int) -> str:
        return Response.id_of(item.id, self.tested.name, self.settings.protocol, draw)

    async def answer(self, item: Item, draws: Collection[int], funnel: Funnel) -> None:
        """Rows for these draws, written together."""
        made = await answer(self.tested, item, self.settings, draws)
        self._kept.responses.write(made)
        for response in made:
            self._note_response(response, funnel)

    async def attempt(self, item: Item, draws: Collection[int]) -> list[str]:
        """All that is asked about an item, no row written: `ok` for each response that is, else nothing."""
        made = await answer(self.tested, item, self.settings, draws)
        if self.by and "rsbench" in self.settings.score:
            asked = self.settings.questions
            await asyncio.gather(*(judge(self.by, item, response, asked) for response in made))
        scored = (scorer(item, response) for response in made for scorer in self.scorers)
        await asyncio.gather(*scored)
        return ["ok" if response.status == "ok" else "" for response in made]

    def _note_response(self, response: Response, funnel: Funnel) -> None:
        self._done.add(response.id)
        if response.reason:
            funnel.dropped["respond", response.reason] += 1
        else:
            funnel.kept[f"responses of {response.model}, {response.status},"] += 1

    # --- judgements --------------------------------------------------------------------------------

    def unjudged(self) -> Iterator[tuple[Response, list[BenchQuestion]]]:
        """Each response with the questions that have no row by this judge yet."""
        if not self.by or "rsbench" not in self.settings.score:
            return
        for response in self._kept.responses:
            judge = self.by.asked.model
            ids = {name: BenchJudgement.id_of(response.id, name, judge) for name in self.settings.questions}
            left = [name for name, id in ids.items() if id not in self._done]
            if left and response.item_id in self.items:
                yield response, left

    async def judge(self, response: Response, questions: Collection[BenchQuestion], funnel: Funnel) -> None:
        """Rows for these questions, written together."""
        assert self.by is not None
        made = await judge(self.by, self.items[response.item_id], response, questions)
        self._kept.judgements.write(made)
        for row in made:
            self._note_judgement(row, funnel)

    def _note_judgement(self, row: BenchJudgement, funnel: Funnel) -> None:
        self._done.add(row.id)
        if row.unscored in (None, "not_asked"):
            funnel.kept["judgements" if row.verdict else "questions that do not apply,"] += 1
        else:
            funnel.dropped["judge", str(row.unscored)] += 1

    # --- scores by the benchmark's own rules -------------------------------------------------------

    def unscored(self) -> Iterator[tuple[Response, list[Scoring]]]:
        """Each response with the rules by which it has no row yet."""
        for response in self._kept.responses:
            left = [scorer for scorer in self.scorers if scorer.id_of(response) not in self._done]
            if left and response.item_id in self.items:
                yield response, left

    async def score(self, response: Response, scorers: Collection[Scoring], funnel: Funnel) -> None:
        """Rows by these rules, written together."""
        item = self.items[response.item_id]
        made = await asyncio.gather(*(scorer(item, response) for scorer in scorers))
        self._kept.official.write(made)
        for row in made:
            self._note_score(row, funnel)

    def _note_score(self, row: Judged, funnel: Funnel) -> None:
        self._done.add(row.id)
        for reason in row.unscored.values():
            funnel.dropped["score", reason] += 1
        if not row.unscored:
            funnel.kept[f"scores by {row.bench}'s protocol {row.protocol},"] += 1

    # --- all ---------------------------------------------------------------------------------------

    @property
    def failed(self) -> int:
        """Rows that the same command tries again."""
        spoiled = sum(row.unscored == "call_failed" for row in self._kept.judgements)
        spoiled += sum("call_failed" in row.unscored.values() for row in self._kept.official)
        return spoiled + sum(bool(row.reason and row.reason.passing) for row in self._kept.responses)
