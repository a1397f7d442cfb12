"""The logs of all shards become an ordinary run folder, if every seed that was dealt has its rows once."""

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
from ssui_gen.files import atomic_write
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.manifest import RUN, Manifest, read_manifest
from ssui_gen.records import digest
from ssui_gen.shards.attempt import as_call
from ssui_gen.shards.attempts import CALL, DONE, EDITION, Event, Past
from ssui_gen.shards.dealing import Deal, Which, find_deal, ranges, seeds_of_shard
from ssui_gen.shards.edition import find_manifest
from ssui_gen.shards.rows import PATHS, RECORDS, Rows
from ssui_gen.shards.store import Store

DRAFTS = ".merging-"


class Merged(NamedTuple):
    """What came of it."""

    rows: Counter[str]
    """By file."""
    calls: int
    attempts: int


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
    else (unless `mix`), or `into` is a run of other seeds, and RecordError where the disk refuses: then no
    row there has changed.
    """
    deal = require_deal(store)
    pasts = [Past(store, deal, which) for which in shards_of(deal)]
    _require_done(store, pasts)
    manifest = find_manifest(store)
    if manifest is None:
        raise ConfigError(f"{store.place}/{RUN}: is missing, though shards are done: put it back")
    with RunDir(into), ExitStack() as open_:
        _require_ours(into, manifest)
        try:
            drafts = _Drafts(into, open_, calls)
            for past in pasts:
                _add(past, drafts, manifest, mix)
            if not (into / RUN).exists():
                atomic_write(into / RUN, manifest.model_dump_json(indent=2) + "\n")
            drafts.finish()
        except OSError as error:
            raise RecordError(
                f"{into}: could not be written: {error}; free some space and try again"
            ) from None
    return Merged(drafts.rows, drafts.calls, sum(len(past.numbers) for past in pasts))


def _require_done(store: Store, pasts: list[Past]) -> None:
    lacking = [past.which.number for past in pasts if past.done is None]
    if lacking:
        raise ConfigError(
            f"{store.place}: {len(lacking):,} of {len(pasts):,} shards are not done: {ranges(lacking)}: "
            "start these again, with the command that they were started with"
        )


def _require_ours(into: Path, manifest: Manifest) -> None:
    """Raises ConfigError where the rows of another run would be replaced."""
    found = read_manifest(into / RUN).seeds
    if (into / PATHS).exists() and found != manifest.seeds:
        raise ConfigError(
            f"{into}: holds a run of {found.source if found else 'unknown seeds'}, whose rows would be "
            "replaced: say another folder, with --into"
        )


class _Drafts:
    """The files of a run, beside it until all of them are whole."""

    def __init__(self, into: Path, open_: ExitStack, calls: bool) -> None:
        for left in into.glob(f"{DRAFTS}*"):  # by a merge that was killed
            shutil.rmtree(left)
        self.into, self.rows, self.calls = into, Counter[str](), 0
        self.folder = Path(open_.enter_context(TemporaryDirectory(prefix=DRAFTS, dir=into)))
        self._files: dict[str, BinaryIO] = {
            name: open_.enter_context((self.folder / name).open("wb")) for name in RECORDS
        }
        self._journal = open_.enter_context(closing(Journal(self.folder / CALLS))) if calls else None

    def call(self, event: Event, where: str) -> None:
        self.calls += 1
        if self._journal:
            self._journal.keep(as_call(event[1], where))

    def add(self, rows: Rows) -> None:
        for name, file in self._files.items():
            for line in rows.lines(name):
                file.write(line)
                self.rows[name] += 1

    def finish(self) -> None:
        """The rows last: they are what a run is known by. Answers of later stages stay in its journal."""
        if self._journal:
            self._journal.close()
            self._keep_calls(self.folder / CALLS, self.into / CALLS)
        for name, file in self._files.items():
            file.flush()
            os.fsync(file.fileno())
            (self.folder / name).replace(self.into / name)

    def _keep_calls(self, made: Path, known: Path) -> None:
        if known.exists():
            with closing(Journal(known)) as journal:
                journal.take(made)
        else:
            made.replace(known)


def _add(past: Past, drafts: _Drafts, manifest: Manifest, mix: bool) -> None:
    """One shard; raises ConfigError for what is not as it was dealt."""
    where = f"{past.store.place}/{past.which.folder}"
    rows, ours, last = Rows(where), manifest.last and digest(manifest.last.model_dump()), ""
    for event in past.events():
        last, value = event
        rows.apply(event)
        if last == CALL:
            drafts.call(event, where)
        if last == EDITION and value != ours and not mix:
            raise ConfigError(
                f"{where}: was made with something else than {RUN} says (prompts, cards or models): take it "
                "out of the run, or --mix to merge it all the same"
            )
    if last != DONE:
        raise ConfigError(f"{where}: its last log is damaged before its end: start the shard again")
    dealt = seeds_of_shard(past.store, past.deal, past.which)
    rows.check(dealt(), bool(manifest.settings.get("twins", True)))
    drafts.add(rows)
