"""A run's folder: who may write it, what it was made with, and whether that has changed.

`run.json` (`manifest`) lists the editions of a run: each a set of cards, prompts and models that rows were
made with. `used/<n>/` holds edition n word for word. Rows themselves are the stages' affair.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ssui_gen import __version__
from ssui_gen.errors import ConfigError, RecordError, RunLocked
from ssui_gen.files import atomic_write, claim, open_own, own_folder, require_own_way
from ssui_gen.manifest import Edition, Made, Manifest, Seeds, read_manifest
from ssui_gen.prompts import home


class RunDir:
    """An exclusively held run folder. Raises RunLocked while another process holds it, RecordError if it
    cannot be written.
    """

    def __init__(self, path: Path, stage: str = "run") -> None:
        """`stage` names the manifest: each stage that writes here has its own."""
        self.path = path
        self.stage = stage
        _refuse_home(path)
        with self._explained():
            require_own_way(path / ".lock")
            path.mkdir(parents=True, exist_ok=True)
            claim(path)
            self._lock = open_own(path / ".lock")
        with ExitStack() as unless_held:
            unless_held.callback(self.close)
            self._hold()
            unless_held.pop_all()

    def _hold(self) -> None:
        with self._explained():
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = self._holder() or "unknown"
                raise RunLocked(
                    f"{self.path}: in use by another process ({holder}): wait for it, or choose another RUN"
                ) from None
            if self._holder() is not None:
                os.ftruncate(self._lock, 0)
                os.pwrite(self._lock, f"pid {os.getpid()}".encode(), 0)

    def _holder(self) -> str | None:
        """Who wrote the lock last; None where it says something that no run of ours has written."""
        found = os.pread(self._lock, 40, 0)
        return found.decode() if re.fullmatch(rb"(pid \d+)?", found) else None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RecordError(
                f"{self.path}: the run folder cannot be written: {error}; free some space, allow writing "
                "there, or choose another RUN"
            ) from None

    def close(self) -> None:
        os.close(self._lock)

    def __enter__(self) -> RunDir:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def manifest(self) -> Path:
        return self.path / f"{self.stage}.json"

    def read(self) -> Manifest:
        """The manifest; empty for a new run. Raises RecordError."""
        return read_manifest(self.manifest)

    def open_edition(
        self,
        edition: Edition,
        *,
        rows: int,
        mix: bool,
        settings: dict[str, Any],
        features: dict[str, dict[str, Any]],
        sources: dict[str, Path],
        toy: bool,
        seeds: Seeds | None = None,
    ) -> None:
        """Record what the coming rows are made with, and keep a copy of `sources` (name → file or folder).

        `features` are what each role's model was found to do, `toy` whether the embedded micro VLM plays.

        Raises ConfigError when `rows` already exist that were made with something else or whose pictures lie
        elsewhere, unless `mix`.
        """
        known = self.check(edition, rows, mix, seeds)
        made = known.editions
        if known.last != edition:
            made = (*made, Made(from_row=rows, edition=edition, since=_now()))
            self._keep(sources, len(made))
        new: dict[str, Any] = {"ssui_gen": known.ssui_gen or __version__, "git": known.git or git_state()}
        new |= {"editions": made, "settings": settings, "features": features, "toy": toy or known.toy}
        manifest = known.model_copy(update=new | ({"seeds": seeds} if seeds else {}))
        atomic_write(self.manifest, manifest.model_dump_json(indent=2) + "\n")

    def check(self, edition: Edition, rows: int, mix: bool, seeds: Seeds | None = None) -> Manifest:
        """The manifest, if coming rows may stand beside the `rows` that are there; raises ConfigError."""
        known = self.read()
        if known.last and rows and (changed := known.last.changes(edition)) and not mix:
            raise ConfigError(_mixed(self.path, rows, changed))
        if seeds and rows and not mix:
            self._check_root(known.seeds, seeds)
        return known

    def note(self, counts: dict[str, dict[str, int]]) -> None:
        """Keep what was counted in the manifest, in the place of what was counted before."""
        known = self.read()
        if known.counts != counts:
            manifest = known.model_copy(update={"counts": counts})
            atomic_write(self.manifest, manifest.model_dump_json(indent=2) + "\n")

    def _check_root(self, old: Seeds | None, new: Seeds) -> None:
        """A row names its picture below one root; raises ConfigError where that of other rows is another."""
        if old and old.root != new.root and (self.path / old.root).exists():
            raise ConfigError(
                f"{self.path}: the pictures of its rows lie below {old.root}, those of SEEDS below "
                f"{new.root}: use a new RUN, or --mix (later stages then find the new ones alone)"
            )

    def _keep(self, sources: dict[str, Path], number: int) -> None:
        for name, source in sources.items():
            number_of = str(number) if self.stage == "run" else f"{self.stage}-{number}"
            target = self.path / "used" / number_of / name
            with self._explained():
                for file in sorted(source.rglob("*")) if source.is_dir() else [source]:
                    if file.is_file():
                        copy = target / file.relative_to(source)
                        own_folder(copy.parent)
                        atomic_write(copy, file.read_bytes())


def _refuse_home(path: Path) -> None:
    """Raises ConfigError for a folder that holds the program, or all runs: `..`, a link, `outputs` itself."""
    full, ours = path.resolve(), home().resolve()
    if ours.is_relative_to(full) or full == (ours / "outputs").resolve():
        raise ConfigError(f"{path}: expected a folder of the run's own, such as outputs/demo; RUN names it")


def _mixed(path: Path, rows: int, changed: list[str]) -> str:
    what = "; ".join(changed)
    return (
        f"{path}: {rows} rows were made with something else ({what}): use a new RUN, or --mix to go on here"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def git_state() -> str:
    """Commit of the checkout the code runs from, `-dirty` if it has changes; empty outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()
