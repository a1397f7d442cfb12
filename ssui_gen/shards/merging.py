"""The logs of all shards become an ordinary run folder, if every item that was dealt has its rows once."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple

from ssui_gen.calling.journal import CALLS, Journal
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write, keep_former
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.shards.attempt import as_call, edition_id
from ssui_gen.shards.attempts import CALL, DONE, EDITION, Event, Past
from ssui_gen.shards.dealing import Deal, Which, find_deal, items_of_shard, ranges
from ssui_gen.shards.rows import Rows
from ssui_gen.shards.stage import Manifests
from ssui_gen.shards.stages import stage_of
from ssui_gen.shards.store import Store

DRAFTS = ".merging-"


class Merged(NamedTuple):
    """What came of it."""

    deal: Deal
    made: Manifests
    rows: Counter[str]
    """By file."""
    calls: int
    attempts: int
    former: tuple[Path, ...]
    """Where other rows are kept that were there."""


def require_deal(store: Store) -> Deal:
    """Raises ConfigError where nothing was dealt."""
    deal = find_deal(store)
    if deal is None:
        raise ConfigError(f"{store.place}: nothing was dealt into shards here: `ssui shards deal` does that")
    return deal


def shards_of(deal: Deal) -> list[Which]:
    return [Which(number, len(deal.dealt)) for number in range(len(deal.dealt))]


def merge(store: Store, into: Path, *, calls: bool, mix: bool) -> Merged:
    """Write the rows of all shards into the run folder `into`, and their calls too if `calls`.

    Raises ConfigError where a shard is not done, lacks a row or has one too many, or was made with something
    else (unless `mix`), or `into` holds rows of something else, and RecordError where the disk refuses: then
    no row there has changed.
    """
    deal = require_deal(store)
    stage, pasts = stage_of(deal), [Past(store, deal, which) for which in shards_of(deal)]
    _require_done(store, pasts)
    made = stage.read(store)
    if not made:
        raise ConfigError(f"{store.place}: does not say with what its shards were made: put that file back")
    with RunDir(into), ExitStack() as open_:
        home = into / deal.folder
        stage.require_ours(home, deal, made)
        try:
            drafts = _Drafts(into, home, open_, calls)
            for name in stage.files(made):
                drafts.open(name)
            for past in pasts:
                _add(past, drafts, made, mix)
            for name, data in stage.beside(store, deal, made).items():
                _unless_there(home / name, data)
            for name, manifest in made.items():
                _unless_there(home / name, (manifest.model_dump_json(indent=2) + "\n").encode())
            drafts.finish()
        except OSError as error:
            raise RecordError(
                f"{into}: could not be written: {error}; free some space and try again"
            ) from None
    return Merged(
        deal, made, drafts.rows, drafts.calls, sum(len(past.numbers) for past in pasts), tuple(drafts.former)
    )


def _unless_there(path: Path, data: bytes) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, data)


def _require_done(store: Store, pasts: list[Past]) -> None:
    lacking = [past.which.number for past in pasts if past.done is None]
    if lacking:
        raise ConfigError(
            f"{store.place}: {len(lacking):,} of {len(pasts):,} shards are not done: {ranges(lacking)}: "
            "start these again, with the command that they were started with"
        )


class _Drafts:
    """The files of a run, beside it until all of them are whole."""

    def __init__(self, into: Path, home: Path, open_: ExitStack, calls: bool) -> None:
        for left in into.glob(f"{DRAFTS}*"):  # by a merge that was killed
            shutil.rmtree(left)
        self.into, self.home, self.rows, self.calls = into, home, Counter[str](), 0
        self.folder = Path(open_.enter_context(TemporaryDirectory(prefix=DRAFTS, dir=into)))
        self._open, self._files = open_, dict[str, BinaryIO]()
        self.former = list[Path]()
        self._journal = open_.enter_context(closing(Journal(self.folder / CALLS))) if calls else None

    def open(self, name: str) -> BinaryIO:
        """A file of rows, from the first call on."""
        if name not in self._files:
            draft = self.folder / "rows" / name
            draft.parent.mkdir(parents=True, exist_ok=True)
            self._files[name] = self._open.enter_context(draft.open("wb"))
        return self._files[name]

    def call(self, event: Event, where: str) -> None:
        self.calls += 1
        if self._journal:
            self._journal.keep(as_call(event[1], where))

    def add(self, rows: Rows) -> None:
        for name in rows.files:
            file = self.open(name)
            for line in rows.lines(name):
                file.write(line)
                self.rows[name] += 1

    def finish(self) -> None:
        """The rows last: they are what a run is known by. Rows that they replace are kept; so are answers of
        later stages, in its journal.
        """
        if self._journal:
            self._journal.close()
            self._keep_calls(self.folder / CALLS, self.into / CALLS)
        for name, file in self._files.items():
            file.flush()
            os.fsync(file.fileno())
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            draft = self.folder / "rows" / name
            if former := keep_former(self.home / name, draft):
                self.former.append(former)
            draft.replace(self.home / name)

    def _keep_calls(self, made: Path, known: Path) -> None:
        if known.exists():
            with closing(Journal(known)) as journal:
                journal.take(made)
        else:
            made.replace(known)


def _add(past: Past, drafts: _Drafts, made: Manifests, mix: bool) -> None:
    """One shard; raises ConfigError for what is not as it was dealt."""
    where, stage = f"{past.store.place}/{past.which.folder}", stage_of(past.deal)
    rows, ours, last = Rows(stage, where), edition_id(made), ""
    for event in past.events():
        last, value = event
        rows.apply(event)
        if last == CALL:
            drafts.call(event, where)
        if last == EDITION and value != ours and not mix:
            raise ConfigError(
                f"{where}: was made with something else than {', '.join(made)} says (prompts, cards or "
                "models): take it out of the run, or --mix to merge it all the same"
            )
    if last != DONE:
        raise ConfigError(f"{where}: its last log is damaged before its end: start the shard again")
    stage.check(where, rows.known, items_of_shard(past.store, past.deal, past.which)(), past.deal, made)
    drafts.add(rows)
