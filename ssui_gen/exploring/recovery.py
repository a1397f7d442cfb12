"""Cuts behind a wrong step: does the policy come back to the right end, and does it go on wrong?

Branches from right steps do not teach recovery from a wrong one. So some of a path's bad branches are
followed up to the step in which they first go wrong, and drawn on from there. F judges the whole response: a
right end after a wrong step is good. Comes after the path's own cuts, whose rows it reads; what was drawn
stays, and a path with all its rows is done. Neither draws (`explore`) nor says where a branch goes wrong
(`locating`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from ssui_gen.branches import Branch, Cut, Origin, Place
from ssui_gen.branching import prefix_at
from ssui_gen.config import Explore
from ssui_gen.config_pairs import Recovery as Settings
from ssui_gen.errors import OF_ITEM, ImageError
from ssui_gen.exploring.drawing import Lead
from ssui_gen.exploring.explore import Explorer
from ssui_gen.exploring.explored import Explored
from ssui_gen.exploring.locating import Teller
from ssui_gen.jobs.progress import Funnel
from ssui_gen.reading import read
from ssui_gen.records import STEP_NAMES, ReasoningPath, row_id
from ssui_gen.verifying.verify import Case

Keep = Callable[[Sequence[Cut]], None]


class Recovery:
    """The work on one path; one for a run."""

    def __init__(
        self, explorer: Explorer, settings: Explore, tell: Teller, rows: Explored, keep: Keep
    ) -> None:
        own = {"temperature": settings.recovery.temperature, "most_per_cut": settings.recovery.draws}
        self.explorer = replace(explorer, settings=explorer.settings.model_copy(update=own))
        self.settings, self.tell, self.rows, self.keep = settings.recovery, tell, rows, keep
        self.funnel = Funnel()

    def todo(self, paths: Iterator[ReasoningPath]) -> Iterator[ReasoningPath]:
        """Those that have fewer cuts than they may have, and a bad branch."""
        for path in paths:
            bad = any(cut.of("bad") for cut in self.rows.of(path))
            if bad and len(self.rows.off(path)) < self.settings.cuts:
                yield path

    async def on(self, path: ReasoningPath) -> None:
        """Rows for the cuts of one path that have none. What cannot be asked is counted and tried again."""
        self.funnel.in_flight += 1
        try:
            await self._explore(path)
        except (ImageError, *OF_ITEM) as error:
            self.funnel.dropped["recovery", error.reason] += 1
        finally:
            self.funnel.in_flight -= 1
            self.funnel.fresh += 1

    async def _explore(self, path: ReasoningPath) -> None:
        """Where one lacks, all are drawn, those of before from the journal: a killed run goes on alike."""
        leads = await leads_of(path, self.rows.of(path), self.tell, self.settings)
        known = {cut.id for cut in self.rows.off(path)}
        lack = {Cut.id_of(path.id, lead.cut, path.query.text, lead.prefix) for lead in leads} - known
        fresh = [cut for cut in await self.explorer.recover(path, leads if lack else ()) if cut.id in lack]
        self.funnel.kept["cuts"] += len(fresh)
        self.funnel.kept["paths without a located error"] += not leads
        if fresh:
            self.keep(fresh)


async def leads_of(path: ReasoningPath, cuts: Sequence[Cut], tell: Teller, settings: Settings) -> list[Lead]:
    """Where a path's bad branches went wrong: the first so many, in a lot's order, of those that can be told.
    Raises what `tell` raises.
    """
    found: dict[str, Lead] = {}
    bad = [(cut, branch) for cut in cuts for branch in cut.of("bad")]
    for cut, branch in sorted(bad, key=lambda one: row_id(path.id, one[1].id)):
        place = await tell(Case.of(path, cut, branch), branch)
        lead = lead_of(cut, branch, place, settings)
        if lead and lead.prefix != prefix_at(path.steps, lead.cut):
            found.setdefault(lead.prefix, lead)
        if len(found) == settings.cuts:
            break
    return list(found.values())


def lead_of(cut: Cut, branch: Branch, place: Place | None, settings: Settings) -> Lead | None:
    """The response up to the end of the step that is wrong; None where that is not known, or the last one,
    behind which nothing is left to come back in.
    """
    number = int(place.removeprefix("step ")) if place and place != "answer" else 0
    response = cut.prefix + branch.text
    stop = read(response).through(number)
    if not cut.cut < number < len(STEP_NAMES) or stop is None:
        return None
    return Lead(
        response[:stop], number, Origin(branch_id=branch.id, cut=cut.cut, temperature=settings.temperature)
    )


def some(paths: Iterator[Any], limit: int | None) -> Iterator[ReasoningPath]:
    """The paths among the first so many rows."""
    return (path for path in islice(paths, limit) if isinstance(path, ReasoningPath))
