"""The exploration of a run: which paths are left, which are unfit, and a row for each cut of the others.

Done means that every cut of a path has its row on disk, with as many branches of each kind as are enough or
no hope of them. Rows of a path are written together. A cut that is opened again, since more is wanted now
(`explore.enough`) or its kind of pair lacks (`ledger`), gets a newer row that replaces the older.
Covers neither drawing (`explore`) nor F (`ways`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from ssui_gen.branches import Cut
from ssui_gen.config import Config, Explore
from ssui_gen.errors import OF_ITEM, ImageError
from ssui_gen.exploring.continuing import Policy
from ssui_gen.exploring.explore import Explorer
from ssui_gen.exploring.explored import (
    Explored,
    cut_id,
    first_paths,
    read_cuts,
    read_paths,
)
from ssui_gen.exploring.ledger import Lacking, Ledger
from ssui_gen.exploring.path_work import PathWork
from ssui_gen.exploring.rendered import check_rendering
from ssui_gen.exploring.watch import Watch
from ssui_gen.prompts import Prompt
from ssui_gen.records import ReasoningPath, Reject
from ssui_gen.run_files import BRANCHES, NOT_EXPLORED
from ssui_gen.verifying.steady import settled
from ssui_gen.verifying.verify import together
from ssui_gen.verifying.ways import ways


class Exploration(PathWork):
    """The open files of a run and the work on one path."""

    STAGE, ROWS, REJECTS = "explore", BRANCHES, NOT_EXPLORED

    explorer: Explorer
    """Made by `prepare`."""

    def _count_done(self) -> None:
        self.watch, self.ledger = Watch(), Ledger(self.job.config.explore)
        self.again: Lacking | None = None
        """Paths that are drawn from once more."""
        self.earlier: Explored | None = None
        """Rows of cuts that may be opened again; None as long as there are none."""
        for cut, _ in read_cuts(self.branches.path):
            self._note(cut)
            if cut.id not in self.done and self.earlier is None:
                self.earlier = Explored(self.branches.path)

    def _note(self, cut: Cut, sign: int = 1) -> None:
        """Count a row; with `sign` -1 take back one that another replaces."""
        if cut.source == "path":
            self.watch.note(cut, sign)
            self.ledger.note(cut)
        self.funnel.kept[_kind_of(cut)] += sign
        if cut.has(self.job.config.explore.enough):
            self.done.add(cut.id)

    def todo(self) -> Iterator[ReasoningPath | Reject]:
        """Paths with a cut that has no row yet, in their order, and what is unfit among them; where some are
        drawn from again, these alone.
        """
        yield from self._named(self.again) if self.again else super().todo()

    def _named(self, lacking: Lacking) -> Iterator[ReasoningPath]:
        for path in islice(read_paths(self.source), self.limit):
            if isinstance(path, ReasoningPath) and path.id in lacking.paths:
                yield path

    def _ahead(self) -> Iterator[ReasoningPath | Reject]:
        """What is to be done, and then drawn from again, as far as that is known, and what may be asked about
        wrong steps, of any path: of a run that was killed in between this is all there is.
        """
        yield from self.todo()
        if (lacking := self.ledger.lacking()) and lacking.hopeful:
            yield from self._named(lacking)
        config = self.job.config
        if config.explore.recovery.cuts or config.pairs.first_bad == "ask":
            yield from islice(read_paths(self.source), self.limit)

    async def attempt(self, path: ReasoningPath) -> list[str]:
        """Explore a path and write no row: what kinds of branch each cut has, empty where F knows none."""
        try:
            cuts = await self.explorer.explore(path)
        except (ImageError, *OF_ITEM):
            return [""] * len(path.steps)
        return ["" if _unsure(cut) else _kind_of(cut) for cut in cuts]

    def keep(self, cuts: Sequence[Cut]) -> None:
        """Write and count rows of one path that are new."""
        self.branches.write(*cuts)
        for cut in cuts:
            self._note(cut)

    def find_lacking(self) -> bool:
        """Whether a kind of pair lacks and there are paths to draw from once more: they are `todo` now."""
        if (lacking := self.ledger.lacking()) is None:
            return False
        self.say(str(lacking))
        if lacking.hopeful:
            self.again = lacking
            self.earlier, self.funnel.fresh = Explored(self.branches.path), 0
        return lacking.hopeful

    def _is_left(self, path: ReasoningPath) -> bool:
        cuts = (cut_id(path, cut) for cut in range(len(path.steps)))
        return path.id not in self.done and not all(cut in self.done for cut in cuts)

    async def prepare(self, prompts: Mapping[str, Prompt], say: Callable[[str], None]) -> None:
        """Make the explorer, now that it is known what the models can do; and look at the prompts of one
        path as the server renders them. Raises ConfigError.
        """
        config, job, self.say = self.job.config, self.job, say
        policy = self.policy(prompts["policy"])
        await self._look_at_prompts(policy)
        paths = first_paths(self.source)
        settings = await settled(job, config.verify, prompts, self.pictures.of, paths, say)
        parts = ways(settings.by, job, settings, prompts, self.pictures.of)
        verify = together(parts, settings.mode, settings.form)
        self.explorer = Explorer(policy, _how(config), verify, self.pictures.all)

    async def _look_at_prompts(self, policy: Policy) -> None:
        for path, _ in islice(self._samples(), 1):
            found = await check_rendering(
                policy, self.job.config.explore, path, self.pictures.all(path.images)
            )
            self.say(f"policy: the server renders each prefix as it stands (compared by {found.by})")
            if policy.caller.sending.verbatim:
                self.say("policy: prefixes go to its completion endpoint, for in chat they do not stand so")
            if found.lost and not self.job.toy:
                self.say(f"policy: {found.lost}")

    def _is_wanted(self, path: ReasoningPath) -> bool:
        return bool(self.again) or self._is_left(path)

    async def _draw(self, path: ReasoningPath) -> None:
        """From the beginning (answered from the journal, as far as it was asked before), or where every cut
        has a row, on from there.
        """
        rows = self.earlier.of(path) if self.earlier else []
        rows = rows if len(rows) == len(path.steps) else []
        draw = self.explorer.search if self.again else self.explorer.explore
        self._keep(await draw(path, rows), rows)

    def _keep(self, cuts: Sequence[Cut], rows: Sequence[Cut]) -> None:
        """Write what is new or other than the `rows` that it replaces."""
        hopeless, earlier = self.watch.hopeless, {row.id: row for row in rows}
        fresh = [cut for cut in cuts if (cut != earlier[cut.id] if rows else cut.id not in self.done)]
        self.branches.write(*fresh)
        for cut in fresh:
            if rows:
                self._note(earlier[cut.id], -1)
            self._note(cut)
        if self.watch.hopeless and not hopeless:
            self.say(self.watch.warning)


def _how(config: Config) -> Explore:
    """Where F looks at steps, answers that are alike tell nothing."""
    by_steps = "first_bad_step" in config.verify.by
    return config.explore.model_copy(update={"alike": None}) if by_steps else config.explore


def _unsure(cut: Cut) -> bool:
    return all(branch.judgement.polarity == "unverified" for branch in cut.branches)


def _kind_of(cut: Cut) -> str:
    """For the account: which kinds of branch a cut has."""
    found = Counter(branch.judgement.polarity for branch in cut.branches)
    kinds = [kind for kind in ("good", "bad") if found[kind]]
    whose = "recovery, " if cut.origin else ""
    return f"{cut.kind}, {whose}{' and '.join(kinds) or 'unverified'} branches"
